package reconcile

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// Kind is what an export holds.
type Kind string

// Kinds of exports, in the order in which a header is tried for them.
const (
	Orders      Kind = "orders"      // orders with their times
	Violations  Kind = "violations"  // orders that count against the shop
	Performance Kind = "performance" // rates by period
	Ratings     Kind = "ratings"     // the account's rating by day
)

// Kinds there are.
var Kinds = []Kind{Orders, Violations, Performance, Ratings}

// field is a column a file may have. Names are compared without case, blanks and punctuation; exports change theirs now and then.
type field struct {
	name string
	also []string // other names it goes by, in plain form
}

// layout is the columns of a kind of export.
type layout struct {
	fields []field
	needs  [][]string // of each group one field must be there
}

var orderNames = []string{"orderid", "ordernumber", "orderno", "ordersn", "orderreference", "mainorderid"}

var layouts = map[Kind]layout{
	Orders: {needs: [][]string{{"order"}, {"created_at"}}, fields: []field{
		{"order", orderNames},
		{"created_at", []string{"createdtime", "createtime", "ordercreatedtime", "ordercreationtime", "ordertime", "orderdate", "placedat", "created"}},
		{"paid_at", []string{"paidtime", "paymenttime", "paid", "orderpaidtime"}},
		{"ready_at", []string{"rtstime", "readytoshiptime", "arrangedtime", "shipmentarrangedtime", "labelcreatedtime", "packedtime"}},
		{"handed_over_at", []string{"shippedtime", "shiptime", "dispatchtime", "dispatchedtime", "collectiontime", "collectedtime", "pickeduptime", "pickuptime", "handedovertime", "intransittime"}},
		{"delivered_at", []string{"deliveredtime", "deliverytime", "delivered", "deliverydate"}},
		{"cancelled_at", []string{"canceledat", "cancelledtime", "canceledtime", "canceltime", "cancellationtime", "cancelationtime"}},
		{"cancelled_by", []string{"canceledby", "cancelby", "cancellationinitiator", "cancelinitiator", "cancelleduser", "cancelationby"}},
		{"cancel_reason", []string{"cancellationreason", "canceledreason", "cancelledreason", "cancelationreason", "reason"}},
		{"status", []string{"orderstatus", "orderstate"}},
		{"substatus", []string{"ordersubstatus"}},
		{"tracking", []string{"trackingid", "trackingnumber", "trackingno", "awb"}},
		{"carrier", []string{"shippingprovidername", "shippingprovider", "logisticsprovider", "shippingcarrier", "courier"}},
		{"package", []string{"packageid", "packagenumber", "parcelid"}},
		{"ship_by", []string{"shipbydate", "shipbytime", "rtssla", "rtsslatime", "shipmentdeadline"}},
		{"hand_over_by", []string{"dispatchby", "dispatchdeadline", "ttssla", "ttsslatime", "handoverdeadline", "latedispatchtime"}},
		{"deliver_by", []string{"deliverbydate", "deliverbytime", "deliverysla", "deliveryslatime", "deliverydeadline", "expecteddeliverydate"}},
	}},
	Violations: {needs: [][]string{{"order"}, {"metric"}}, fields: []field{
		{"order", orderNames},
		{"metric", []string{"violationtype", "violation", "metricname", "indicator", "type", "violationreason"}},
		{"day", []string{"violationdate", "violationtime", "date", "countedon", "affecteddate"}},
		{"reason", []string{"detail", "details", "description", "subreason", "violationdetail"}},
	}},
	Performance: {needs: [][]string{{"metric"}, {"day", "to", "period"}, {"value", "numerator"}}, fields: []field{
		{"metric", []string{"metricname", "indicator", "kpi", "name"}},
		{"value", []string{"rate", "percentage", "result", "performance", "current", "currentvalue", "yourperformance"}},
		{"from", []string{"startdate", "periodstart", "fromdate", "start"}},
		{"to", []string{"enddate", "periodend", "todate", "end"}},
		{"period", []string{"daterange", "timeperiod", "statisticsperiod", "timerange"}},
		{"day", []string{"date", "statisticsdate", "evaluationdate", "asof"}},
		{"numerator", []string{"violatingorders", "affectedorders", "lateorders", "numeratororders"}},
		{"denominator", []string{"totalorders", "allorders", "eligibleorders", "denominatororders", "orders"}},
	}},
	Ratings: {needs: [][]string{{"day"}, {"rating"}}, fields: []field{
		{"day", []string{"date", "updatedate", "asof", "time"}},
		{"rating", []string{"accounthealthrating", "ahr", "accounthealthscore", "healthscore", "score", "points", "accounthealth"}},
	}},
}

// plain is a column name without case, blanks and punctuation.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// columns finds the column of each field: as the caller says, else by name. why says what keeps the row from being the header of such a file;
// sure, that it would be one but for that.
func (l layout) columns(header []cell, o Options) (at map[string]int, why string, sure bool) {
	names := make([]string, len(header))
	for i, h := range header {
		names[i] = plain(h.text)
	}
	at = map[string]int{}
	for _, f := range l.fields {
		tried := append([]string{plain(f.name)}, f.also...)
		column, told := o.Map[f.name]
		if told {
			tried = []string{plain(column)}
		}
		for _, name := range tried {
			i := slices.Index(names, name)
			if i < 0 || name == "" {
				continue
			}
			if slices.Index(names[i+1:], name) >= 0 {
				why, sure = fmt.Sprintf("two columns are called %q: rename one", excerpt(header[i].text)), true
			}
			at[f.name] = i
			break
		}
		if _, found := at[f.name]; told && !found {
			why, sure = fmt.Sprintf("there is no column %q for %s", excerpt(column), f.name), true
		}
	}
	for _, group := range l.needs {
		if group[0] == "metric" && o.Metric != "" {
			continue
		}
		if !slices.ContainsFunc(group, func(f string) bool { _, ok := at[f]; return ok }) {
			if _, told := o.Map[group[0]]; !told || why == "" {
				return nil, fmt.Sprintf("no column is the %s; name it with --map %s=COLUMN", strings.Join(group, " or "), group[0]), false
			}
		}
	}
	return at, why, sure
}

// checkMap refuses a mapping of fields that no kind of export has.
func checkMap(given map[string]string) string {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		known := false
		for _, l := range layouts {
			known = known || slices.ContainsFunc(l.fields, func(f field) bool { return f.name == name })
		}
		if !known {
			return fmt.Sprintf("there is no field %q to map", excerpt(name))
		}
	}
	return ""
}

// header finds out what kind of file this is by its header. Mapped fields that the kind does not have are no matter.
func header(l line, o Options) (Kind, map[string]int, string) {
	kinds := Kinds
	if o.Kind != "" {
		kinds = []Kind{o.Kind}
	}
	first := ""
	for _, k := range kinds {
		at, why, sure := layouts[k].columns(l.cells, o)
		if why == "" || sure {
			return k, at, why
		}
		if first == "" {
			first = why
		}
	}
	if len(kinds) > 1 {
		first = "the columns are those of no export that is known; say with --kind which it is"
	}
	return "", nil, first
}
