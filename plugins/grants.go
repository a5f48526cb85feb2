package plugins

import "github.com/tcpkit/tcpkit/plugins/abi"

// Grants are what a plugin may see and do. A manifest asks for them. THREATS P18.
type Grants uint32

// The grants.
const (
	GrantObserve      Grants = 1 << iota // see ports, addresses, sequence variables, segments
	GrantHeader                          // change header fields; drop, delay, duplicate segments
	GrantPayload                         // see and change octets of data
	GrantControl                         // change SYN, FIN and RST; abort connections
	GrantInject                          // make segments of its own
	GrantOptions                         // see and change options octet by octet
	GrantTimers                          // change timers and when to acknowledge
	GrantCC                              // steer the congestion window
	GrantAdmission                       // refuse connections, set their buffers
	GrantLink                            // see, change and stop packets
	GrantRewriteTuple                    // change addresses and ports
	GrantResize                          // change the length of the payload
	GrantLab                             // what breaks the RFC
)

var grantNames = [...]string{
	"observe", "header", "payload", "control", "inject", "options", "timers", "cc", "admission", "link", "rewrite-tuple", "resize", "lab",
}

// onlyIfSaid are the grants that a plugin has only if its user says so.
const onlyIfSaid = GrantPayload | GrantInject | GrantRewriteTuple | GrantLink | GrantLab

// implied has what a grant is no good without.
var implied = [...]struct{ grant, also Grants }{
	{GrantControl | GrantRewriteTuple, GrantHeader},
	{GrantResize, GrantPayload},
	{GrantHeader | GrantPayload | GrantInject | GrantOptions | GrantAdmission | GrantLink, GrantObserve},
}

// all adds what is implied.
func (g Grants) all() Grants {
	for _, i := range implied {
		if g&i.grant != 0 {
			g |= i.also
		}
	}
	return g
}

// Has reports whether all of h are granted.
func (g Grants) Has(h Grants) bool { return g&h == h }

// String is the names, as a manifest has them.
func (g Grants) String() string { return g.join(" ") }

func (g Grants) join(between string) string {
	var b []byte
	for i, name := range grantNames {
		if g>>i&1 != 0 {
			if len(b) > 0 {
				b = append(b, between...)
			}
			b = append(b, name...)
		}
	}
	return string(b)
}

// ParseGrant reads the name of a grant.
func ParseGrant(name string) (Grants, error) {
	for i := range grantNames {
		if grantNames[i] == name {
			return 1 << i, nil
		}
	}
	return 0, Error("there is no grant " + quote(name) + slip(name, grantNames[:]))
}

// checkAllowed refuses grants that nobody has given.
func checkAllowed(asked, allowed Grants) error {
	missing := asked.all() & onlyIfSaid &^ allowed.all()
	if missing == 0 {
		return nil
	}
	return Error("it asks for the grants " + missing.String() + ", which a plugin has only if you say so; if you trust it, add allow=" +
		missing.join("+") + " to its name")
}

// fieldGrants is what each field needs. Flags may need more: see flags.
var fieldGrants = [...]struct {
	field uint32
	needs Grants
}{
	{headerFields | abi.FieldFlags, GrantHeader},
	{optionFields, GrantOptions},
	{abi.FieldPayload, GrantPayload},
	{abi.FieldLength, GrantResize},
	{tupleFields, GrantRewriteTuple},
}

// needs is which grants a verdict at a hook takes, of Mutated with those fields.
func needs(h *hookInfo, v abi.Verdict, fields uint32) (g Grants) {
	link := h.hook == abi.HookIngress || h.hook == abi.HookEgress
	switch v {
	case abi.Mutated:
		if link {
			return GrantLink
		}
		for i := range fieldGrants {
			f := &fieldGrants[i]
			if fields&f.field != 0 {
				g |= f.needs
			}
		}
		if fields&abi.FieldArgs != 0 {
			g |= argsGrant(h.hook)
		}
		return g
	case abi.Drop, abi.Delay, abi.Duplicate:
		switch {
		case link:
			return GrantLink
		case h.hook == abi.HookSyn:
			return GrantAdmission
		}
		return GrantHeader
	case abi.Reset:
		if h.hook == abi.HookSyn {
			return GrantAdmission
		}
		return GrantControl
	case abi.Cookie:
		return GrantAdmission
	case abi.Inject:
		return GrantInject
	case abi.Hold, abi.Release, abi.GoTo, abi.Now:
		return GrantLab
	}
	return 0
}

// argsGrant is which grants a change of a hook's arguments takes. The settings of
// a connection have grants of their own: see settings.
func argsGrant(h abi.Hook) Grants {
	switch h {
	case abi.HookTimerArmed, abi.HookAck:
		return GrantTimers
	case abi.HookRTT, abi.HookPhase:
		return GrantCC
	case abi.HookISN:
		return GrantLab
	case abi.HookPort:
		return GrantRewriteTuple
	case abi.HookOptionsReserve:
		return GrantOptions
	}
	return 0
}
