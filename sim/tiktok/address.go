package tiktok

// addressBook is a made-up recipient. No address is real.
type addressBook struct {
	first, last, phone, street, city, state, postal, country string
}

var firstNames = []string{"Ada", "Ben", "Cleo", "Dara", "Eli", "Fay", "Gus", "Hana", "Ivo", "June"}
var lastNames = []string{"Archer", "Brook", "Chandler", "Dyer", "Elder", "Fletcher", "Glover", "Hunter"}
var streets = []string{"Maple Street", "Harbour Road", "Mill Lane", "Orchard Avenue", "Station Road", "Hillside Drive"}

// towns by region, with a postal code that belongs to the state named.
var towns = map[string][][3]string{
	"US": {{"Springfield", "Oregon", "97477"}, {"Fairview", "Texas", "75069"}, {"Greenville", "Ohio", "45331"}, {"Salem", "New Hampshire", "03079"}},
	"GB": {{"Newport", "Wales", "NP19 4QZ"}, {"Bradford", "England", "BD1 4ZZ"}},
}

// someAddress draws a recipient in a region.
func (s *Sim) someAddress(region string) addressBook {
	list, ok := towns[region]
	if !ok {
		list = [][3]string{{"Newtown", "Central", "10000"}}
	}
	r := s.ids.rnd
	t := list[r.IntN(len(list))]
	digits := []byte("(+1)555-0100000")
	for i := 9; i < len(digits); i++ {
		digits[i] = byte('0' + r.IntN(10))
	}
	return addressBook{first: firstNames[r.IntN(len(firstNames))], last: lastNames[r.IntN(len(lastNames))], phone: string(digits),
		street: string(rune('1'+r.IntN(9))) + string(rune('0'+r.IntN(10))) + " " + streets[r.IntN(len(streets))],
		city:   t[0], state: t[1], postal: t[2], country: region}
}
