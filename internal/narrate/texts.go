package narrate

// A Text is the id of some words.
type Text uint8

// The steps of an exchange. They are told of the end that sends the segment,
// {from}, to the end that gets it, {to}.
const (
	Nothing Text = iota
	Syn
	SynAck
	HandshakeAck
	Request     // {n} octets
	RequestAck  //
	Response    // {n} octets
	ResponseAck //
	FinFirst
	FinFirstAck
	FinSecond
	FinWithAck // the FIN that also acknowledges the peer's: three segments in all
	FinBoth    // FINs that cross
	LastAck
	OnlyAck
	Again
	Reset
	Delayed // {d}: a pure acknowledgment came that late
	Opens   // the whole exchange: {from} opens it and closes it first
	Listens // {port}: where {from} listens
	WaitBegins
	WaitOver

	// What the pieces of an exchange are called.
	Handshake
	HTTP
	Close
	Wait

	texts_
)

type text struct {
	section string // of RFC 9293
	words   [langs]string
}

var texts = [texts_]text{
	Nothing: {"", [langs]string{"", ""}},
	Syn: {"3.5", [langs]string{
		"{From} asks to connect and names its first sequence number.",
		"{from}请求建立连接，并告知自己的初始序号。"}},
	SynAck: {"3.5", [langs]string{
		"{From} agrees, names its own number and acknowledges the SYN.",
		"{from}同意建立连接，告知自己的初始序号，同时确认对方的 SYN。"}},
	HandshakeAck: {"3.5", [langs]string{
		"{From} acknowledges that one too: both ends know both numbers.",
		"{from}再确认这个序号：至此双方都知道彼此的初始序号。"}},
	Request: {"3.10.2", [langs]string{
		"At {from}'s end the program sends an HTTP request, {n} octets.",
		"{from}一侧的程序发出 HTTP 请求，共 {n} 字节。"}},
	RequestAck: {"3.4", [langs]string{
		"{From} has the request: its ACK names the octet it wants next.",
		"{from}收到请求，ACK 给出它期待的下一个字节的序号。"}},
	Response: {"3.10.2", [langs]string{
		"At {from}'s end the program answers with the page, {n} octets.",
		"{from}一侧的程序返回网页，共 {n} 字节。"}},
	ResponseAck: {"3.4", [langs]string{
		"{From} has the whole page: each of its octets is acknowledged.",
		"{from}收到整个网页，每个字节都得到了确认。"}},
	FinFirst: {"3.6", [langs]string{
		"{From} has no more to send: its FIN closes this direction only.",
		"{from}没有数据要发了，用 FIN 关闭自己这个方向。"}},
	FinFirstAck: {"3.6", [langs]string{
		"{From} acknowledges the FIN; its own direction is still open.",
		"{from}确认这个 FIN；它自己的方向仍然打开，还可以发送。"}},
	FinSecond: {"3.6", [langs]string{
		"At {from}'s end the program closes too: a FIN the other way.",
		"{from}一侧的程序也关闭了连接，用 FIN 关闭另一个方向。"}},
	FinWithAck: {"3.6", [langs]string{
		"{From} acknowledges the FIN and sends its own in one segment.",
		"{from}确认对方的 FIN，并随之发出自己的 FIN：三个报文段就够了。"}},
	FinBoth: {"3.6", [langs]string{
		"{From} closes too, not having seen the other FIN: they cross.",
		"{from}还没看到对方的 FIN 就也关闭了：两个 FIN 在途中交错。"}},
	LastAck: {"3.6", [langs]string{
		"{From} acknowledges it and waits, since this ACK may get lost.",
		"{from}确认之后还要等待，因为这个 ACK 可能丢失。"}},
	OnlyAck: {"3.4", [langs]string{
		"{From} says which octet it wants next and how much room it has.",
		"{from}告知它期待的下一个字节的序号，以及还有多大的接收窗口。"}},
	Again: {"3.8.1", [langs]string{
		"{From} sends this once more: no acknowledgment came in time.",
		"{from}没有按时等到确认，于是重传。"}},
	Reset: {"3.5.2", [langs]string{
		"{From} resets the connection: for it there is none any more.",
		"{from}复位了连接：对它来说，这个连接已不存在。"}},
	Delayed: {"3.8.6.3", [langs]string{
		"The ACK waited {d} for data that it could ride on: a delayed ACK.",
		"这个 ACK 推迟了 {d}，本想随数据捎带发出：这就是延迟确认。"}},
	Opens: {"3.3.2", [langs]string{
		"{From} connects to {to}, and closes first",
		"{from}连接{to}，并率先关闭"}},
	Listens: {"3.10.1", [langs]string{
		"{From} listens on port {port}: a passive open.",
		"{from}在 {port} 端口监听：被动打开。"}},
	WaitBegins: {"3.6.1", [langs]string{
		"{From} waits for 2MSL: should its ACK be lost, the FIN comes again and finds an answer; and old segments die out before the same ports are used anew.",
		"{from}等待 2MSL：万一 ACK 丢失，重传的 FIN 还能得到回应；残留在网络中的旧报文段，也会在这一对端口再次使用之前消失。"}},
	WaitOver: {"3.10.8", [langs]string{
		"2MSL have passed: {from} forgets the connection.",
		"2MSL 已过，{from}删除这个连接。"}},

	Handshake: {"3.5", [langs]string{"Three-way handshake", "三次握手"}},
	HTTP:      {"3.7", [langs]string{"HTTP request and response", "HTTP 请求与响应"}},
	Close:     {"3.6", [langs]string{"Four-way close", "四次挥手"}},
	Wait:      {"3.6.1", [langs]string{"TIME-WAIT", "TIME-WAIT"}},
}

// Section is the section of RFC 9293 that t speaks of, "3.5".
func (t Text) Section() string { return texts[t].section }
