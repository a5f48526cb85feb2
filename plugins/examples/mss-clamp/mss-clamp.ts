// mss-clamp lowers the maximum segment size option of SYNs, of those that leave and
// of those that arrive: then neither end sends longer segments. It is for tunnels
// whose MTU the path does not tell of (RFC 9293 §3.7.1, RFC 2923 §2.1).
import { record, mutate, FIELD_OPTIONS, OPTION_HAS_MSS, PASS } from "../../guest/as/tcpkit";
export { tcpkit_abi, tcpkit_init } from "../../guest/as/tcpkit";

const LEAST: u64 = 64;

let most: u16 = 0;

export function tcpkit_config(): i64 {
  most = <u16>min(max(record.arg0, LEAST), 65535);
  return PASS;
}

function clamp(): i64 {
  if (!(record.has & OPTION_HAS_MSS) || record.mss <= most) return PASS;
  record.mss = most;
  return mutate(FIELD_OPTIONS);
}

export function tcpkit_segment_arriving(): i64 { return clamp(); }
export function tcpkit_segment_leaving(): i64 { return clamp(); }
