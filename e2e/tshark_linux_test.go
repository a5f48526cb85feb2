package e2e

import (
	"bufio"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/need"
)

// guesses returns the protocols that tshark would find in the payload of TCP, by
// its ports or its looks. It is made up here, and must not be taken for a broken
// packet of something else.
func guesses(t *testing.T, tshark string) []string {
	var all []string
	for _, table := range []string{"decodes", "heuristic-decodes"} {
		out, err := exec.Command(tshark, "-G", table).Output()
		require.NoError(t, err)
		for line := range strings.Lines(string(out)) {
			switch f := strings.Split(strings.TrimSpace(line), "\t"); {
			case len(f) == 3 && f[0] == "tcp.port":
				all = append(all, f[2])
			case len(f) == 3 && f[0] == "tcp":
				all = append(all, f[1])
			}
		}
	}
	require.NotEmpty(t, all)
	slices.Sort(all)
	return slices.Compact(all)
}

// inbound is how tshark shows pcapng's direction of what the kernel has sent.
const inbound = "0x00000001"

// judge has tshark read the capture: nothing is malformed, and every checksum is
// there and right.
func (c *capture) judge(t *testing.T) {
	t.Helper()
	tshark := need.Tool(t, "tshark", "tshark")
	require.NoError(t, c.err)
	require.NoError(t, c.out.Flush())
	args := []string{"-n", "-r", c.file.Name(), "-o", "tcp.desegment_tcp_streams:FALSE", "-o", "tcp.analyze_sequence_numbers:FALSE",
		"-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-T", "fields", "-E", "separator=|",
		"-e", "frame.protocols", "-e", "_ws.malformed", "-e", "ip.checksum.status", "-e", "tcp.checksum.status",
		"-e", "icmp.checksum.status", "-e", "icmpv6.checksum.status", "-e", "tcp.checksum.ffff", "-e", "frame.packet_flags_direction", "-e", "frame.number"}
	for _, p := range guesses(t, tshark) {
		args = append(args, "--disable-protocol", p)
	}
	cmd := exec.Command(tshark, args...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	packets, segments, mangled, faults := 0, 0, 0, 0
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		line := lines.Text()
		f := strings.Split(line, "|")
		require.Len(t, f, 9, line)
		packets++
		protocols, bad := f[0], f[1] != ""
		// An ICMP error quotes a packet, cut short, whose status comes second. The
		// kernel also quotes what the bad link has garbled.
		good := func(status string) bool { return status == "1" || strings.HasPrefix(status, "1,") }
		own, quote, quotes := strings.Cut(protocols, "icmp")
		if quotes {
			kind, _, deeper := strings.Cut(quote, ":")
			own += "icmp" + kind
			bad = bad && !(deeper && f[7] == inbound)
		}
		for _, l := range strings.Split(own, ":") {
			switch l {
			case "ip":
				bad = bad || !good(f[2])
			case "tcp":
				segments++
				// Linux writes a sum of 0 as 0xffff (skb_checksum_help), which is as
				// good modulo 2^16-1; tshark wants 0 (RFC 1624). tcpkit sends 0.
				if f[6] != "" && f[7] == inbound {
					mangled++
					continue
				}
				bad = bad || !good(f[3])
			case "icmp":
				bad = bad || !good(f[4])
			case "icmpv6":
				bad = bad || !good(f[5])
			}
		}
		if bad {
			if faults++; faults <= 20 {
				t.Errorf("tshark finds fault: %s", line)
			}
		}
	}
	require.NoError(t, lines.Err())
	require.NoError(t, cmd.Wait(), said.String())
	require.Zero(t, faults, "packets with faults")
	require.Equal(t, c.n, packets, "tshark reads every packet")
	require.NotZero(t, segments)
	t.Logf("%d packets, %d of them TCP, %d with the kernel's 0xffff", packets, segments, mangled)
}
