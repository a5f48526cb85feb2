;; What stands where in the record, for a plugin that is written in WAT: all
;; numbers count from the address that tcpkit_init returns. A hook's result is
;; a verdict, and its argument times 256.
;; BEGIN plugins/abi: written by go test ./plugins/guest -update
;;
;; The record.
;;     0 u16 size
;;     2 u16 hook
;;     4 u32 sections
;;     8 i64 now
;;    16 u32 conn
;;    20 u32 packet
;;    24 u8 from
;;    25 u8 to
;;    26 u8 cause
;;    27 u8 family
;;    28 u16 rule
;;    30 u8 reason
;;    31 u8 bits
;;    32 u16 local_port
;;    34 u16 remote_port
;;    36 u32 snd_una
;;    40 u32 snd_nxt
;;    44 u32 snd_wnd
;;    48 u32 rcv_nxt
;;    52 u32 rcv_wnd
;;    56 u32 iss
;;    60 u32 irs
;;    64 u32 seq
;;    68 u32 ack
;;    72 u16 flags
;;    74 u16 window
;;    76 u16 urgent
;;    78 u16 has
;;    80 u32 payload_size
;;    84 u32 ts_val
;;    88 u32 ts_ecr
;;    92 u16 mss
;;    94 u8 scale
;;    95 u8 sacks
;;    96 6 times u32 sack
;;   120 u8 tos
;;   121 u8 ttl
;;   128 8 times u64 args
;;   192 32 times u8 address
;;   256 256 times u8 state
;;   512 u32 options_size
;;   516 40 times u8 options
;;   576 65536 times u8 payload
;;
;; For congestion control, in place of the segment and the arguments.
;;    64 u32 cwnd
;;    68 u32 ssthresh
;;    72 u32 mss
;;    76 u32 in_flight
;;    80 u32 acked
;;    84 u32 losses
;;    88 u32 flags
;;    92 u32 quantum
;;    96 u64 pacing
;;   104 u64 delivered
;;   112 i64 interval
;;   120 i64 rtt
;;   128 i64 srtt
;;   136 i64 min_rtt
;;   144 i64 timer_at
;;   152 i64 idle
;;   160 i64 rto
;;   168 u32 buffer
;;   172 u32 limit
;;   176 u64 total
;;   184 i64 since
;;   192 i64 max_rtt
;;   200 u32 acks
;;   204 u32 marked
;;
;; The version of this package.
;; 0x10000 version
;;
;; What a call of an import costs beside the instruction, in fuel, and how much of a text is kept.
;;   0x400 log_size
;;  0x1000 wasi_size
;;
;; The hooks.
;;   0x100 hook_abi
;;   0x101 hook_init
;;   0x102 hook_config
;;   0x103 hook_tick
;;   0x104 hook_drain
;;   0x105 hook_batch
;;   0x106 hook_start
;;   0x107 hook_fetch
;;   0x108 hook_close
;;   0x200 hook_conn_new
;;   0x201 hook_conn_established
;;   0x202 hook_conn_closed
;;   0x300 hook_syn
;;   0x400 hook_transition
;;   0x401 hook_transition_arriving
;;   0x402 hook_transition_leaving
;;   0x500 hook_arriving
;;   0x501 hook_leaving
;;   0x502 hook_rejected
;;   0x503 hook_arrived
;;   0x504 hook_left
;;   0x600 hook_options_parse
;;   0x601 hook_options_reserve
;;   0x602 hook_options_write
;;   0x700 hook_timer_armed
;;   0x701 hook_timer_fired
;;   0x800 hook_rtt
;;   0x801 hook_lost
;;   0x802 hook_retransmit
;;   0x803 hook_phase
;;   0x804 hook_spurious
;;   0x900 hook_ack
;;   0xa00 hook_isn
;;   0xa01 hook_port
;;   0xb00 hook_write
;;   0xb01 hook_read
;;   0xc00 hook_ingress
;;   0xc01 hook_egress
;;   0xd00 hook_cc_init
;;   0xd01 hook_cc_ack
;;   0xd02 hook_cc_loss
;;   0xd03 hook_cc_ecn
;;   0xd04 hook_cc_rto
;;   0xd05 hook_cc_sent
;;   0xd06 hook_cc_recovery_exit
;;   0xd07 hook_cc_undo
;;   0xd08 hook_cc_report
;;   0xd09 hook_cc_release
;;   0xd0a hook_cc_timer
;;   0xd0b hook_cc_idle
;;
;; The verdicts, with their arguments.
;;     0x0 pass
;;     0x1 mutated
;;     0x2 drop
;;     0x3 delay
;;     0x4 duplicate
;;     0x5 inject
;;     0x6 reset
;;     0x7 cookie
;;     0x8 hold
;;     0x9 release
;;     0xa detach
;;     0xb go_to
;;     0xc now
;;
;; The fields that a verdict can name as changed: bits of Mutated's argument.
;;     0x1 field_seq
;;     0x2 field_ack
;;     0x4 field_flags
;;     0x8 field_window
;;    0x10 field_urgent
;;    0x20 field_options
;;    0x40 field_raw_options
;;    0x80 field_payload
;;   0x100 field_tos
;;   0x200 field_ttl
;;   0x400 field_ports
;;   0x800 field_addresses
;;  0x1000 field_length
;;  0x2000 field_state
;;  0x4000 field_args
;;
;; A record: 128 octets that each has, and sections behind them at places that are fixed, of which only those are written that the plugin may see and has asked for.
;;    0x80 record_size
;;
;; Sections of a record, bits of OffsetSections.
;;     0x1 section_segment
;;     0x2 section_args
;;     0x4 section_address
;;     0x8 section_state
;;    0x10 section_options
;;    0x20 section_payload
;;
;; Bits of OffsetBits.
;;     0x1 bit_leaving
;;     0x2 bit_again
;;     0x4 bit_passive
;;     0x8 bit_ours
;;
;; Bits of SegmentFlags.
;;     0x1 flag_fin
;;     0x2 flag_syn
;;     0x4 flag_rst
;;     0x8 flag_psh
;;    0x10 flag_ack
;;    0x20 flag_urg
;;    0x40 flag_ece
;;    0x80 flag_cwr
;;   0x100 flag_ae
;;
;; Bits of SegmentHas.
;;     0x1 option_has_mss
;;     0x2 option_has_window_scale
;;     0x4 option_has_sack_permitted
;;     0x8 option_has_timestamps
;;    0x10 option_has_sack
;;    0x20 option_has_fast_open
;;    0x40 option_has_user_timeout
;;    0x80 option_has_unknown
;;   0x100 option_has_malformed
;;
;; What a congestion controller is told and says, in place of the segment and the arguments.
;;    0x58 cc_flags
;;
;; Bits of CCFlags.
;;     0x1 cc_flag_ece
;;     0x2 cc_flag_app_limited
;;     0x4 cc_flag_in_recovery
;;     0x8 cc_flag_cwnd_limited
;;    0x10 cc_flag_round
;;    0x20 cc_flag_again
;;
;; The states, RFC 9293 §3.3.2.
;;     0x0 state_closed
;;     0x1 state_listen
;;     0x2 state_syn_sent
;;     0x3 state_syn_received
;;     0x4 state_established
;;     0x5 state_fin_wait_1
;;     0x6 state_fin_wait_2
;;     0x7 state_close_wait
;;     0x8 state_closing
;;     0x9 state_last_ack
;;     0xa state_time_wait
;;
;; What changes a state.
;;     0x1 cause_segment
;;     0x2 cause_call
;;     0x3 cause_timer
;;     0x4 cause_icmp
;;     0x5 cause_plugin
;; END
