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
	list := []route{
		{method: "GET", path: "/api/v2/token/get", open: true, do: (*Sim).tokens},
		{method: "GET", path: "/api/v2/token/refresh", open: true, do: (*Sim).tokens},
		{method: "GET", path: "/authorization/202309/shops", do: (*Sim).authorizedShops, scopes: []string{scopeAuth}},
		{method: "GET", path: "/seller/202309/shops", do: (*Sim).activeShops, scopes: []string{scopeShop}},
	}
	list = slices.Concat(list, tradeEndpoints(), fulfilmentEndpoints(), afterSalesEndpoints())
	for _, k := range known {
		method, path, _ := strings.Cut(k, " ")
		list = append(list, route{method: method, path: path, open: true, do: func(*Sim, *call) (any, *failure) {
			return nil, fail(codeNoScope, "Access denied: this sandbox does not offer the endpoint, so no seller has granted it.")
		}})
	}
	return list
}

// ofShop is an endpoint that concerns one shop.
func ofShop(method, path string, do func(*Sim, *call) (any, *failure), scopes ...string) route {
	return route{method: method, path: path, do: do, scopes: scopes, cipher: true}
}

// tradeEndpoints are webhooks, orders, products and stock.
func tradeEndpoints() []route {
	return []route{
		ofShop("GET", "/event/202309/webhooks", (*Sim).getWebhooks, scopeAuth),
		ofShop("PUT", "/event/202309/webhooks", (*Sim).putWebhook, scopeAuth),
		ofShop("DELETE", "/event/202309/webhooks", (*Sim).deleteWebhook, scopeAuth),
		ofShop("POST", "/order/202309/orders/search", (*Sim).searchOrders, scopeOrder),
		ofShop("GET", "/order/202507/orders", (*Sim).orderDetail, scopeOrder),
		ofShop("GET", "/order/202309/orders", (*Sim).orderDetail, scopeOrder),
		ofShop("GET", "/order/202407/orders/{order_id}/price_detail", (*Sim).priceDetail, scopeOrder),
		ofShop("POST", "/product/202502/products/search", (*Sim).searchProducts, scopeProduct),
		ofShop("POST", "/product/202309/products/search", (*Sim).searchProducts, scopeProduct),
		ofShop("GET", "/product/202309/products/{product_id}", (*Sim).productDetail, scopeProduct),
		ofShop("POST", "/product/202309/inventory/search", (*Sim).searchInventory, scopeProduct),
		ofShop("POST", "/product/202309/products/{product_id}/inventory/update", (*Sim).updateInventory, scopeProductW),
		ofShop("POST", "/product/202309/products/{product_id}/prices/update", (*Sim).updatePrices, scopeProductW),
		ofShop("POST", "/product/202309/products/activate", (*Sim).activate, scopeProduct),
		ofShop("POST", "/product/202309/products/deactivate", (*Sim).deactivate, scopeProduct),
	}
}

