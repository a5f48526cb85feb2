package script

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
)

// everything has each form of the notation at least once.
const everything = `// a comment
--ip_version=ipv4 --tolerance_usecs=1000 --strict_segments --title="two words"
/* another
   comment */
` + "`sysctl -q net.ipv4.tcp_timestamps=0`" + `
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0 // to the end of the line
+0.25 bind(3, {sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr("192.168.0.1")}, ...) = 0
+.000001 listen(3, 0x10) = 0
1~2 > S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK,nop,wscale 8>
+.1~+.2 > [ect0, tos 0x10, flowlabel 0xfffff] P. 1:11(10) ack 1 win 65535 urg 3 <nop, nop, TS val 1 ecr 2,kind 77 abcd>
* > (ce) . 1:1(0) ack 1 <nop,nop,sack 1:2 3:4>
+0 < 4001 > 8080 SEW 123:123(0) win 1000 <mss 1000,FO 3021b9d889017eeb,nop,nop>
+0 > - 4294967295:9(10) win 1 <...>
+0 < S5. 0:0(0) ack 1 win 0 <ECN e1b 1 ceb 2 e0b 3,nop>
+0 < FSRPEWAU. 0:0(0) ack 1 win 0 <FOEXP,md5 000102030405060708090a0b0c0d0e0f,nop,eol>
+0 < {ttl 5} . 1:1(0) ack 1 win 5
+0 < ipv4 10.0.0.1 > 10.0.0.2: gre flags 2, proto 0x800: mpls (label 5, tc 1, S, ttl 64): . 1:1(0) win 1/udp(9811 > 1)
+0 < ipv6 fe80::1 > fe80::: . 1:1(0) win 1
+0 < udp (100)
+0 > udp (0)
+0 < icmp unreachable frag_needed mtu 1200 [1:1461(1460)]
+0 < icmp unreachable 3
5 < icmp echo_request id 7
6 < icmp time_exceeded [udp (10)]
+0 < icmp packet_too_big mtu 1280 [raw (20)]
+0...0.5 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress (really)) (note)
7...7.25 read(4, NULL, 10) = 10
+0...+1 write(4, ..., 10) = -1 EPIPE
+0 fcntl(4, F_GETFL) = 0x2 (flags O_RDWR)
+0 sendmsg(4, {msg_name(...)=..., msg_iov(2)=[{..., 10}, {"a\n\x01\"", 2}], msg_flags=0, msg_control=[{cmsg_level=CMSG_LEVEL_IP, cmsg_type=5, cmsg_data={ee_errno=0}}]}, MSG_DONTWAIT|MSG_MORE) = -1 EAGAIN
+0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLIN}], 1, -1) = 1
+0 inet_pton(AF_INET6, "fe80" "::1", &sin6_addr) = ...
+0 %{
x = tcpi_rtt + 1; x += 2 # comment
assert 98000 <= x <= 110000, 'rtt %d' % x
assert (tcpi_options & TCPI_OPT_SYN_DATA) == 0 and not \
	x == 5
print(x, "y")
}%
+0 ` + "`sysctl a=b`" + `
` + "`final`"

func TestParseEverything(t *testing.T) {
	s, err := Parse("everything.pkt", everything, "CMSG_LEVEL_IP=41")
	require.NoError(t, err)
	printed := s.String()
	again, err := Parse("everything.pkt", printed)
	require.NoError(t, err, printed)
	require.Equal(t, printed, again.String(), "a printed script prints the same")
	require.Equal(t, plain(s), plain(again), "a printed script parses to the same")

	require.Equal(t, []Option{
		{Name: "ip_version", HasValue: true, Value: "ipv4"},
		{Name: "tolerance_usecs", HasValue: true, Value: "1000"},
		{Name: "strict_segments"},
		{Name: "title", HasValue: true, Value: "two words"},
	}, plain(s).Options)
	require.Equal(t, "sysctl -q net.ipv4.tcp_timestamps=0", s.Init.Text)
	require.Equal(t, "final", s.Final.Text)
	require.Equal(t, clock.Microsecond, s.Events[3].Time.At, "times reach down to a microsecond")
	require.Equal(t, Time{RelativeRange, 100 * clock.Millisecond, 200 * clock.Millisecond}, s.Events[5].Time)
	require.Equal(t, FIN|SYN|RST|PSH|ACK|URG|ECE|CWR|AE, s.Events[10].Packet.TCP.Flags)
	require.Equal(t, "fe80::", s.Events[13].Packet.Encap[0].Dst, "the last colon is the header's")
	require.Equal(t, "", s.Events[18].Packet.ICMP.Code+strings.TrimPrefix(s.Events[17].Packet.ICMP.Code, "3"), "a number on the next line is a time")
	connect := s.Events[21].Call
	require.True(t, connect.Blocking)
	require.Equal(t, 500*clock.Millisecond, connect.End)
	require.Equal(t, "EINPROGRESS", connect.Errno)
	require.Equal(t, "Operation now in progress (really)", connect.Text)
	require.Equal(t, "note", connect.Note)
	require.Equal(t, "flags O_RDWR", s.Events[24].Call.Note, "without an errno the text is a note")
}

