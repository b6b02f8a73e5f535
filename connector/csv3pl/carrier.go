package csv3pl

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/internal/standard"
	"github.com/spillway/spillway/kit/errs"
)

// Carrier implements driver.Carrier.
type Carrier struct {
	// Now is the clock by which a webhook's age is judged; nil is the machine's.
	Now func() time.Time
}

const (
	settingFolder    = "folder"
	settingHost      = "host"
	settingUser      = "user"
	settingPassword  = "password"
	settingKey       = "private_key"
	settingHostKey   = "host_key"
	settingColumns   = "columns"
	settingSeparator = "separator"
	settingSettle    = "settle_seconds"
	settingSecret    = "webhook_secret"

	topicShipments = "shipments"
)

// Describe implements driver.Carrier.
func (Carrier) Describe() driver.CarrierDescription {
	return driver.CarrierDescription{
		Name: "csv3pl", Title: "Logistics provider with CSV files", Docs: "docs/connectors/csv3pl.md", Owner: "connector maintainers", Keeps: true,
		Settings: []driver.Setting{
			{Name: settingFolder, Help: "Folder that holds the folders out, in, done, sent and problems: on the SFTP server, or, without one, on this machine.", Default: "."},
			{Name: settingHost, Help: "SFTP server, as name or name:port; empty: a folder on this machine."},
			{Name: settingUser, Help: "User on the SFTP server."},
			{Name: settingPassword, Help: "Password of the user, unless a key is used.", Secret: true},
			{Name: settingKey, Help: "Private key of the user in OpenSSH's form, without a passphrase.", Secret: true},
			{Name: settingHostKey, Help: "The server's public key as one line, such as ssh-ed25519 AAAA…, had from the provider and not from the server."},
			{Name: settingColumns, Help: "Their names of columns where they differ from ours: order_id=OrderRef, sku=Item."},
			{Name: settingSeparator, Help: "Character between cells: a comma, a semicolon, or the word tab.", Default: ","},
			{Name: settingSettle, Help: "Seconds a file must have lain unchanged before it is read.", Default: "60"},
			{Name: settingSecret, Help: "Secret by which webhooks are signed, base64 behind whsec_; without it no webhook is taken.", Secret: true},
		},
		Can:             []driver.ShipAbility{driver.CanVoid, driver.CanFollow, driver.CanStock},
		Limits:          driver.ShipLimits{PerSecond: map[driver.Operation]float64{driver.OpParcels: 5}, Default: 2, Burst: 10, Page: 1},
		RequestLifetime: time.Minute, // a file is there when its rename was answered, or never
	}
}

// OrdersFile implements driver.OrderFiler, with our own names of columns.
func (Carrier) OrdersFile(all []driver.Booking) (driver.Document, error) {
	var rows [][]string
	for _, b := range all {
		of, why := orderRows(b)
		if why != "" {
			return driver.Document{}, &driver.Error{Class: driver.GiveUp, Op: driver.OpBook, Message: "order " + b.Parcel.Number + " cannot be in the file: " + why}
		}
		rows = append(rows, of...)
	}
	return driver.Document{Kind: driver.OrdersDocument, Type: "text/csv", Data: format{comma: ','}.write(orderColumns, rows)}, nil
}

// Open implements driver.Carrier. Errors: Invalid.
func (Carrier) Open(account driver.CarrierAccount, env driver.Env) (driver.Shipper, error) {
	bad := func(setting, why string) (driver.Shipper, error) {
		return nil, errs.New(errs.Invalid, "csv3pl.Open", setting, "%s", why)
	}
	set := func(name string) string { return strings.TrimSpace(account.Settings[name]) }
	cols, err := columns(set(settingColumns))
	if err != nil {
		return nil, err
	}
	s := &shipper{env: env, settle: time.Minute, format: format{columns: cols, comma: ','}}
	switch sep := set(settingSeparator); sep {
	case "", ",":
	case ";", "|":
		s.format.comma = rune(sep[0])
	case "tab":
		s.format.comma = '\t'
	default:
		return bad(settingSeparator, "Cells are separated by a comma, a semicolon, a bar or a tab.")
	}
	if text := set(settingSettle); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > 3600 {
			return bad(settingSettle, "A file lies unchanged for 0 to 3600 seconds.")
		}
		s.settle = time.Duration(n) * time.Second
	}
	folder := set(settingFolder)
	if set(settingHost) == "" {
		if folder == "" || folder == "." {
			return bad(settingFolder, "Name an SFTP server, or a folder on this machine.")
		}
		s.place = here(folder)
		return s, nil
	}
	if s.place, err = overSSH(set, folder); err != nil {
		return nil, err
	}
	return s, nil
}

// Verify implements driver.Carrier, by the Standard Webhooks rule.
func (c Carrier) Verify(account driver.CarrierAccount, header http.Header, body []byte) (driver.Envelope, error) {
	now := time.Now
	if c.Now != nil {
		now = c.Now
	}
	id, sent, err := standard.Verify(header, body, now(), account.Settings[settingSecret])
	if err != nil {
		return driver.Envelope{}, err
	}
	topic := header.Get("x-webhook-topic")
	if topic == "" {
		topic = topicShipments
	}
	return driver.Envelope{DeliveryID: id, Topic: topic, ShopID: account.ID, SentAt: sent}, nil
}

// Decode implements driver.Carrier: the rows of a shipments file, with our names of columns. A message with a bad line is refused whole, since unlike a
// file it can be sent again at once.
func (Carrier) Decode(topic string, body []byte) ([]driver.ParcelNews, error) {
	if topic != topicShipments {
		return nil, nil
	}
	cols, _ := columns("")
	rows, problems := (format{columns: cols, comma: ','}).read(body, shipmentColumns)
	news, more := shipments(rows)
	if all := append(problems, more...); len(all) > 0 {
		return nil, &driver.Error{Class: driver.GiveUp, Op: "webhook", Message: all[0].String()}
	}
	return news, nil
}

// bookingID is what a Booking's id may be; it becomes part of a file's name.
var bookingID = regexp.MustCompile(`^[A-Za-z0-9-]{1,40}$`)
