package wire

// ParseOptions walks options of any length, where a header has room for
// multiples of 4 only.
func ParseOptions(b []byte, o *Options) { o.parse(b) }
