package shopify

// The GraphQL documents. Every field exists in all of Versions. No field of a buyer is asked for: no name, street, town, email,
// phone, note or custom attribute. Of the address there are country and state, which Shopify does not count among personal fields. The one
// exception is docRecipient, asked when a label is made elsewhere.
//
// Costs follow the documented formula: an object 1, a connection 2 and its nodes, a mutation 10, scalars nothing. Real shops
// charge less for wide connections; the first answer corrects the guess. The sizes keep every query below the limit of
// 1000 points by the formula.

const (
	pageOrders    = 20  // orders a page
	pageHeads     = 250 // orders a page of heads: the most Shopify lists at once, for a quarter of what one request may cost
	pageLines     = 6   // lines of an order in a page; orders with more are completed by themselves
	moreLines     = 100 // lines a page of such an order
	orderCost     = 14 + pageLines*lineCost
	lineCost      = 5
	parcels       = 100 // fulfilments of an order; lists without pages, and more parcels than any order seen
	maxTracking   = 10  // tracking numbers of a fulfilment
	parcelLines   = 250 // lines a page of one fulfilment
	pageListings  = 25
	pageLevels    = 10 // locations of a listing in a page; the rest is read by itself
	moreLevels    = 250
	maxQueryCost  = 1000
	pageLocations = 250
	pageHooks     = 250
)

const lineFields = `id sku title variantTitle quantity currentQuantity unfulfilledQuantity variant { id } product { id }
originalUnitPriceSet { shopMoney { amount currencyCode } }`

const orderHead = `id name createdAt processedAt updatedAt cancelledAt cancelReason currencyCode
displayFinancialStatus displayFulfillmentStatus
subtotalPriceSet { shopMoney { amount currencyCode } }
totalShippingPriceSet { shopMoney { amount currencyCode } }
totalTaxSet { shopMoney { amount currencyCode } }
totalPriceSet { shopMoney { amount currencyCode } }
fulfillments(first: 100) { id status displayStatus createdAt updatedAt totalQuantity trackingInfo(first: 10) { company number } }`

// orderGoes is where the order goes, as coarse as it is used.
const orderGoes = `shippingAddress { countryCodeV2 provinceCode }`

const orderFields = orderHead + `
` + orderGoes + `
lineItems(first: 6) { nodes { ` + lineFields + ` } pageInfo { hasNextPage endCursor } }`

var docOrders = document{name: "orders", base: 2, each: orderCost, text: `query Orders($first: Int!, $after: String, $query: String!) {
orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
edges { cursor node { ` + orderFields + ` } } pageInfo { hasNextPage endCursor } } }`}

// The head of an order is what shows cheaply whether it changed: scalars, which cost nothing beyond the order itself.
var docOrderHeads = document{name: "order heads", base: 2, each: 1, text: `query OrderHeads($first: Int!, $after: String, $query: String!) {
orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
edges { cursor node { id updatedAt cancelledAt displayFinancialStatus displayFulfillmentStatus edited
subtotalLineItemsQuantity currentSubtotalLineItemsQuantity } } pageInfo { hasNextPage endCursor } } }`}

var docOrdersByID = document{name: "orders by id", each: orderCost, text: `query OrdersByID($ids: [ID!]!) {
nodes(ids: $ids) { ... on Order { ` + orderFields + ` } } }`}

var docLines = document{name: "lines", base: 4, each: lineCost, text: `query Lines($id: ID!, $first: Int!, $after: String) {
node(id: $id) { ... on Order { id updatedAt lineItems(first: $first, after: $after) {
nodes { ` + lineFields + ` } pageInfo { hasNextPage endCursor } } } } }`}

var docParcel = document{name: "parcel", base: 4, each: 2, text: `query Parcel($id: ID!, $first: Int!, $after: String) {
node(id: $id) { ... on Fulfillment { id fulfillmentLineItems(first: $first, after: $after) {
nodes { quantity lineItem { id } } pageInfo { hasNextPage endCursor } } } } }`}

// A bulk query has no page sizes: Shopify walks the connections itself. Connections inside lists are not allowed in one.
const bulkOrders = `{ orders(query: %s) { edges { node { ` + orderHead + `
%s
lineItems { edges { node { ` + lineFields + ` } } } } } } }`

// What shipping needs of an order: its parcels, and what is left to be sent, by the places it is sent from. Sizes are small, since Shopify prices what
// could be there; the rest is read by itself.
const (
	shipLines   = 10
	shipPlaces  = 5
	placeLines  = 10
	shipCost    = 3 + 2 + 2*shipLines + 2 + shipPlaces*(4+2+2*placeLines)
	morePlaced  = 250 // lines a page of one place
	parcelItems = `fulfillmentLineItems(first: 10) { nodes { quantity lineItem { id } } pageInfo { hasNextPage endCursor } }`
	placeItems  = `nodes { id remainingQuantity lineItem { id } } pageInfo { hasNextPage endCursor }`
)

var docShipping = document{name: "shipping", base: shipCost, text: `query Shipping($id: ID!, $after: String) { node(id: $id) { ... on Order { id cancelledAt
fulfillments(first: 100) { id status createdAt trackingInfo(first: 10) { company number } ` + parcelItems + ` }
fulfillmentOrders(first: 5, after: $after) { nodes { id status supportedActions { action } assignedLocation { location { id } }
lineItems(first: 10) { ` + placeItems + ` } } pageInfo { hasNextPage endCursor } } } } }`}

