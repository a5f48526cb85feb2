// Package script reads, prints and runs scripted TCP exchanges in the
// packetdrill notation: one line, one packet or one call, with its time.
//
//	0   socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
//	+0  bind(3, ..., ...) = 0
//	+0  listen(3, 1) = 0
//	+0  < S 0:0(0) win 1000 <mss 1000>
//	+0  > S. 0:0(0) ack 1 <mss 1460>
//	+.1 < . 1:1(0) ack 1 win 1000
//	+0  accept(3, ..., ...) = 4
//	+0  %{ assert tcpi_state == TCP_ESTABLISHED }%
//
// Parse turns text into a Script; its String prints it again, and the printed
// text parses to the same Script. Run plays it against a core.Stack on a
// virtual clock: packets that point in (<) are given to the stack, those that
// point out (>) are expected of it, calls act on its connections, and what is
// in %{ }% is checked against the connection's numbers at that moment. A time
// is exact, and an hour of keepalive costs as much as a microsecond.
//
// # What a script may say
//
// The whole notation is parsed: options, command blocks, absolute, relative,
// ranged and starred times, TCP with every flag and option, ICMP and UDP,
// IP information, encapsulations, system calls with all forms of arguments,
// blocking calls, code blocks. What the runner cannot do is Unsupported, which
// is neither a pass nor a failure, and says what it is that cannot be done.
//
// Calls are Linux's, with its errnos and what it puts into out parameters:
//
//	socket bind listen accept accept4 connect shutdown close getsockname getpeername
//	read readv recv recvfrom recvmsg, write writev send sendto sendmsg
//	setsockopt getsockopt fcntl ioctl poll epoll_create epoll_create1 epoll_ctl epoll_wait
//	open pipe pipe2 splice sendfile cap_set
//
// of which open, pipe and what uses them know files and pipes of zeros. Flags of
// transfers are MSG_DONTWAIT, MSG_EOR, MSG_ERRQUEUE, MSG_FASTOPEN, MSG_MORE,
// MSG_NOSIGNAL, MSG_OOB, MSG_PEEK, MSG_TRUNC, MSG_WAITALL and MSG_ZEROCOPY. Errors are
// told once; the error queue has completions of MSG_ZEROCOPY (which are always copied,
// as over a TUN), timestamps of SO_TIMESTAMPING and ICMP errors of IP_RECVERR. Sockets
// are TCP's: UDP, ICMP, raw sockets and other protocols are not supported.
//
// Socket options that change nothing here are noted and given back. Of FreeBSD's those
// are known whose meaning is the same.
//
// Commands are not given to a shell: sysctl and its kin (echo to /proc/sys,
// set_sysctls.py, defaults.sh) set numbers of the configuration, before the stack is
// made or in the middle of a script, when they reach running connections where Linux
// looks at the number again; FreeBSD's sysctls and tcpdrop do too. What has nothing to
// act on (tc with a plain qdisc, ethtool, modprobe, counters that are set back) is
// passed over. Settings and commands that are not known, or whose value asks for
// something that is not there, are Unsupported by their names: so are assertions on
// counters (nstat | grep) and on lists of sockets.
//
// A script that sets FreeBSD's sysctls is one for FreeBSD: it starts from that
// system's buffers and timers, getsockopt doubles no buffer, and the order of options
// in a SYN is not compared.
//
// Encapsulations, UDP, md5 digests, packets over a wire and UDP tunnels are parsed and
// not supported.
//
// # What is added
//
// The TCP option "kind N HEX" has no name of its own. A packet with ports,
// "< 1001 > 8080 S 0:0(0) win 1000", belongs to the connection of these ports,
// which is then the one under test: a script may have several. These are
// options of ours:
//
//	--profile=NAME        the profile of core.Profile to start from
//	--set=NAME=VALUE      as in "sysctl NAME=VALUE"
//	--isn=NUMBER          the initial sequence number of the stack's first connection
//	--final_quiet=SECONDS for so long nothing more may come behind the last line
//	--psh=strict          Config.StrictPush
//
// and these are settings that no sysctl has, of which tcpkit. may stand in front:
// initial_window, quick_acks, ack_every, delayed_ack_ms, time_wait_ms,
// receive_buffer, send_buffer, max_mss, linux_errors, keepalive, nagle, memory,
// fastopen_pause_ms, fastopen_flush.
//
// In a FO or FOEXP option the word TFO_COOKIE, unless it is defined, stands for the
// cookie that a server gives to the script's address under the key of upstream's
// defaults.sh, which servers have here unless tcp_fastopen_key or TCP_FASTOPEN_KEY
// say otherwise, and TFO_COOKIE_ZERO for the one under a key of zeros.
//
// The comment that a script begins with is its title, which a failure shows.
//
// # What a code block may say
//
// The Python of packetdrill scripts: assert, assignment, print, expressions.
// There are no loops, functions, imports or floats; true division gives an
// exact ratio. A block sees the numbers of its moment: tcpi_*, SK_MEMINFO_* and the
// states, also by FreeBSD's names. What it asserts is told when the script is over.
//
// # Limits
//
// A script is at most MaxSource bytes; nesting is at most 32 deep. A
// parse never panics; its error names file, line and column, and what was
// expected there.
package script
