package shippo

import (
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/internal/label"
)

// Carrier implements driver.Carrier.
type Carrier struct{}

const (
	ownBase = "https://api.goshippo.com"
	// version is the interface's; the vendor keeps answering in its form.
	version = "2018-02-08"
	// lifetime is ours, as the vendor states none: a label is made while the call waits, and carriers answer within two minutes.
	lifetime = 2 * time.Minute
	maxPage  = 100
)

// labelHosts are where the vendor keeps what it prints.
var labelHosts = []string{"deliver.goshippo.com", "shippo-delivery.s3.amazonaws.com", "shippo-delivery-east.s3.amazonaws.com", "shippo-static-v2.s3.amazonaws.com"}

// Names of the settings.
const (
	setKey      = "api_key"
	setAccounts = "carrier_accounts"
	setFormat   = "label_format"
	setBase     = "base_url"
	setSigner   = "customs_signer"
	setIncoterm = "incoterm"
)

// Describe implements driver.Carrier.
func (Carrier) Describe() driver.CarrierDescription {
	return driver.CarrierDescription{
		Name: "shippo", Title: "Shippo", Docs: "docs/connectors/shippo.md", Owner: "shipping",
		Settings: []driver.Setting{
			{Name: setKey, Help: "API token: shippo_live_… for production, shippo_test_… for tests", Required: true, Secret: true},
			{Name: setAccounts, Help: "ids of carrier accounts to quote with, by commas; none: all of them"},
			{Name: setFormat, Help: "form of PDF labels: PDF_4x6, PDF_A6, PDF and so on", Default: "PDF_4x6"},
			{Name: setSigner, Help: "who signs customs declarations: parcels abroad have no label without the name"},
			{Name: setIncoterm, Help: "who pays duties of parcels abroad: DDP (you), DDU or DAP (the buyer); none: as the carrier does"},
			{Name: setBase, Help: "address of the interface, which may point to a simulator on this machine", Default: ownBase},
		},
		Can: []driver.ShipAbility{driver.CanQuote, driver.CanVoid, driver.CanManifest, driver.CanZPL, driver.CanPDF, driver.CanFollow, driver.CanCustoms},
		// The vendor counts by the minute and differs between plans; these stay below its lowest figures for production.
		Limits:          driver.ShipLimits{PerSecond: map[driver.Operation]float64{driver.OpFind: 6, driver.OpDocument: 6}, Default: 4, Burst: 8, Page: maxPage},
		RequestLifetime: lifetime,
		Unsigned:        true,
	}
}

// Open implements driver.Carrier.
func (Carrier) Open(account driver.CarrierAccount, env driver.Env) (driver.Shipper, error) {
	base, err := label.Base(account.Settings[setBase], ownBase)
	if err != nil {
		return nil, err
	}
	s := &shipper{base: base, env: env, key: account.Settings[setKey], signer: account.Settings[setSigner], incoterm: account.Settings[setIncoterm], format: account.Settings[setFormat]}
	if s.key == "" {
		return nil, &driver.Error{Class: driver.AskHuman, Message: "the account has no API token"}
	}
	if s.format == "" {
		s.format = "PDF_4x6"
	}
	for id := range strings.SplitSeq(account.Settings[setAccounts], ",") {
		if id = strings.TrimSpace(id); id != "" {
			s.accounts = append(s.accounts, id)
		}
	}
	return s, nil
}
