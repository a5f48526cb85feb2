// weak-isn asks why initial sequence numbers are secret: it counts them up by a fixed
// step, as systems did before RFC 6528. Who has seen one knows the next, and can put
// data into a connection that he cannot see (RFC 9293 §3.4.1, RFC 1948).
import { record, get, set, mutate, FIELD_ARGS, PASS } from "../../guest/as/tcpkit";
export { tcpkit_abi, tcpkit_init } from "../../guest/as/tcpkit";

let first: u64 = 0;
let step: u64 = 0;

export function tcpkit_config(): i64 {
  first = record.arg0;
  step = record.arg1;
  return PASS;
}

// The count is in the host's store, under key 0.
export function tcpkit_isn(): i64 {
  const n = get(0);
  set(0, n + 1);
  record.arg0 = <u64>(<u32>(first + step * <u64>n));
  return mutate(FIELD_ARGS);
}
