package fuel

// appendNames appends the names of functions as a custom section, so that an
// engine can say where a module trapped. They are taken apart first: an engine
// may believe their number, and ask for as much memory. Names that are not as
// they should be are left out.
func (m *module) appendNames(out []byte) []byte {
	r := reader{file: m.file, at: m.named.from, end: m.named.to}
	const functions = 1
	for r.more() {
		id := r.octet()
		size := r.u32()
		from := r.at
		r.skip(size)
		if r.err != nil {
			return out
		}
		if id != functions {
			continue
		}
		names := reader{file: m.file, at: from, end: r.at}
		if !m.readNames(&names) {
			return out
		}
		content := appendName(nil, "name")
		content = append(content, functions)
		content = appendU32(content, size)
		content = append(content, m.file[from:r.at]...)
		out = append(out, sectionCustom)
		return append(appendU32(out, uint32(len(content))), content...)
	}
	return out
}

// readNames reports whether r has names of functions, in the order of these.
func (m *module) readNames(r *reader) bool {
	next := uint64(0)
	for range r.count("names", len(m.functions)) {
		i := r.u32()
		if uint64(i) < next || !r.below(r.at, "function", i, len(m.functions)) {
			return false
		}
		next = uint64(i) + 1
		r.name()
	}
	return r.err == nil && !r.more()
}
