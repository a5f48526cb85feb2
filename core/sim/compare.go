package sim

import (
	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A Comparison is one transfer over one path, to be done by one congestion
// controller after the other, with the same chances.
type Comparison struct {
	Seed      uint64
	Core      core.Config // of both hosts; the sender gets the controller
	Way, Back Channel     // what the data goes over, and its ACKs
	Octets    uint64
	Most      clock.Duration // the time after which a transfer is given up; 0: an hour
}

// Compared is how it went with one controller.
type Compared struct {
	Name        string
	Octets      uint64         // that were read
	Took        clock.Duration // from the first packet to the last octet
	Goodput     uint64         // octets a second
	Lost        uint64         // packets that the path has lost by chance
	Overflowed  uint64         // packets that found its queue full
	Retransmits uint64         // segments
	Timeouts    uint64
	MeanRTT     clock.Duration // SRTT over the time of the transfer
	MeanQueue   clock.Duration // what a packet would have waited in the queue of Way
	MaxQueue    clock.Duration
	Fallbacks   uint64 // 1: it has failed, and CUBIC went on
}

// compareStep is how often the path is looked at.
const compareStep = clock.Millisecond

// Compare does the transfer once with each controller.
func Compare(c *Comparison, controllers ...cc.Controller) ([]Compared, error) {
	var all []Compared
	for _, k := range controllers {
		one, err := c.with(k)
		if err != nil {
			return all, err
		}
		all = append(all, one)
	}
	return all, nil
}

func (c *Comparison) config(k cc.Controller) *Config {
	cfg := Transfer(c.Core, wire.IPv4, c.Octets, c.Way)
	cfg.Seed, cfg.Links[0].BA = c.Seed, c.Back
	cfg.Hosts[TransferClient].Core.TCP.Controller = k
	users := &cfg.Flows[0].Users
	users[0].Steps = []Step{{Op: Write, N: c.Octets}, {Op: CloseWrite}, {Op: AwaitEOF}}
	users[1].Steps = []Step{{Op: AwaitEOF}}
	return &cfg
}

func (c *Comparison) with(k cc.Controller) (Compared, error) {
	r := Compared{Name: k.Name()}
	if c.Octets == 0 {
		return r, tcp.ErrInvalid
	}
	w, err := New(c.config(k))
	if err != nil {
		return r, err
	}
	start, most := w.Now(), c.Most
	if most == 0 {
		most = clock.Hour
	}
	samples := clock.Duration(0)
	for r.Octets < c.Octets && r.Took < most {
		if err := w.Run(w.Now().Add(compareStep)); err != nil {
			return r, err
		}
		r.Octets, r.Took = w.Outcome(0, 1).Read, w.Now().Sub(start)
		conn := w.Conn(0, 0)
		if conn == nil {
			break
		}
		queue := max(0, w.dirs[0].free.Sub(w.Now()))
		samples++
		r.MeanQueue += queue
		r.MaxQueue = max(r.MaxQueue, queue)
		r.MeanRTT += clock.Duration(conn.Info(w.Now()).RTT) * clock.Microsecond
	}
	samples = max(samples, 1)
	r.MeanQueue, r.MeanRTT = r.MeanQueue/samples, r.MeanRTT/samples
	r.Goodput = r.Octets * uint64(clock.Second) / uint64(max(r.Took, 1))
	stats, count := w.Stack(0).Stats(), w.Count()
	r.Retransmits, r.Timeouts, r.Fallbacks = stats.Retransmits, stats.Timeouts, stats.Fallbacks
	r.Lost, r.Overflowed = count.Lost, count.Overflowed
	return r, nil
}
