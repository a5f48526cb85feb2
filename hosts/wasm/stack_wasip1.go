package main

//go:wasmexport tcpkit_stack_new
func exportStackNew(size uint32) int32 { return calls.StackNew(size) }

//go:wasmexport tcpkit_stack_free
func exportStackFree(stack int32) int32 { return calls.StackFree(stack) }

//go:wasmexport tcpkit_stack_clone
func exportStackClone(stack int32) int32 { return calls.StackClone(stack) }

//go:wasmexport tcpkit_stack_input
func exportInput(stack int32, now int64, size uint32) int32 { return calls.Input(stack, now, size) }

//go:wasmexport tcpkit_stack_output
func exportOutput(stack int32, now int64) int32 { return calls.Output(stack, now) }

//go:wasmexport tcpkit_stack_expire
func exportExpire(stack int32, now int64) int32 { return calls.Expire(stack, now) }

//go:wasmexport tcpkit_stack_deadline
func exportDeadline(stack int32) int64 { return calls.Deadline(stack) }

//go:wasmexport tcpkit_stack_ready
func exportReady(stack int32) int32 { return calls.Ready(stack) }

//go:wasmexport tcpkit_stack_record
func exportRecord(stack int32, mask uint32) int32 { return calls.Record(stack, mask) }

//go:wasmexport tcpkit_stack_events
func exportEvents(stack int32) int32 { return calls.Events(stack) }

//go:wasmexport tcpkit_stack_hash
func exportHash(stack int32) int32 { return calls.Hash(stack) }

//go:wasmexport tcpkit_stack_fingerprint
func exportFingerprint(stack int32, now int64) int32 { return calls.Fingerprint(stack, now) }

//go:wasmexport tcpkit_stack_capture
func exportCapture(stack int32, most uint32) int32 { return calls.Capture(stack, most) }

//go:wasmexport tcpkit_stack_pcapng
func exportPcapng(stack int32) int32 { return calls.Pcapng(stack) }

//go:wasmexport tcpkit_stack_status
func exportStatus(stack int32, now int64) int32 { return calls.Status(stack, now) }

//go:wasmexport tcpkit_stack_plugin
func exportPlugin(stack int32, now int64, size uint32) int32 { return calls.Plugin(stack, now, size) }

//go:wasmexport tcpkit_stack_plugin_errors
func exportPluginErrors(stack int32) int32 { return calls.PluginErrors(stack) }

//go:wasmexport tcpkit_listen
func exportListen(stack int32, now int64, backlog int32, size uint32) int32 {
	return calls.Listen(stack, now, backlog, size)
}

//go:wasmexport tcpkit_accept
func exportAccept(stack, listener int32, now int64) int32 { return calls.Accept(stack, listener, now) }

//go:wasmexport tcpkit_unlisten
func exportUnlisten(stack, listener int32, now int64) int32 {
	return calls.Unlisten(stack, listener, now)
}

//go:wasmexport tcpkit_dial
func exportDial(stack int32, now int64, size uint32) int32 { return calls.Dial(stack, now, size) }

//go:wasmexport tcpkit_read
func exportRead(stack, conn int32, now int64, most uint32) int32 {
	return calls.Read(stack, conn, now, most)
}

//go:wasmexport tcpkit_write
func exportWrite(stack, conn int32, now int64, size uint32) int32 {
	return calls.Write(stack, conn, now, size)
}

//go:wasmexport tcpkit_shutdown
func exportShutdown(stack, conn int32, now int64, what uint32) int32 {
	return calls.Shutdown(stack, conn, now, what)
}

//go:wasmexport tcpkit_close
func exportClose(stack, conn int32, now int64) int32 { return calls.Close(stack, conn, now) }

//go:wasmexport tcpkit_abort
func exportAbort(stack, conn int32, now int64) int32 { return calls.Abort(stack, conn, now) }

//go:wasmexport tcpkit_set
func exportSet(stack, conn int32, now int64, option uint32, value int64) int32 {
	return calls.Set(stack, conn, now, option, value)
}

//go:wasmexport tcpkit_error
func exportError(stack, conn int32) int32 { return calls.ConnError(stack, conn) }
