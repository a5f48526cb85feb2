package wazero

// Modules is how many are compiled.
func (e *Engine) Modules() int { return len(e.modules) }
