// The official Shopify library against the simulator: token, queries, stock and webhooks.
import assert from 'node:assert/strict';
import '@shopify/shopify-api/adapters/node';
import { ApiVersion, DeliveryMethod, GraphqlQueryError, LogSeverity, shopifyApi } from '@shopify/shopify-api';
import { setAbstractFetchFunc } from '@shopify/shopify-api/runtime';
import { control, story } from './lib.mjs';

const LEVELS = `#graphql
  query Levels($sku: String!) {
    productVariants(first: 5, query: $sku) {
      nodes { sku inventoryItem { id inventoryLevels(first: 5) { nodes { location { id } quantities(names: ["available", "committed"]) { name quantity } } } } }
    }
  }`;

const SET = `#graphql
  mutation Set($input: InventorySetQuantitiesInput!, $key: String!) {
    inventorySetQuantities(input: $input) @idempotent(key: $key) {
      inventoryAdjustmentGroup { reason changes { name delta } }
      userErrors { code field message }
    }
  }`;

await story('shopify', [], async ({ sandbox, hooks, call }) => {
  const shop = sandbox.line('shop');
  // The library calls https:// and the shop's domain, and nothing else.
  setAbstractFetchFunc((to, init) => {
    const url = new URL(to);
    assert.equal(url.origin, `https://${shop}`);
    return fetch(new URL(url.pathname + url.search, sandbox.url), init);
  });
  const shopify = shopifyApi({
    apiKey: sandbox.line('client id'),
    apiSecretKey: sandbox.line('client secret'),
    hostName: new URL(hooks.url).host,
    hostScheme: 'http',
    apiVersion: ApiVersion.July26,
    isEmbeddedApp: false,
    logger: { level: LogSeverity.Error },
  });
  const act = control(sandbox.url);
  const session = await call('auth.clientCredentials', async () => {
    const { session } = await shopify.auth.clientCredentials({ shop });
    assert.ok(session.accessToken && session.scope.includes('write_inventory'));
    assert.ok(session.expires > new Date(), 'the token expires, in the future');
    return session;
  });
  const client = new shopify.clients.Graphql({ session });
  const location = await reads({ call, client, act });
  await stock({ call, client, act, location });
  await webhooks({ call, client, act, shopify, session, hooks });
  await refusals({ call, shopify, session });
});

async function reads({ call, client, act }) {
  const location = await call('locations', async () => {
    const { data } = await client.request('query { locations(first: 10) { nodes { id name isActive } } }');
    assert.equal(data.locations.nodes.length, 1);
    assert.ok(data.locations.nodes[0].isActive);
    return data.locations.nodes[0].id;
  });
  await call('productVariants', async () => {
    const { data, extensions } = await client.request('query { productVariants(first: 10) { nodes { sku price inventoryQuantity } } }');
    assert.deepEqual(data.productVariants.nodes.map((v) => [v.sku, v.price, v.inventoryQuantity]),
      [['MUG-WHITE', '12.90', 100], ['MUG-BLUE', '12.90', 50], ['APRON', '34.50', 30]]);
    assert.ok(extensions.cost.throttleStatus.maximumAvailable >= 2000);
  });
  await call('orders, page by page', async () => {
    for (let i = 0; i < 3; i++) await act('orders', { lines: [{ sku: 'APRON', quantity: 1 }] });
    const names = [];
    let after = null;
    do {
      const { data } = await client.request(
        `query Orders($after: String) { orders(first: 2, after: $after, sortKey: CREATED_AT) { nodes { name displayFinancialStatus
          totalPriceSet { shopMoney { amount currencyCode } } lineItems(first: 5) { nodes { sku quantity } } } pageInfo { hasNextPage endCursor } } }`,
        { variables: { after } },
      );
      for (const o of data.orders.nodes) {
        assert.deepEqual(o.lineItems.nodes, [{ sku: 'APRON', quantity: 1 }]);
        assert.equal(o.totalPriceSet.shopMoney.currencyCode, 'USD');
        names.push(o.name);
      }
      after = data.orders.pageInfo.hasNextPage ? data.orders.pageInfo.endCursor : null;
    } while (after && names.length < 10);
    assert.deepEqual(names, ['#1001', '#1002', '#1003']);
  });
  return location;
}

/** Available units of a SKU at its one location. */
async function available(client, sku) {
  const { data } = await client.request(LEVELS, { variables: { sku: `sku:${sku}` } });
  const level = data.productVariants.nodes[0].inventoryItem.inventoryLevels.nodes[0];
  return { item: data.productVariants.nodes[0].inventoryItem.id, units: level.quantities.find((q) => q.name === 'available').quantity };
}

