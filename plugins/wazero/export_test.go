package wazero

// Modules is how many are compiled.
func (e *Engine) Modules() int { return len(e.modules) }

// Compiling calls f while a module is being compiled.
func (e *Engine) Compiling(f func()) {
	e.compiling.Lock()
	defer e.compiling.Unlock()
	f()
}
