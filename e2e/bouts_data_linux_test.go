package e2e

import (
	"time"
)

// How data goes.
var dataBouts = []bout{
	{name: "a MiB each way", script: bulk(1<<20, 1<<20), impaired: some(lose(client, data, 40, 41), lose(server, data, 30))},
	{name: "a MiB from the client", script: bulk(1<<20, 1), impaired: some(lose(client, data, 5), lose(client, data, 100))},
	{name: "many small writes, Nagle", script: smallWrites(false), impaired: some(lose(client, data, 2))},
	{name: "many small writes, no delay", script: smallWrites(true), impaired: some(lose(client, data, 3))},
	{name: "cork", script: corks, impaired: some(lose(client, data, 1))},
	{name: "cork, forgotten", script: corkForgotten, impaired: some(lose(client, data, 1))},
	{name: "MSG_MORE", script: mores, impaired: some(lose(client, data, 1))},
	{name: "urgent octet", script: urges(false), impaired: some(lose(client, data, 1))},
	{name: "urgent octet in line", script: urges(true), impaired: some(lose(client, data, 1))},
	{name: "window closed and opened", script: windowCloses(700 * time.Millisecond), impaired: some(lose(client, data, 3))},
	{name: "window closed, probes", script: windowCloses(1400 * time.Millisecond), impaired: some(lose(client, data, 3))},
	{name: "slow reader", script: slowReader, impaired: some(lose(client, data, 4))},
	{name: "receive buffer made smaller", script: bufferShrinks, impaired: some(lose(client, data, 4))},
	{name: "keepalive answered", script: keepaliveAnswered, impaired: some(lose(client, data, 1))},
	{name: "keepalive in vain", script: keepaliveInVain, impaired: some(double(server, syn, 1))},
	{name: "keepalive finds a stranger", script: keepaliveReset, impaired: some(lose(client, data, 1))},
	{name: "user timeout", script: userTimeout, impaired: some(lose(client, data, 1))},
	{name: "keepalive and user timeout", script: keepaliveUserTimeout, impaired: some(double(server, syn, 1))},
	{name: "blocked write, then reset", script: blockedReset, impaired: some(double(server, rst, 1))},
}

func smallWrites(noDelay bool) func(*run) {
	return func(r *run) {
		r.open()
		if noDelay {
			r.set(client, "TCP_NODELAY", 1)
		}
		for range 8 {
			r.write(client, 50)
		}
		r.receive(server, 400)
		r.settle()
		r.finish()
	}
}

func corks(r *run) {
	r.open()
	r.set(client, "TCP_CORK", 1)
	for range 3 {
		r.write(client, 600)
	}
	r.pause(50 * time.Millisecond)
	r.set(client, "TCP_CORK", 0)
	r.receive(server, 1800)
	r.settle()
	r.finish()
}

// corkForgotten waits for the RTO, after which Linux sends all the same.
func corkForgotten(r *run) {
	r.open()
	r.set(client, "TCP_CORK", 1)
	r.write(client, 600)
	r.receive(server, 600)
	r.settle()
	r.finish()
}

func mores(r *run) {
	r.open()
	r.send(client, 600, more)
	r.send(client, 600, more)
	r.send(client, 600, 0)
	r.receive(server, 1800)
	r.settle()
	r.finish()
}

func urges(inline bool) func(*run) {
	return func(r *run) {
		r.open()
		if inline {
			r.set(server, "SO_OOBINLINE", 1)
		}
		r.write(client, 20)
		r.settle()
		r.send(client, 3, oob)
		r.settle()
		b := make([]byte, 100)
		n, err := r.socks[server].recv(b, oob)
		r.say("server: read urgent = %d, %s", n, outcome(err))
		for range 2 {
			n, err = r.socks[server].recv(b, dontWait)
			r.say("server: read = %d, %s", n, outcome(err))
		}
		r.write(client, 20)
		r.settle()
		n, err = r.socks[server].recv(b, dontWait)
		r.say("server: read = %d, %s", n, outcome(err))
		r.read[server] = r.sent[client]
		r.finish()
	}
}

