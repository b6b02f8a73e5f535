package main

import (
	"time"

	"github.com/spillway/spillway/app"
)

// natsFlags say where what is committed is published, and where webhooks are kept while the database is away.
type natsFlags struct {
	NATS             string        `name:"nats" help:"NATS servers, such as nats://user@host1:4222,nats://user@host2:4222: committed events are published there, and webhooks are kept while the database is away." env:"SPILLWAY_NATS"`
	NATSCreds        string        `name:"nats-creds" help:"NATS credentials file." env:"SPILLWAY_NATS_CREDS" type:"path"`
	NATSPasswordFile string        `name:"nats-password-file" help:"File with the password of the user in --nats." env:"SPILLWAY_NATS_PASSWORD_FILE" type:"path"`
	NATSCA           string        `name:"nats-ca" help:"Certificates to trust for NATS besides the system's." env:"SPILLWAY_NATS_CA" type:"path"`
	NATSReplicas     int           `name:"nats-replicas" help:"Copies of each stream; 0: three in a cluster, one on a single server." env:"SPILLWAY_NATS_REPLICAS"`
	NATSEventsAge    time.Duration `name:"nats-events-age" help:"How long published events are kept." default:"168h" env:"SPILLWAY_NATS_EVENTS_AGE"`
	NATSEventsBytes  int64         `name:"nats-events-bytes" help:"How many bytes of published events are kept." default:"4294967296" env:"SPILLWAY_NATS_EVENTS_BYTES"`
	NATSShelterBytes int64         `name:"nats-shelter-bytes" help:"How many bytes of webhooks are kept while the database is away; beyond it vendors are told to come again." default:"1073741824" env:"SPILLWAY_NATS_SHELTER_BYTES"`
}

func (n natsFlags) set(o *app.Options) {
	o.NATS.URL, o.NATS.CredsFile, o.NATS.PasswordFile, o.NATS.CAFile = n.NATS, n.NATSCreds, n.NATSPasswordFile, n.NATSCA
	o.NATS.Replicas, o.NATS.EventsAge, o.NATS.EventsBytes, o.NATS.ShelterBytes = n.NATSReplicas, n.NATSEventsAge, n.NATSEventsBytes, n.NATSShelterBytes
}
