package kit

import (
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/plugins"
)

// A Kit is one instance of the module.
type Kit struct {
	Engine plugins.Engine // of plugins; nil: there is none
	Buffer []byte

	stacks table[*stack]
	runs   table[*run]
	files  map[string][]byte // of plugins
	packet packet.Packet     // of the call at hand

	filesHeld int // octets of all files
}

// Again is what a call returns that can do nothing now and is no error.
const Again = -1 << 31

// Bounds of what a caller can ask for.
const (
	bufferLeast = 4096
	bufferMost  = 64 << 20
	filesMost   = 64
	filesOctets = 64 << 20 // of all of them
	stacksMost  = 1024
)

// Room makes the buffer hold size octets, and reports whether there can be so many.
// What is in it stays only if it does not move.
func (k *Kit) Room(size uint32) bool {
	if size > bufferMost {
		return false
	}
	if int(size) > len(k.Buffer) || k.Buffer == nil {
		k.Buffer = make([]byte, max(int(size), bufferLeast))
	}
	return true
}

// Put leaves octets in the buffer, as a caller does, and returns how many they are.
func (k *Kit) Put(octets []byte) uint32 { return uint32(k.give(octets)) }

// given is what the caller has left in the buffer.
func (k *Kit) given(size uint32) ([]byte, error) {
	if uint64(size) > uint64(len(k.Buffer)) {
		return nil, errNotGiven
	}
	return k.Buffer[:size], nil
}

// text is a copy of that.
func (k *Kit) text(size uint32) (string, error) {
	b, err := k.given(size)
	return string(b), err
}

const (
	errNotGiven plugins.Error = "there is less in the buffer than that; ask tcpkit_buffer for its size first"
	errTooLarge plugins.Error = "that is more than the buffer holds; ask for a part of it"
	errHandle   plugins.Error = "there is nothing behind this handle; it was freed, or never given"
)

// give leaves b in the buffer and returns its size.
func (k *Kit) give(b []byte) int32 {
	if !k.Room(uint32(min(len(b), bufferMost+1))) {
		return k.fail(errTooLarge)
	}
	return int32(copy(k.Buffer, b))
}

// write has f append to the buffer, from its beginning, and returns how much that was:
// what is large is not made elsewhere first.
func (k *Kit) write(f func(b []byte) []byte) int32 {
	b := f(k.Buffer[:0])
	if len(b) > bufferMost {
		return k.fail(errTooLarge)
	}
	k.Buffer = b[:min(cap(b), bufferMost)]
	return int32(len(b))
}

// fail leaves an error in the buffer and returns its size as a negative number.
func (k *Kit) fail(err error) int32 {
	const most = 64 << 10
	text := []byte(err.Error())
	return -k.give(text[:min(len(text), most)])
}

// done is the result of a call that leaves nothing behind but perhaps an error.
func (k *Kit) done(err error) int32 {
	if err != nil {
		return k.fail(err)
	}
	return 0
}

// number is the result of a call that returns a count.
func (k *Kit) number(n int, err error) int32 {
	switch {
	case err == nil || n > 0:
		return int32(n)
	case err == tcp.ErrWouldBlock:
		return Again
	}
	return k.fail(err)
}

// File gives a plugin's file a name: the buffer holds both, one after the other.
func (k *Kit) File(nameSize, size uint32) int32 {
	b, err := k.given(size)
	if err != nil || nameSize == 0 || nameSize > size {
		return k.fail(errNotGiven)
	}
	name := string(b[:nameSize])
	before, there := k.files[name]
	octets := k.filesHeld - len(before) + len(b[nameSize:])
	if !there && len(k.files) >= filesMost || octets > filesOctets {
		return k.fail(plugins.Error("the files are too many, or too large"))
	}
	if k.files == nil {
		k.files = make(map[string][]byte)
	}
	k.files[name] = append([]byte(nil), b[nameSize:]...)
	k.filesHeld = octets
	return 0
}

// load starts the plugin that a specification names.
func (k *Kit) load(e plugins.Engine, spec string, o plugins.Options) (*plugins.Plugin, error) {
	name, asked, err := plugins.ParseSpec(spec)
	if err != nil {
		return nil, err
	}
	file, there := k.files[name]
	if !there {
		return nil, plugins.Error("there is no file \"" + name + "\" for a plugin; give it by tcpkit_file first")
	}
	if k.Engine == nil {
		return nil, plugins.Error("plugins do not run here")
	}
	asked.Key, asked.Now, asked.MTU = o.Key, o.Now, o.MTU
	return plugins.Load(e, file, asked)
}
