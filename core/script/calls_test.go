package script

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
)

// connecting and connected are the beginnings of scripts with a client.
const connecting = `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 connect(3, ..., ...) = -1 EINPROGRESS
+0 > S 0:0(0) <...>
`
const connected = connecting + `+.1 < S. 0:0(0) ack 1 win 65535 <mss 1000>
+0 > . 1:1(0) ack 1
`

// upstream is how scripts for packetdrill are judged.
var upstream = Config{Lenient: true, Tolerance: 4 * clock.Millisecond, TolerancePerMille: 125}

// TestCalls has each system call with what it returns, its errnos and its out
// parameters. A line with three slashes ends one script and names the next.
func TestCalls(t *testing.T) {
	for _, part := range strings.Split(callScripts, "/// ")[1:] {
		name, src, _ := strings.Cut(part, "\n")
		src = strings.NewReplacer("OPEN", open, "CONNECTING", connecting, "CONNECTED", connected).Replace(src)
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			r := runText(t, src, upstream)
			require.Equal(t, Passed, r.Outcome, "%s\n%s", r.Detail, r.Ladder)
		})
	}
}

const callScripts = `
/// socket errnos
0  socket(AF_INET, SOCK_STREAM, IPPROTO_UDP) = -1 EPROTONOSUPPORT (Protocol not supported)
+0 socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP) = -1 EPROTONOSUPPORT
+0 socket(AF_INET, 20, 0) = -1 EINVAL
+0 socket(77, SOCK_STREAM, 0) = -1 EAFNOSUPPORT
+0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, 0) = 3
+0 fcntl(3, F_GETFL) = 0x802 (flags O_RDWR|O_NONBLOCK)
/// bind errnos
0  socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, {sa_family=AF_INET6, sin_port=htons(80), sin_addr=inet_addr("0.0.0.0")}, 28) = -1 EAFNOSUPPORT
+0 bind(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("9.9.9.9")}, 16) = -1 EADDRNOTAVAIL
+0 bind(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("0.0.0.0")}, 8) = -1 EINVAL
+0 bind(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=INADDR_ANY}, 16) = 0
+0 bind(3, ..., ...) = -1 EINVAL
+0 getsockname(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("0.0.0.0")}, [16]) = 0
+0 socket(..., SOCK_STREAM, 0) = 4
+0 bind(4, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("192.168.0.1")}, 16) = -1 EADDRINUSE
+0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
+0 setsockopt(4, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
+0 bind(4, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("192.168.0.1")}, 16) = 0
+0 listen(3, 5) = 0
+0 listen(4, 5) = -1 EADDRINUSE
+0 bind(9, ..., ...) = -1 EBADF
/// listen and accept errnos
0  socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 accept(3, ..., ...) = -1 EINVAL
+0 fcntl(3, F_SETFL, O_NONBLOCK) = 0
+0 listen(3, 1) = 0
+0 accept(3, ..., ...) = -1 EAGAIN
+0 accept(3, ..., ...) = -1 EWOULDBLOCK
+0 accept4(3, ..., ..., 7) = -1 EINVAL
+0 connect(3, ..., ...) = -1 EISCONN
+0 read(3, ..., 10) = -1 ENOTCONN
+0 write(3, ..., 10) = -1 EPIPE
+0 ioctl(3, SIOCINQ, [0]) = -1 EINVAL
+0 getsockopt(3, SOL_SOCKET, SO_ACCEPTCONN, [1], [4]) = 0
+0 shutdown(3, SHUT_RD) = 0
+0 accept(3, ..., ...) = -1 EINVAL
/// accept fills the address in
0  socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < 1234 > 8080 S 0:0(0) win 65535 <mss 1000>
+0 > 8080 > 1234 S. 0:0(0) ack 1 <mss 1460>
+.1 < 1234 > 8080 . 1:1(0) ack 1 win 65535
+0 accept4(3, {sa_family=AF_INET, sin_port=htons(1234), sin_addr=inet_addr("192.0.2.1")}, [16], SOCK_NONBLOCK) = 4
+0 fcntl(4, F_GETFL) = 0x802
+0 getpeername(4, {sa_family=AF_INET, sin_port=htons(1234), sin_addr=...}, [16]) = 0
+0 read(4, ..., 10) = -1 EAGAIN
/// listen again changes the backlog and puts the listener under test
OPEN
+0 listen(3, 5) = 0
+0 < S 500:500(0) win 65535 <mss 1000>
+0 > S. 0:0(0) ack 1 <mss 1460>
+.1 < . 1:1(0) ack 1 win 65535
+0 accept(3, ..., ...) = 5
+0 write(5, ..., 100) = 100
+0 > P. 1:101(100) ack 1
/// connect in progress
CONNECTING
+0 connect(3, ..., ...) = -1 EALREADY
+0 write(3, ..., 10) = -1 EAGAIN
+0 read(3, ..., 10) = -1 EAGAIN
+0 poll([{fd=3, events=POLLIN|POLLOUT, revents=0}], 1, 0) = 0
+0 ioctl(3, SIOCOUTQ, [0]) = 0
+.1 < S. 0:0(0) ack 1 win 65535 <mss 1000>
+0 > . 1:1(0) ack 1
+0 poll([{fd=3, events=POLLIN|POLLOUT, revents=POLLOUT}], 1, 0) = 1
+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [0], [4]) = 0
+0 connect(3, ..., ...) = 0
+0 connect(3, ..., ...) = -1 EISCONN (Transport endpoint is already connected)
+0 listen(3, 1) = -1 EINVAL
+0 bind(3, ..., ...) = -1 EINVAL
/// connect refused, told once by SO_ERROR
CONNECTING
+.1 < R. 0:0(0) ack 1 win 0
+0 poll([{fd=3, events=POLLOUT, revents=POLLOUT|POLLERR|POLLHUP}], 1, 0) = 1
+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0
+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [0], [4]) = 0
+0 read(3, ..., 10) = 0
+0 write(3, ..., 10) = -1 EPIPE
+0 connect(3, ..., ...) = -1 ECONNABORTED
+0 connect(3, ..., ...) = -1 EINPROGRESS
+0 > S 1000:1000(0) <...>
/// connect refused, told by connect, then again
CONNECTING
+.1 < R. 0:0(0) ack 1 win 0
+0 connect(3, ..., ...) = -1 ECONNREFUSED
+0 read(3, ..., 10) = -1 ENOTCONN
+0 poll([{fd=3, events=POLLOUT, revents=POLLOUT|POLLHUP}], 1, 0) = 1
+0 connect(3, ..., ...) = -1 EINPROGRESS
+0 > S 1000:1000(0) <...>
/// connect to no address ends the connection
CONNECTED
+0 connect(3, {sa_family=AF_UNSPEC}, 16) = 0
+0 > R. 1:1(0) ack 1
+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [0], [4]) = 0
/// connect has a send timeout
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 setsockopt(3, SOL_SOCKET, SO_SNDTIMEO, {tv_sec=0, tv_usec=500000}, 16) = 0
+0...0.5 connect(3, ..., ...) = -1 EINPROGRESS
+0 > S 0:0(0) <...>
+.6 close(3) = 0
/// shutdown
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 shutdown(3, SHUT_RD) = -1 ENOTCONN
+0 shutdown(3, 3) = -1 EINVAL
+0 fcntl(3, F_SETFL, O_NONBLOCK) = 0
+0 connect(3, ..., ...) = -1 EINPROGRESS
+0 > S 0:0(0) <...>
+0 shutdown(3, SHUT_WR) = 0
+0 connect(3, ..., ...) = -1 EINPROGRESS
/// shut down for reading what has arrived can be read, and then nothing
OPEN
+0 < P. 1:101(100) ack 1 win 65535
+0 > . 1:1(0) ack 101
+0 shutdown(4, SHUT_RD) = 0
+0 poll([{fd=4, events=POLLIN|POLLRDHUP, revents=POLLIN|POLLRDHUP}], 1, 0) = 1
+0 read(4, ..., 1000) = 100
+0 read(4, ..., 1000) = 0
/// shut down for writing
OPEN
+0 shutdown(4, SHUT_WR) = 0
+0 > F. 1:1(0) ack 1
+0 write(4, ..., 10) = -1 EPIPE
+0 send(4, ..., 10, MSG_NOSIGNAL) = -1 EPIPE
+0 poll([{fd=4, events=POLLOUT, revents=POLLOUT}], 1, 0) = 1
+0 shutdown(4, SHUT_WR) = 0
+.1 < F. 1:1(0) ack 2 win 65535
+0 > . 2:2(0) ack 2
+0 poll([{fd=4, events=POLLIN, revents=POLLIN|POLLHUP}], 1, 0) = 1
/// reset: the error once, then the end
OPEN
+0 < R. 1:1(0) ack 1 win 0
+0 poll([{fd=4, events=POLLIN|POLLOUT|POLLRDHUP, revents=POLLIN|POLLOUT|POLLRDHUP|POLLERR|POLLHUP}], 1, 0) = 1
+0 read(4, ..., 10) = -1 ECONNRESET (Connection reset by peer)
+0 read(4, ..., 10) = 0
+0 write(4, ..., 10) = -1 EPIPE
+0 shutdown(4, SHUT_WR) = -1 ENOTCONN
/// reset: told by write
OPEN
+0 < R. 1:1(0) ack 1 win 0
+0 write(4, ..., 10) = -1 ECONNRESET
+0 write(4, ..., 10) = -1 EPIPE
+0 close(4) = 0
+0 close(4) = -1 EBADF
+0 write(4, ..., 10) = -1 EBADF
/// reset behind data: the data first
OPEN
+0 < P. 1:101(100) ack 1 win 65535
+0 > . 1:1(0) ack 101
+0 < R. 101:101(0) ack 1 win 0
+0 read(4, ..., 1000) = 100
+0 read(4, ..., 1000) = -1 ECONNRESET
/// reads of each kind
OPEN
+0 < P. 1:1001(1000) ack 1 win 65535
+0 > . 1:1(0) ack 1001
+0 read(4, ..., 0) = 0
+0 recv(4, ..., 100, MSG_PEEK) = 100
+0 recv(4, ..., 5000, MSG_PEEK) = 1000
+0 ioctl(4, SIOCINQ, [1000]) = 0
+0 recv(4, NULL, 100, MSG_TRUNC) = 100
+0 recv(4, ..., 100, MSG_TRUNC) = 100
+0 read(4, NULL, 10) = -1 EFAULT
+0 recvfrom(4, ..., 100, MSG_DONTWAIT, ..., ...) = 100
+0 readv(4, [{..., 50}, {..., 50}], 2) = 100
+0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 100}], msg_flags=0, msg_control=[]}, 0) = 100
+0 recv(4, ..., 5000, 0) = 500
+0 recv(4, ..., 10, MSG_DONTWAIT) = -1 EAGAIN
+0 recv(4, ..., 10, MSG_PEEK|MSG_DONTWAIT) = -1 EAGAIN
+0 recvmsg(4, NULL, 0) = -1 EFAULT
+.1 < F. 1001:1001(0) ack 1 win 65535
+.04 > . 1:1(0) ack 1002
+0 recv(4, ..., 10, MSG_PEEK) = 0
+0 read(4, ..., 10) = 0
/// a read that waits for all
OPEN
+0...0.2 recv(4, ..., 200, MSG_WAITALL) = 200
+.1 < P. 1:101(100) ack 1 win 65535
+0 > . 1:1(0) ack 101
+.1 < P. 101:201(100) ack 1 win 65535
+0 > . 1:1(0) ack 201
+0...0.1 recv(4, ..., 200, MSG_WAITALL) = 50
+.1 < FP. 201:251(50) ack 1 win 65535
* > . 1:1(0) ack 252
/// a read that waits for SO_RCVLOWAT, or until SO_RCVTIMEO
OPEN
+0 setsockopt(4, SOL_SOCKET, SO_RCVLOWAT, [150], 4) = 0
+0 getsockopt(4, SOL_SOCKET, SO_RCVLOWAT, [150], [4]) = 0
+0...0.2 read(4, ..., 1000) = 200
+.1 < P. 1:101(100) ack 1 win 65535
+0 > . 1:1(0) ack 101
+0 poll([{fd=4, events=POLLIN, revents=0}], 1, 0) = 0
+.1 < P. 101:201(100) ack 1 win 65535
+0 > . 1:1(0) ack 201
+0 setsockopt(4, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=1, tv_usec=0}, 16) = 0
+0 getsockopt(4, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=1, tv_usec=0}, [16]) = 0
+0...1 read(4, ..., 10) = -1 EAGAIN
+2 close(4) = 0
/// writes of each kind
OPEN
+0 write(4, ..., 0) = 0
+0 write(4, ..., 100) = 100
+0 > P. 1:101(100) ack 1
+0 < . 1:1(0) ack 101 win 65535
+0 send(4, ..., 100, MSG_DONTWAIT|MSG_NOSIGNAL) = 100
+0 > P. 101:201(100) ack 1
+0 < . 1:1(0) ack 201 win 65535
+0 sendto(4, ..., 100, 0, ..., ...) = 100
+0 > P. 201:301(100) ack 1
+0 < . 1:1(0) ack 301 win 65535
+0 writev(4, [{..., 50}, {..., 50}], 2) = 100
+0 > P. 301:401(100) ack 1
+0 < . 1:1(0) ack 401 win 65535
+0 sendmsg(4, {msg_name(...)=..., msg_iov(2)=[{..., 60}, {..., 40}], msg_flags=0}, 0) = 100
+0 > P. 401:501(100) ack 1
+0 write(4, NULL, 10) = -1 EFAULT
+0 send(4, NULL, 10, 0) = -1 EFAULT
+0 sendto(4, NULL, 10, 0, ..., ...) = -1 EFAULT
+0 writev(4, [{NULL, 10}], 1) = -1 EFAULT
+0 sendmsg(4, NULL, 0) = -1 EFAULT
+0 write(3, ..., 10) = -1 EPIPE
+0 socket(..., SOCK_STREAM, 0) = 5
+0 write(5, ..., 10) = -1 EPIPE
+0 read(5, ..., 10) = -1 ENOTCONN
/// a cork, MSG_MORE and MSG_EOR
OPEN
+0 setsockopt(4, SOL_TCP, TCP_CORK, [1], 4) = 0
+0 getsockopt(4, SOL_TCP, TCP_CORK, [1], [4]) = 0
+0 write(4, ..., 300) = 300
+0 ioctl(4, SIOCOUTQNSD, [300]) = 0
+0 setsockopt(4, SOL_TCP, TCP_CORK, [0], 4) = 0
+0 > P. 1:301(300) ack 1
+0 < . 1:1(0) ack 301 win 65535
+0 send(4, ..., 100, MSG_MORE) = 100
+0 send(4, ..., 100, 0) = 100
+0 > P. 301:501(200) ack 1
+0 < . 1:1(0) ack 501 win 65535
+0 send(4, ..., 100, MSG_EOR) = 100
+0 > P. 501:601(100) ack 1
/// urgent data out of line
OPEN
+0 < PU. 1:101(100) ack 1 win 65535 urg 50
+0 > . 1:1(0) ack 101
+0 ioctl(4, SIOCINQ, [49]) = 0
+0 ioctl(4, SIOCATMARK, [0]) = 0
+0 poll([{fd=4, events=POLLIN|POLLPRI, revents=POLLIN|POLLPRI}], 1, 0) = 1
+0 recv(4, ..., 10, MSG_OOB|MSG_PEEK) = 1
+0 recv(4, ..., 10, MSG_OOB) = 1
+0 recv(4, ..., 10, MSG_OOB) = -1 EINVAL
+0 read(4, ..., 1000) = 49
+0 ioctl(4, SIOCATMARK, [1]) = 0
+0 read(4, ..., 1000) = 50
+0 send(4, ..., 10, MSG_OOB) = 10
+0 > PU. 1:11(10) ack 101 urg 10
/// urgent data in line
OPEN
+0 setsockopt(4, SOL_SOCKET, SO_OOBINLINE, [1], 4) = 0
+0 < PU. 1:101(100) ack 1 win 65535 urg 50
+0 > . 1:1(0) ack 101
+0 recv(4, ..., 10, MSG_OOB) = -1 EINVAL
+0 read(4, ..., 1000) = 49
+0 read(4, ..., 1000) = 51
/// ioctl
OPEN
+0 ioctl(4, FIONREAD, [0]) = 0
+0 ioctl(4, SIOCINQ, NULL) = -1 EFAULT
+0 ioctl(4, FIONBIO, [1]) = 0
+0 read(4, ..., 10) = -1 EAGAIN
+0 write(4, ..., 1000) = 1000
+0 > P. 1:1001(1000) ack 1
+0 ioctl(4, SIOCOUTQ, [1000]) = 0
+0 ioctl(4, SIOCOUTQNSD, [0]) = 0
/// poll
OPEN
+0 poll([{fd=-1, events=POLLIN, revents=0}, {fd=77, events=POLLIN, revents=POLLNVAL}], 2, 0) = 1
+0...0.25 poll([{fd=4, events=POLLIN, revents=0}], 1, 250) = 0
+.25 poll([{fd=3, events=POLLIN, revents=0}, {fd=4, events=POLLOUT, revents=POLLOUT}], 2, -1) = 1
/// epoll, level
OPEN
+0 epoll_create(1) = 5
+0 epoll_create(0) = -1 EINVAL
+0 epoll_create1(EPOLL_CLOEXEC) = 6
+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN|EPOLLRDHUP, fd=4}) = 0
+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN, fd=4}) = -1 EEXIST
+0 epoll_ctl(5, EPOLL_CTL_MOD, 3, {events=EPOLLIN, fd=3}) = -1 ENOENT
+0 epoll_ctl(5, EPOLL_CTL_DEL, 3, NULL) = -1 ENOENT
+0 epoll_ctl(5, EPOLL_CTL_ADD, 5, {events=EPOLLIN, fd=5}) = -1 EINVAL
+0 epoll_ctl(4, EPOLL_CTL_ADD, 3, {events=EPOLLIN, fd=5}) = -1 EINVAL
+0 epoll_ctl(5, EPOLL_CTL_ADD, 3, NULL) = -1 EFAULT
+0 epoll_ctl(77, EPOLL_CTL_ADD, 3, {events=EPOLLIN, fd=3}) = -1 EBADF
+0 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 0) = 0
+0 epoll_wait(5, ..., 0, 0) = -1 EINVAL
+0...0.1 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 1000) = 1
+.1 < P. 1:101(100) ack 1 win 65535
+0 > . 1:1(0) ack 101
+0 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 0) = 1
+0 read(4, ..., 1000) = 100
+0...0.05 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 50) = 0
+.1 < F. 101:101(0) ack 1 win 65535
* > . 1:1(0) ack 102
+0 epoll_wait(5, [{events=EPOLLIN|EPOLLRDHUP, fd=4}], 4, 0) = 1
+0 read(5, ..., 10) = -1 EINVAL
+0 setsockopt(5, SOL_SOCKET, SO_KEEPALIVE, [1], 4) = -1 ENOTSOCK
+0 close(4) = 0
+0 > F. 1:1(0) ack 102
+0 epoll_wait(5, ..., 4, 0) = 0
/// epoll, edges
OPEN
+0 epoll_create(1) = 5
+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN|EPOLLOUT|EPOLLET, fd=4}) = 0
+0 epoll_wait(5, {events=EPOLLOUT, fd=4}, 1, 0) = 1
+0 epoll_wait(5, {events=EPOLLOUT, fd=4}, 1, 0) = 0
+0 < P. 1:101(100) ack 1 win 65535
+0 > . 1:1(0) ack 101
+0 epoll_wait(5, {events=EPOLLIN|EPOLLOUT, fd=4}, 1, 0) = 1
+0 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 0) = 0
+0 < P. 101:201(100) ack 1 win 65535
+0 > . 1:1(0) ack 201
+0 epoll_wait(5, {events=EPOLLIN|EPOLLOUT, fd=4}, 1, 0) = 1
+0 epoll_ctl(5, EPOLL_CTL_MOD, 4, {events=EPOLLIN|EPOLLONESHOT, u64=7}) = 0
+0 epoll_wait(5, {events=EPOLLIN, u64=7}, 1, 0) = 1
+0 epoll_wait(5, {events=EPOLLIN, u64=7}, 1, 0) = 0
+0 epoll_ctl(5, EPOLL_CTL_DEL, 4, NULL) = 0
/// epoll, the edge of room
OPEN
+0 setsockopt(4, SOL_SOCKET, SO_SNDBUF, [10000], 4) = 0
+0 fcntl(4, F_SETFL, O_NONBLOCK) = 0
+0 epoll_create(1) = 5
+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLOUT|EPOLLET, fd=4}) = 0
+0 epoll_wait(5, {events=EPOLLOUT, fd=4}, 1, 0) = 1
+0 write(4, ..., 20000) = 10000
+0 > P. 1:10001(10000) ack 1
+0 write(4, ..., 10) = -1 EAGAIN
+0 epoll_wait(5, {events=EPOLLOUT, fd=4}, 1, 0) = 0
+.1 < . 1:1(0) ack 1001 win 65535
+0 epoll_wait(5, {events=EPOLLOUT, fd=4}, 1, 0) = 0
+0 < . 1:1(0) ack 10001 win 65535
+0 epoll_wait(5, {events=EPOLLOUT, fd=4}, 1, 0) = 1
+0 epoll_wait(5, {events=EPOLLOUT, fd=4}, 1, 0) = 0
/// epoll of an open
CONNECTING
+0 epoll_create(1) = 5
+0 epoll_ctl(5, EPOLL_CTL_ADD, 3, {events=EPOLLOUT|EPOLLET, ptr=3}) = 0
+0...0.1 epoll_wait(5, {events=EPOLLOUT, ptr=3}, 1, -1) = 1
+.1 < S. 0:0(0) ack 1 win 65535 <mss 1000>
+0 > . 1:1(0) ack 1
/// files, pipes, splice and sendfile
OPEN
+0 open("/tmp/file", O_RDONLY) = 5
+0 sendfile(4, 5, [0], 100) = 100
+0 > P. 1:101(100) ack 1
+0 < . 1:1(0) ack 101 win 65535
+0 sendfile(5, 4, [0], 100) = -1 EINVAL
+0 pipe([6, 7]) = 0
+0 write(7, ..., 100) = 100
+0 write(6, ..., 100) = -1 EBADF
+0 ioctl(6, FIONREAD, [100]) = 0
+0 splice(6, NULL, 4, NULL, 1000, 0) = 100
+0 > P. 101:201(100) ack 1
+0 < . 1:1(0) ack 201 win 65535
+0 < P. 1:51(50) ack 201 win 65535
+0 > . 201:201(0) ack 51
+0 splice(4, NULL, 7, NULL, 1000, SPLICE_F_NONBLOCK) = 50
+0 splice(4, NULL, 7, NULL, 1000, SPLICE_F_NONBLOCK) = -1 EAGAIN
+0 splice(4, NULL, 5, NULL, 1000, 0) = -1 EINVAL
+0 read(6, ..., 1000) = 50
+0 fcntl(6, F_SETFL, O_NONBLOCK) = 0
+0 read(6, ..., 1000) = -1 EAGAIN
+0 poll([{fd=6, events=POLLIN, revents=0}, {fd=7, events=POLLOUT, revents=POLLOUT}], 2, 0) = 1
+0 close(5) = 0
+0 cap_set(CAP_NET_RAW, 0) = 0
/// MSG_ZEROCOPY
OPEN
+0 send(4, ..., 100, MSG_ZEROCOPY) = 100
+0 > P. 1:101(100) ack 1
+0 < . 1:1(0) ack 101 win 65535
+0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 0}], msg_flags=0}, MSG_ERRQUEUE) = -1 EAGAIN
+0 setsockopt(4, SOL_SOCKET, SO_ZEROCOPY, [1], 4) = 0
+0 send(4, ..., 4000, MSG_ZEROCOPY) = 4000
+0 > P. 101:4101(4000) ack 1
+0 send(4, ..., 4000, MSG_ZEROCOPY) = 4000
+0 > P. 4101:8101(4000) ack 1
+0 poll([{fd=4, events=POLLIN, revents=0}], 1, 0) = 0
+0 < . 1:1(0) ack 4101 win 65535
+0 poll([{fd=4, events=0, revents=POLLERR}], 1, 0) = 1
+0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 0}], msg_flags=MSG_ERRQUEUE,
     msg_control=[{cmsg_level=SOL_IP, cmsg_type=IP_RECVERR,
       cmsg_data={ee_errno=0, ee_origin=SO_EE_ORIGIN_ZEROCOPY, ee_type=0, ee_code=SO_EE_CODE_ZEROCOPY_COPIED, ee_info=0, ee_data=0}}]}, MSG_ERRQUEUE) = 0
+0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 0}]}, MSG_ERRQUEUE) = -1 EAGAIN
+0 < . 1:1(0) ack 8101 win 65535
+0 send(4, ..., 4000, MSG_ZEROCOPY) = 4000
+0 > P. 8101:12101(4000) ack 1
+0 < . 1:1(0) ack 12101 win 65535
+0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 0}], msg_flags=MSG_ERRQUEUE,
     msg_control=[{cmsg_level=SOL_IP, cmsg_type=IP_RECVERR,
       cmsg_data={ee_errno=0, ee_origin=SO_EE_ORIGIN_ZEROCOPY, ee_type=0, ee_code=SO_EE_CODE_ZEROCOPY_COPIED, ee_info=1, ee_data=2}}]}, MSG_ERRQUEUE) = 0
/// SO_TIMESTAMPING
OPEN
+0 setsockopt(4, SOL_SOCKET, SO_TIMESTAMPING, [SOF_TIMESTAMPING_TX_SCHED|SOF_TIMESTAMPING_TX_SOFTWARE|SOF_TIMESTAMPING_TX_ACK|SOF_TIMESTAMPING_SOFTWARE|SOF_TIMESTAMPING_OPT_ID|SOF_TIMESTAMPING_OPT_TSONLY], 4) = 0
+0 write(4, ..., 1000) = 1000
+0 > P. 1:1001(1000) ack 1
+.1 < . 1:1(0) ack 1001 win 65535
+0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 0}], msg_flags=MSG_ERRQUEUE, msg_control=[
     {cmsg_level=SOL_SOCKET, cmsg_type=SCM_TIMESTAMPING, cmsg_data={scm_sec=0, scm_nsec=100000000}},
     {cmsg_level=SOL_IP, cmsg_type=IP_RECVERR, cmsg_data={ee_errno=ENOMSG, ee_origin=SO_EE_ORIGIN_TIMESTAMPING, ee_type=0, ee_code=0, ee_info=SCM_TSTAMP_SCHED, ee_data=999}}]}, MSG_ERRQUEUE) = 0
+0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 0}], msg_flags=MSG_ERRQUEUE, msg_control=[
     {cmsg_level=SOL_SOCKET, cmsg_type=SCM_TIMESTAMPING, cmsg_data={scm_sec=0, scm_nsec=100000000}},
     {cmsg_level=SOL_IP, cmsg_type=IP_RECVERR, cmsg_data={ee_errno=ENOMSG, ee_origin=SO_EE_ORIGIN_TIMESTAMPING, ee_type=0, ee_code=0, ee_info=SCM_TSTAMP_SND, ee_data=999}}]}, MSG_ERRQUEUE) = 0
+0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 0}], msg_flags=MSG_ERRQUEUE, msg_control=[
     {cmsg_level=SOL_SOCKET, cmsg_type=SCM_TIMESTAMPING, cmsg_data={scm_sec=0, scm_nsec=200000000}},
     {cmsg_level=SOL_IP, cmsg_type=IP_RECVERR, cmsg_data={ee_errno=ENOMSG, ee_origin=SO_EE_ORIGIN_TIMESTAMPING, ee_type=0, ee_code=0, ee_info=SCM_TSTAMP_ACK, ee_data=999}}]}, MSG_ERRQUEUE) = 0
/// TCP_INQ and the time of arrival
OPEN
+0 setsockopt(4, SOL_TCP, TCP_INQ, [1], 4) = 0
+0 setsockopt(4, SOL_SOCKET, SO_TIMESTAMPING, [SOF_TIMESTAMPING_RX_SOFTWARE|SOF_TIMESTAMPING_SOFTWARE], 4) = 0
+0 < P. 1:101(100) ack 1 win 65535
+0 > . 1:1(0) ack 101
+.1 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 40}], msg_flags=0, msg_control=[
     {cmsg_level=SOL_SOCKET, cmsg_type=SCM_TIMESTAMPING, cmsg_data={scm_sec=0, scm_nsec=100000000}},
     {cmsg_level=SOL_TCP, cmsg_type=TCP_CM_INQ, cmsg_data=60}]}, 0) = 40
/// an ICMP error ends an open, and IP_RECVERR keeps it
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 setsockopt(3, SOL_IP, IP_RECVERR, [1], 4) = 0
+0 fcntl(3, F_SETFL, O_NONBLOCK) = 0
+0 connect(3, ..., ...) = -1 EINPROGRESS
+0 > S 0:0(0) <...>
+.1 < icmp unreachable host_unknown [0:0(0)]
+0 recvmsg(3, {msg_name(...)=..., msg_iov(1)=[{..., 100}], msg_flags=MSG_ERRQUEUE, msg_control=[
     {cmsg_level=SOL_IP, cmsg_type=IP_RECVERR, cmsg_data={ee_errno=EHOSTDOWN, ee_origin=SO_EE_ORIGIN_ICMP, ee_type=3, ee_code=7, ee_info=0, ee_data=0}}]}, MSG_ERRQUEUE) = 20
+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [0], [4]) = 0
/// an ICMP error is told at once with IP_RECVERR, and the connection goes on
OPEN
+0 setsockopt(4, SOL_IP, IP_RECVERR, [1], 4) = 0
+0 write(4, ..., 100) = 100
+0 > P. 1:101(100) ack 1
+.1 < icmp unreachable host_unreachable [1:101(100)]
+0 write(4, ..., 100) = -1 EHOSTUNREACH
+0 < . 1:1(0) ack 101 win 65535
+0 write(4, ..., 100) = 100
+0 > P. 101:201(100) ack 1
/// what holds a connection back
0  socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 2000 <mss 1000>
+0 > S. 0:0(0) ack 1 <mss 1460>
+.1 < . 1:1(0) ack 1 win 2000
+0 accept(3, ..., ...) = 4
+1 %{ assert tcpi_busy_time == 0 }%
+0 write(4, ..., 4000) = 4000
+0 > . 1:2001(2000) ack 1
+.1 < . 1:1(0) ack 2001 win 2000
+0 > P. 2001:4001(2000) ack 1
+.1 < . 1:1(0) ack 4001 win 2000
+1 %{ assert 199000 <= tcpi_busy_time <= 201000, tcpi_busy_time
assert 99000 <= tcpi_rwnd_limited <= 101000; assert tcpi_sndbuf_limited == 0
assert SK_MEMINFO_WMEM_QUEUED == 0 and SK_MEMINFO_RMEM_ALLOC == 0 }%
/// fcntl
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 fcntl(3, F_GETFL) = 0x2 (flags O_RDWR)
+0 fcntl(3, F_SETFL, O_RDWR | O_NONBLOCK) = 0
+0 fcntl(3, F_GETFL, 0) = 0x802
+0 fcntl(3, F_SETFD, FD_CLOEXEC) = 0
+0 fcntl(7, F_GETFL) = -1 EBADF
+0 fcntl(3, 5000) = -1 EINVAL
/// close lingers
OPEN
+0 setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=2}, 8) = 0
+0 getsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=2}, [8]) = 0
+0 write(4, ..., 100) = 100
+0 > P. 1:101(100) ack 1
+0...0.1 close(4) = 0
+0 > F. 101:101(0) ack 1
+.1 < . 1:1(0) ack 102 win 65535
`

// Sockets of IPv6 with mapped addresses send IPv4.
func TestMapped(t *testing.T) {
	r := runText(t, `--ip_version=ipv4-mapped-ipv6
0  socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, {sa_family=AF_INET6, sin6_port=htons(8080), inet_pton(AF_INET6, "::ffff:192.168.0.1", &sin6_addr)}, 28) = 0
+0 bind(3, ..., ...) = -1 EINVAL
+0 listen(3, 1) = 0
+0 < [tos 0x28] S 0:0(0) win 65535 <mss 1000>
+0 > S. 0:0(0) ack 1 <mss 1460>
+.1 < . 1:1(0) ack 1 win 65535
+0 accept(3, ..., ...) = 4
+0 getsockopt(4, SOL_SOCKET, SO_DOMAIN, [AF_INET6], [4]) = 0
+0 getsockopt(4, SOL_IPV6, IPV6_V6ONLY, [0], [4]) = 0`, Config{})
	require.Equal(t, Passed, r.Outcome, r.Detail)
}
