package e2e

import "time"

// What the line does to data. The sender's window is ten segments.
var lossBouts = []bout{
	{name: "first segment lost", script: window(11200), faults: some(lose(client, data, 1)), impaired: some(lose(server, ack, 3))},
	{name: "middle segment lost", script: window(11200), faults: some(lose(client, data, 4)), impaired: some(double(client, data, 6))},
	{name: "last segment lost", script: window(11200), faults: some(lose(client, data, 8)), impaired: some(lose(server, ack, 3))},
	{name: "two segments lost", script: window(11200), faults: some(lose(client, data, 2, 5)), impaired: some(swap(client, data, 7))},
	{name: "all but the first lost", script: window(7000), faults: some(lose(client, data, 2, 3, 4, 5)), impaired: some(lose(server, ack, 3))},
	{name: "a whole window lost", script: window(7000), faults: some(lose(client, data, 1, 2, 3, 4, 5)), impaired: some(lose(server, ack, 3))},
	{name: "resend lost", script: window(11200), faults: some(lose(client, data, 3), lose(client, again, 1)), impaired: some(lose(client, data, 6))},
	{name: "only segment lost twice", script: window(1000), faults: some(lose(client, data, 1), lose(client, again, 1)), impaired: some(lose(server, ack, 1))},
	{name: "acknowledgments lost", script: window(11200), faults: some(lose(server, ack, 1, 2, 3)), impaired: some(lose(client, data, 5))},
	{name: "data twice", script: window(4000), faults: some(double(client, data, 1), double(client, data, 2)), impaired: some(lose(client, data, 3))},
	{name: "two segments swapped", script: window(11200), faults: some(swap(client, data, 3)), impaired: some(lose(client, data, 6))},
	{name: "a segment late by three", script: window(11200), faults: some(late(client, data, 15*time.Millisecond, 3)), impaired: some(lose(server, data, 1))},
	{name: "a segment late by a timeout", script: lateWindow, faults: some(late(client, data, 400*time.Millisecond, 1)), impaired: some(lose(server, data, 1))},
}

// lateWindow waits until all copies of what it sends have arrived.
func lateWindow(r *run) {
	r.open()
	r.write(client, 1000)
	r.receive(server, 1000)
	r.pause(300 * time.Millisecond)
	r.settle()
	r.write(server, 100)
	r.receive(client, 100)
	r.settle()
	r.finish()
}

// window sends so many octets at once, and answers.
func window(n int) func(*run) {
	return func(r *run) {
		r.open()
		r.write(client, n)
		r.receive(server, n)
		r.settle()
		r.write(server, 100)
		r.receive(client, 100)
		r.settle()
		r.finish()
	}
}
