package main

//go:wasmexport tcpkit_run_new
func exportRunNew(textSize, size uint32) int32 { return calls.RunNew(textSize, size) }

//go:wasmexport tcpkit_run_clone
func exportRunClone(run int32) int32 { return calls.RunClone(run) }

//go:wasmexport tcpkit_run_free
func exportRunFree(run int32) int32 { return calls.RunFree(run) }

//go:wasmexport tcpkit_run_step
func exportRunStep(run int32, n uint32) int32 { return calls.RunStep(run, n) }

//go:wasmexport tcpkit_run_finish
func exportRunFinish(run int32) int32 { return calls.RunFinish(run) }

//go:wasmexport tcpkit_run_seek
func exportRunSeek(run int32, step uint32) int32 { return calls.RunSeek(run, step) }

//go:wasmexport tcpkit_run_at
func exportRunAt(run int32) int32 { return calls.RunAt(run) }

//go:wasmexport tcpkit_run_steps
func exportRunSteps(run int32) int32 { return calls.RunSteps(run) }

//go:wasmexport tcpkit_run_ended
func exportRunEnded(run int32) int32 { return calls.RunEnded(run) }

//go:wasmexport tcpkit_run_length
func exportRunLength(run int32) int32 { return calls.RunLength(run) }

//go:wasmexport tcpkit_run_head
func exportRunHead(run int32) int32 { return calls.RunHead(run) }

//go:wasmexport tcpkit_run_items
func exportRunItems(run int32, from, upto uint32) int32 { return calls.RunItems(run, from, upto) }

//go:wasmexport tcpkit_run_view
func exportRunView(run int32, host uint32) int32 { return calls.RunView(run, host) }

//go:wasmexport tcpkit_run_packet
func exportRunPacket(run int32, id uint32) int32 { return calls.RunPacket(run, id) }

//go:wasmexport tcpkit_run_pcapng
func exportRunPcapng(run int32, host uint32) int32 { return calls.RunPcapng(run, host) }

//go:wasmexport tcpkit_run_check
func exportRunCheck(run int32) int32 { return calls.RunCheck(run) }

//go:wasmexport tcpkit_run_hash
func exportRunHash(run int32) int32 { return calls.RunHash(run) }

//go:wasmexport tcpkit_run_fingerprint
func exportRunFingerprint(run int32) int32 { return calls.RunFingerprint(run) }
