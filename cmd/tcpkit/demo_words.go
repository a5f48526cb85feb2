package main

import (
	"fmt"
	"strings"

	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/narrate"
)

// A phrase is what the demo says around an exchange, in English and in Chinese.
// The words of the exchange itself are in package narrate.
type phrase [2]string

func (p phrase) in(l narrate.Lang, a ...any) string { return fmt.Sprintf(p[l], a...) }

var (
	sayTitle       = phrase{"This machine's kernel and tcpkit talk over a TUN device.", "本机内核与 tcpkit 通过 TUN 设备对话。"}
	sayTitleMemory = phrase{"Two tcpkit stacks talk in memory, on a virtual clock.", "两个 tcpkit 协议栈在内存中对话，使用虚拟时钟。"}

	sayKernel    = phrase{"%s; its socket diagnostics tell the states", "%s；状态由它的套接字诊断接口报告"}
	sayKit       = phrase{"this program: TCP in user space, profile linux", "就是本程序：用户态 TCP，采用 linux 配置"}
	sayPeer      = phrase{"another tcpkit in the kernel's place", "另一个 tcpkit，代替内核"}
	sayLink      = phrase{"the TUN, MTU %d, in a network namespace of its own", "TUN 设备，MTU %d，在专用的网络命名空间里"}
	sayLinkPlain = phrase{"in memory; each segment takes %s", "内存中；每个报文段在途 %s"}

	sayLegend = phrase{"seq, ack: from each ISN · len: octets · states: after the segment · §: RFC 9293", "seq、ack：从各自的初始序号算起；len：字节；状态：该报文段之后；§：RFC 9293"}

	sayAct = phrase{"Act %d", "第 %d 幕"}

	sayTime = phrase{"time/s", "时间/秒"}

	sayISN     = phrase{"ISN %d", "ISN %d"}
	sayMSS     = phrase{"MSS %d", "MSS %d"}
	sayScale   = phrase{"window scale %d", "窗口扩大 %d"}
	saySACK    = phrase{"SACK", "SACK"}
	sayStamps  = phrase{"timestamps", "时间戳"}
	sayOptions = phrase{"options: ", "选项："}

	sayShortened = phrase{"2MSL is %s here: shortened by --msl %s, for RFC 9293 has 2 minutes for MSL.", "这里的 2MSL 是 %s：由 --msl %s 缩短；RFC 9293 的 MSL 是 2 分钟。"}
	sayDefault   = phrase{"2MSL is %s here: shortened for the demo to an MSL of %s (--msl); RFC 9293 has 2 minutes.", "这里的 2MSL 是 %s：演示把 MSL 缩短为 %s（--msl 可改）；RFC 9293 的 MSL 是 2 分钟。"}
	sayMSL       = phrase{"2MSL is %s here, with an MSL of %s (--msl); RFC 9293 has 2 minutes.", "这里的 2MSL 是 %s，即 MSL 为 %s（--msl）；RFC 9293 的 MSL 是 2 分钟。"}
	sayFullMSL   = phrase{"2MSL is %s, since RFC 9293 has 2 minutes for MSL; the clock is virtual.", "2MSL 是 %s，因为 RFC 9293 规定 MSL 为 2 分钟；时钟是虚拟的。"}
	sayFullReal  = phrase{"2MSL is %s, since RFC 9293 has 2 minutes for MSL.", "2MSL 是 %s，因为 RFC 9293 规定 MSL 为 2 分钟。"}
	sayLinuxWait = phrase{"Linux has %s for 2MSL, and its timer says that %s are left. They are not waited for; --wait does.", "Linux 的 2MSL 是 %s，它的定时器还剩 %s。演示不再等待；加 --wait 可以等它结束。"}
	sayLinuxStay = phrase{"Linux has %s for 2MSL, and its timer says that %s are left.", "Linux 的 2MSL 是 %s，它的定时器还剩 %s。"}
	sayLeft      = phrase{"%s left", "还剩 %s"}
	say2MSL      = phrase{"2MSL over", "2MSL 已过"}

	sayChecked = phrase{"Checked", "检查"}
	sayGood    = phrase{"All was as RFC 9293 wants it: %d checks on %d segments.", "一切符合 RFC 9293：对 %[2]d 个报文段做了 %[1]d 项检查。"}
	sayBad     = phrase{"Not all was as RFC 9293 wants it: %d of %d checks failed.", "并非一切符合 RFC 9293：%[2]d 项检查中有 %[1]d 项未通过。"}
	sayWhere   = phrase{"act %d, segment %d: ", "第 %d 幕，第 %d 个报文段："}
	sayWhole   = phrase{"act %d: ", "第 %d 幕："}

	sayNoTUN = phrase{"no TUN device can be had here: %s", "这里得不到 TUN 设备：%s"}
	sayGoOn  = phrase{"without one, the same exchange runs between two stacks in memory", "没有它，同样的交互改在内存中的两个协议栈之间进行"}
)

