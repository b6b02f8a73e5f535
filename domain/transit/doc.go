// Package transit says how far a parcel goes and what that means: the postal zone between two places of the United States, business days
// on the road, and the weight a carrier bills for.
//
// Zones come from the zone chart the operator loaded; where it says nothing they are estimated from the distance between three-digit ZIP
// prefixes, and every answer says which of the two it is. Days come from delivered parcels if enough were seen, else from what was agreed for the
// lane, else from the zone. Terms of carriers are dated, each with its source and confidence. What is not known (a distance abroad,
// a carrier without terms, a day before the first ones) is said to be unknown, never guessed.
//
// Prices and surcharges are not here. The package reads no clock and no file, and must not import stores, connectors or HTTP.
package transit

//go:generate go -C ../../tools run ./zip3 -places ../../shared/data/us_zip3_centroids.csv -people ../../shared/data/us-zip-demand/zip3_population.csv -out ../domain/transit/points.go
