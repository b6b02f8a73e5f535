package tiktok

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/sim/world"
)

// maxBulk bounds how many orders one command of the page or the control API places.
const maxBulk = 10_000

// command is what the page and the control API can say. Each action reads the fields it needs.
type command struct {
	Shop      string `json:"shop"`
	SKU       string `json:"sku"`
	Qty       int    `json:"qty"`
	Count     int    `json:"count"`
	Unpaid    bool   `json:"unpaid"`
	FBT       bool   `json:"fbt"`
	Order     string `json:"order"`
	Role      string `json:"role"`
	Reason    string `json:"reason"`
	Type      string `json:"type"`
	Tracking  string `json:"tracking"`
	Return    string `json:"return"`
	Inbound   string `json:"inbound"`
	Warehouse string `json:"warehouse"`
	Product   string `json:"product"`
	Status    string `json:"status"`
	Seller    string `json:"seller"`
	Event     string `json:"event"`
	Address   string `json:"address"`

	ID          string  `json:"id"`
	Point       string  `json:"point"`
	Kind        string  `json:"kind"`
	Probability float64 `json:"probability"`
	Remaining   int     `json:"remaining"`
	Delay       string  `json:"delay"`

	NewShop    *ShopSpec    `json:"new_shop"`
	NewProduct *ProductSpec `json:"new_product"`
}

// action is one thing a person or a program can make happen in the simulated world.
type action struct {
	Name, Help, Fields string
	do                 func(*Sim, command) (any, error)
}

// done is the answer of an action that has nothing to tell.
func done(err error) (any, error) { return struct{}{}, err }

func actions() []action {
	order := func(name, help string, do func(*Sim, string) error) action {
		return action{name, help, "order", func(s *Sim, c command) (any, error) { return done(do(s, c.Order)) }}
	}
	back := func(name, help string, do func(*Sim, string) error) action {
		return action{name, help, "return", func(s *Sim, c command) (any, error) { return done(do(s, c.Return)) }}
	}
	seller := func(name, help string, do func(*Sim, string) error) action {
		return action{name, help, "seller", func(s *Sim, c command) (any, error) { return done(do(s, c.Seller)) }}
	}
	return []action{
		{"place", "A buyer orders qty units of a SKU; count repeats it.", "shop, sku, qty, count, unpaid, fbt", (*Sim).placeMany},
		order("pay", "The buyer pays.", (*Sim).Pay),
		order("advance", "The order goes to its next status.", (*Sim).AdvanceStatus),
		{"ship", "The seller ships all that is open.", "order, tracking", func(s *Sim, c command) (any, error) { return done(s.Ship(c.Order, c.Tracking, "")) }},
		order("scan", "The carrier takes the packages over.", (*Sim).Scan),
		order("deliver", "The carrier delivers.", (*Sim).Deliver),
		order("address", "The buyer corrects the address.", (*Sim).ChangeAddress),
		{"cancel", "Cancels as BUYER, SELLER, OPERATOR or SYSTEM; a buyer's wish may become a request.", "order, role, reason",
			func(s *Sim, c command) (any, error) { return named(s.Cancel(c.Order, c.Role, c.Reason)) }},
		order("withdraw-cancel", "The buyer takes a cancellation request back.", (*Sim).WithdrawCancel),
		{"return", "The buyer asks for REFUND or RETURN_AND_REFUND.", "order, type, reason",
			func(s *Sim, c command) (any, error) { return named(s.RequestReturn(c.Order, c.Type, c.Reason)) }},
		back("return-ship", "The buyer sends an approved return.", (*Sim).BuyerShipsReturn),
		back("return-arrive", "The returned parcel arrives.", (*Sim).ReturnArrives),
		back("return-withdraw", "The buyer takes a return back.", (*Sim).WithdrawReturn),
		back("return-arbitrate", "A rejected return is decided for the buyer.", (*Sim).Arbitrate),
		back("offer-accept", "The buyer takes the partial refund offered.", func(s *Sim, id string) error { return s.AnswerOffer(id, true) }),
		back("offer-decline", "The buyer declines it.", func(s *Sim, id string) error { return s.AnswerOffer(id, false) }),
		{"stock", "Somebody sets the available quantity in Seller Center.", "shop, sku, warehouse, qty",
			func(s *Sim, c command) (any, error) { return done(s.SetStock(c.Shop, c.SKU, c.Warehouse, c.Qty)) }},
		{"inbound", "Units are sent to the SKU's platform warehouse.", "shop, sku, qty",
			func(s *Sim, c command) (any, error) { return named(s.SendInbound(c.Shop, c.SKU, c.Qty)) }},
		{"receive", "The platform books qty units of an inbound order in.", "shop, inbound, qty",
			func(s *Sim, c command) (any, error) { return done(s.ReceiveInbound(c.Shop, c.Inbound, c.Qty)) }},
		{"product-status", "The platform or the seller changes a product's status.", "shop, product, status",
			func(s *Sim, c command) (any, error) { return done(s.SetProductStatus(c.Shop, c.Product, c.Status)) }},
		{"shop", "Makes a shop.", "new_shop", func(s *Sim, c command) (any, error) { return s.newShop(c) }},
		{"product", "Makes a product.", "shop, new_product", func(s *Sim, c command) (any, error) { return s.newProduct(c) }},
		{"fault", "Arranges a fault; point is \"METHOD /path\" or \"webhook:EVENT\", with * for anything.",
			"point, kind, probability, remaining, delay", (*Sim).addFault},
		{"remove-fault", "Takes a fault away; without an id, all of them.", "id", (*Sim).removeFault},
		{"webhook", "Sets the console address of an event, * for all; empty removes it.", "event, address",
			func(s *Sim, c command) (any, error) { return done(s.SetConsoleWebhook(c.Event, c.Address)) }},
		{"access", "Tokens that work now; gives consent if there is none.", "seller",
			func(s *Sim, c command) (any, error) { return s.Access(c.Seller) }},
		{"grant", "The seller authorises the app: fresh tokens, older ones stop working.", "seller",
			func(s *Sim, c command) (any, error) { return s.Grant(c.Seller) }},
		seller("expire", "Every access token of the seller expires now.", (*Sim).ExpireTokens),
		seller("revoke", "The seller withdraws consent.", (*Sim).Revoke),
	}
}

