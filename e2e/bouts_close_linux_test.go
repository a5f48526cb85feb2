package e2e

import (
	"time"

	"github.com/tcpkit/tcpkit/core/wire"
)

// How connections end.
var closeBouts = []bout{
	{name: "client closes first", script: closesFirst(client), impaired: some(lose(client, fin, 1))},
	{name: "server closes first", script: closesFirst(server), impaired: some(lose(server, fin, 1))},
	{name: "client's FIN lost twice", script: closesFirst(client), faults: some(lose(client, fin, 1, 2)), impaired: some(lose(server, fin, 1))},
	{name: "server's FIN lost twice", script: closesFirst(client), faults: some(lose(server, fin, 1, 2)), impaired: some(double(client, fin, 1))},
	{name: "first FIN's ACK lost", script: closesFirst(client), faults: some(lose(server, finack, 1)), impaired: some(lose(server, fin, 1))},
	{name: "last FIN's ACK lost", script: closesFirst(client), faults: some(lose(client, finack, 1)), impaired: some(lose(client, fin, 1))},
	{name: "FINs twice", script: closesFirst(client), faults: some(double(client, fin, 1), double(server, fin, 1)), impaired: some(lose(client, finack, 1))},
	{name: "client half-closes", script: halfClosed(client), impaired: some(lose(client, fin, 1))},
	{name: "server half-closes", script: halfClosed(server), impaired: some(lose(client, data, 1))},
	{name: "server never closes", script: neverCloses, settings: settings{ends: [2]string{"tcp_fin_timeout=1", ""}}, impaired: some(lose(client, fin, 1))},
	{name: "both close at once", script: closeAtOnce, faults: func() []*fault { return crossed(fin) }, impaired: some(lose(client, finack, 1))},
	{name: "close with data under way", script: closesBusy, impaired: some(lose(client, data, 2))},
	{name: "client aborts", script: aborted(client), impaired: some(double(client, rst, 1))},
	{name: "server aborts", script: aborted(server), impaired: some(lose(server, rst, 1))},
	{name: "client closes with unread data", script: unread(client), impaired: some(double(server, data, 1))},
	{name: "server closes with unread data", script: unread(server), impaired: some(double(client, data, 1))},
	{name: "data after the client has closed", script: dataAfterClose(client), impaired: some(lose(server, data, 1))},
	{name: "data after the server has closed", script: dataAfterClose(server), impaired: some(double(client, data, 1))},
	{name: "client reads no more, data comes", script: readsNoMore(client), impaired: some(lose(server, data, 1))},
	{name: "server reads no more, data comes", script: readsNoMore(server), impaired: some(lose(client, data, 1))},
	{name: "reset in CLOSE-WAIT", script: resetInCloseWait, impaired: some(lose(client, fin, 1))},
	{name: "old data after the close", script: oldData, impaired: some(lose(server, fin, 1))},
}

func closesFirst(who role) func(*run) {
	return func(r *run) {
		r.open()
		r.states("ESTABLISHED", "ESTABLISHED")
		r.close(who)
		r.ends(who.other())
		r.settle()
		if who == client {
			r.states("FIN-WAIT-2", "CLOSE-WAIT")
		} else {
			r.states("CLOSE-WAIT", "FIN-WAIT-2")
		}
		r.close(who.other())
		r.settle()
		if who == client {
			r.states("TIME-WAIT", "CLOSED")
		} else {
			r.states("CLOSED", "TIME-WAIT")
		}
	}
}

func halfClosed(who role) func(*run) {
	return func(r *run) {
		r.open()
		r.write(who, 10)
		r.closeWrite(who)
		r.receive(who.other(), 10)
		r.ends(who.other())
		r.send(who, 1, 0)
		r.settle()
		r.write(who.other(), 1050)
		r.receive(who, 1050)
		r.settle()
		r.close(who.other())
		r.ends(who)
		r.settle()
		r.close(who)
		r.step()
	}
}

func closeAtOnce(r *run) {
	r.open()
	r.closeWrite(client)
	r.closeWrite(server)
	r.ends(client)
	r.ends(server)
	r.settle()
	r.states("TIME-WAIT", "TIME-WAIT")
}

func closesBusy(r *run) {
	r.open()
	r.write(client, 5000)
	r.close(client)
	r.receive(server, 5000)
	r.ends(server)
	r.settle()
	r.close(server)
	r.settle()
	r.states("TIME-WAIT", "CLOSED")
}

func aborted(who role) func(*run) {
	return func(r *run) {
		r.open()
		r.abort(who)
		r.seen(who, rst, 1)
		if r.line.loses(who, rst) {
			r.step()
			r.write(who.other(), 5)
		}
		r.ends(who.other())
		r.ends(who.other())
		r.send(who.other(), 1, 0)
		r.settle()
		r.states("CLOSED", "CLOSED")
	}
}

func unread(who role) func(*run) {
	return func(r *run) {
		r.open()
		r.write(who.other(), 5)
		r.settle()
		r.close(who)
		r.ends(who.other())
		r.send(who.other(), 1, 0)
		r.settle()
		r.states("CLOSED", "CLOSED")
	}
}

func dataAfterClose(who role) func(*run) {
	return func(r *run) {
		r.open()
		r.close(who)
		r.ends(who.other())
		r.settle()
		r.write(who.other(), 5)
		r.seen(who, rst, 1)
		r.settle()
		r.ends(who.other())
		r.ends(who.other())
		r.send(who.other(), 1, 0)
		r.step()
		r.states("CLOSED", "CLOSED")
	}
}

func readsNoMore(who role) func(*run) {
	return func(r *run) {
		r.open()
		r.say("%v: shutdown(SHUT_RD) = %s", who, outcome(r.socks[who].shutdown(true, false)))
		r.ends(who)
		r.write(who.other(), 100)
		r.settle()
		r.write(who, 100)
		r.receive(who.other(), 100)
		r.settle()
		r.close(who.other())
		r.settle()
	}
}

// resetInCloseWait resets a connection whose peer has sent its FIN.
func resetInCloseWait(r *run) {
	r.open()
	r.closeWrite(client)
	r.ends(server)
	r.settle()
	r.abort(server)
	r.ends(client)
	r.settle()
	r.states("CLOSED", "CLOSED")
}

// oldData brings data that the client has sent long ago to a server in TIME-WAIT, and
// to a client that has closed.
func oldData(r *run) {
	r.open()
	r.ask()
	r.close(server)
	r.ends(client)
	r.settle()
	r.close(client)
	r.settle()
	r.states("CLOSED", "TIME-WAIT")
	for _, who := range []role{client, server} {
		r.mark.acks = true
		r.line.forge(who, func(t *wire.TCP) { t.Seq = t.Seq.Sub(50) })
		r.pause(4 * delay)
		r.step()
	}
	r.states("CLOSED", "TIME-WAIT")
}

// neverCloses has the client forget a connection in FIN-WAIT-2, which nobody holds
// any more, and answer with a reset from then on.
func neverCloses(r *run) {
	r.open()
	r.close(client)
	r.ends(server)
	r.settle()
	r.states("FIN-WAIT-2", "CLOSE-WAIT")
	r.pause(2500 * time.Millisecond)
	r.states("CLOSED", "CLOSE-WAIT")
	r.send(server, 10, 0)
	r.seen(client, rst, 1)
	r.pause(4 * delay)
	r.ends(server)
	r.step()
	r.states("CLOSED", "CLOSED")
}