async function stock({ call, client, act, location }) {
  const { item } = await call('productVariants with inventoryLevels', async () => {
    const level = await available(client, 'MUG-WHITE');
    assert.equal(level.units, 100);
    return level;
  });
  const set = async (key, quantity, changeFromQuantity) => {
    const quantities = [{ inventoryItemId: item, locationId: location, quantity, changeFromQuantity }];
    const { data } = await client.request(SET, { variables: { key, input: { name: 'available', reason: 'correction', quantities } } });
    return data.inventorySetQuantities;
  };
  await call('inventorySetQuantities, read back', async () => {
    const out = await set('key-1', 42, 100);
    assert.deepEqual(out.userErrors, []);
    assert.equal(out.inventoryAdjustmentGroup.changes.find((c) => c.name === 'available').delta, -58);
    assert.equal((await available(client, 'MUG-WHITE')).units, 42);
  });
  await call('inventorySetQuantities repeated with its key changes nothing', async () => {
    await act('orders', { lines: [{ sku: 'MUG-WHITE', quantity: 2 }] });
    assert.deepEqual((await set('key-1', 42, 100)).userErrors, []);
    assert.equal((await available(client, 'MUG-WHITE')).units, 40);
  });
  await call('inventorySetQuantities refuses a stale changeFromQuantity', async () => {
    const out = await set('key-2', 60, 42);
    assert.equal(out.userErrors[0].code, 'CHANGE_FROM_QUANTITY_STALE');
    assert.equal((await available(client, 'MUG-WHITE')).units, 40);
  });
}

async function webhooks({ call, client, act, shopify, session, hooks }) {
  const http = (callbackUrl) => ({ deliveryMethod: DeliveryMethod.Http, callbackUrl });
  const callbackUrl = `${hooks.url}/webhooks`;
  shopify.webhooks.addHandlers({ ORDERS_CREATE: [http(callbackUrl)], INVENTORY_LEVELS_UPDATE: [http(callbackUrl)] });
  const register = async () => {
    const out = await shopify.webhooks.register({ session });
    assert.deepEqual(Object.keys(out).sort(), ['INVENTORY_LEVELS_UPDATE', 'ORDERS_CREATE']);
    return Object.values(out).flat();
  };
  await call('webhooks.register', async () => {
    const results = await register();
    assert.equal(results.length, 2);
    for (const r of results) assert.ok(r.success, JSON.stringify(r.result));
  });
  await call('webhooks.register a second time changes nothing', async () => {
    assert.deepEqual((await register()).filter((r) => !r.success), []);
    const { data } = await client.request('query { webhookSubscriptions(first: 10) { nodes { topic uri } } }');
    assert.deepEqual(data.webhookSubscriptions.nodes.map((n) => n.topic).sort(), ['INVENTORY_LEVELS_UPDATE', 'ORDERS_CREATE']);
    for (const n of data.webhookSubscriptions.nodes) assert.equal(n.uri, callbackUrl);
  });
  const valid = async (topic) => {
    const hook = await hooks.next((h) => h.headers['x-shopify-topic'] === topic);
    const checked = await shopify.webhooks.validate({ rawBody: hook.raw, rawRequest: hook.req });
    assert.deepEqual([checked.valid, checked.reason], [true, undefined]);
    assert.equal(checked.domain, session.shop);
    assert.equal(checked.apiVersion, ApiVersion.July26);
    return { ...hook, checked };
  };
  const order = await act('orders', { lines: [{ sku: 'MUG-BLUE', quantity: 3 }] });
  const created = await call('webhooks.validate, orders/create', async () => {
    const hook = await valid('orders/create');
    assert.equal(hook.checked.topic, 'ORDERS_CREATE');
    assert.equal(hook.body.id, order.id);
    assert.deepEqual(hook.body.line_items.map((l) => [l.sku, l.quantity]), [['MUG-BLUE', 3]]);
    return hook;
  });
  await call('webhooks.validate, inventory_levels/update', async () => {
    assert.equal((await valid('inventory_levels/update')).body.available, 47);
  });
  await call('webhooks.validate refuses a body that was changed', async () => {
    const checked = await shopify.webhooks.validate({ rawBody: created.raw.replace('MUG-BLUE', 'MUG-RED'), rawRequest: created.req });
    assert.deepEqual([checked.valid, checked.reason], [false, 'invalid_hmac']);
  });
}

async function refusals({ call, shopify, session }) {
  await call('an unknown field is a GraphqlQueryError', async () => {
    const client = new shopify.clients.Graphql({ session });
    await assert.rejects(client.request('query { shop { colour } }'), GraphqlQueryError);
  });
  await call('a wrong token is refused with 401', async () => {
    const client = new shopify.clients.Graphql({ session: Object.assign(Object.create(Object.getPrototypeOf(session)), session, { accessToken: 'shpat_wrong' }) });
    await assert.rejects(client.request('query { shop { name } }'), (err) => err.response?.code === 401);
  });
}
