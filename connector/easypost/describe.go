package easypost

import (
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/internal/label"
)

// Carrier implements driver.Carrier.
type Carrier struct{}

const ownBase = "https://api.easypost.com/v2"

// lifetime is ours, as the vendor states none: its own clients give up after a minute, and a carrier that prints a label answers within two.
const lifetime = 2 * time.Minute

// maxPage is the longest page the vendor gives.
const maxPage = 100

// labelHosts are where the vendor keeps what it prints.
var labelHosts = []string{"easypost-files.s3.us-west-2.amazonaws.com", "easypost-files.s3-us-west-2.amazonaws.com", "easypost-files.s3.amazonaws.com", "api.easypost.com"}

// Names of the settings.
const (
	setKey      = "api_key"
	setSecret   = "webhook_secret"
	setAccounts = "carrier_accounts"
	setSize     = "label_size"
	setBase     = "base_url"
	setSigner   = "customs_signer"
	setIncoterm = "incoterm"
)

// Describe implements driver.Carrier.
func (Carrier) Describe() driver.CarrierDescription {
	return driver.CarrierDescription{
		Name: "easypost", Title: "EasyPost", Docs: "docs/connectors/easypost.md", Owner: "shipping",
		Settings: []driver.Setting{
			{Name: setKey, Help: "API key: EZAK for production, EZTK for tests", Required: true, Secret: true},
			{Name: setSecret, Help: "the secret with which webhooks are signed; without it none is taken", Secret: true},
			{Name: setAccounts, Help: "ids of carrier accounts to quote with, by commas (ca_…); none: all of them"},
			{Name: setSize, Help: "size of labels in inches", Default: "4x6"},
			{Name: setSigner, Help: "who signs customs declarations: parcels abroad have no label without the name"},
			{Name: setIncoterm, Help: "who pays duties of parcels abroad: DDP (you), DDU or DAP (the buyer); none: as the carrier does"},
			{Name: setBase, Help: "address of the interface, which may point to a simulator on this machine", Default: ownBase},
		},
		Can: []driver.ShipAbility{driver.CanQuote, driver.CanVoid, driver.CanManifest, driver.CanZPL, driver.CanPDF, driver.CanFollow, driver.CanCustoms},
		// The vendor tells no figures; five a second stays clear of its refusals, and a label takes two or three calls.
		Limits:          driver.ShipLimits{PerSecond: map[driver.Operation]float64{driver.OpBook: 10, driver.OpFind: 10, driver.OpDocument: 10}, Default: 5, Burst: 10, Page: maxPage},
		RequestLifetime: lifetime,
	}
}

// Open implements driver.Carrier.
func (Carrier) Open(account driver.CarrierAccount, env driver.Env) (driver.Shipper, error) {
	base, err := label.Base(account.Settings[setBase], ownBase)
	if err != nil {
		return nil, err
	}
	s := &shipper{base: base, env: env, key: account.Settings[setKey], signer: account.Settings[setSigner], incoterm: account.Settings[setIncoterm], size: account.Settings[setSize]}
	if s.key == "" {
		return nil, &driver.Error{Class: driver.AskHuman, Message: "the account has no API key"}
	}
	if s.size == "" {
		s.size = "4x6"
	}
	for id := range strings.SplitSeq(account.Settings[setAccounts], ",") {
		if id = strings.TrimSpace(id); id != "" {
			s.accounts = append(s.accounts, id)
		}
	}
	return s, nil
}
