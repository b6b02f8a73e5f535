// Package graphql runs GraphQL documents against a schema and a table of Go functions, and words its errors the way the
// simulated vendor does. Parsing and validation are gqlparser's; coercing variables, pricing a query and executing it
// are here.
//
// It promises that a document is validated before anything runs, that answers keep the order of the fields asked for,
// that nulls propagate as the specification says, that absent and null inputs stay different, and that documents,
// depth and token counts are bounded.
//
// It knows nothing of shops or orders. It must never import the simulator above it.
package graphql