// fulfilmentEndpoints are packages, tracking and logistics.
func fulfilmentEndpoints() []route {
	return []route{
		ofShop("GET", "/logistics/202309/warehouses", (*Sim).listWarehouses, scopeLogistics),
		ofShop("GET", "/logistics/202309/warehouses/{warehouse_id}/delivery_options", (*Sim).deliveryOptions, scopeLogistics),
		ofShop("GET", "/logistics/202309/delivery_options/{delivery_option_id}/shipping_providers", (*Sim).shippingProviders, scopeFulfil, scopeLogistics),
		ofShop("POST", "/fulfillment/202309/orders/{order_id}/shipping_services/query", (*Sim).shippingServices, scopeFulfil),
		ofShop("POST", "/fulfillment/202309/packages", (*Sim).createPackage, scopeFulfil),
		ofShop("POST", "/fulfillment/202309/orders/{order_id}/packages", (*Sim).markShipped, scopeFulfil),
		ofShop("POST", "/fulfillment/202309/packages/{package_id}/ship", (*Sim).shipPackage, scopeFulfil),
		ofShop("POST", "/fulfillment/202309/packages/ship", (*Sim).shipPackages, scopeFulfil),
		ofShop("GET", "/fulfillment/202309/packages/{package_id}", (*Sim).packageDetail, scopeFulfil),
		ofShop("POST", "/fulfillment/202309/packages/search", (*Sim).searchPackages, scopeFulfil),
		ofShop("GET", "/fulfillment/202309/packages/{package_id}/shipping_documents", (*Sim).shippingDocument, scopeFulfil),
		ofShop("GET", "/fulfillment/202309/packages/{package_id}/handover_time_slots", (*Sim).handoverSlots, scopePackage),
		ofShop("POST", "/fulfillment/202309/packages/{package_id}/shipping_info/update", (*Sim).correctTracking, scopeFulfil),
		ofShop("POST", "/fulfillment/202309/orders/{order_id}/shipping_info/update", (*Sim).correctTracking, scopeLogistics),
		ofShop("GET", "/fulfillment/202309/orders/{order_id}/tracking", (*Sim).trackOrder, scopeLogistics),
		ofShop("GET", "/fulfillment/202508/tts_tracking_validation", (*Sim).validateTracking, scopeLogistics),
		ofShop("POST", "/fulfillment/202309/packages/deliver", (*Sim).reportDelivery, scopeDelivery),
		ofShop("GET", "/fulfillment/202309/orders/split_attributes", (*Sim).splitAttributes, scopePackage),
		ofShop("POST", "/fulfillment/202309/orders/{order_id}/split", (*Sim).splitOrder, scopePackage),
		ofShop("GET", "/fulfillment/202309/combinable_packages/search", (*Sim).searchCombinable, scopePackage),
		ofShop("POST", "/fulfillment/202309/packages/combine", (*Sim).combinePackages, scopePackage),
		ofShop("POST", "/fulfillment/202309/packages/{package_id}/uncombine", (*Sim).uncombinePackage, scopePackage),
		ofShop("POST", "/fulfillment/202510/first_mile_bundle", (*Sim).bundleFirstMile, scopeFulfil),
	}
}

// afterSalesEndpoints are cancellations and returns, and the stock in platform warehouses.
func afterSalesEndpoints() []route {
	return []route{
		ofShop("POST", "/return_refund/202309/cancellations/search", (*Sim).searchCancellations, scopeReturn),
		ofShop("POST", "/return_refund/202309/cancellations", (*Sim).cancelOrder, scopeReturn),
		ofShop("POST", "/return_refund/202309/cancellations/{cancel_id}/approve", (*Sim).approveCancellation, scopeReturn),
		ofShop("POST", "/return_refund/202309/cancellations/{cancel_id}/reject", (*Sim).rejectCancellation, scopeReturn),
		ofShop("POST", "/return_refund/202309/returns/search", (*Sim).searchReturns, scopeReturn),
		ofShop("POST", "/return_refund/202309/returns", (*Sim).createReturn, scopeReturn, scopeFulfil),
		ofShop("POST", "/return_refund/202309/returns/{return_id}/approve", (*Sim).approveReturnCall, scopeReturn),
		ofShop("POST", "/return_refund/202309/returns/{return_id}/reject", (*Sim).rejectReturn, scopeReturn),
		ofShop("GET", "/return_refund/202309/returns/{return_id}/records", (*Sim).returnRecords, scopeReturn),
		ofShop("GET", "/return_refund/202309/reject_reasons", (*Sim).rejectReasons, scopeReturn),
		ofShop("GET", "/return_refund/202309/orders/{order_id}/aftersale_eligibility", (*Sim).eligibility, scopeReturn),
		ofShop("POST", "/return_refund/202309/refunds/calculate", (*Sim).calculateRefund, scopeReturn),
		ofShop("POST", "/fbt/202408/inventory/search", (*Sim).fbtInventory, scopeFBT),
		ofShop("POST", "/fbt/202409/goods/search", (*Sim).fbtGoods, scopeFBT),
		ofShop("GET", "/fbt/202409/inbound_orders", (*Sim).fbtInbounds, scopeFBT),
		ofShop("GET", "/fbt/202408/warehouses", (*Sim).fbtWarehouses, scopeFBT),
		ofShop("GET", "/fbt/202409/merchants/onboarded_regions", (*Sim).fbtRegions, scopeFBT),
	}
}
