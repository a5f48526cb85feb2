package tcp

import "math/bits"

// ChunkSize is the octets of one chunk: buffers grow and shrink by chunks.
const ChunkSize = 4096

type chunk [ChunkSize]byte

// A Pool hands out the chunks of all buffers of a stack, within one budget.
// Chunks that come back are kept for the next, up to a quarter of the budget.
type Pool struct {
	spare  []*chunk
	rings  [ringSizes][][]*chunk // rings of 2^i chunks that wait for use
	inUse  int
	Budget int // chunks that may be in use at once; 0: no bound
}

// InUse is the number of octets in chunks that buffers hold now.
func (p *Pool) InUse() int { return p.inUse * ChunkSize }

// Pressed reports whether more than seven eighths of the budget are used, when
// windows should not grow any more (THREATS S30).
func (p *Pool) Pressed() bool { return p.Budget > 0 && p.inUse > p.Budget/8*7 }

// spareMax bounds the chunks that wait for use where there is no budget.
const spareMax = 4096

func (p *Pool) get() *chunk {
	if p.Budget > 0 && p.inUse >= p.Budget {
		return nil
	}
	p.inUse++
	if n := len(p.spare); n > 0 {
		c := p.spare[n-1]
		p.spare = p.spare[:n-1]
		return c
	}
	return new(chunk)
}

func (p *Pool) put(c *chunk) {
	p.inUse--
	bound := spareMax
	if p.Budget > 0 {
		bound = p.Budget / 4
	}
	if len(p.spare) < bound {
		p.spare = append(p.spare, c)
	}
}

// Clone is a pool with the same budget and use, for a stack whose buffers are
// cloned too.
func (p *Pool) Clone() Pool { return Pool{inUse: p.inUse, Budget: p.Budget} }

// A buffer holds a stretch of a stream in chunks. Octets [0, n) are there;
// beyond n chunks may be held for octets that arrived early.
//
//	 ring[head]      ring[head+1]
//	|....off|octets |octets ...   |
//	         0 ->             n
type buffer struct {
	ring  []*chunk // length is a power of two
	head  uint32   // index of the first chunk
	count uint32   // chunks held
	off   uint32   // where octet 0 stands in the first chunk
	n     uint32   // octets
}

func (b *buffer) at(i uint32) *chunk { return b.ring[(b.head+i)&uint32(len(b.ring)-1)] }

// reach takes chunks until octet end-1 has one. It returns how many octets have
// room now, which is less than end when the budget is used up.
func (b *buffer) reach(p *Pool, end uint32) uint32 {
	for have := b.count*ChunkSize - b.off; b.count == 0 || have < end; have += ChunkSize {
		c := p.get()
		if c == nil {
			if b.count == 0 {
				return 0
			}
			return min(end, b.count*ChunkSize-b.off)
		}
		if b.count == uint32(len(b.ring)) {
			b.grow(p)
		}
		b.ring[(b.head+b.count)&uint32(len(b.ring)-1)] = c
		if b.count == 0 {
			have = 0 - b.off
		}
		b.count++
	}
	return end
}

func (b *buffer) grow(p *Pool) {
	ring := p.getRing(max(ringKept, 2*len(b.ring)))
	for i := range b.count {
		ring[i] = b.at(i)
	}
	p.putRing(b.ring)
	b.ring, b.head = ring, 0
}

// Rings come back like chunks do, so that a connection that is idle now and then
// allocates nothing when it is not.
const (
	ringSizes = 24
	ringSpare = 64 // rings of one size that wait
	ringKept  = 4  // the largest ring that an empty buffer keeps
)

func (p *Pool) getRing(size int) []*chunk {
	i := bits.Len(uint(size)) - 1
	if k := len(p.rings[i]); k > 0 {
		r := p.rings[i][k-1]
		p.rings[i] = p.rings[i][:k-1]
		return r
	}
	return make([]*chunk, size)
}

func (p *Pool) putRing(r []*chunk) {
	if len(r) == 0 {
		return
	}
	clear(r)
	if i := bits.Len(uint(len(r))) - 1; len(p.rings[i]) < ringSpare {
		p.rings[i] = append(p.rings[i], r)
	}
}

// put writes data at offset at, which may be beyond n, without moving n. It
// returns the octets written: fewer when the budget is used up.
func (b *buffer) put(p *Pool, at uint32, data []byte) int {
	if len(data) == 0 {
		return 0
	}
	room := b.reach(p, at+uint32(len(data)))
	if room <= at {
		return 0
	}
	data = data[:room-at]
	for done := 0; done < len(data); {
		pos := b.off + at + uint32(done)
		done += copy(b.at(pos / ChunkSize)[pos%ChunkSize:], data[done:])
	}
	return len(data)
}

// append adds data at the end and returns how much of it found room.
func (b *buffer) append(p *Pool, data []byte) int {
	k := b.put(p, b.n, data)
	b.n += uint32(k)
	return k
}

// get copies octets from offset at into dst and returns their number.
func (b *buffer) get(at uint32, dst []byte) int {
	if at >= b.n {
		return 0
	}
	dst = dst[:min(uint32(len(dst)), b.n-at)]
	for done := 0; done < len(dst); {
		pos := b.off + at + uint32(done)
		done += copy(dst[done:], b.at(pos / ChunkSize)[pos%ChunkSize:])
	}
	return len(dst)
}

// discard drops the first k octets and gives back the chunks that held only
// them. When keep is false nothing lies beyond n, and an empty buffer gives back
// all it has.
func (b *buffer) discard(p *Pool, k uint32, keep bool) {
	b.n -= k
	b.off += k
	for b.off >= ChunkSize && b.count > 0 {
		b.drop(p)
		b.off -= ChunkSize
	}
	if b.n == 0 && !keep {
		b.release(p)
	}
}

func (b *buffer) drop(p *Pool) {
	i := b.head & uint32(len(b.ring)-1)
	p.put(b.ring[i])
	b.ring[i] = nil
	b.head = (b.head + 1) & uint32(len(b.ring)-1)
	b.count--
}

func (b *buffer) release(p *Pool) {
	for b.count > 0 {
		b.drop(p)
	}
	b.off, b.n, b.head = 0, 0, 0
	if len(b.ring) > ringKept {
		p.putRing(b.ring)
		b.ring = nil
	}
}

// clone copies the buffer with its chunks; the pool's books are the stack's.
func (b *buffer) clone() buffer {
	c := *b
	c.ring = make([]*chunk, len(b.ring))
	for i, k := range b.ring {
		if k != nil {
			d := *k
			c.ring[i] = &d
		}
	}
	return c
}
