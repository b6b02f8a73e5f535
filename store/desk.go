package store

import "github.com/spillway/spillway/store/sqlcore"

// What pages ask for, under the names everybody uses.
type (
	DuePlace   = sqlcore.DuePlace
	SlackCount = sqlcore.SlackCount
	BookNumber = sqlcore.BookNumber
)
