// {{.Name}} marks the segments that leave, and tells when a connection is established.
import { record, log, metric, mutate, FIELD_TOS, LEVEL_INFO, PASS, STATE_ESTABLISHED } from "./tcpkit";
export { tcpkit_abi, tcpkit_init } from "./tcpkit";

let tos: u8 = 0;

// The user's options, in the order of the manifest: {{.Name}}.wasm,tos=40
export function tcpkit_config(): i64 {
  tos = <u8>record.arg0;
  return PASS;
}

// A segment leaves. Its two bits of ECN are not ours.
export function tcpkit_segment_leaving(): i64 {
  metric(0, record.payloadSize);
  record.tos = (tos & ~3) | (record.tos & 3);
  return mutate(FIELD_TOS);
}

// A connection has changed its state.
export function tcpkit_transition(): i64 {
  if (record.to == STATE_ESTABLISHED) log(LEVEL_INFO, "a connection is established");
  return PASS;
}
