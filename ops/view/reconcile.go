package view

import "time"

// TopicReconcile is the notice that a comparison with a channel's exports goes on or has ended (":" its id).
const TopicReconcile = "reconcile"

// KindReconciliation is a comparison with a channel's exports.
const KindReconciliation Kind = "reconciliation"

// Bounds of what is uploaded to be compared.
const (
	// MaxUpload bytes are taken of all files together: what the reading of one file takes too.
	MaxUpload = 64 << 20
	// MaxUploads files are taken at once: one of each kind, and as many again.
	MaxUploads = 8
)

// ReconcileState says how far a comparison is.
type ReconcileState string

const (
	ReconcileReading ReconcileState = "reading"
	ReconcileStopped ReconcileState = "stopped" // whoever read it is silent: upload the files again
	ReconcileDone    ReconcileState = "done"
	ReconcileRefused ReconcileState = "refused" // nothing was taken
)

// Upload is a file from somebody's computer.
type Upload struct {
	Name string
	Data []byte
}

// ReconcileDraft is a filled-in upload form.
type ReconcileDraft struct {
	Shop      string
	Files     []Upload
	SkipWrong bool   // rows that are wrong are told, and the others compared
	DayFirst  bool   // 03/04/2026 is 3 April
	Bare      string // what shares without a percent sign are: "percent", "fraction", or empty
	Metric    string // of files without a column for it; empty: they have one
	Actor     string
}

// Reconciliations is every comparison of a shop.
type Reconciliations struct {
	At      time.Time
	Shops   []ShopStanding
	Shop    ShopStanding
	NoRules string     // why nothing can be compared; empty: it can
	Latest  []TheirNow // one a metric, in the order in which they are shown
	Rows    []ReconciliationRow
	Next    string // cursor of the next page; empty on the last
	Metrics []Option
}

// TheirNow is the channel's own newest figure of a metric.
type TheirNow struct {
	Metric, Name string
	Their        *Reconciled // nil: none was imported
}

// ReconciliationRow is one comparison in brief.
type ReconciliationRow struct {
	ID          string
	At          time.Time
	Actor       string
	Files       string // their names
	State       ReconcileState
	From, To    Day   // days compared; empty: none
	Told        int   // figures of the channel's
	Rates       int   // rates compared
	Differ      int64 // orders on which the two differ
	Unexplained int64
	Ratings     int    // of the account, taken down from it
	Text        string // "3 rates, 12 orders differ"
	Level       Level
}

// ReconciliationFilter selects one comparison and which of its orders are shown.
type ReconciliationFilter struct {
	ID    string
	Rate  int    // the N of a rate; -1: those in no period; -2: all
	Cause string // empty: all
	After string // cursor
}

// Reconciliation is one comparison.
type Reconciliation struct {
	ReconciliationRow
	Now     time.Time
	Shop    ShopStanding
	Filter  ReconciliationFilter
	Refused string // why nothing was taken
	Wrong   []FileProblem
	Read    int64 // rows read so far
	Looked  int64 // orders of ours looked at so far
	Each    []ReconciledFile
	Figures []Reconciled // by metric and period
	More    int          // rates left out
	Outside int64        // rows of the files in none of the periods
	Causes  []Count      // of the orders of the rate chosen
	Orders  []DifferingOrder
	Next    string
	LeftOut int64 // differing orders that were not kept
	Taken   []AccountValue
	Known   int // ratings that were known already
}

// ReconciledFile says what became of every row of a file.
type ReconciledFile struct {
	Name, Kind                          string
	Rows, Taken, Wrong, Blank, Describe int
	Others                              []Count // rows of metrics that are not compared
	Unread                              []string
	Problems                            []FileProblem
	More                                int // problems left out
}

// FileProblem is one thing that is wrong with a file.
type FileProblem struct {
	File  string
	Line  int // 0: the file as a whole
	Field string
	Value string
	Text  string
}

// DifferingOrder is an order on which the two sides differ.
type DifferingOrder struct {
	Number       string // the channel's
	Ref          Ref    // the order here; none: it is not known
	Metric       string // short name
	Ours, Theirs string // "fine", "against the shop"
	Cause        string // "a time differs"
	Text         string // what differs, with both values
	Day          Day    // on which it counts here
	Place        string // "violations.csv, line 4"
}

// DeductionDraft is a filled-in form of points a channel took.
type DeductionDraft struct {
	ID     string // caller-made; the same id and content again changes nothing
	Shop   string
	Day    Day
	Points int64
	Reason string
	Note   string
	Actor  string
}

// AccountDeduction is points the channel took and stated.
type AccountDeduction struct {
	ID           string
	Day          Day
	Points       int64
	Reason, Note string
	By           string
	Lapses       Day    // from when on it does not count any more
	Text         string // how it enters what is modelled: "in the 176 seen on 3 Nov", "taken off since"
}

// ReconcileStarted is what came of an upload.
type ReconcileStarted struct {
	ID       string
	Again    bool // the same was uploaded before: nothing was done
	Sentence string
	Undo     string // opaque; empty: it is not done yet, or was there before
}
