package tiktok

import (
	"slices"
	"strings"
)

// route is one endpoint.
type route struct {
	method, path string
	scopes       []string // any of them opens it
	cipher       bool     // a shop is named
	open         bool     // neither signed nor authorised: the token host
	do           func(*Sim, *call) (any, *failure)
	parts        []string
}

// table finds the endpoint of a request. A path's segment in braces stands for any one segment; a literal segment
// wins over it.
type table struct{ routes []route }

func newTable(routes []route) *table {
	for i := range routes {
		routes[i].parts = strings.Split(routes[i].path, "/")
	}
	slices.SortStableFunc(routes, func(a, b route) int { return strings.Count(a.path, "{") - strings.Count(b.path, "{") })
	return &table{routes}
}

func (t *table) find(method, path string) (*route, map[string]string, *failure) {
	parts := strings.Split(path, "/")
	known := false
	for i := range t.routes {
		r := &t.routes[i]
		if vars, ok := match(r.parts, parts); ok {
			if r.method == method {
				return r, vars, nil
			}
			known = true
		}
	}
	if known {
		return nil, nil, fail(codeNoMethod, "The method %s is not allowed here.", method)
	}
	return nil, nil, fail(codeNoPath, "No such path.")
}

func match(pattern, parts []string) (map[string]string, bool) {
	if len(pattern) != len(parts) {
		return nil, false
	}
	var vars map[string]string
	for i, p := range pattern {
		switch {
		case strings.HasPrefix(p, "{") && parts[i] != "":
			if vars == nil {
				vars = map[string]string{}
			}
			vars[strings.Trim(p, "{}")] = parts[i]
		case p != parts[i]:
			return nil, false
		}
	}
	return vars, true
}

// Scopes of the implemented endpoints.
const (
	scopeAuth      = "seller.authorization.info"
	scopeShop      = "seller.shop.info"
	scopeOrder     = "seller.order.info"
	scopeFulfil    = "seller.fulfillment.basic"
	scopePackage   = "seller.fulfillment.package.write"
	scopeDelivery  = "seller.delivery.status.write"
	scopeLogistics = "seller.logistics"
	scopeProduct   = "seller.product.basic"
	scopeProductW  = "seller.product.write"
	scopeReturn    = "seller.return_refund.basic"
	scopeFBT       = "seller.fbt.info"
)

func allScopes() []string {
	return []string{scopeAuth, scopeShop, scopeOrder, scopeFulfil, scopePackage, scopeDelivery, scopeLogistics, scopeProduct,
		scopeProductW, scopeReturn, scopeFBT}
}

