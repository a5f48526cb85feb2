package e2e

import "math/rand/v2"

// stream returns n octets that the number decides.
func stream(number uint64, n int) []byte {
	var seed [32]byte
	for i := range 8 {
		seed[i] = byte(number >> (8 * i))
	}
	b := make([]byte, n)
	rand.NewChaCha8(seed).Read(b)
	return b
}
