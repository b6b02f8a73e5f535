package tiktok

// Logistics error code: no such delivery option.
const codeNoDelivery = 21008116

func (s *Sim) listWarehouses(c *call) (any, *failure) {
	out := []fields{}
	for _, w := range c.shop.warehouses {
		if w.fbt {
			continue // listed by the FBT calls
		}
		kind := "SALES_WAREHOUSE"
		if w.returns {
			kind = "RETURN_WAREHOUSE"
		}
		region := c.shop.region
		out = append(out, fields{"id": w.id, "name": w.name, "effect_status": "ENABLED", "type": kind, "sub_type": "DOMESTIC_WAREHOUSE",
			"is_default": w.isDefault, "address": fields{"region": region, "region_code": region, "state": "Oregon", "city": "Springfield",
				"distict": "", // the platform's own spelling
				"town":    "", "contact_person": "Warehouse desk", "postal_code": "97477", "phone_number": "(+1)555-0100",
				"full_address": "1 Dock Street, Springfield, Oregon, 97477", "address_line1": "1 Dock Street", "address_line2": "",
				"address_line3": "", "address_line4": "", "geolocation": fields{"latitude": "44.046", "longitude": "-123.022"}}})
	}
	return fields{"warehouses": out}, nil
}

func (s *Sim) deliveryOptions(c *call) (any, *failure) {
	for _, w := range c.shop.warehouses {
		if w.id != c.vars["warehouse_id"] {
			continue
		}
		option := func(id, name, kind string) fields {
			return fields{"id": id, "name": name, "type": kind, "description": name, "platform": []string{"TIKTOK_SHOP"},
				"dimension_limit": fields{"max_height": 60, "max_length": 60, "max_width": 60, "unit": "INCH"},
				"weight_limit":    fields{"max_weight": 30000, "min_weight": 1, "unit": "GRAM"}}
		}
		return fields{"delivery_options": []fields{option(standardDelivery, "Standard shipping", "STANDARD"),
			option(sellerDelivery, "Shipped by seller", "SEND_BY_SELLER")}}, nil
	}
	return nil, badParameter("warehouse_id")
}

func (s *Sim) shippingProviders(c *call) (any, *failure) {
	if id := c.vars["delivery_option_id"]; id != standardDelivery && id != sellerDelivery {
		return nil, fail(codeNoDelivery, "The delivery option does not exist.")
	}
	out := []fields{}
	for _, v := range carriersOf(c.shop.region) {
		out = append(out, fields{"id": v.id, "name": v.name})
	}
	return fields{"shipping_providers": out}, nil
}