// endpoints is the whole API: what is implemented, and what is documented but not.
func endpoints() []route {
	shop := func(method, path string, do func(*Sim, *call) (any, *failure), scopes ...string) route {
		return route{method: method, path: path, do: do, scopes: scopes, cipher: true}
	}
	list := []route{
		{method: "GET", path: "/api/v2/token/get", open: true, do: (*Sim).tokens},
		{method: "GET", path: "/api/v2/token/refresh", open: true, do: (*Sim).tokens},
		{method: "GET", path: "/authorization/202309/shops", do: (*Sim).authorizedShops, scopes: []string{scopeAuth}},
		{method: "GET", path: "/seller/202309/shops", do: (*Sim).activeShops, scopes: []string{scopeShop}},
		shop("GET", "/event/202309/webhooks", (*Sim).getWebhooks, scopeAuth),
		shop("PUT", "/event/202309/webhooks", (*Sim).putWebhook, scopeAuth),
		shop("DELETE", "/event/202309/webhooks", (*Sim).deleteWebhook, scopeAuth),

		shop("POST", "/order/202309/orders/search", (*Sim).searchOrders, scopeOrder),
		shop("GET", "/order/202507/orders", (*Sim).orderDetail, scopeOrder),
		shop("GET", "/order/202309/orders", (*Sim).orderDetail, scopeOrder),
		shop("GET", "/order/202407/orders/{order_id}/price_detail", (*Sim).priceDetail, scopeOrder),

		shop("POST", "/product/202502/products/search", (*Sim).searchProducts, scopeProduct),
		shop("POST", "/product/202309/products/search", (*Sim).searchProducts, scopeProduct),
		shop("GET", "/product/202309/products/{product_id}", (*Sim).productDetail, scopeProduct),
		shop("POST", "/product/202309/inventory/search", (*Sim).searchInventory, scopeProduct),
		shop("POST", "/product/202309/products/{product_id}/inventory/update", (*Sim).updateInventory, scopeProductW),
		shop("POST", "/product/202309/products/{product_id}/prices/update", (*Sim).updatePrices, scopeProductW),
		shop("POST", "/product/202309/products/activate", (*Sim).activate, scopeProduct),
		shop("POST", "/product/202309/products/deactivate", (*Sim).deactivate, scopeProduct),

		shop("GET", "/logistics/202309/warehouses", (*Sim).listWarehouses, scopeLogistics),
		shop("GET", "/logistics/202309/warehouses/{warehouse_id}/delivery_options", (*Sim).deliveryOptions, scopeLogistics),
		shop("GET", "/logistics/202309/delivery_options/{delivery_option_id}/shipping_providers", (*Sim).shippingProviders, scopeFulfil, scopeLogistics),

		shop("POST", "/fulfillment/202309/orders/{order_id}/shipping_services/query", (*Sim).shippingServices, scopeFulfil),
		shop("POST", "/fulfillment/202309/packages", (*Sim).createPackage, scopeFulfil),
		shop("POST", "/fulfillment/202309/orders/{order_id}/packages", (*Sim).markShipped, scopeFulfil),
		shop("POST", "/fulfillment/202309/packages/{package_id}/ship", (*Sim).shipPackage, scopeFulfil),
		shop("POST", "/fulfillment/202309/packages/ship", (*Sim).shipPackages, scopeFulfil),
		shop("GET", "/fulfillment/202309/packages/{package_id}", (*Sim).packageDetail, scopeFulfil),
		shop("POST", "/fulfillment/202309/packages/search", (*Sim).searchPackages, scopeFulfil),
		shop("GET", "/fulfillment/202309/packages/{package_id}/shipping_documents", (*Sim).shippingDocument, scopeFulfil),
		shop("GET", "/fulfillment/202309/packages/{package_id}/handover_time_slots", (*Sim).handoverSlots, scopePackage),
		shop("POST", "/fulfillment/202309/packages/{package_id}/shipping_info/update", (*Sim).correctTracking, scopeFulfil),
		shop("POST", "/fulfillment/202309/orders/{order_id}/shipping_info/update", (*Sim).correctTracking, scopeLogistics),
		shop("GET", "/fulfillment/202309/orders/{order_id}/tracking", (*Sim).trackOrder, scopeLogistics),
		shop("GET", "/fulfillment/202508/tts_tracking_validation", (*Sim).validateTracking, scopeLogistics),
		shop("POST", "/fulfillment/202309/packages/deliver", (*Sim).reportDelivery, scopeDelivery),

		shop("POST", "/return_refund/202309/cancellations/search", (*Sim).searchCancellations, scopeReturn),
		shop("POST", "/return_refund/202309/cancellations", (*Sim).cancelOrder, scopeReturn),
		shop("POST", "/return_refund/202309/cancellations/{cancel_id}/approve", (*Sim).approveCancellation, scopeReturn),
		shop("POST", "/return_refund/202309/cancellations/{cancel_id}/reject", (*Sim).rejectCancellation, scopeReturn),
		shop("POST", "/return_refund/202309/returns/search", (*Sim).searchReturns, scopeReturn),
		shop("POST", "/return_refund/202309/returns", (*Sim).createReturn, scopeReturn, scopeFulfil),
		shop("POST", "/return_refund/202309/returns/{return_id}/approve", (*Sim).approveReturnCall, scopeReturn),
		shop("POST", "/return_refund/202309/returns/{return_id}/reject", (*Sim).rejectReturn, scopeReturn),
		shop("GET", "/return_refund/202309/returns/{return_id}/records", (*Sim).returnRecords, scopeReturn),
		shop("GET", "/return_refund/202309/reject_reasons", (*Sim).rejectReasons, scopeReturn),
		shop("GET", "/return_refund/202309/orders/{order_id}/aftersale_eligibility", (*Sim).eligibility, scopeReturn),
		shop("POST", "/return_refund/202309/refunds/calculate", (*Sim).calculateRefund, scopeReturn),

		shop("POST", "/fbt/202408/inventory/search", (*Sim).fbtInventory, scopeFBT),
		shop("POST", "/fbt/202409/goods/search", (*Sim).fbtGoods, scopeFBT),
		shop("GET", "/fbt/202409/inbound_orders", (*Sim).fbtInbounds, scopeFBT),
		shop("GET", "/fbt/202408/warehouses", (*Sim).fbtWarehouses, scopeFBT),
		shop("GET", "/fbt/202409/merchants/onboarded_regions", (*Sim).fbtRegions, scopeFBT),
	}
	for _, k := range known {
		method, path, _ := strings.Cut(k, " ")
		list = append(list, route{method: method, path: path, open: true, do: func(*Sim, *call) (any, *failure) {
			return nil, fail(codeNoScope, "Access denied: this sandbox does not offer the endpoint, so no seller has granted it.")
		}})
	}
	return list
}
