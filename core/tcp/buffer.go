package tcp

import (
	"math/bits"
	"slices"
)

// ChunkSize is the octets of one chunk: buffers grow and shrink by chunks.
const ChunkSize = 4096

type chunk [ChunkSize]byte

// A Pool hands out the chunks of all buffers of a stack, within one budget.
// Chunks that come back are kept for the next, up to a quarter of the budget.
type Pool struct {
	spare  []*chunk
	rings  [ringSizes][]*ring // rings of 2^i chunks that wait for use
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
// beyond n chunks may be held for octets that arrived early. An empty buffer has
// no ring.
//
//	 chunks[head]    chunks[head+1]
//	|....off|octets |octets ...   |
//	         0 ->             n
type buffer struct {
	*ring
	n uint32 // octets
}

// A ring is the chunks of a buffer, in order.
type ring struct {
	chunks []*chunk    // length is a power of two
	head   uint32      // index of the first chunk
	count  uint32      // chunks held
	off    uint32      // where octet 0 stands in the first chunk
	ends   *recordEnds // of a send buffer; nil when WriteEOR is not used
}

func (r *ring) at(i uint32) *chunk { return r.chunks[(r.head+i)&uint32(len(r.chunks)-1)] }

// held is how many chunks the buffer has.
func (b *buffer) held() uint32 {
	if b.ring == nil {
		return 0
	}
	return b.count
}

// reach takes chunks until octet end-1 has one. It returns how many octets have
// room now, which is less than end when the budget is used up.
func (b *buffer) reach(p *Pool, end uint32) uint32 {
	have := uint32(0)
	if b.ring != nil {
		have = b.count*ChunkSize - b.off
	}
	for have < end {
		c := p.get()
		if c == nil {
			return have
		}
		if b.ring == nil {
			b.ring = p.getRing(leastRing)
		} else if b.count == uint32(len(b.chunks)) {
			b.grow(p)
		}
		b.chunks[(b.head+b.count)&uint32(len(b.chunks)-1)] = c
		b.count++
		have += ChunkSize
	}
	return end
}

func (b *buffer) grow(p *Pool) {
	r := p.getRing(2 * len(b.chunks))
	for i := range b.count {
		r.chunks[i] = b.at(i)
	}
	r.count, r.off, r.ends = b.count, b.off, b.ends
	clear(b.chunks)
	p.putRing(b.ring)
	b.ring = r
}

// Rings come back like chunks do, so that a connection that is idle now and then
// allocates nothing when it is not, and holds nothing while it is.
const (
	ringSizes  = 24
	leastRing  = 4
	leastSpare = 4096 // of the least rings that wait
	ringSpare  = 64   // of each other size
)

func (p *Pool) getRing(size int) *ring {
	i := bits.Len(uint(size)) - 1
	if k := len(p.rings[i]); k > 0 {
		r := p.rings[i][k-1]
		p.rings[i] = p.rings[i][:k-1]
		return r
	}
	return &ring{chunks: make([]*chunk, size)}
}

// putRing takes a ring back, whose chunks are gone.
func (p *Pool) putRing(r *ring) {
	r.head, r.count, r.off, r.ends = 0, 0, 0, nil
	spare := ringSpare
	if len(r.chunks) == leastRing {
		spare = leastSpare
	}
	if i := bits.Len(uint(len(r.chunks))) - 1; len(p.rings[i]) < spare {
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
	if b.ring == nil {
		return
	}
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
	i := b.head & uint32(len(b.chunks)-1)
	p.put(b.chunks[i])
	b.chunks[i] = nil
	b.head = (b.head + 1) & uint32(len(b.chunks)-1)
	b.count--
}

func (b *buffer) release(p *Pool) {
	b.n = 0
	if b.ring == nil {
		return
	}
	for b.count > 0 {
		b.drop(p)
	}
	p.putRing(b.ring)
	b.ring = nil
}

// clone copies the buffer with its chunks; the pool's books are the stack's.
func (b *buffer) clone() buffer {
	d := b.outline(nil)
	for i := range d.held() {
		k := *b.at(i)
		d.chunks[(d.head+i)&uint32(len(d.chunks)-1)] = &k
	}
	return d
}

// outline is a clone in which any stands in the place of each chunk.
func (b *buffer) outline(any *chunk) buffer {
	if b.ring == nil {
		return *b
	}
	r := *b.ring
	r.chunks = make([]*chunk, len(b.chunks))
	for i := range r.count {
		r.chunks[(r.head+i)&uint32(len(r.chunks)-1)] = any
	}
	if b.ends != nil {
		r.ends = &recordEnds{list: slices.Clone(b.ends.list)}
	}
	return buffer{ring: &r, n: b.n}
}
