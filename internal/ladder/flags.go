package ladder

import "strings"

var flagLetters = [...]struct {
	letter rune
	name   string
}{
	{'S', "SYN"}, {'F', "FIN"}, {'R', "RST"}, {'P', "PSH"}, {'U', "URG"}, {'E', "ECE"}, {'W', "CWR"}, {'.', "ACK"},
}

// FlagNames names the control bits, given in packetdrill's letters, as the RFC
// does: "S." is "SYN ACK".
func FlagNames(letters string) string {
	var names []string
	for _, f := range flagLetters {
		if hasFlag(letters, f.letter) {
			names = append(names, f.name)
		}
	}
	return strings.Join(names, " ")
}

func hasFlag(letters string, flag rune) bool { return strings.ContainsRune(letters, flag) }
