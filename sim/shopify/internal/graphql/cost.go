package graphql

import "github.com/vektah/gqlparser/v2/ast"

// The vendor's prices in points: an object 1, a mutation 10, a connection 2 and its nodes, a scalar or an enum nothing.
const (
	objectCost     = 1
	connectionCost = 2
	mutationCost   = 10
	maxCost        = 1 << 30 // prices are cut off here, so that nested connections cannot overflow
)

// Cost is what the operation may cost at most: every connection counted as full as it was asked for.
func (o *Operation) Cost() int {
	def := o.rootType()
	if !o.IsMutation() {
		return min(o.setCost(def, o.op.SelectionSet, false), maxCost)
	}
	total := 0
	for _, g := range o.collect(def, o.op.SelectionSet) {
		total += mutationCost
		for _, f := range g.fields {
			total += o.setCost(o.schema.def.Types[f.Definition.Type.Name()], f.SelectionSet, true)
		}
	}
	return min(total, maxCost)
}

// setCost prices the fields under one object. Under a mutation's payload plain objects are free.
func (o *Operation) setCost(def *ast.Definition, set ast.SelectionSet, free bool) int {
	if def == nil {
		return 0
	}
	total, widest := 0, 0
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if o.included(sel.Directives) {
				total += o.fieldCost(sel, free)
			}
		case *ast.InlineFragment:
			if o.included(sel.Directives) {
				widest = o.fragmentCost(def, sel.TypeCondition, sel.SelectionSet, free, &total, widest)
			}
		case *ast.FragmentSpread:
			if o.included(sel.Directives) {
				widest = o.fragmentCost(def, sel.Definition.TypeCondition, sel.Definition.SelectionSet, free, &total, widest)
			}
		}
		if total > maxCost {
			return maxCost
		}
	}
	return min(total+widest, maxCost)
}

// fragmentCost adds a fragment that always applies to total; of those that exclude each other only the widest counts.
func (o *Operation) fragmentCost(def *ast.Definition, condition string, set ast.SelectionSet, free bool, total *int, widest int) int {
	inner := def
	if condition != "" {
		inner = o.schema.def.Types[condition]
	}
	cost := o.setCost(inner, set, free)
	if condition == "" || condition == def.Name {
		*total += cost
		return widest
	}
	return max(widest, cost)
}

func (o *Operation) fieldCost(f *ast.Field, free bool) int {
	def := o.schema.def.Types[f.Definition.Type.Name()]
	if def == nil || def.IsLeafType() || def.Name == "PageInfo" {
		return 0
	}
	args, _ := o.arguments(f)
	switch {
	case isConnection(f.Definition.Type):
		n, ok := args.Int("first")
		if !ok {
			n, _ = args.Int("last")
		}
		return connectionCost + min(max(n, 0)*o.nodeCost(f.SelectionSet), maxCost)
	case args.Has("ids"):
		return len(args.List("ids")) * (objectCost + o.setCost(def, f.SelectionSet, false))
	case free:
		return o.setCost(def, f.SelectionSet, true)
	}
	return min(objectCost+o.setCost(def, f.SelectionSet, false), maxCost)
}

// nodeCost prices one node of a connection, whether it is asked for as edges or as nodes.
func (o *Operation) nodeCost(set ast.SelectionSet) int {
	total := 0
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			switch sel.Name {
			case "edges":
				total += o.nodeCost(sel.SelectionSet)
			case "node", "nodes":
				total += objectCost + o.setCost(o.schema.def.Types[sel.Definition.Type.Name()], sel.SelectionSet, false)
			}
		case *ast.InlineFragment:
			total += o.nodeCost(sel.SelectionSet)
		case *ast.FragmentSpread:
			total += o.nodeCost(sel.Definition.SelectionSet)
		}
	}
	return min(total, maxCost)
}
