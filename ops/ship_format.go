package ops

import (
	"cmp"
	"context"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// How the labels of a node are asked for. Whoever makes a label makes it in this form if it can, else in its own: nothing is converted here, since a label
// is printed as its carrier made it.
const (
	LabelPDF = "PDF" // what every printer and every page can show: the default
	LabelZPL = "ZPL" // what thermal printers print themselves
)

func labelSetting(node string) string { return "label-format/" + node }

// LabelFormat is how labels of a node's parcels are asked for.
func (x *Ops) LabelFormat(ctx context.Context, node string) (format string, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) (err error) {
		format, _, err = tx.SettingGet(labelSetting(node))
		return err
	})
	return cmp.Or(format, LabelPDF), err
}

// SetLabelFormat says how labels of a node's parcels are asked for from now on. Errors: Invalid, NotFound.
func (x *Ops) SetLabelFormat(ctx context.Context, node, format string) error {
	const op = "ops.SetLabelFormat"
	if format != LabelPDF && format != LabelZPL {
		return errs.New(errs.Invalid, op, "format", "labels are asked for as PDF or ZPL, not %q", format)
	}
	if err := x.knownNode(op, node); err != nil {
		return err
	}
	return x.st.Update(ctx, func(tx *store.Tx) error { return tx.SettingSet(labelSetting(node), format) })
}
