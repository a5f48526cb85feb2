package native_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/hosts/native"
)

// Two stacks joined by a UDP tunnel on the loopback, and a page fetched through
// it. No right is needed.
func Example_udpTunnel() {
	left, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: freePort()})
	if err != nil {
		log.Fatal(err)
	}
	right, err := net.DialUDP("udp", left.RemoteAddr().(*net.UDPAddr), left.LocalAddr().(*net.UDPAddr))
	if err != nil {
		log.Fatal(err)
	}
	const mtu = 1400
	server, err := native.New(native.Config{
		Local: []netip.Prefix{netip.MustParsePrefix("10.1.0.1/24")},
		IO:    native.PacketConn(right, mtu),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := native.New(native.Config{
		Local: []netip.Prefix{netip.MustParsePrefix("10.1.0.2/24")},
		IO:    native.PacketConn(left, mtu),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	listener, err := server.Listen("tcp", ":80")
	if err != nil {
		log.Fatal(err)
	}
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello through a tunnel")
	}))

	web := &http.Client{Transport: &http.Transport{DialContext: client.DialContext}}
	res, err := web.Get("http://10.1.0.1/")
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	page, _ := io.ReadAll(res.Body)
	fmt.Println(res.Status, string(page))
	// Output: 200 OK hello through a tunnel
}

// freePort returns a UDP port that is free now.
func freePort() int {
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port
}

// cable is a link over Go channels: whatever can move packets can be a link.
type cable struct {
	in, out chan []byte
	done    chan struct{}
}

func (w *cable) Link() packet.Link { return packet.Link{MTU: 1500} }

func (w *cable) ReadPacket(p *packet.Packet) error {
	select {
	case b := <-w.in:
		p.Reset()
		p.Bytes = append(p.Bytes, b...)
		return nil
	case <-w.done:
		return packet.ErrClosed
	}
}

func (w *cable) WritePacket(p *packet.Packet) error {
	select {
	case w.out <- append([]byte(nil), p.Bytes...):
		return nil
	default:
		return packet.ErrFull // the stack keeps the packet and offers it again
	}
}

func (w *cable) Close() error { close(w.done); return nil }

// Two stacks joined by a link of one's own, over channels.
func Example_channel() {
	there, back := make(chan []byte, 64), make(chan []byte, 64)
	server, err := native.New(native.Config{
		Local: []netip.Prefix{netip.MustParsePrefix("fd01::1/64")},
		IO:    &cable{in: there, out: back, done: make(chan struct{})},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := native.New(native.Config{
		Local: []netip.Prefix{netip.MustParsePrefix("fd01::2/64")},
		IO:    &cable{in: back, out: there, done: make(chan struct{})},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	listener, err := server.Listen("tcp", ":80")
	if err != nil {
		log.Fatal(err)
	}
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write(make([]byte, 1<<20))
	}))

	web := &http.Client{Transport: &http.Transport{DialContext: client.DialContext}, Timeout: 10 * time.Second}
	res, err := web.Get("http://[fd01::1]/")
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	n, err := io.Copy(io.Discard, res.Body)
	fmt.Println(res.Status, n, err)
	// Output: 200 OK 1048576 <nil>
}

// A connection, half-closed.
func ExampleConn_CloseWrite() {
	x, y := native.NewPipe(packet.Link{MTU: 1500}, 64)
	a, err := native.New(native.Config{Local: []netip.Prefix{netip.MustParsePrefix("10.1.0.1/24")}, IO: x})
	if err != nil {
		log.Fatal(err)
	}
	defer a.Close()
	b, err := native.New(native.Config{Local: []netip.Prefix{netip.MustParsePrefix("10.1.0.2/24")}, IO: y})
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()

	l, err := b.Listen("tcp", ":7")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		io.Copy(c, c) // until the FIN
		c.Close()
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := a.DialContext(ctx, "tcp", "10.1.0.2:7")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprint(c, "there and back")
	c.(*native.Conn).CloseWrite()
	all, err := io.ReadAll(c)
	fmt.Println(string(all), err)
	// Output: there and back <nil>
}

func ExampleParseImpair() {
	c, err := native.ParseImpair("loss=1%,delay=20ms,jitter=5ms,dup=0.1%,reorder=1%,corrupt=0.1%,seed=7")
	fmt.Println(c, err)
	_, err = native.ParseImpair("loss=120%")
	fmt.Println(err)
	// Output:
	// loss=1%,delay=20ms,jitter=5ms,dup=0.1%,reorder=1%,corrupt=0.1%,seed=7 <nil>
	// impair: loss=120%: not a share between 0% and 100%
}
