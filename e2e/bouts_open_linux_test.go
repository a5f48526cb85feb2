package e2e

import (
	"time"
)

// How connections begin.
var openBouts = []bout{
	{name: "request and answer", script: hello, impaired: some(lose(client, data, 1), double(server, data, 1))},
	{name: "refused", script: refused, impaired: some(lose(client, syn, 1))},
	{name: "unreachable", script: refused, faults: some(unreachable(client, syn)), impaired: some(late(client, syn, 10*time.Millisecond))},
	{name: "SYN lost", script: hello, faults: some(lose(client, syn, 1)), impaired: some(lose(client, data, 1))},
	{name: "no SYN answered", script: inVain, settings: settings{ends: [2]string{"tcp_syn_retries=2 tcp_syn_linear_timeouts=0", ""}}, faults: some(lose(client, syn, 1, 2, 3)), impaired: some()},
	{name: "no SYN answered, some a second apart", script: inVain, settings: settings{ends: [2]string{"tcp_syn_retries=1 tcp_syn_linear_timeouts=2", ""}}, faults: some(lose(client, syn, 1, 2, 3, 4)), impaired: some()},
	{name: "SYN lost twice", script: hello, faults: some(lose(client, syn, 1, 2)), impaired: some(lose(server, data, 1))},
	// Both ends would send again at the same time, so that the server is let alone.
	{name: "SYN-ACK lost", script: hello, faults: some(lose(server, syn, 1), lose(client, syn, 2)), impaired: some(lose(server, data, 1))},
	{name: "third ACK lost, server waits", script: hello, faults: some(lose(client, ack, 1)), impaired: some(lose(client, data, 1))},
	{name: "third ACK lost, client speaks", script: speaks, faults: some(lose(client, ack, 1)), impaired: some(lose(server, data, 1))},
	{name: "SYN twice", script: hello, faults: some(double(client, syn, 1)), impaired: some(lose(client, data, 1))},
	{name: "SYN-ACK twice", script: hello, faults: some(double(server, syn, 1)), impaired: some(double(client, data, 1))},
	{name: "accepted after the client has closed", script: acceptsLate, impaired: some(lose(client, fin, 1))},
	{name: "accepted after the client has reset", script: acceptsReset, impaired: some(double(client, rst, 1))},
	{name: "listener closes before it accepts", script: listenerCloses, impaired: some(double(server, rst, 1))},
	{name: "backlog full", script: backlog2, impaired: some(lose(client, data, 1))},
	{name: "SYN cookies", script: cookies, impaired: some(lose(client, data, 1))},
	{name: "both open at once", script: openAtOnce, faults: func() []*fault { return crossed(syn) }, impaired: some(lose(client, data, 1))},
	{name: "old SYN after the close", script: oldSyn, faults: some(late(client, syn, 1500*time.Millisecond, 1)), impaired: some(lose(client, data, 1))},
	{name: "TIME-WAIT met by a new SYN", script: reopens, impaired: some(double(client, syn, 2))},
	{name: "Fast Open", script: fastOpens, impaired: some(lose(client, data, 1))},
}

// oldSyn has the first SYN arrive when a second has opened the connection, and it is
// over.
func oldSyn(r *run) {
	hello(r)
	r.seen(server, syn, 2)
	r.pause(10 * delay)
	r.step()
	r.states("CLOSED", "CLOSED")
}

func refused(r *run) {
	r.dial()
	r.states("CLOSED", "CLOSED")
}

// inVain tells, too, how long it took.
func inVain(r *run) {
	began := time.Now()
	r.dial()
	r.say("client: after %.0f s", time.Since(began).Seconds())
	r.states("CLOSED", "CLOSED")
}

// speaks has the client write before the server knows that it is connected.
func speaks(r *run) {
	r.listen()
	if r.dial() != nil {
		return
	}
	r.write(client, 100)
	r.accept()
	r.receive(server, 100)
	r.settle()
	r.finishAfter(100)
}

// finishAfter answers and closes, the client having written n octets.
func (r *run) finishAfter(n int) {
	r.sent[client], r.read[server] = n, n
	r.write(server, 1000)
	r.receive(client, 1000)
	r.settle()
	r.finish()
}

func acceptsLate(r *run) {
	r.listen()
	r.dial()
	r.settle()
	r.write(client, 100)
	r.close(client)
	r.settle()
	r.accept()
	r.sent[client] = 100
	r.receive(server, 100)
	r.ends(server)
	r.close(server)
	r.settle()
	r.states("TIME-WAIT", "CLOSED")
}

func acceptsReset(r *run) {
	r.listen()
	r.dial()
	r.settle()
	r.abort(client)
	r.settle()
	r.accept()
	r.ends(server)
	r.ends(server)
	r.send(server, 1, 0)
	r.close(server)
	r.step()
}

func listenerCloses(r *run) {
	r.listen()
	r.dial()
	r.settle()
	r.say("server: close = %s", outcome(r.listens.close()))
	r.listens = nil
	r.ends(client)
	r.ends(client)
	r.settle()
	r.states("CLOSED", "CLOSED")
}

// backlog2 has one client more than there is room for, until one is accepted.
func backlog2(r *run) {
	r.backlog = 1
	r.listen()
	for range 2 {
		s, err := r.dialWith(len(r.others), nil)
		r.say("client: connect = %s", outcome(err))
		r.others = append(r.others, s)
		r.settle()
	}
	done := make(chan error, 1)
	go func() {
		s, err := r.dialWith(2, nil)
		if err == nil {
			r.hold(client, s)
		}
		done <- err
	}()
	r.seen(client, syn, 3)
	r.pause(50 * time.Millisecond)
	r.step()
	r.accept()
	r.others = append(r.others, r.socks[server])
	r.socks[server] = nil
	r.say("client: connect = %s", outcome(<-done))
	r.settle()
	r.accept()
	r.others = append(r.others, r.socks[server])
	r.socks[server] = nil
	r.accept()
	r.write(client, 10)
	r.receive(server, 10)
	r.settle()
}

func cookies(r *run) {
	r.backlog = 1
	r.listen()
	r.line.strangers(r.family, 8)
	r.pause(50 * time.Millisecond)
	r.connect()
	r.ask()
	r.finish()
}

func openAtOnce(r *run) {
	done := make(chan error, 1)
	go func() {
		s, err := r.parties[server].dial(r.addrs[server], r.addrs[client], nil)
		if err == nil {
			r.socks[server] = s
		}
		done <- err
	}()
	err := r.dial()
	bad := <-done
	r.say("server: connect = %s", outcome(bad))
	if err != nil || bad != nil {
		r.fail("no connection")
	}
	r.settle()
	r.ask()
	r.finish()
}

func reopens(r *run) {
	r.open()
	r.ask()
	r.close(server)
	r.ends(client)
	r.settle()
	r.close(client)
	r.settle()
	r.states("CLOSED", "TIME-WAIT")
	r.connect()
	r.ask()
	r.finish()
}

// fastOpens connects twice, the second time with the cookie of the first.
func fastOpens(r *run) {
	r.options[server] = []option{{"TCP_FASTOPEN", 5}}
	r.listen()
	for n := range 2 {
		s, err := r.dialWith(n, stream(uint64(client)+1, 100))
		r.say("client: connect with 100 octets = %s", outcome(err))
		if err != nil {
			r.fail("no connection")
		}
		r.hold(client, s)
		r.accept()
		r.sent[client] = 100
		r.receive(server, 100)
		r.settle()
		r.write(server, 100)
		r.receive(client, 100)
		r.settle()
	}
}