func named(id string, err error) (any, error) { return fields{"id": id}, err }

// placeMany stops at the first order that is refused for another reason than stock.
func (s *Sim) placeMany(c command) (any, error) {
	n := max(c.Count, 1)
	if n > maxBulk {
		return nil, errs.New(errs.Invalid, "tiktok.Place", "count", "At most %d orders at once.", maxBulk)
	}
	ids, refused := []string{}, 0
	for range n {
		id, err := s.PlaceOrder(c.Shop, []Wanted{{c.SKU, max(c.Qty, 1)}}, PlaceOptions{Unpaid: c.Unpaid, FBT: c.FBT})
		switch {
		case errs.Is(err, errs.Insufficient) && n > 1:
			refused++
		case err != nil:
			return nil, err
		default:
			ids = append(ids, id)
		}
	}
	return fields{"orders": ids, "refused": refused}, nil
}

func (s *Sim) newShop(c command) (any, error) {
	if c.NewShop == nil {
		return nil, errs.New(errs.Invalid, "tiktok.Shop", "new_shop", "Describe the shop in new_shop.")
	}
	return named(s.AddShop(*c.NewShop))
}

func (s *Sim) newProduct(c command) (any, error) {
	if c.NewProduct == nil {
		return nil, errs.New(errs.Invalid, "tiktok.Product", "new_product", "Describe the product in new_product.")
	}
	return named(s.AddProduct(c.Shop, *c.NewProduct))
}

func (s *Sim) addFault(c command) (any, error) {
	var d world.Duration
	if err := d.UnmarshalText([]byte(c.Delay)); err != nil {
		return nil, errs.New(errs.Invalid, "tiktok.Fault", "delay", "The delay is a duration such as 500ms or 2m.")
	}
	return s.faults.Add(world.Rule{ID: c.ID, Point: c.Point, Kind: world.Kind(c.Kind), Probability: c.Probability, Remaining: c.Remaining, Delay: d})
}