// windowCloses has the server read nothing for a while.
func windowCloses(d time.Duration) func(*run) {
	return func(r *run) {
		r.options[server] = []option{{"SO_RCVBUF", 8 << 10}}
		r.open()
		const n = 64 << 10
		r.mark.bulk = true
		done := make(chan struct{})
		b := r.next(client, n)
		r.sent[client] += n
		var m int
		var err error
		go func() {
			defer close(done)
			m, err = r.socks[client].send(b, 0)
		}()
		r.pause(d)
		r.receive(server, n)
		<-done
		r.say("client: write %d = %d, %s", n, m, outcome(err))
		r.settle()
		r.finish()
	}
}

func slowReader(r *run) {
	r.options[server] = []option{{"SO_RCVBUF", 8 << 10}}
	r.open()
	const n = 40 << 10
	r.mark.bulk = true
	done := make(chan struct{})
	b := r.next(client, n)
	r.sent[client] += n
	go func() {
		defer close(done)
		r.socks[client].send(b, 0)
	}()
	got := make([]byte, 0, n)
	for len(got) < n {
		r.pause(8 * time.Millisecond)
		m, err := r.socks[server].recv(got[len(got):min(len(got)+1000, n)], 0)
		got = got[:len(got)+m]
		if err != nil {
			r.fail("server: read = %s", outcome(err))
		}
	}
	<-done
	r.read[server] += n
	r.say("server: read %v", string(got) == string(b))
	r.settle()
	r.finish()
}

func bufferShrinks(r *run) {
	r.open()
	r.ask()
	r.set(server, "SO_RCVBUF", 4<<10)
	r.transfer([2]int{100 << 10, 1})
	r.settle()
	r.finish()
}

func keepaliveAnswered(r *run) {
	r.open()
	r.ask()
	r.keepalive(client, 1)
	r.seen(client, probe, 1)
	r.pause(4 * delay)
	r.mark.acks = true
	r.step()
	r.set(client, "SO_KEEPALIVE", 0)
	r.finish()
}

func (r *run) keepalive(who role, count int) {
	r.set(who, "TCP_KEEPIDLE", 1)
	r.set(who, "TCP_KEEPINTVL", 1)
	r.set(who, "TCP_KEEPCNT", count)
	r.set(who, "SO_KEEPALIVE", 1)
}

func keepaliveInVain(r *run) {
	r.open()
	r.line.cut(true)
	r.keepalive(client, 1)
	r.ends(client)
	r.seen(client, rst, 1)
	r.ends(client)
	r.send(client, 1, 0)
	r.step()
	r.states("CLOSED", "ESTABLISHED")
}

// keepaliveReset asks a server that has forgotten the connection.
func keepaliveReset(r *run) {
	r.open()
	r.write(client, 10)
	r.receive(server, 10)
	r.settle()
	r.keepalive(client, 1)
	r.line.cut(true)
	r.abort(server)
	r.seen(server, rst, 1)
	r.line.cut(false)
	r.step()
	r.ends(client)
	r.step()
	r.states("CLOSED", "CLOSED")
}

func userTimeout(r *run) {
	r.open()
	r.ask()
	r.set(client, "TCP_USER_TIMEOUT", 700)
	r.line.cut(true)
	r.write(client, 100)
	r.ends(client)
	r.ends(client)
	r.send(client, 1, 0)
	r.step()
	r.states("CLOSED", "ESTABLISHED")
}

// keepaliveUserTimeout gives up by the user timeout, whatever number of probes was
// asked for.
func keepaliveUserTimeout(r *run) {
	r.open()
	r.line.cut(true)
	r.set(client, "TCP_USER_TIMEOUT", 2500)
	r.keepalive(client, 9)
	r.ends(client)
	r.seen(client, rst, 1)
	r.step()
	r.states("CLOSED", "ESTABLISHED")
}

// blockedReset resets a connection whose client waits for room to write.
func blockedReset(r *run) {
	r.options[server] = []option{{"SO_RCVBUF", 8 << 10}}
	r.options[client] = []option{{"SO_SNDBUF", 16 << 10}}
	r.open()
	r.mark.bulk = true
	done := make(chan error, 1)
	b := r.next(client, 256<<10)
	go func() {
		_, err := r.socks[client].send(b, 0)
		done <- err
	}()
	r.mark.some = true
	r.pause(600 * time.Millisecond)
	r.set(server, "SO_LINGER", 0)
	r.close(server)
	r.say("client: write = %s", outcome(<-done))
	r.ends(client)
	r.send(client, 1, 0)
	r.pause(4 * delay)
	r.step()
	r.states("CLOSED", "CLOSED")
}
