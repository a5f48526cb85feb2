package narrate

import "github.com/tcpkit/tcpkit/core/rule"

// Rule is the text of a rule. In English it is that of the table.
func (l Lang) Rule(id rule.ID) string {
	row, ok := rule.Lookup(id)
	if !ok {
		return ""
	}
	if l == Chinese {
		if s := rulesZH[id]; s != "" {
			return s
		}
	}
	return row.Text
}

var rulesZH = map[rule.ID]string{
	rule.OpenPassive:    "被动打开在 LISTEN 中等待",
	rule.OpenActive:     "主动打开发送带有初始序号的 SYN",
	rule.SendInListen:   "在 LISTEN 中发送数据会把被动打开变为主动打开",
	rule.CloseListen:    "在 LISTEN 中关闭，只需删除连接",
	rule.CloseSynSent:   "在 SYN-SENT 中关闭，只需删除连接",
	rule.CloseSendsFin:  "关闭时，先发完排队的数据再发送 FIN",
	rule.CloseAfterPeer: "对方发过 FIN 之后关闭：发送我方的 FIN，等待它被确认",
	rule.AbortReset:     "中止连接：发送 RST 并删除连接",
	rule.AbortSilent:    "在同步之前或者交互结束之后中止：删除连接，不发送 RST",

	rule.ClosedReset:         "报文段所属的连接不存在，以 RST 回应",
	rule.ListenReset:         "监听端忽略 RST",
	rule.ListenAckGetsRst:    "监听端收到 ACK，以 RST 回应",
	rule.ListenSyn:           "监听端收到 SYN，以 SYN 加 ACK 回应",
	rule.SynSentBadAck:       "在 SYN-SENT 中，确认了从未发送的序号，以 RST 回应",
	rule.SynSentReset:        "在 SYN-SENT 中，确认我方 SYN 的 RST 表示连接被拒绝",
	rule.SynSentSynAck:       "对方的 SYN 同时确认了我方的 SYN，连接建立",
	rule.SynSentSyn:          "双方的 SYN 在途中交错，连接由两端同时打开",
	rule.SequenceAcceptable:  "报文段必须与接收窗口有重叠",
	rule.SequenceChallenge:   "窗口之外的报文段以 ACK 回应，然后丢弃",
	rule.ResetExact:          "序号恰为 RCV.NXT 的 RST 复位连接",
	rule.ResetChallenge:      "序号在窗口内其他位置的 RST 以挑战 ACK 回应",
	rule.ResetOutside:        "窗口之外的 RST 直接丢弃",
	rule.ResetSynReceived:    "在 SYN-RECEIVED 中收到 RST：被动打开回到 LISTEN，主动打开则被拒绝",
	rule.SynChallenge:        "已同步的连接收到 SYN，以挑战 ACK 回应",
	rule.SynReceivedSyn:      "被动打开的 SYN-RECEIVED 收到新的 SYN，回到 LISTEN",
	rule.AckMissing:          "连接同步之后，不带 ACK 的报文段被丢弃",
	rule.AckEstablishes:      "我方的 SYN 得到确认，连接建立",
	rule.AckBadInSynReceived: "在 SYN-RECEIVED 中确认了别的序号，以 RST 回应",
	rule.AckOfFin:            "我方的 FIN 得到确认",
	rule.AckClosing:          "在 CLOSING 中，我方的 FIN 得到确认，进入 TIME-WAIT",
	rule.AckLastAck:          "在 LAST-ACK 中，我方的 FIN 得到确认，连接结束",
	rule.AckOutside:          "确认号过旧，以 ACK 回应，然后丢弃",
	rule.AckUnsent:           "确认了尚未发送的序号，以 ACK 回应，然后丢弃",
	rule.WindowUpdate:        "发送窗口以最新的报文段为准",
	rule.UrgentAdvance:       "紧急指针前移，并通知用户",
	rule.TextAfterFin:        "对方的 FIN 之后不会再有数据，忽略",
	rule.TextInOrder:         "序号为 RCV.NXT 的数据交给用户",
	rule.TextOutOfOrder:      "RCV.NXT 之后的数据先保存，并立即确认",
	rule.FinEstablished:      "对方发送完毕，我方仍可继续发送",
	rule.FinBoth:             "对方的 FIN 到达，同时确认了我方的 FIN",
	rule.FinClosing:          "双方的 FIN 交错，我方的 FIN 尚未得到确认",
	rule.FinInFinWait2:       "对方的 FIN 结束了交互，开始 TIME-WAIT",
	rule.FinRestartsTimeWait: "再次到来的 FIN 再次得到确认，2MSL 重新计时",
	rule.TimeWaitReuse:       "确定是新的 SYN 可以从 TIME-WAIT 重新打开连接",
	rule.TimeWaitOldSyn:      "在 TIME-WAIT 中，旧的 SYN 以 ACK 回应",

	rule.UserTimeout:         "发出的内容在用户超时之内没有得到确认",
	rule.Retransmit:          "定时器超时，重传最早的未确认报文段",
	rule.RetransmitLimit:     "重传次数过多，放弃连接",
	rule.SynLimit:            "所有 SYN 都没有回应，放弃打开",
	rule.SynAckLimit:         "所有 SYN+ACK 都没有回应，丢弃这个半连接",
	rule.TimeWaitOver:        "2MSL 已过",
	rule.FinWait2Timeout:     "已没有程序能读取数据，对方又不关闭：Linux 会删除 FIN-WAIT-2 中的孤儿连接，RFC 没有这样的定时器",
	rule.LingerOver:          "逗留时间已过，中止连接",
	rule.KeepaliveProbe:      "探测空闲的连接",
	rule.KeepaliveDead:       "没有一个探测得到回应，对方已不在",
	rule.PersistProbe:        "探测零窗口，因为窗口打开的通知可能会丢失",
	rule.PersistDead:         "没有一个零窗口探测得到回应，对方已不在",
	rule.DelayedAck:          "确认没有等到可以搭载的数据，现在单独发送",
	rule.SillyWindowOverride: "小报文段已经等得够久了",

	rule.PAWS:            "时间戳更旧的报文段是旧的重复报文段",
	rule.FastRetransmit:  "收到三个重复 ACK，不等定时器就重传缺失的报文段",
	rule.SackRecovery:    "选择确认显示有缺口，将它补上",
	rule.PartialAck:      "恢复期间的 ACK 显示出下一个缺口",
	rule.SynCookie:       "半连接队列已满，SYN+ACK 把所知的一切都放进序号里",
	rule.BacklogFull:     "没有空间容纳更多的半连接",
	rule.AcceptQueueFull: "应用程序没有接受连接，这个连接只好等待",
	rule.ICMPHard:        "ICMP 差错拒绝了打开",
	rule.ICMPSoft:        "记下 ICMP 差错，连接继续",
	rule.PathMTU:         "路由器要求更小的分组",
	rule.PortUnreachable: "端口不可达",
	rule.EchoReply:       "回应回显请求",
	rule.MemoryPressure:  "协议栈的内存已用尽",
	rule.HostAborts:      "协议栈正在关闭",
	rule.Landing:         "忽略源地址不可能成立的报文段",

	rule.TimestampMissing: "双方商定使用时间戳之后，不带时间戳的报文段会被丢弃",
	rule.ECNReaction:      "ACK 带有 ECE：对这一窗口的数据，拥塞窗口只减小一次",
	rule.FastOpenRefused:  "SYN 所带的数据没有得到确认，随下一个 ACK 再次发送",

	rule.SynSentNothing: "在 SYN-SENT 中，既没有 SYN 也没有 RST 的报文段被丢弃",
	rule.SynAgain:       "在 SYN-RECEIVED 中再次收到 SYN，以同样的 SYN 加 ACK 再次确认",
	rule.UnreadReset:    "已没有程序会读取的数据：以 RST 回应或者在关闭时发送 RST，表明数据已丢失",
	rule.TailLossProbe:  "大约两个往返时间没有确认：在定时器超时之前，最后的报文段再发送一次",

	rule.Lab: "违反规则：实验插件自行走了图中的这条边",
}