func (s *Sim) removeFault(c command) (any, error) {
	if c.ID == "" {
		s.faults.Clear()
	} else if !s.faults.Remove(c.ID) {
		return nil, errs.New(errs.NotFound, "tiktok.Fault", c.ID, "There is no fault with this id.")
	}
	return struct{}{}, nil
}

// control serves the JSON control API.
func (s *Sim) control(mux *http.ServeMux) {
	get := func(path string, do func(r *http.Request) (any, error)) {
		mux.HandleFunc("GET /_sandbox/api/"+path, func(w http.ResponseWriter, r *http.Request) {
			v, err := do(r)
			s.reply(w, v, err)
		})
	}
	number := func(r *http.Request, name string, otherwise int) int {
		if n, err := strconv.Atoi(r.FormValue(name)); err == nil && n >= 0 {
			return n
		}
		return otherwise
	}
	get("state", func(*http.Request) (any, error) {
		return fields{"now": s.o.Clock.Now().Unix(), "shops": s.Shops(), "faults": s.faults.List(), "webhooks": s.courier.Stats(),
			"empty_bodies": s.EmptyBodies()}, nil
	})
	get("orders", func(r *http.Request) (any, error) { return s.Orders(r.FormValue("shop"), number(r, "n", 50)) })
	get("orders/{id}", func(r *http.Request) (any, error) { return s.Order(r.PathValue("id")) })
	get("webhooks", func(r *http.Request) (any, error) {
		return s.courier.Attempts(uint64(number(r, "after", 0)), number(r, "n", 100)), nil
	})
	get("requests", func(r *http.Request) (any, error) { return s.Requests(uint64(number(r, "after", 0))), nil })
	for _, a := range actions() {
		mux.HandleFunc("POST /_sandbox/api/"+a.Name, func(w http.ResponseWriter, r *http.Request) {
			c, err := readCommand(w, r)
			if err != nil {
				s.reply(w, nil, err)
				return
			}
			v, err := a.do(s, c)
			s.reply(w, v, err)
		})
	}
}

// readCommand takes a command as JSON or as a form.
func readCommand(w http.ResponseWriter, r *http.Request) (command, error) {
	var c command
	r.Body = http.MaxBytesReader(w, r.Body, maxRequestBody)
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		if err := r.ParseForm(); err != nil {
			return c, errs.New(errs.Invalid, "tiktok.Command", "", "The form cannot be read.")
		}
		return c, c.fromForm(r)
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil && err != io.EOF {
		return c, errs.New(errs.Invalid, "tiktok.Command", "", "The command cannot be read: %v.", err)
	}
	return c, nil
}

// fromForm fills the plain fields of a command from a posted form, by the names they have in JSON.
func (c *command) fromForm(r *http.Request) error {
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		name, f := v.Type().Field(i).Tag.Get("json"), v.Field(i)
		text := strings.TrimSpace(r.PostForm.Get(name))
		if text == "" {
			continue
		}
		var err error
		switch f.Kind() {
		case reflect.String:
			f.SetString(text)
		case reflect.Int:
			var n int
			n, err = strconv.Atoi(text)
			f.SetInt(int64(n))
		case reflect.Float64:
			var x float64
			x, err = strconv.ParseFloat(text, 64)
			f.SetFloat(x)
		case reflect.Bool:
			f.SetBool(text == "on" || text == "true")
		}
		if err != nil {
			return errs.New(errs.Invalid, "tiktok.Command", name, "This must be a number.")
		}
	}
	return nil
}

// statuses of the control API by kind of error.
var statuses = map[errs.Kind]int{errs.Invalid: http.StatusBadRequest, errs.NotFound: http.StatusNotFound, errs.Conflict: http.StatusConflict,
	errs.Insufficient: http.StatusConflict, errs.Busy: http.StatusTooManyRequests}

func (s *Sim) reply(w http.ResponseWriter, v any, err error) {
	status := http.StatusOK
	if err != nil {
		if status = statuses[errs.KindOf(err)]; status == 0 {
			status = http.StatusInternalServerError
			s.o.Log.Error("control call failed", "err", err)
		}
		v = fields{"error": errs.Safe(err), "kind": errs.KindOf(err).String()}
	}
	body, err := json.Marshal(v)
	if err != nil {
		s.o.Log.Error("control answer not encoded", "err", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a client that has gone needs no answer
}
