package kit

// A table has values by handles. A handle is the value's place and how many have had
// that place before; it is positive, and never given twice.
type table[T any] struct {
	slots []slot[T]
	free  []int32
}

type slot[T any] struct {
	value T
	turn  int32 // of who has the place now, or has it next
	used  bool
}

const (
	placeBits = 16
	lastTurn  = 1<<(31-placeBits) - 1
)

// add returns the handle of a value, 0 if there are most already.
func (t *table[T]) add(value T, most int) int32 {
	if n := len(t.free); n > 0 {
		i := t.free[n-1]
		t.free = t.free[:n-1]
		s := &t.slots[i]
		s.value, s.used = value, true
		return s.turn<<placeBits | i + 1
	}
	if len(t.slots) >= min(most, 1<<placeBits-1) {
		return 0
	}
	t.slots = append(t.slots, slot[T]{value: value, used: true})
	return int32(len(t.slots))
}

// find returns the slot of a handle, nil if it has none.
func (t *table[T]) find(handle int32) *slot[T] {
	i := handle&(1<<placeBits-1) - 1
	if i < 0 || int(i) >= len(t.slots) {
		return nil
	}
	if s := &t.slots[i]; s.used && s.turn == handle>>placeBits {
		return s
	}
	return nil
}

// remove frees a handle. A place of which all handles were given is given up.
func (t *table[T]) remove(handle int32) {
	s := t.find(handle)
	if s == nil {
		return
	}
	var none T
	s.value, s.used = none, false
	if s.turn++; s.turn < lastTurn {
		t.free = append(t.free, handle&(1<<placeBits-1)-1)
	}
}
