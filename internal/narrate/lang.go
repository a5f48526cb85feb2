package narrate

import "strings"

// A Lang is a language that there are words in.
type Lang uint8

// The languages.
const (
	English Lang = iota
	Chinese
	langs
)

// ParseLang reads a language as people name it: en, zh, or a locale such as
// zh_CN.UTF-8. It reports whether there are words in that language.
func ParseLang(s string) (Lang, bool) {
	main, _, _ := strings.Cut(strings.ToLower(s), ".")
	main, _, _ = strings.Cut(strings.ReplaceAll(main, "_", "-"), "-")
	switch main {
	case "en", "english", "c", "posix":
		return English, true
	case "zh", "chinese", "cn", "中文":
		return Chinese, true
	}
	return English, false
}

// String is the language's two letters.
func (l Lang) String() string {
	if l == Chinese {
		return "zh"
	}
	return "en"
}

// Say gives the words of t. What stands in braces in them is replaced: of each pair
// the first is the name and the second what it stands for. A name in braces
// that begins with a capital begins a sentence.
func (l Lang) Say(t Text, pairs ...string) string {
	s := texts[t].words[l]
	for i := 0; i+1 < len(pairs); i += 2 {
		name, value := pairs[i], pairs[i+1]
		s = strings.ReplaceAll(s, "{"+name+"}", value)
		s = strings.ReplaceAll(s, "{"+upperFirst(name)+"}", upperName(value))
	}
	if l == Chinese {
		return spaced(s)
	}
	return s
}

// upperName begins a sentence with a name. Names that are written small stay so.
func upperName(s string) string {
	if strings.HasPrefix(s, "tcpkit") {
		return s
	}
	return upperFirst(s)
}

func upperFirst(s string) string {
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		return string(s[0]-'a'+'A') + s[1:]
	}
	return s
}

// spaced puts a space between a Chinese character and a Latin letter or a digit,
// as printers do.
func spaced(s string) string {
	var b strings.Builder
	var last rune
	for _, r := range s {
		if han(last) && latin(r) || latin(last) && han(r) {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
		last = r
	}
	return b.String()
}

func han(r rune) bool { return r >= 0x3400 && r <= 0x9fff || r >= 0x20000 && r <= 0x3ffff }

func latin(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}
