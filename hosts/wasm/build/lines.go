package build

import (
	"bytes"
	"encoding/binary"
)

// What the runtime knows of functions stands in a table, runtime.pclntab, whose
// header and records are the structs pcHeader and _func of Go's package runtime.
const (
	tableMagic  = "\xf1\xff\xff\xff\x00\x00\x01\x08" // of Go 1.20 and later, octets as instruction size, 8 to a pointer
	tableHeader = 72
	functions   = 8  // in the header: how many functions
	programs    = 56 // in the header: where the tables by program counter begin
	records     = 64 // in the header: where the list of functions begins

	recordSize  = 44
	recordStack = 16 // in a record: the table of stack depths
	recordFile  = 20 // in a record: the table of files
	recordLine  = 24 // in a record: the table of lines
	recordMore  = 28 // in a record: how many more tables follow it
)

// dropLines clears, where memory holds the table of functions, what tells the file
// and the line of an instruction. The runtime takes 0 for "there is no table". A
// table of another form is left alone.
func dropLines(memory []byte) {
	start := bytes.Index(memory, []byte(tableMagic))
	if start < 0 || len(memory)-start < tableHeader {
		return
	}
	table := memory[start:]
	word := func(at int) int { return int(binary.LittleEndian.Uint32(table[at:])) }
	n, from, list := word(functions), word(programs), word(records)
	if from > list || list+8*n > len(table) {
		return
	}
	programs := table[from:list]
	kept := make([]bool, len(programs))
	var places []int
	for k := range n {
		record := list + word(list+8*k+4)
		if record+recordSize > len(table) || record+recordSize+4*word(record+recordMore) > len(table) {
			return
		}
		places = append(places, record)
		keep(kept, programs, word(record+recordStack))
		for more := range word(record + recordMore) {
			keep(kept, programs, word(record+recordSize+4*more))
		}
	}
	for _, record := range places {
		clear(table[record+recordFile : record+recordLine+4])
	}
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
