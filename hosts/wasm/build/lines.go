package build

// What the runtime knows of functions stands in a table, runtime.pclntab, whose
// header and records are the structs pcHeader and _func of Go's package runtime.
const (
	tableMagic  = "\xf1\xff\xff\xff\x00\x00\x01\x08" // of Go 1.20 and later, octets as instruction size, 8 to a pointer
	tableHeader = 72
	functions   = 8  // in the header: how many functions
	namesAt     = 32 // in the header: where the names of functions begin
	filesAt     = 40 // in the header: where what is known of files begins
	programsAt  = 56 // in the header: where the tables by program counter begin
	recordsAt   = 64 // in the header: where the list of functions begins

	recordName  = 4 // in a record: the name
	recordSize  = 44
	recordStack = 16 // in a record: the table of stack depths
	recordFile  = 20 // in a record: the table of files
	recordLine  = 24 // in a record: the table of lines
	recordMore  = 28 // in a record: how many more tables by program counter follow it
	recordUnit  = 32 // in a record: the compilation unit, for the names of files
	recordFirst = 36 // in a record: the first line
	recordData  = 43 // in a record, an octet: how many other tables follow those

	// Of the tables that follow, those for traces alone, by their numbers in Go's package
	// internal/abi.
	moreInlined = 2 // PCDATA_InlTreeIndex
	moreArgs    = 3 // PCDATA_ArgLiveIndex
	dataInlined = 3 // FUNCDATA_InlTree
	dataArgs    = 5 // FUNCDATA_ArgInfo
	dataLive    = 6 // FUNCDATA_ArgLiveInfo
)

// noData says that a function has no such table.
var noData = []byte{0xff, 0xff, 0xff, 0xff}

// dropLines clears, where memory holds the table of functions, what only a trace
// shows beside names: files, lines, arguments, and what was expanded in place. The
// runtime takes 0 and noData for "there is no table". A table of another form is left
// alone.
func dropLines(memory []byte) {
	table, ok := functionTable(memory)
	if !ok {
		return
	}
	octets, word := table.octets, table.word
	programs := octets[word(programsAt):word(recordsAt)]
	kept := make([]bool, len(programs))
	for _, record := range table.places {
		clear(octets[record+recordFile : record+recordLine+4])
		clear(octets[record+recordUnit : record+recordFirst+4])
		keep(kept, programs, word(record+recordStack))
		more := word(record + recordMore)
		for k := range more {
			at := record + recordSize + 4*k
			if k == moreInlined || k == moreArgs {
				clear(octets[at : at+4])
			}
			keep(kept, programs, word(at))
		}
		for k := range int(octets[record+recordData]) {
			if k == dataInlined || k == dataArgs || k == dataLive {
				copy(octets[record+recordSize+4*(more+k):], noData)
			}
		}
	}
	clear(octets[word(filesAt):word(programsAt)])
	for k := range programs {
		if !kept[k] {
			programs[k] = 0
		}
	}
}

// keep marks one table by program counter: pairs of numbers, up to one whose first
// is 0 and that is not the first pair.
func keep(kept []bool, programs []byte, at int) {
	if at <= 0 || at >= len(programs) || kept[at] {
		return
	}
	r := reader{b: programs[at:]}
	for first := true; ; first = false {
		if r.number() == 0 && !first || r.bad {
			break
		}
		r.number()
	}
	for k := at; k < len(programs)-len(r.b); k++ {
		kept[k] = true
	}
}
