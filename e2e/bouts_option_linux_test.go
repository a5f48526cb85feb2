package e2e

// What the ends agree on, and what they are told.
var optionBouts = []bout{
	{name: "no timestamps, client", script: lossyAsk, settings: settings{ends: [2]string{"tcp_timestamps=0", ""}}, impaired: some(lose(client, data, 2))},
	{name: "no timestamps, server", script: lossyAsk, settings: settings{ends: [2]string{"", "tcp_timestamps=0"}}, impaired: some(lose(client, data, 2))},
	{name: "no SACK, client", script: lossyAsk, settings: settings{ends: [2]string{"tcp_sack=0", ""}}, impaired: some(lose(client, data, 2))},
	{name: "no SACK, server", script: lossyAsk, settings: settings{ends: [2]string{"", "tcp_sack=0"}}, impaired: some(lose(client, data, 2))},
	{name: "no window scaling, client", script: lossyAsk, settings: settings{ends: [2]string{"tcp_window_scaling=0", ""}}, impaired: some(lose(server, data, 2))},
	{name: "no window scaling, server", script: lossyAsk, settings: settings{ends: [2]string{"", "tcp_window_scaling=0"}}, impaired: some(lose(server, data, 2))},
	{name: "no options at all", script: lossyAsk, settings: settings{ends: [2]string{"tcp_window_scaling=0 tcp_sack=0 tcp_timestamps=0", ""}}, impaired: some(lose(client, data, 2))},
	{name: "ECN", script: lossyAsk, settings: settings{ends: [2]string{"tcp_ecn=1", ""}}, impaired: some(congest(client, data, 2))},
	{name: "ECN, SYN lost", script: hello, settings: settings{ends: [2]string{"tcp_ecn=1", "tcp_ecn=1"}}, faults: some(lose(client, syn, 1)), impaired: some(lose(client, data, 1))},
	{name: "ECN, not wanted", script: lossyAsk, settings: settings{ends: [2]string{"tcp_ecn=1", "tcp_ecn=0"}}, impaired: some(lose(client, data, 2))},
	{name: "MSS bounded by the client", script: boundsMSS(client, 500), impaired: some(lose(client, data, 3))},
	{name: "MSS bounded by the server", script: boundsMSS(server, 600), impaired: some(lose(server, data, 3))},
	{name: "small MTU", script: lossyAsk, settings: settings{mtu: 1280}, impaired: some(lose(client, data, 2))},
	{name: "path MTU becomes smaller", script: pathShrinks, impaired: some(lose(client, data, 4))},
}

// lossyAsk has several segments go each way.
func lossyAsk(r *run) {
	r.open()
	for _, who := range []role{client, server} {
		r.write(who, 8000)
		r.receive(who.other(), 8000)
		r.settle()
	}
	r.finish()
}

func boundsMSS(who role, n int) func(*run) {
	return func(r *run) {
		r.options[who] = []option{{"TCP_MAXSEG", n}}
		r.open()
		for _, who := range []role{client, server} {
			r.write(who, 3000)
			r.receive(who.other(), 3000)
			r.settle()
		}
		r.finish()
	}
}

func pathShrinks(r *run) {
	r.open()
	r.ask()
	r.line.setMTU(1300)
	for _, who := range []role{client, server} {
		r.mark.bulk = true // what was too big may be cut as one likes
		r.write(who, 6000)
		r.receive(who.other(), 6000)
		r.settle()
	}
	r.finish()
}
