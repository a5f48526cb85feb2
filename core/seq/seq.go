package seq

// Value is a sequence number: a point on the circle.
type Value uint32

// Size is a number of sequence numbers: an arc of the circle. SYN and FIN count
// one each, as an octet of data does.
type Size uint32

// Add returns the point n after v.
func (v Value) Add(n Size) Value { return v + Value(n) }

// Sub returns the point n before v.
func (v Value) Sub(n Size) Value { return v - Value(n) }

// Diff returns how far v is after w, negative when it is before.
func (v Value) Diff(w Value) int32 { return int32(v - w) }

// From returns the distance from w to v, for callers that know that w is at or
// before v.
func (v Value) From(w Value) Size { return Size(v - w) }

// Before reports v < w.
func (v Value) Before(w Value) bool { return int32(v-w) < 0 }

// AtOrBefore reports v =< w.
func (v Value) AtOrBefore(w Value) bool { return int32(v-w) <= 0 }

// After reports v > w.
func (v Value) After(w Value) bool { return int32(v-w) > 0 }

// AtOrAfter reports v >= w.
func (v Value) AtOrAfter(w Value) bool { return int32(v-w) >= 0 }

// In reports start =< v < start+n. No point is in an empty arc.
func (v Value) In(start Value, n Size) bool { return Size(v-start) < n }

// Max returns the later of a and b.
func Max(a, b Value) Value {
	if a.Before(b) {
		return b
	}
	return a
}

// Min returns the earlier of a and b.
func Min(a, b Value) Value {
	if b.Before(a) {
		return b
	}
	return a
}
