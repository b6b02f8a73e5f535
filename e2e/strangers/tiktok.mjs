// A published third-party client of the TikTok Shop API against the simulator, from consent to webhooks.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { TikTokAPIError, TikTokShopSDK } from 'tiktok-shop-sdk';
import { control, story } from './lib.mjs';

const HOSTS = ['open-api.tiktokglobalshop.com', 'auth.tiktok-shops.com']; // fixed in the client
const SELLER = 'Sandbox Seller';

/** Sends what the client sends to the platform's hosts to the sandbox, unchanged but for the host. */
function divert(base) {
  const send = globalThis.fetch;
  globalThis.fetch = (to, init) => {
    const url = new URL(to);
    if (url.origin === base) return send(url, init);
    assert.ok(HOSTS.includes(url.host), `a call went to ${url.host}`);
    return send(new URL(url.pathname + url.search, base), init);
  };
}

/** Follows the consent page as a browser does whose user agrees; gives the code the app is sent. */
async function consent(base, serviceID, callback) {
  const ask = new URL('/open/authorize', base);
  ask.search = new URLSearchParams({ service_id: serviceID, state: 's-1', redirect_uri: callback });
  const page = await (await fetch(ask)).text();
  assert.ok(page.includes(SELLER));
  ask.searchParams.append('decision', 'approve');
  ask.searchParams.append('seller', SELLER);
  const back = new URL((await fetch(ask, { redirect: 'manual' })).headers.get('location'));
  assert.equal(back.searchParams.get('state'), 's-1');
  return back.searchParams.get('code');
}

// No remorse period, so that orders can be shipped at once.
await story('tiktok', ['--hold=-1s'], async ({ sandbox, hooks, call }) => {
  divert(sandbox.url);
  const app = { appKey: sandbox.line('app key'), appSecret: sandbox.line('app secret') };
  const act = control(sandbox.url);
  const sdk = new TikTokShopSDK(app);
  const { shop, refresh } = await authorise({ sandbox, call, sdk });
  const product = await products({ call, sdk });
  await stock({ call, sdk, product, act, shop });
  await orders({ call, sdk, product, act, shop });
  await webhooks({ call, sdk, product, act, shop, hooks, app });
  await expiry({ call, sdk, act, refresh });
});

async function authorise({ sandbox, call, sdk }) {
  const code = await consent(sandbox.url, sandbox.line('service id'), 'http://127.0.0.1/callback');
  const first = await call('auth.getAccessToken', async () => {
    const { data } = await sdk.auth.getAccessToken({ auth_code: code, grant_type: 'authorized_code' });
    assert.ok(data.access_token && data.refresh_token && data.open_id);
    assert.equal(data.seller_name, SELLER);
    assert.ok(data.access_token_expire_in > Date.now() / 1000, 'the expiry is a time, not a duration');
    return data;
  });
  await call('auth.getAccessToken refuses a code a second time', () =>
    assert.rejects(sdk.auth.getAccessToken({ auth_code: code, grant_type: 'authorized_code' }), TikTokAPIError));
  const second = await call('auth.refreshAccessToken', async () => {
    const { data } = await sdk.auth.refreshAccessToken({ refresh_token: first.refresh_token, grant_type: 'refresh_token' });
    assert.notEqual(data.access_token, first.access_token);
    return data;
  });
  sdk.setAccessToken(second.access_token);
  const shop = await call('shop.getAuthorizedShops', async () => {
    const { shops } = (await sdk.shop.getAuthorizedShops()).data;
    assert.equal(shops.length, 1);
    assert.equal(shops[0].name, 'Sandbox Shop');
    return shops[0];
  });
  await call('seller.getActiveShops', async () => {
    assert.deepEqual((await sdk.seller.getActiveShops()).data.shops, [{ id: shop.id, region: shop.region }]);
  });
  sdk.setShopCipher(shop.cipher);
  return { shop, refresh: second.refresh_token };
}

async function products({ call, sdk }) {
  const mug = await call('product.searchProducts', async () => {
    const { data } = await sdk.product.searchProducts({ query: { page_size: 10 }, body: { status: 'ACTIVATE' } });
    assert.equal(data.total_count, 2);
    return data.products.find((p) => p.title === 'Ceramic mug');
  });
  await call('product.searchProducts, page by page', async () => {
    const titles = [];
    let page_token; // absent, not undefined: the client would sign an undefined one and not send it
    do {
      const { data } = await sdk.product.searchProducts({ query: { page_size: 1, ...page_token }, body: {} });
      titles.push(...data.products.map((p) => p.title));
      page_token = data.next_page_token ? { page_token: data.next_page_token } : undefined;
    } while (page_token && titles.length < 10);
    assert.deepEqual(titles.sort(), ['Ceramic mug', 'Linen apron']);
  });
  await call('product.getProduct', async () => {
    const { data } = await sdk.product.getProduct({ product_id: mug.id, query: {} });
    assert.deepEqual(data.skus.map((s) => s.seller_sku), ['MUG-WHITE', 'MUG-BLUE']);
  });
  await call('logistic.getWarehouseList', async () => {
    const { warehouses } = (await sdk.logistic.getWarehouseList()).data;
    assert.deepEqual(warehouses.map((w) => w.name).sort(), ['East', 'Returns', 'West']);
  });
  return mug;
}

/** Reads one SKU's stock by the call that is made for it. */
async function stockOf(sdk, product, sku) {
  const { inventory } = (await sdk.product.searchInventory({ product_ids: [product.id] })).data;
  return inventory[0].skus.find((s) => s.seller_sku === sku);
}