// plain is a copy of s without what need not survive printing: positions.
func plain(s *Script) *Script {
	c := *s
	c.Events = append([]Event(nil), s.Events...)
	strip(reflect.ValueOf(&c))
	return &c
}

func strip(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			strip(v.Elem())
		}
	case reflect.Slice:
		for i := 0; i < v.Len(); i++ {
			strip(v.Index(i))
		}
	case reflect.Struct:
		for i := 0; i < v.NumField(); i++ {
			switch f := v.Field(i); {
			case !f.CanSet():
				if code, ok := v.Addr().Interface().(*Code); ok {
					code.prog = nil
				}
			case f.Type() == reflect.TypeFor[Pos]():
				f.SetZero()
			default:
				strip(f)
			}
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"empty", "", "x:1:1: expected an event, found the end of the script"},
		{"first time", "1 close(3) = 0", "x:1:1: expected the time 0 for the first event"},
		{"backwards", "0 close(3) = 0\n2 close(3) = 0\n1 close(3) = 0", "x:3:1: expected a time that is not before that of an earlier event"},
		{"no time", "close(3) = 0", `x:1:1: expected a time: 0.1, +.1, *, 1~2 or +.1~+.2, found "close"`},
		{"star inbound", "0 close(3) = 0\n* < . 1:1(0) win 1", "x:2:1: expected one exact time: only outbound packets may have a range or *"},
		{"range backwards", "0 close(3) = 0\n2~1 > . 1:1(0)", "x:2:1: expected a range of times that ends after it begins"},
		{"length", "0 > . 1:3(1)", "x:1:7: expected an END that is SEQ+LEN (SYN and FIN are not counted)"},
		{"no window", "0 < . 1:1(0) ack 1", "x:1:19: expected win N: an inbound segment needs a window, found the end of the script"},
		{"big window", "0 < . 1:1(0) ack 1 win 65536", `x:1:24: expected a window of at most 65535, found "65536"`},
		{"flags", "0 < Q 1:1(0) ack 1 win 1", `x:1:5: expected TCP flags: letters of FSRPEWAU, . for ACK, or - for none, found "Q"`},
		{"flag twice", "0 < S.S 1:1(0) ack 1 win 1", `x:1:7: expected each TCP flag once, found "S"`},
		{"ace and flags", "0 < E5 1:1(0) ack 1 win 1", "x:1:5: expected either a digit for the ACE field or the flags E, W and A, not both"},
		{"padding", "0 > . 1:1(0) <nop>", "x:1:15: expected TCP options with a total size that is a multiple of 4 and at most 40; pad with nop or eol"},
		{"option", "0 > . 1:1(0) <nope>", `x:1:15: expected mss, wscale, sackOK, sack, TS, nop, eol, md5, FO, FOEXP, ECN or kind, found "nope"`},
		{"dots inbound", "0 < . 1:1(0) win 1 <...>", "x:1:21: expected a list of TCP options: only an outbound packet may have <...>"},
		{"cookie", "0 > . 1:1(0) <FO abc>", `x:1:18: expected an even number of hexadecimal digits that fits a TCP option, found "abc"`},
		{"ip info", "0 > [ect2] . 1:1(0)", `x:1:6: expected noecn, ect0, ect1, ect01, ce, tos N, ttl N, flowlabel N, dscp N or hlim N, found "ect2"`},
		{"comment", "0 /* never", "x:1:3: expected a */ that ends the comment"},
		{"string", "0 close(\"a\n\") = 0", `x:1:11: expected a " that ends the string`},
		{"escape", `0 close("\q") = 0`, `x:1:10: expected one of n t r 0 a b f v \ " ' x or a digit after the \`},
		{"command", "`sysctl", "x:1:1: expected a ` that ends the command"},
		{"code", "0 %{ x = 1", "x:1:3: expected a }% that ends the code"},
		{"arguments", "0 close(3 4) = 0", `x:1:11: expected , or ), found "4"`},
		{"deep", "0 f(" + strings.Repeat("[", 40), "x:1:37: expected arguments that nest at most 32 deep"},
		{"result", "0 close(3) = [3]", `x:1:14: expected what the call returns: a number, a name or ..., found "["`},
		{"free text", "0 close(3) = -1 EBADF (never", "x:1:23: expected a ) for this ("},
		{"behind the end", "0 close(3) = 0\n`a` `b`", `x:2:5: expected the end of the script behind its final command, found the command "b"`},
		{"option name", "--=5\n0 close(3) = 0", `x:1:3: expected the name of an option, found "="`},
		{"define", "--define=5\n0 close(3) = 0", `x:1:1: expected SYMBOL=VALUE in the definition "5"`},
		{"python", "0 %{ x = }%", "x:1:10: expected an expression, found the end of the code"},
		{"python line", "0 %{\nassert x ==\n}%", "x:2:12: expected an expression, found the end of the line"},
		{"python loop", "0 %{ for x in y: pass }%", "x:1:6: for is not supported in code blocks"},
		{"time", "0 close(3) = 0\n+99999999999 close(3) = 0", `x:2:2: expected a time of at most 2305843009 s, found "99999999999"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("x", c.src)
			require.EqualError(t, err, c.want)
		})
	}
	_, err := Parse("x", strings.Repeat(" ", MaxSource+1))
	require.ErrorContains(t, err, "x:1:1: expected a script of at most")
}

