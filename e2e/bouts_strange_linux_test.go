package e2e

import "github.com/tcpkit/tcpkit/core/wire"

// What does not come from the other end: each is put on the line towards the server,
// and towards the client.
var strangeBouts = []bout{
	{name: "forged: reset in the window", script: forged(func(t *wire.TCP) { t.Seq, t.Flags = t.Seq.Add(10), wire.RST }), impaired: some(lose(client, data, 1))},
	{name: "forged: reset outside of the window", script: forged(func(t *wire.TCP) { t.Seq, t.Flags = t.Seq.Sub(10), wire.RST }), impaired: some(lose(client, data, 1))},
	{name: "forged: SYN", script: forged(func(t *wire.TCP) { t.Flags = wire.SYN }), impaired: some(lose(client, data, 1))},
	{name: "forged: SYN-ACK", script: forged(func(t *wire.TCP) { t.Flags = wire.SYN | wire.ACK }), impaired: some(lose(client, data, 1))},
	{name: "forged: old sequence number", script: forged(func(t *wire.TCP) { t.Seq = t.Seq.Sub(20) }), impaired: some(lose(client, data, 1))},
	{name: "forged: sequence number of the future", script: forged(func(t *wire.TCP) { t.Seq = t.Seq.Add(1 << 30) }), impaired: some(lose(client, data, 1))},
	{name: "forged: acknowledgment of the future", script: forged(func(t *wire.TCP) { t.Ack = t.Ack.Add(1000) }), impaired: some(lose(client, data, 1))},
	{name: "forged: acknowledgment of the past", script: forged(func(t *wire.TCP) { t.Ack = t.Ack.Sub(1 << 30) }), impaired: some(lose(client, data, 1))},
	{name: "forged: no flags", script: forged(func(t *wire.TCP) { t.Flags = 0 }), impaired: some(lose(client, data, 1))},
	{name: "forged: old timestamp", script: forged(func(t *wire.TCP) { t.Options.TSVal -= 1 << 20 }), impaired: some(lose(client, data, 1))},
	{name: "forged: FIN in the future", script: forgedFIN, impaired: some(lose(client, data, 1))},
	{name: "forged: exact reset", script: forgedReset, impaired: some(double(client, data, 1))},
}

// forged shows what comes of a segment that an end did not send, and that the
// connection goes on.
func forged(change func(t *wire.TCP)) func(*run) {
	return func(r *run) {
		r.open()
		r.ask()
		for _, who := range []role{client, server} {
			r.mark.acks = true
			r.line.forge(who, change)
			r.pause(4 * delay)
			r.step()
		}
		r.ask()
		r.finish()
	}
}

func forgedReset(r *run) {
	r.open()
	r.ask()
	for _, who := range []role{client, server} {
		r.mark.acks = true
		r.line.forge(who, func(t *wire.TCP) { t.Flags = wire.RST })
		r.ends(who.other())
		r.step()
	}
	r.states("CLOSED", "CLOSED")
}

// forgedFIN puts a FIN into the middle of what the client is about to write.
func forgedFIN(r *run) {
	r.open()
	r.ask()
	r.mark.acks = true
	r.line.forge(client, func(t *wire.TCP) { t.Seq, t.Flags = t.Seq.Add(1), wire.FIN|wire.ACK })
	r.pause(4 * delay)
	r.step()
	r.mark.bulk = true
	r.write(client, 100)
	r.pause(2 * delay)
	n, err := r.socks[server].recv(make([]byte, 100), 0)
	r.say("server: read = %d, %s", n, outcome(err))
	r.abort(server)
	r.pause(4 * delay)
	r.step()
	r.states("CLOSED", "CLOSED")
}
