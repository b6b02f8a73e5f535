// Package notify sends one message through one service URL: to a chat, by mail, to a paging service, to a webhook of the operator's own, to a
// gateway for text messages.
//
// It promises that a call ends in time, that no address inside our own network is called unless the operator allows it, that TLS is not
// switched off, and that no error or hint shows the secrets a service URL holds. Whoever sends must be able to send again: a message may
// have arrived although its sending failed. It keeps nothing and retries nothing, and imports only kit.
//
// Webhooks and gateways are called by our own client, which looks at the address it connects to. Chats, mail and paging go through
// shoutrrr, which makes its connections itself: their host is resolved and looked at before, so a name that changes its meaning within the
// same moment is not caught, nor is a redirect of a chat server of one's own. Hosts of the large services are fixed by shoutrrr.
package notify
