package policy

// Metric names a rate a channel judges a shop by.
type Metric string

const (
	LDR  Metric = "ldr"  // late dispatch rate
	VTR  Metric = "vtr"  // valid tracking rate
	SFCR Metric = "sfcr" // seller-fault cancellation rate
	OTDR Metric = "otdr" // on-time delivery rate
)

// Metrics in the order in which they are shown.
var Metrics = []Metric{LDR, VTR, SFCR, OTDR}

// Confidence is how sure a number is.
type Confidence string

const (
	Official   Confidence = "official"   // the channel's own page or interface
	Reported   Confidence = "reported"   // the press, a guide, or several third parties that agree
	Unverified Confidence = "unverified" // one third party, or our own reading
	Operator   Confidence = "operator"   // set by an override; never in a file
)

// Cited is where a number comes from.
type Cited struct {
	Source     string     `yaml:"source" json:"source"` // a key of RuleSet.Sources; an override's is its author
	Confidence Confidence `yaml:"confidence" json:"confidence"`
	Note       string     `yaml:"note" json:"note,omitzero"`
	// Announced entries were said to come and are shown as such; they judge nothing until an override turns them on.
	Announced bool `yaml:"announced" json:"announced,omitzero"`
}

// Unit is what a rate counts.
type Unit string

const (
	Orders   Unit = "order"
	Packages Unit = "package"
)

// Moment is what puts an order on a day, and so into a window.
type Moment string

const (
	AtPlaced     Moment = "placed"      // confirmed: paid, or created where the channel does not say when it was paid
	AtReady      Moment = "ready"       // shipment arranged
	AtHandedOver Moment = "handed_over" // the carrier's first scan
	AtDelivered  Moment = "delivered"
	AtDeliverBy  Moment = "deliver_by" // the day on which it is due to be delivered, whether it was or not
)

// Test is what puts an order, or a package of it, above the line of a rate.
type Test string

const (
	ReadyLate         Test = "ready_late"        // shipment arranged after the deadline for it
	HandedOverLate    Test = "handed_over_late"  // the carrier's first scan after the deadline for it
	DeliveredOnTime   Test = "delivered_on_time" // not after the deliver-by date
	DeliveredWithin   Test = "delivered_within"  // less than Rate.Within business days after the day of the carrier's first scan
	CancelledBySeller Test = "cancelled_seller"  // cancelled, and by the seller's fault
	TrackingValid     Test = "tracking_valid"    // has a tracking number of a known form, and the carrier scanned it
)

// Class is a kind of order a rate treats differently.
type Class string

const (
	ByPlatform    Class = "platform_fulfilled" // stored and shipped by the channel
	PlatformLabel Class = "platform_label"     // the channel's own label
	Sample        Class = "sample"             // for creators
	Replacement   Class = "replacement"
	PreOrder      Class = "pre_order"
)

// Rate is one way in which a metric is or was counted in a market. The rate of a day T is the sum of Counts over the days from T−Lag−Days+1
// to T−Lag, by the definition that holds on T, whenever the orders were placed.
type Rate struct {
	ID      string `yaml:"id" json:"id"` // unique in the rule set; figures are kept under it
	Metric  Metric `yaml:"metric" json:"metric"`
	Span    `yaml:",inline"`
	Counts  Unit    `yaml:"counts" json:"counts"`
	Anchor  Moment  `yaml:"anchor" json:"anchor"`
	Test    Test    `yaml:"test" json:"test"`
	Exclude []Class `yaml:"exclude" json:"exclude,omitzero"` // not counted at all
	Spare   []Class `yaml:"spare" json:"spare,omitzero"`     // counted below the line, never against the shop
	Days    int     `yaml:"days" json:"days"`                // length of the window
	Lag     int     `yaml:"lag" json:"lag,omitzero"`         // days between the window's last day and the day judged; 1: only days that are over
	Within  int     `yaml:"within" json:"within,omitzero"`   // of DeliveredWithin: business days of the market's calendar, see RuleSet.Calendar
	Cited   `yaml:",inline"`
}

// Bad reports whether being above the line counts against the shop: of a rate of late orders it does, of one of orders on time it does not.
func (t Test) Bad() bool { return t == ReadyLate || t == HandedOverLate || t == CancelledBySeller }

// BandKind says what a limit means.
type BandKind string

const (
	Target      BandKind = "target"      // recommended
	Warning     BandKind = "warning"     // look at it
	Enforcement BandKind = "enforcement" // the channel acts
)

// Band is a limit of a metric. The shop is inside it while its rate is not worse than Limit: of a rate of late orders at most, else at least.
type Band struct {
	ID     string   `yaml:"id" json:"id,omitzero"` // only where an override is to name it
	Metric Metric   `yaml:"metric" json:"metric"`
	Kind   BandKind `yaml:"kind" json:"kind"`
	Limit  PPM      `yaml:"limit" json:"limit"` // written "4 %" in YAML
	Span   `yaml:",inline"`
	Paused bool `yaml:"paused" json:"paused,omitzero"` // known, and not acted on in this span
	// Reached says that being exactly at the limit is outside already: "10 % or more" and not "above 10 %".
	Reached bool `yaml:"reached" json:"reached,omitzero"`
	Cited   `yaml:",inline"`
}

// Worse reports whether num of den is on the wrong side of the limit. Nothing counted is never worse.
func (b Band) Worse(num, den int64, highIsBad bool) bool {
	if den <= 0 {
		return false
	}
	l, r := num*million, int64(b.Limit)*den
	switch {
	case l == r:
		return b.Reached
	case highIsBad:
		return l > r
	}
	return l < r
}
