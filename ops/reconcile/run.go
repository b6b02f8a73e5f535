package reconcile

import (
	"context"
	"strings"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	compare "github.com/spillway/spillway/domain/reconcile"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// ordersAtOnce are read in one transaction, so that a comparison holds up nobody.
const ordersAtOnce = 1_000

// Run compares what files hold with the orders of a connection by the rules of its market. It only reads. seen is told how many orders were looked at
// so far, and may end it with an error; nil: nobody asks. Errors: Invalid, and those of the database.
func Run(ctx context.Context, st *store.Store, rules *policy.RuleSet, connection string, theirs compare.Theirs, o compare.Options, seen func(orders int64) error) (compare.Report, error) {
	c, err := compare.New(rules, theirs, o)
	if err != nil {
		return compare.Report{}, err
	}
	mine, looked := order.ID(connection, ""), int64(0)
	for after := mine; ; {
		page := make([]order.Order, 0, ordersAtOnce)
		err := st.View(ctx, func(tx *store.Tx) error {
			page = page[:0] // it may run again
			_, _, err := tx.OrdersAfter(after, ordersAtOnce, func(x *order.Order) error {
				page = append(page, *x)
				return nil
			})
			return err
		})
		if err != nil {
			return compare.Report{}, errs.Wrap("reconcile.Run", connection, err)
		}
		for i := range page {
			if !strings.HasPrefix(page[i].ID, mine) { // ids are in order: the next connection's begin
				return c.Report()
			}
			c.Add(&page[i])
		}
		if len(page) < ordersAtOnce {
			return c.Report()
		}
		if looked += int64(len(page)); seen != nil {
			if err := seen(looked); err != nil {
				return compare.Report{}, err
			}
		}
		after = page[len(page)-1].ID
	}
}
