package tiktok

import (
	"slices"
)

func (s *Sim) authorizedShops(c *call) (any, *failure) {
	type row struct {
		ID         string `json:"id"`
		Name       string `json:"name"`
		Region     string `json:"region"`
		SellerType string `json:"seller_type"`
		Cipher     string `json:"cipher"`
		Code       string `json:"code"`
	}
	rows := []row{}
	for _, sh := range c.grant.seller.shops {
		rows = append(rows, row{sh.id, sh.name, sh.region, sh.sellerType, sh.cipher, sh.code})
	}
	return fields{"shops": rows}, nil
}

func (s *Sim) activeShops(c *call) (any, *failure) {
	rows := []fields{}
	for _, sh := range c.grant.seller.shops {
		rows = append(rows, fields{"id": sh.id, "region": sh.region})
	}
	return fields{"shops": rows}, nil
}

func (s *Sim) getWebhooks(c *call) (any, *failure) {
	rows := []fields{}
	for _, event := range settable {
		if h := c.shop.hooks[event]; h != nil {
			rows = append(rows, fields{"event_type": event, "address": h.address, "create_time": h.created, "update_time": h.updated})
		}
	}
	return fields{"webhooks": rows, "total_count": len(rows)}, nil
}

func (s *Sim) putWebhook(c *call) (any, *failure) {
	var in struct {
		Event   string `json:"event_type"`
		Address string `json:"address"`
	}
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	switch {
	case !slices.Contains(settable, in.Event):
		return nil, badParameter("event_type")
	case !goodAddress(in.Address):
		return nil, badParameter("address must be https with a domain and without a port, at most 255 characters")
	}
	h := c.shop.hooks[in.Event]
	if h == nil {
		h = &hook{created: s.now()}
		c.shop.hooks[in.Event] = h
	}
	h.address, h.updated = in.Address, s.now()
	return nil, nil
}

// deleteWebhook always succeeds, as documented.
func (s *Sim) deleteWebhook(c *call) (any, *failure) {
	var in struct {
		Event string `json:"event_type"`
	}
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	delete(c.shop.hooks, in.Event)
	return nil, nil
}