// checkWords are the checks in words, and where they come from.
var checkWords = [demoChecks]struct {
	section string
	words   phrase
}{
	checkEnd:       {"§3.10", phrase{"the exchange came to its end, no reset, no segment dropped", "交互完整结束，没有复位，没有丢弃报文段"}},
	checkHandshake: {"§3.5", phrase{"SYN, SYN ACK, ACK without data; then an ACK in every segment", "先是不带数据的 SYN、SYN ACK、ACK，之后每个报文段都带 ACK"}},
	checkSequence:  {"§3.4", phrase{"sequence numbers without a gap; SYN and FIN take one each", "序号连续无缺，SYN 和 FIN 各占一个"}},
	checkAck:       {"§3.4", phrase{"no ACK of what was not sent; in the end all is acknowledged", "没有确认未发送的序号，最后全部得到确认"}},
	checkOptions:   {"§3.2", phrase{"options: nothing used that was not offered; timestamps echoed", "选项：只使用提议过的，时间戳得到回显"}},
	checkIntact:    {"§3.1", phrase{"every checksum is right", "每个校验和都正确"}},
	checkPage:      {"§3.8", phrase{"request and response arrived octet for octet", "请求与响应逐字节一致"}},
	checkClose:     {"§3.6", phrase{"a FIN each way, both acknowledged, nothing new after them", "两个方向各有一个 FIN，都得到确认，其后没有新数据"}},
	checkStates:    {"§3.3.2", phrase{"both ends went along Figure 5, all the way", "两端的状态都沿图 5 走完全程"}},
	checkWait:      {"§3.6.1", phrase{"who closed first is in TIME-WAIT for 2MSL", "先关闭的一端在 TIME-WAIT 停留 2MSL"}},
}

// findingsZH are the doctor's findings that can stand in the way of a TUN.
var findingsZH = map[string]string{
	"/dev/net/tun":                     "没有这个设备节点：tun 驱动没有加载，或者容器没有得到这个设备",
	"container":                        "在 Docker 或 Podman 中，启动容器时要把这个设备给它",
	"its mode":                         "当前用户无权打开它",
	"its driver":                       "设备节点背后没有驱动",
	"user.max_user_namespaces":         "用户命名空间已被关闭",
	"user.max_net_namespaces":          "网络命名空间已被关闭",
	"kernel.unprivileged_userns_clone": "只有 root 可以建立用户命名空间",
	"kernel.apparmor_restrict_unprivileged_userns": "AppArmor 收走了用户命名空间里的权限",
	"seccomp":    "seccomp 过滤器或安全模块禁止建立私有网络",
	"namespaces": "无法建立私有网络",
}

// sayFlags names the control bits as the RFC does.
func sayFlags(f wire.Flags) string {
	var s []string
	for _, n := range [...]struct {
		bit  wire.Flags
		name string
	}{
		{wire.SYN, "SYN"}, {wire.FIN, "FIN"}, {wire.RST, "RST"}, {wire.PSH, "PSH"}, {wire.URG, "URG"},
		{wire.ECE, "ECE"}, {wire.CWR, "CWR"}, {wire.ACK, "ACK"},
	} {
		if f.Has(n.bit) {
			s = append(s, n.name)
		}
	}
	return strings.Join(s, " ")
}

// sayHandshakeOptions tells what a SYN says beside its flags.
func sayHandshakeOptions(l narrate.Lang, h *wire.TCP) string {
	o := &h.Options
	var s []string
	if o.Has.Has(wire.HasMSS) {
		s = append(s, sayMSS.in(l, o.MSS))
	}
	if o.Has.Has(wire.HasSACKPermitted) {
		s = append(s, saySACK.in(l))
	}
	if o.Has.Has(wire.HasTimestamps) {
		s = append(s, sayStamps.in(l))
	}
	if o.Has.Has(wire.HasWindowScale) {
		s = append(s, sayScale.in(l, o.WindowScale))
	}
	list, gap := ", ", "   "
	if l == narrate.Chinese {
		list = "、"
	}
	return sayISN.in(l, uint32(h.Seq)) + gap + sayOptions.in(l) + strings.Join(s, list)
}
