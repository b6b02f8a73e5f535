package web

//go:generate go tool -modfile=../tools/go.mod templ generate
