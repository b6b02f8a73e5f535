package ops

import "github.com/spillway/spillway/domain/catalog"

// binOf is the bin an item is picked from first; empty: nobody has said one.
func (c *catalogue) binOf(node, item string) string {
	if bins := c.handling.bins[[2]string{node, item}]; len(bins) > 0 {
		return bins[0].Code
	}
	return ""
}

// cartonCalled is the carton a packer scanned by its id or name.
func (c *catalogue) cartonCalled(node, code string) (catalog.Carton, bool) {
	for _, k := range c.handling.cartonsAt(node) {
		if k.ID == code || k.Name == code {
			return k, true
		}
	}
	return catalog.Carton{}, false
}
