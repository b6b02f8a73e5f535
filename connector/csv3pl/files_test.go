package csv3pl

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/connector/driver"
)

const head = "order_id,status,tracking,carrier,shipped_at,sku,quantity\n"

const goodRow = "b-1,shipped,9400111899223197428490,USPS,2026-11-02T12:00:00Z,MUG,2\n"

// open opens the partner's folder with a clock of the caller's.
func open(t *testing.T, p *partner, settings map[string]string, now func() time.Time) *shipper {
	t.Helper()
	settings[settingFolder] = p.dir
	s, err := Carrier{}.Open(driver.CarrierAccount{Settings: settings}, driver.Env{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return s.(*shipper)
}

func parcels(t *testing.T, s *shipper, cursor string) driver.ParcelPage {
	t.Helper()
	page, err := s.Parcels(t.Context(), time.Time{}, cursor)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func there(t *testing.T, p *partner, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(p.dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestAHalfWrittenFileIsNotRead(t *testing.T) {
	p := newPartner(t)
	now := time.Now()
	s := open(t, p, map[string]string{}, func() time.Time { return now })
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(p.dir, inFolder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	none := func(why string) {
		t.Helper()
		if page := parcels(t, s, ""); len(page.News) != 0 || page.Next != "" {
			t.Errorf("%s: %+v", why, page)
		}
	}
	write("shipments-1.csv.part", head+goodRow)
	write(".shipments-1.csv", head+goodRow)
	write("SHIPMENTS 1.csv", head+goodRow)
	now = now.Add(2 * time.Minute)
	none("names of files that are not finished")
	write("shipments-1.csv", head+goodRow)
	now = time.Now().Add(50 * time.Second)
	none("a file that has not settled")
	write("shipments-1.csv", head+strings.TrimSuffix(goodRow, ",2\n"))
	now = time.Now().Add(2 * time.Minute)
	none("a file whose last line does not end")
	write("shipments-1.csv", head+goodRow)
	now = time.Now().Add(2 * time.Minute)
	if page := parcels(t, s, ""); len(page.News) != 1 || page.Next != "shipments-1.csv" {
		t.Errorf("a whole file: %+v", page)
	}
	write("shipments-1.csv", head+strings.TrimSuffix(goodRow, "\n"))
	now = time.Now().Add(unended + time.Minute)
	if page := parcels(t, s, ""); len(page.News) != 1 {
		t.Errorf("a file that lay for long: %+v", page)
	}
}

func TestNothingIsTakenTwiceAndNothingLost(t *testing.T) {
	p := newPartner(t)
	s := open(t, p, map[string]string{settingSettle: "0"}, func() time.Time { return time.Now().Add(time.Second) })
	p.file("shipments-1.csv", head+goodRow)
	first, again := parcels(t, s, ""), parcels(t, s, "")
	if len(first.News) != 1 || !cmp.Equal(first, again) {
		t.Errorf("what was not taken is read again: %+v, %+v", first, again)
	}
	if end := parcels(t, s, first.Next); len(end.News) != 0 || end.Next != "" {
		t.Errorf("after it was taken: %+v", end)
	}
	if len(there(t, p, "in/*")) != 0 || len(there(t, p, "done/shipments-1.csv")) != 1 {
		t.Error("it was not put away")
	}
	parcels(t, s, first.Next) // asked again after a crash
	p.file("shipments-1.csv", head+goodRow)
	p.file("shipments-2.csv", head+strings.ReplaceAll(goodRow, "b-1", "b-2"))
	if page := parcels(t, s, ""); len(page.News) != 1 || page.News[0].BookingID != "b-2" {
		t.Errorf("a name that was taken: %+v", page)
	}
	if n := len(there(t, p, "done/again-*-shipments-1.csv")); n != 1 {
		t.Errorf("%d files are beside the first", n)
	}
	for _, cursor := range []string{"../sent/x.csv", "shipments-/etc.csv", "stock", "shipments-..csv"} {
		if _, err := s.Parcels(t.Context(), time.Time{}, cursor); driver.ClassOf(err) != driver.GiveUp {
			t.Errorf("page %q: %v", cursor, err)
		}
	}
}

func TestProblemsAreToldLineByLine(t *testing.T) {
	p := newPartner(t)
	s := open(t, p, map[string]string{settingSettle: "0"}, func() time.Time { return time.Now().Add(time.Second) })
	p.file("shipments-1.csv", head+goodRow+
		"b-2,shipped,9400111899223197428490,USPS,2026-11-02T12:00:00Z,MUG,two\n"+
		"b-3,lost,1,USPS,2026-11-02T12:00:00Z,MUG,1\n"+
		"too,short\n"+
		"../../x,shipped,9400111899223197428490,USPS,2026-11-02T12:00:00Z,MUG,1\n"+
		"b-4,shipped,9400111899223197428490,USPS,02.11.2026,MUG,1\n"+
		"b-5,shipped,<script>,USPS,2026-11-02T12:00:00Z,MUG,1\n"+
		"b-6,shipped,9400111899223197428490,USPS,2026-11-02T12:00:00Z,LAMP,1\n")
	page := parcels(t, s, "")
	var shipped, stuck []string
	for _, n := range page.News {
		if n.Exception != "" {
			stuck = append(stuck, n.BookingID)
		} else {
			shipped = append(shipped, n.BookingID)
		}
	}
	if diff := cmp.Diff([]string{"b-1", "b-6"}, shipped) + cmp.Diff([]string{"b-2", "b-3", "b-4", "b-5"}, stuck); diff != "" {
		t.Error(diff)
	}
	text, err := os.ReadFile(filepath.Join(p.dir, problemsFolder, "shipments-1.csv.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"line 3: ", "line 4: ", "line 5: ", "line 6: ", "line 7: ", "line 8: "} {
		if lines := strings.Split(string(text), "\r\n"); len(lines) != 7 || !strings.HasPrefix(lines[i], want) {
			t.Errorf("problem %d of %q", i, lines)
		}
	}
	p.file("shipments-2.csv", "order,state\nx,y\n")
	if page := parcels(t, s, page.Next); len(page.News) != 0 || page.Next != "shipments-2.csv" {
		t.Errorf("a file with other columns: %+v", page)
	}
	if len(there(t, p, "problems/shipments-2.csv.txt")) != 1 {
		t.Error("nobody told that the columns are others")
	}
}

func TestTheirColumnsAndSeparator(t *testing.T) {
	p := newPartner(t)
	settings := map[string]string{settingSettle: "0", settingColumns: "order_id=Ref No, sku = Artikel,quantity=Menge", settingSeparator: ";"}
	s := open(t, p, settings, func() time.Time { return time.Now().Add(time.Second) })
	b := driver.Booking{ID: "b-1", Parcel: driver.Parcel{Number: "1", Lines: []driver.ParcelLine{{SKU: "-MUG", Title: "=1+1", Qty: 2}},
		To: driver.Address{Name: "@Jo", Line1: "1 Street\r\n=2", City: "Leeds", Country: "GB", Phone: "+441"}}}
	if _, err := s.Book(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(p.dir, orderFile("b-1")))
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(strings.NewReader(string(text)))
	r.Comma = ';'
	rows, err := r.ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatal(rows, err)
	}
	want := []string{"b-1", "1", "1", "'-MUG", "'=1+1", "2", "standard", "'@Jo", "", "1 Street  =2", "", "Leeds", "", "", "GB", "'+441", ""}
	if diff := cmp.Diff(want, rows[1]); diff != "" || rows[0][0] != "Ref No" || rows[0][3] != "Artikel" {
		t.Error(rows[0], diff)
	}
	p.file("shipments-1.csv", "Status;REF NO;Tracking;Carrier;Shipped_At;Artikel;Menge;more\nshipped;b-1;9400111899223197428490;USPS;2026-11-02T12:00:00+01:00;'-MUG;2;x\n")
	if page := parcels(t, s, ""); len(page.News) != 1 || page.News[0].Shipped[0].SKU != "-MUG" || page.News[0].Events[0].At.Hour() != 11 {
		t.Errorf("%+v", page)
	}
	for _, bad := range []string{"order_id", "nothing=x", "sku=", "sku=a,quantity=A", "sku=a,sku=b"} {
		if _, err := (Carrier{}).Open(driver.CarrierAccount{Settings: map[string]string{settingFolder: p.dir, settingColumns: bad}}, driver.Env{}); err == nil {
			t.Errorf("columns %q are taken", bad)
		}
	}
}

func TestTheNewestStockThatCanBeReadCounts(t *testing.T) {
	p := newPartner(t)
	s := open(t, p, map[string]string{settingSettle: "0"}, func() time.Time { return time.Now().Add(time.Minute) })
	for i, text := range []string{"sku,on_hand\nMUG,1\n", "sku,on_hand,blocked\nMUG,2,1\nLAMP,-1,0\n", "item,count\nMUG,3\n"} {
		name := "stock-" + string(rune('1'+i)) + ".csv"
		p.file(name, text)
		at := time.Now().Add(time.Duration(i) * time.Second)
		if err := os.Chtimes(filepath.Join(p.dir, inFolder, name), at, at); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		page, err := s.Stock(t.Context(), "")
		if err != nil || len(page.Items) != 1 || page.Items[0].OnHand != 2 || page.Items[0].Blocked != 1 {
			t.Errorf("%+v, %v", page, err)
		}
	}
	if len(there(t, p, "done/stock-1.csv")) != 1 || len(there(t, p, "problems/*")) != 2 {
		t.Errorf("put away: %v, told: %v", there(t, p, "done/*"), there(t, p, "problems/*"))
	}
}

// TestNoCellIsAFormula: whatever goes out begins with no sign of a formula, and comes back as it was, but for what a cell cannot hold.
func TestNoCellIsAFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.OneOf(rapid.StringMatching(`[ \x{a0}\x{3000}'=+@\t-]{0,3}[a-zA-Z0-9 ;,"'=\r\n-]{0,20}`), rapid.String()).Draw(t, "cell")
		out := harmless(cell)
		if strings.ContainsAny(string(firstRune(strings.TrimSpace(out))), "=+-@＝＋－＠") || strings.ContainsAny(out, "\r\n\t") {
			t.Fatalf("%q goes out as %q", cell, out)
		}
		if strings.HasPrefix(cell, "'") || strings.ContainsFunc(cell, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\ufffd' }) {
			return
		}
		if back := bare(out); back != cell {
			t.Fatalf("%q goes out as %q and comes back as %q", cell, out, back)
		}
	})
}

func TestAnOrderIsHandedOverOnceWhateverIsLeftOfIt(t *testing.T) {
	p := newPartner(t)
	s := open(t, p, map[string]string{}, time.Now)
	b := driver.Booking{ID: "b-1", Parcel: driver.Parcel{Number: "1", Lines: []driver.ParcelLine{{SKU: "MUG", Qty: 2}}, To: driver.Address{Name: "Jo", Line1: "1", City: "Leeds", Country: "GB"}}}
	book := func() {
		t.Helper()
		if _, err := s.Book(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	book()
	if err := os.Remove(filepath.Join(p.dir, mark("b-1"))); err != nil { // the connection broke before the mark
		t.Fatal(err)
	}
	if _, found, err := s.Find(t.Context(), b); err != nil || !found || len(there(t, p, mark("b-1"))) != 1 {
		t.Errorf("an order without its mark: %v, %v", found, err)
	}
	p.floor.Stow("Leeds", "MUG", 5, 0)
	p.take()
	book()
	if n := len(there(t, p, "out/*")); n != 0 {
		t.Errorf("%d files are out again", n)
	}
	if text, err := os.ReadFile(filepath.Join(p.dir, mark("b-1"))); err != nil || strings.Contains(string(text), "Jo") {
		t.Errorf("the mark says %q, %v", text, err)
	}
	for _, id := range []string{"", "../x", "a b", strings.Repeat("x", 41)} {
		b.ID = id
		if _, err := s.Book(t.Context(), b); driver.ClassOf(err) != driver.GiveUp || driver.MayBeApplied(err) {
			t.Errorf("id %q: %v", id, err)
		}
		if _, err := s.Void(t.Context(), driver.Booked{ID: id}); driver.ClassOf(err) != driver.GiveUp {
			t.Errorf("a void of %q: %v", id, err)
		}
	}
}

func TestServersAreKnownByTheirKey(t *testing.T) {
	p := newPartner(t)
	s, other := serveSFTP(t, p.dir), serveSFTP(t, p.dir)
	b := driver.Booking{ID: "b-1", Parcel: driver.Parcel{Number: "1", Lines: []driver.ParcelLine{{SKU: "MUG", Qty: 2}}, To: driver.Address{Name: "Jo", Line1: "1", City: "Leeds", Country: "GB"}}}
	book := func(change map[string]string) error {
		settings := map[string]string{settingHost: s.address, settingUser: "seller", settingKey: s.clientKey, settingHostKey: s.hostKey}
		for k, v := range change {
			settings[k] = v
		}
		to, err := Carrier{}.Open(driver.CarrierAccount{Settings: settings}, driver.Env{})
		if err != nil {
			return err
		}
		_, err = to.Book(t.Context(), b)
		return err
	}
	for why, change := range map[string]map[string]string{"another server's key": {settingHostKey: other.hostKey}, "a wrong key of ours": {settingKey: other.clientKey},
		"a wrong user": {settingUser: "root"}, "a wrong password": {settingKey: "", settingPassword: "wrong"}, "another folder": {settingFolder: "nowhere"}} {
		if err := book(change); driver.ClassOf(err) != driver.AskHuman || driver.MayBeApplied(err) {
			t.Errorf("%s: %v", why, err)
		}
	}
	if err := book(map[string]string{settingHost: "127.0.0.1:1"}); driver.ClassOf(err) != driver.Retry || driver.MayBeApplied(err) {
		t.Errorf("a server that is down: %v", err)
	}
	for why, change := range map[string]map[string]string{"no host key": {settingHostKey: ""}, "no login": {settingKey: ""}, "no user": {settingUser: ""}} {
		if err := book(change); err == nil || driver.ClassOf(err) == driver.AskHuman {
			t.Errorf("%s: %v", why, err)
		}
	}
	if n := len(there(t, p, "*/*")); n != 0 {
		t.Errorf("%d files were written", n)
	}
	if err := book(nil); err != nil || len(there(t, p, "*/*")) != 2 {
		t.Errorf("with the right key: %v", err)
	}
}

func FuzzRows(f *testing.F) {
	f.Add([]byte(head+goodRow), ",")
	f.Add([]byte("\xef\xbb\xbfsku;on_hand\nMUG;1\n\"x;2\n"), ";")
	f.Add([]byte(head+"b,exception,,,,,,\n\"\n"), ",")
	f.Fuzz(func(t *testing.T, data []byte, sep string) {
		form := format{comma: ','}
		if sep == ";" {
			form.comma = ';'
		}
		rows, problems := form.read(data, shipmentColumns)
		news, more := shipments(rows)
		for _, n := range news {
			if !bookingID.MatchString(n.BookingID) || n.Exception == "" && n.Booked == nil {
				t.Errorf("%+v", n)
			}
			for _, l := range n.Shipped {
				if l.SKU == "" || l.Qty < 1 {
					t.Errorf("%+v", l)
				}
			}
		}
		for _, p := range append(problems, more...) {
			if p.Line < 1 || p.Text == "" {
				t.Errorf("%+v", p)
			}
		}
		rows, _ = form.read(data, stockColumns)
		items, _ := kept(rows, time.Time{})
		for _, k := range items {
			if k.SKU == "" || k.OnHand < 0 || k.Reserved < 0 || k.Blocked < 0 {
				t.Errorf("%+v", k)
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add(topicShipments, []byte(head+goodRow))
	f.Fuzz(func(t *testing.T, topic string, body []byte) {
		news, err := Carrier{}.Decode(topic, body)
		if err != nil && (driver.ClassOf(err) != driver.GiveUp || len(news) > 0) {
			t.Errorf("%v with %d news", err, len(news))
		}
	})
}
