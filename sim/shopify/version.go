package shopify

import (
	"embed"
	"sync"

	"github.com/spillway/spillway/sim/shopify/internal/graphql"
)

//go:embed schema/*.graphql
var schemaFiles embed.FS

// directive says what a version thinks of @idempotent on a mutation that supports it.
type directive uint8

const (
	directiveAbsent directive = iota
	directiveOptional
	directiveRequired
)

// version is one quarterly version of the API and its rules for writing stock, which changed during 2026.
type version struct {
	name             string
	file             string // the inventory types of this version
	compareQuantity  bool   // compareQuantity and ignoreCompareQuantity on set
	changeFrom       bool   // changeFromQuantity exists
	changeFromNeeded bool   // and must be present, be it null
	idempotent       directive

	load   sync.Once
	schema *graphql.Schema
}

var versionNames = []string{"2025-10", "2026-01", "2026-04", "2026-07", "2026-10"}

var versions = map[string]*version{
	"2025-10": {name: "2025-10", file: "2025-10", compareQuantity: true},
	"2026-01": {name: "2026-01", file: "2026-01", compareQuantity: true, changeFrom: true, idempotent: directiveOptional},
	"2026-04": {name: "2026-04", file: "2026-04", changeFrom: true, changeFromNeeded: true, idempotent: directiveRequired},
	"2026-07": {name: "2026-07", file: "2026-04", changeFrom: true, changeFromNeeded: true, idempotent: directiveRequired},
	"2026-10": {name: "2026-10", file: "2026-04", changeFrom: true, changeFromNeeded: true, idempotent: directiveRequired},
}

// Versions lists the API versions that are simulated, oldest first.
func Versions() []string { return append([]string{}, versionNames...) }

// api is the schema of the version, built on first use. The files are part of the program, so a fault in them is a defect.
func (v *version) api() *graphql.Schema {
	v.load.Do(func() {
		var sources []string
		for _, name := range []string{"base", "inventory_" + v.file} {
			text, err := schemaFiles.ReadFile("schema/" + name + ".graphql")
			if err != nil {
				panic(err)
			}
			sources = append(sources, string(text))
		}
		schema, err := graphql.Load(sources...)
		if err != nil {
			panic(err)
		}
		v.schema = schema
	})
	return v.schema
}

// serve picks the version that answers a request: versions older than the oldest supported one are answered by that
// one, versions that do not exist by none.
func serve(name string) *version {
	if v := versions[name]; v != nil {
		return v
	}
	if len(name) == len("2025-10") && name[4] == '-' && name < versionNames[0] && name > "2019" {
		return versions[versionNames[0]]
	}
	return nil
}
