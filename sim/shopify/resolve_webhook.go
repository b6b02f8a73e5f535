package shopify

import (
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/spillway/spillway/sim/shopify/internal/graphql"
)

// maxName bounds a subscription's name, which travels in a header.
const maxName = 50

func subscriptionFields() fields {
	return fields{
		"id":               get(func(w *subscription) any { return gid("WebhookSubscription", w.id) }),
		"legacyResourceId": get(func(w *subscription) any { return number(w.id) }),
		"topic":            get(func(w *subscription) any { return w.topic }),
		"uri":              get(func(w *subscription) any { return w.uri }),
		"callbackUrl":      get(func(w *subscription) any { return w.uri }),
		"endpoint":         get(func(w *subscription) any { return graphql.Map{"callbackUrl": w.uri} }),
		"format":           get(func(w *subscription) any { return w.format }),
		"includeFields":    get(func(w *subscription) any { return strs(w.fields) }),
		"filter":           get(func(*subscription) any { return nil }),
		"name":             get(func(w *subscription) any { return textOrNil(w.name) }),
		"metafieldNamespaces": get(func(*subscription) any {
			return []any{}
		}),
		"apiVersion": get(func(w *subscription) any {
			return graphql.Map{"handle": w.version, "displayName": w.version, "supported": true}
		}),
		"createdAt": get(func(w *subscription) any { return w.createdAt }),
		"updatedAt": get(func(w *subscription) any { return w.updatedAt }),
	}
}

func (s *Sim) querySubscriptions(x *graphql.Exec, _ any, a graphql.Args) any {
	topics := a.Strings("topics")
	match, _ := searched(x, a, func(t term) (filter, bool) {
		switch t.field {
		case "id":
			return idFilter(t, func(v any) int64 { return v.(*subscription).id })
		case "created_at":
			return timeFilter(t, func(v any) time.Time { return v.(*subscription).createdAt })
		case "updated_at":
			return timeFilter(t, func(v any) time.Time { return v.(*subscription).updatedAt })
		}
		return nil, false
	})
	return connect(x, a, s.subs, func(w *subscription) int64 { return w.id }, func(v any) bool {
		w := v.(*subscription)
		named := len(topics) == 0
		for _, t := range topics {
			named = named || t == w.topic
		}
		return named && (a.Str("uri") == "" || a.Str("uri") == w.uri) && match.accepts(v)
	})
}

// subscribe is webhookSubscriptionCreate. A topic may be subscribed to once per address and name.
func (s *Sim) subscribe(x *graphql.Exec, _ any, a graphql.Args) any {
	if len(s.subs) >= maxSubscriptions {
		return failed("webhookSubscription", userError("Too many webhook subscriptions.", "webhookSubscription"))
	}
	at := s.now()
	w := &subscription{topic: a.Str("topic"), format: "JSON", version: x.Context.(*request).version.name, createdAt: at, updatedAt: at}
	if why, field := w.set(a.Object("webhookSubscription")); why != "" {
		return failed("webhookSubscription", userError(why, "webhookSubscription", field))
	}
	if s.taken(w) {
		return failed("webhookSubscription", userError("Address for this topic has already been taken", "webhookSubscription", "callbackUrl"))
	}
	w.id = s.newID("WebhookSubscription")
	s.subs = append(s.subs, w)
	return graphql.Map{"webhookSubscription": w, "userErrors": []any{}}
}

func (s *Sim) taken(w *subscription) bool {
	for _, o := range s.subs {
		if o != w && o.topic == w.topic && o.uri == w.uri && o.name == w.name {
			return true
		}
	}
	return false
}

// set applies an input; why says what is wrong with which field.
func (w *subscription) set(in graphql.Args) (why, field string) {
	uri, field := in.Str("uri"), "uri"
	if uri == "" {
		uri, field = in.Str("callbackUrl"), "callbackUrl"
	}
	if uri == "" {
		uri = w.uri
	}
	u, err := url.Parse(uri)
	switch {
	case uri == "":
		return "Address can't be blank", "callbackUrl"
	case err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())):
		return "Address is invalid: it must be an https URL (http is accepted for this machine only)", field
	case in.Str("format") == "XML":
		return "Format XML is not simulated", "format"
	case in.Str("filter") != "":
		return "Filter is not simulated", "filter"
	case strings.ContainsFunc(in.Str("name"), unicode.IsControl) || len(in.Str("name")) > maxName:
		return "Name is invalid", "name"
	case len(in.Strings("metafieldNamespaces")) > 0:
		return "Metafields are not simulated", "metafieldNamespaces"
	}
	w.uri = uri
	if in.Has("includeFields") {
		w.fields = in.Strings("includeFields")
	}
	if in.Has("name") {
		w.name = in.Str("name")
	}
	return "", ""
}

func isLoopback(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}

// resubscribe is webhookSubscriptionUpdate.
func (s *Sim) resubscribe(_ *graphql.Exec, _ any, a graphql.Args) any {
	for i, w := range s.subs {
		if gid("WebhookSubscription", w.id) != a.Str("id") {
			continue
		}
		changed := *w
		if why, field := changed.set(a.Object("webhookSubscription")); why != "" {
			return failed("webhookSubscription", userError(why, "webhookSubscription", field))
		}
		changed.updatedAt = s.now()
		s.subs[i] = &changed
		return graphql.Map{"webhookSubscription": &changed, "userErrors": []any{}}
	}
	return failed("webhookSubscription", userError("Webhook subscription does not exist", "id"))
}

// unsubscribe is webhookSubscriptionDelete.
func (s *Sim) unsubscribe(_ *graphql.Exec, _ any, a graphql.Args) any {
	for i, w := range s.subs {
		if gid("WebhookSubscription", w.id) == a.Str("id") {
			s.subs = append(s.subs[:i:i], s.subs[i+1:]...)
			return graphql.Map{"deletedWebhookSubscriptionId": a.Str("id"), "userErrors": []any{}}
		}
	}
	return failed("deletedWebhookSubscriptionId", userError("Webhook subscription does not exist", "id"))
}