var docPlaced = document{name: "placed", base: 4, each: 2, text: `query Placed($id: ID!, $first: Int!, $after: String) {
node(id: $id) { ... on FulfillmentOrder { id lineItems(first: $first, after: $after) { ` + placeItems + ` } } } }`}

var docFulfil = document{name: "fulfil", mutation: true, base: 10, text: `mutation Fulfil($in: FulfillmentInput!) {
fulfillmentCreate(fulfillment: $in) { fulfillment { id } userErrors { field message } } }`}

var docRetrack = document{name: "retrack", mutation: true, base: 10, text: `mutation Retrack($id: ID!, $tracking: FulfillmentTrackingInput!, $notify: Boolean) {
fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: $tracking, notifyCustomer: $notify) { fulfillment { id } userErrors { field message } } }`}

var docRecipient = document{name: "recipient", address: true, base: 2, text: `query Recipient($id: ID!) { node(id: $id) { ... on Order { id cancelledAt
shippingAddress { name company address1 address2 city provinceCode zip countryCodeV2 phone } } } }`}

var docLocations = document{name: "locations", base: 3, each: 1, text: `query Locations($first: Int!, $after: String) {
primary: location { id }
locations(first: $first, after: $after, includeInactive: true) {
nodes { id name isActive fulfillsOnlineOrders } pageInfo { hasNextPage endCursor } } }`}

// Levels at which an item is no longer stocked are not listed unless asked for.
const levelFields = `nodes { location { id isActive fulfillsOnlineOrders }
quantities(names: ["available", "committed"]) { name quantity } } pageInfo { hasNextPage endCursor }`

const levelCost = 3

var docListings = document{name: "listings", base: 2, each: 5 + pageLevels*levelCost, text: `query Listings($first: Int!, $after: String) {
productVariants(first: $first, after: $after) { nodes { id sku displayName product { id status }
inventoryItem { id tracked inventoryLevels(first: 10) { ` + levelFields + ` } } } pageInfo { hasNextPage endCursor } } }`}

// levelsQuery reads items with their first levels; how many decides the cost, so it is a part of the document.
var docItems = document{name: "items", text: `query Items($ids: [ID!]!, $levels: Int!) {
nodes(ids: $ids) { ... on InventoryItem { id tracked inventoryLevels(first: $levels) { ` + levelFields + ` } } } }`}

var docLevels = document{name: "levels", base: 4, each: levelCost, text: `query Levels($id: ID!, $first: Int!, $after: String) {
node(id: $id) { ... on InventoryItem { id inventoryLevels(first: $first, after: $after) { ` + levelFields + ` } } } }`}

var docSet = document{name: "set", mutation: true, base: 10, text: `mutation Set($input: InventorySetQuantitiesInput!) {
inventorySetQuantities(input: $input) { userErrors { field message code } } }`}

var docSetKeyed = document{name: "set", mutation: true, base: 10, text: `mutation Set($input: InventorySetQuantitiesInput!, $key: String!) {
inventorySetQuantities(input: $input) @idempotent(key: $key) { userErrors { field message code } } }`}

var docAdjust = document{name: "adjust", mutation: true, base: 10, text: `mutation Adjust($input: InventoryAdjustQuantitiesInput!) {
inventoryAdjustQuantities(input: $input) { userErrors { field message code } } }`}

var docAdjustKeyed = document{name: "adjust", mutation: true, base: 10, text: `mutation Adjust($input: InventoryAdjustQuantitiesInput!, $key: String!) {
inventoryAdjustQuantities(input: $input) @idempotent(key: $key) { userErrors { field message code } } }`}

var docHooks = document{name: "webhooks", base: 2, each: 1, text: `query Webhooks($first: Int!, $after: String) {
webhookSubscriptions(first: $first, after: $after) { nodes { id topic uri includeFields } pageInfo { hasNextPage endCursor } } }`}

var docHookCreate = document{name: "webhook create", mutation: true, base: 10, text: `mutation Subscribe($topic: WebhookSubscriptionTopic!, $sub: WebhookSubscriptionInput!) {
webhookSubscriptionCreate(topic: $topic, webhookSubscription: $sub) { webhookSubscription { id } userErrors { field message } } }`}

var docHookUpdate = document{name: "webhook update", mutation: true, base: 10, text: `mutation Resubscribe($id: ID!, $sub: WebhookSubscriptionInput!) {
webhookSubscriptionUpdate(id: $id, webhookSubscription: $sub) { webhookSubscription { id } userErrors { field message } } }`}

var docShop = document{name: "shop", base: 1, text: `query Shop { shop { name myshopifyDomain } }`}

var docBulkRun = document{name: "bulk run", mutation: true, base: 10, text: `mutation Bulk($query: String!) {
bulkOperationRunQuery(query: $query, groupObjects: true) { bulkOperation { id } userErrors { field message code } } }`}

var docBulkPoll = document{name: "bulk poll", base: 1, text: `query BulkPoll($id: ID!) {
node(id: $id) { ... on BulkOperation { id status errorCode objectCount url } } }`}
