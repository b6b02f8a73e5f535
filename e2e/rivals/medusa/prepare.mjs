// Puts two articles into Medusa's stock through its own API, one plenty and one scarce, and prints how to reserve them.
import { readFileSync } from "node:fs";

const [email, password, ...addrs] = process.argv.slice(2);
const units = 300;
const run = Date.now();

async function call(path, body, token) {
  const answer = await fetch(`http://${addrs[0]}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

const { token } = await call("/auth/user/emailpass", { email, password });
const { stock_location: place } = await call("/admin/stock-locations", { name: `Main ${run}` }, token);

async function article(sku, stocked) {
  const { inventory_item: item } = await call("/admin/inventory-items", { sku: `${sku}-${run}` }, token);
  await call(`/admin/inventory-items/${item.id}/location-levels`, { location_id: place.id, stocked_quantity: stocked }, token);
  return { location_id: place.id, inventory_item_id: item.id, quantity: 1 };
}

const { version } = JSON.parse(readFileSync(new URL("node_modules/@medusajs/medusa/package.json", import.meta.url)));
console.log(
  JSON.stringify({
    name: `Medusa ${version}`,
    addrs,
    path: "/admin/reservations",
    header: { Authorization: `Bearer ${token}` },
    hot: await article("hot", 1_000_000_000),
    scarce: await article("scarce", units),
    units,
  }),
);
