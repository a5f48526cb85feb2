// no-time-wait asks what TIME-WAIT is for: whoever comes there is CLOSED at once, and
// the connection's name is free. Segments of the old connection that come late may then
// fit into a new one (RFC 9293 §3.6.1, RFC 1337), and a lost last ACK is not sent again.
import { reply, GO_TO, STATE_CLOSED } from "../../guest/as/tcpkit";
export { tcpkit_abi, tcpkit_init } from "../../guest/as/tcpkit";

export function tcpkit_transition(): i64 {
  return reply(GO_TO, STATE_CLOSED);
}