async function stock({ call, sdk, product, act, shop }) {
  const white = await call('product.searchInventory', async () => {
    const sku = await stockOf(sdk, product, 'MUG-WHITE');
    assert.equal(sku.total_available_quantity, 100);
    assert.deepEqual(sku.warehouse_inventory.map((w) => w.available_quantity), [60, 40]);
    return sku;
  });
  const update = (quantities) => sdk.product.updateProductInventory({
    product_id: product.id,
    body: { skus: [{ id: white.id, inventory: white.warehouse_inventory.map((w, i) => ({ warehouse_id: w.warehouse_id, quantity: quantities[i] })).slice(0, quantities.length) }] },
  });
  await call('product.updateProductInventory, read back', async () => {
    assert.equal((await update([7, 5])).code, 0);
    const sku = await stockOf(sdk, product, 'MUG-WHITE');
    assert.equal(sku.total_available_quantity, 12);
    assert.deepEqual(sku.warehouse_inventory.map((w) => w.available_quantity), [7, 5]);
  });
  await call('product.updateProductInventory refuses to leave a warehouse out', async () => {
    const { data } = await update([9]).catch((err) => ({ data: { errors: [{ code: err.code }] } }));
    assert.ok(data.errors?.length, 'the answer names the SKU that was refused');
    assert.equal((await stockOf(sdk, product, 'MUG-WHITE')).total_available_quantity, 12, 'nothing changed');
  });
  await call('product.searchInventory after a sale', async () => {
    await act('place', { shop: shop.id, sku: 'MUG-WHITE', qty: 2 });
    const sku = await stockOf(sdk, product, 'MUG-WHITE');
    assert.equal(sku.total_available_quantity, 10);
    assert.equal(sku.total_committed_quantity, 2);
  });
}

async function orders({ call, sdk, product, act, shop }) {
  const { orders: placed } = await act('place', { shop: shop.id, sku: 'MUG-BLUE', qty: 1, count: 3 });
  await call('order.getOrderList', async () => {
    const found = [];
    let page_token;
    do {
      const { data } = await sdk.order.getOrderList({
        query: { page_size: 2, sort_field: 'create_time', sort_order: 'ASC', ...page_token },
        body: { order_status: 'AWAITING_SHIPMENT', create_time_ge: Math.floor(Date.now() / 1000) - 600 },
      });
      found.push(...data.orders.map((o) => o.id));
      assert.equal(data.total_count, 4);
      page_token = data.next_page_token ? { page_token: data.next_page_token } : undefined;
    } while (page_token && found.length < 10);
    assert.equal(new Set(found).size, 4);
    for (const id of placed) assert.ok(found.includes(id));
  });
  await call('order.getOrderDetail', async () => {
    const { data } = await sdk.order.getOrderDetail({ ids: placed.slice(0, 2) });
    assert.deepEqual(data.orders.map((o) => o.id), placed.slice(0, 2));
    const [line] = data.orders[0].line_items;
    assert.equal(line.seller_sku, 'MUG-BLUE');
    assert.equal(line.product_id, product.id);
    assert.equal(line.sale_price, '12.90');
    assert.equal(data.orders[0].payment.currency, 'USD');
  });
  await call('return_refund.cancelOrder, read back', async () => {
    const { data } = await sdk.return_refund.cancelOrder({ order_id: placed[0], cancel_reason: 'seller_cancel_reason_out_of_stock' });
    assert.ok(data.cancel_id);
    const { data: detail } = await sdk.order.getOrderDetail({ ids: [placed[0]] });
    assert.equal(detail.orders[0].status, 'CANCELLED');
  });
}

async function webhooks({ call, sdk, product, act, shop, hooks, app }) {
  const address = `${hooks.url}/webhook`;
  await call('event.updateShopWebhook', () => sdk.event.updateShopWebhook({ address, event_type: 'ORDER_STATUS_CHANGE' }));
  await call('event.getShopWebhooks', async () => {
    const { data } = await sdk.event.getShopWebhooks();
    assert.deepEqual(data.webhooks.map((w) => [w.event_type, w.address]), [['ORDER_STATUS_CHANGE', address]]);
  });
  // The client cannot verify webhooks. What it should do is written down by the platform, and done here with node alone.
  await call('a signed webhook of an order', async () => {
    const { orders: [id] } = await act('place', { shop: shop.id, sku: 'MUG-BLUE', qty: 1 });
    const hook = await hooks.next((h) => h.body.data.order_id === id && h.body.data.order_status === 'AWAITING_SHIPMENT');
    assert.equal(hook.headers.authorization, createHmac('sha256', app.appSecret).update(app.appKey + hook.raw).digest('hex'));
    assert.equal(hook.body.type, 1);
    assert.equal(hook.body.shop_id, shop.id);
    const { data } = await sdk.order.getOrderDetail({ ids: [id] });
    assert.equal(data.orders[0].status, hook.body.data.order_status);
  });
  await call('event.deleteShopWebhook', async () => {
    await sdk.event.deleteShopWebhook({ event_type: 'ORDER_STATUS_CHANGE' });
    assert.equal((await sdk.event.getShopWebhooks()).data.total_count, 0);
  });
}

async function expiry({ call, sdk, act, refresh }) {
  await call('a call by an expired token, refreshed and repeated', async () => {
    await act('expire', { seller: SELLER });
    await assert.rejects(sdk.event.getShopWebhooks(), (err) => err instanceof TikTokAPIError && err.code === 105002);
    sdk.setAccessToken((await sdk.auth.refreshAccessToken({ refresh_token: refresh, grant_type: 'refresh_token' })).data.access_token);
    assert.equal((await sdk.event.getShopWebhooks()).code, 0);
  });
}
