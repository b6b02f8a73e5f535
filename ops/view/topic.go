package view

// Topics of live notices. A notice about one thing is the topic, ":" and its id: "item:MUG-01". Whoever changes an item, an
// order or a connection says so with both its own topic and nothing else: pages know which topics they depend on.
const (
	TopicItem        = "item"       // balances, listings, journal, holds of one item
	TopicOrder       = "order"      // one order
	TopicConnection  = "connection" // state, requests, errors of one connection
	TopicCalendar    = "calendar"   // holds
	TopicProblems    = "problems"   // parked messages and the like
	TopicMeasurement = "measure"    // latencies and rates were computed anew
)

// Figures that can be opened with Explain. Those marked with a colon take an id after it.
const (
	FigureOversold       = "oversold"
	FigureOrdersMinute   = "orders-per-minute"
	FigureOpenOrders     = "open-orders"
	FigureOnHand         = "on-hand"
	FigureAvailable      = "available"
	FigureExposed        = "exposed"
	FigureShort          = "short"
	FigureSaleToReserved = "sale-to-reserved"
	FigureSaleToRight    = "sale-to-right"
	FigurePushToTold     = "push-to-told"
	FigurePromise        = "promise:"   // item id: Σ exposure + buffer ≤ A
	FigureBalance        = "balance:"   // item id "@" location id
	FigureListing        = "listing:"   // listing id: how its number came about
	FigureDeadline       = "deadline:"  // order id
	FigureWrong          = "wrong:"     // connection id: listings where told differs from desired
	FigureWatermark      = "watermark:" // connection id
)