func TestParseUnsupportedPython(t *testing.T) {
	_, err := Parse("x", "0 %{ import os }%")
	var e *Error
	require.ErrorAs(t, err, &e)
	require.True(t, e.Unsupported, "valid Python that is not supported is told apart from a mistake")
	for src, want := range map[string]string{
		"0 < sctp: INIT[flgs=0]":              "x:1:5: the protocol sctp is not supported",
		"0 > udplite (100)":                   "x:1:5: the protocol udplite is not supported",
		"0 < . 1:1(0) ack 1 win 5 <tarr 4>":   "x:1:27: the TCP option tarr is not supported",
		"0 < . 1:1(0) ack 1 win 5 <mss 5,ao>": "x:1:33: the TCP option ao is not supported",
	} {
		_, err = Parse("x", src)
		require.ErrorAs(t, err, &e)
		require.True(t, e.Unsupported, src)
		require.EqualError(t, err, want)
	}
}

func TestParseDSCP(t *testing.T) {
	s, err := Parse("x", "0 > {le, hlim 64} . 1:1(0) ack 1\n+0 > [dscp af21, ect0] . 1:1(0) ack 1\n+0 > (cs6) . 1:1(0) ack 1\n+0 > {dscp 10} . 1:1(0)")
	require.NoError(t, err)
	require.Equal(t, "0     > [dscp 0x1, hlim 0x40] . 1:1(0) ack 1\n+0    > [dscp 0x12, ect0] . 1:1(0) ack 1\n"+
		"+0    > [dscp 0x30] . 1:1(0) ack 1\n+0    > [dscp 0xa] . 1:1(0)\n", s.String())
}

func TestDefinitions(t *testing.T) {
	s, err := Parse("x", "--define=SIZE=10\n0 write(FD, TEXT, SIZE) = SIZE\n+0 CMD\n+0 < icmp unreachable CODE\n+0 %{ x = CODE }%\n+0 write(3, \"CODE\", 4) = 4",
		"FD=4", `TEXT="CODE"`, "CMD=`sh`", "CODE=host_unreachable")
	require.NoError(t, err)
	require.Equal(t, "0     write(4, \"CODE\", 10) = 10\n+0    `sh`\n+0    < icmp unreachable host_unreachable\n"+
		"+0    %{ x = CODE }%\n+0    write(3, \"CODE\", 4) = 4\n", s.String(), "words are replaced, strings and code are not")
	for _, bad := range []string{"", "X", "=5", "X=", "X=a b", `X="`, "X=+"} {
		_, err = Parse("x", "0 close(3) = 0", bad)
		require.Error(t, err, bad)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(everything)
	f.Add("0 close(3) = 0")
	f.Add("0 > . 1:1(0) ack 1 <...>\n1 %{ assert 1 < 2 <= 3, '%d' % (4 ** 5,) }%")
	f.Add("--define=A=B\n0 A(A) = A")
	f.Fuzz(func(t *testing.T, src string) {
		s, err := Parse("fuzz", src)
		if err != nil {
			var e *Error
			require.ErrorAs(t, err, &e)
			require.True(t, e.Pos.Line > 0 && e.Pos.Col > 0, "every error has a place: %v", e)
			return
		}
		again, err := Parse("fuzz", s.String())
		require.NoError(t, err, s.String())
		require.Equal(t, plain(s), plain(again))
		scope := scope{vars: map[string]value{}}
		for _, e := range s.Events {
			if e.Code != nil {
				scope.run(e.Code.prog)
			}
		}
	})
}
