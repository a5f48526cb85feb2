package plugins

import (
	"strconv"

	"github.com/tcpkit/tcpkit/core/clock"
)

// An Option is what the user of a plugin can set.
type Option struct {
	Name    string
	Type    OptionType
	Default string
	Text    string // what it is for
}

// An OptionType says what values an option has.
type OptionType uint8

// The types.
const (
	OptionInt OptionType = iota
	OptionBool
	OptionDuration
	OptionString
	optionTypes
)

var typeNames = []string{"int", "bool", "duration", "string"}

// examples go with what is said of a wrong value.
var examples = [optionTypes]string{"a whole number, such as 7", "true or false", "a time, such as 250ms or 2s", "text"}

// String is the name in a manifest.
func (t OptionType) String() string { return typeNames[t%optionTypes] }

// maxValue bounds the value of an option.
const maxValue = 256

// number is what the plugin finds among its arguments for a value.
func (t OptionType) number(value string) (n uint64, ok bool) {
	switch t {
	case OptionInt:
		v, ok := parseInt(value)
		return uint64(v), ok
	case OptionBool:
		switch value {
		case "true", "yes", "on", "1":
			return 1, true
		case "false", "no", "off", "0":
			return 0, true
		}
		return 0, false
	case OptionDuration:
		d, err := parseDuration(value)
		return uint64(d), err == nil
	default:
		return 0, true
	}
}

// guess is the type of an option whose manifest names none.
func guess(value string) OptionType {
	for _, t := range [...]OptionType{OptionInt, OptionDuration} {
		if _, ok := t.number(value); ok {
			return t
		}
	}
	if value == "true" || value == "false" {
		return OptionBool
	}
	return OptionString
}

// parseOption reads "NAME DEFAULT [TYPE] [TEXT]".
func parseOption(text string) (o Option, err error) {
	var rest string
	o.Name, rest = cut(text)
	if rest == "" {
		return o, Error("the option " + quote(o.Name) + " has no default; write it behind the name")
	}
	if err := checkName(o.Name); err != nil {
		return o, err
	}
	if o.Name == keyAllow || o.Name == keyName {
		return o, Error("the option name " + quote(o.Name) + " is taken; choose another one")
	}
	if rest[0] == '"' {
		end := index(rest[1:], '"')
		if end < 0 {
			return o, Error("the default of the option " + quote(o.Name) + " has no end; close its quotation mark")
		}
		o.Default, rest = rest[1:1+end], trim(rest[2+end:])
	} else {
		o.Default, rest = cut(rest)
	}
	o.Type, o.Text = guess(o.Default), rest
	word, behind := cut(rest)
	for t, name := range typeNames {
		if word == name {
			o.Type, o.Text = OptionType(t), behind
		}
	}
	return o, o.check(o.Default)
}

func (o *Option) check(value string) error {
	if _, ok := o.Type.number(value); !ok {
		return Error("the option " + quote(o.Name) + " is " + examples[o.Type] + ", and not " + quote(value))
	}
	if len(value) > maxValue {
		return Error("the value of the option " + quote(o.Name) + " is longer than " + strconv.Itoa(maxValue) + " octets")
	}
	for i := range len(value) {
		if value[i] < ' ' || value[i] == 0x7f {
			return Error("the value of the option " + quote(o.Name) + " has a control character")
		}
	}
	return nil
}

func (m *Manifest) addOption(o Option) error {
	for i := range m.Options {
		if m.Options[i].Name == o.Name {
			return Error("there is an option " + quote(o.Name) + " already; rename one of them")
		}
	}
	m.Options = append(m.Options, o)
	return nil
}

// settings are the values of a plugin's options.
type settings struct {
	numbers [8]uint64 // the first that are numbers, in the order of the manifest
	text    []byte    // all: "key=value\n"
}

// values gives the options their values: the defaults, and what the user has set.
func (m *Manifest) values(set []string) (s settings, problems []error) {
	values := make([]string, len(m.Options))
	names := make([]string, len(m.Options))
	for i := range m.Options {
		values[i], names[i] = m.Options[i].Default, m.Options[i].Name
	}
words:
	for _, word := range set {
		key, value, ok := cutAt(word, '=')
		if !ok {
			problems = append(problems, Error(quote(word)+" sets nothing; write it as name=value"))
			continue
		}
		for i := range names {
			if names[i] == key {
				if err := m.Options[i].check(value); err != nil {
					problems = append(problems, err)
				}
				values[i] = value
				continue words
			}
		}
		problems = append(problems, Error("it has no option "+quote(key)+slip(key, names)))
	}
	k := 0
	for i, value := range values {
		s.text = append(s.text, names[i]+"="+value+"\n"...)
		if t := m.Options[i].Type; t != OptionString && k < len(s.numbers) {
			s.numbers[k], _ = t.number(value)
			k++
		}
	}
	return s, problems
}

var units = [...]struct {
	name string
	span clock.Duration
}{
	{"ns", clock.Nanosecond}, {"us", clock.Microsecond}, {"ms", clock.Millisecond},
	{"s", clock.Second}, {"m", clock.Minute}, {"h", clock.Hour},
}

// parseDuration reads "250ms" or "1.5s".
func parseDuration(text string) (clock.Duration, error) {
	wrong := Error(quote(text) + " is no time; write one as 250ms or 2s, with ns, us, ms, s, m or h")
	end := len(text)
	for end > 0 && (text[end-1] < '0' || text[end-1] > '9') {
		end--
	}
	whole, part, isPart := cutAt(text[:end], '.')
	for _, u := range units {
		if u.name != text[end:] {
			continue
		}
		n, ok := parseUint(whole)
		const longest = 1 << 62
		if !ok || n > longest/uint64(u.span) || isPart && part == "" {
			return 0, wrong
		}
		d, tenth := clock.Duration(n)*u.span, u.span/10
		for i := range len(part) {
			if part[i] < '0' || part[i] > '9' {
				return 0, wrong
			}
			d += clock.Duration(part[i]-'0') * tenth
			tenth /= 10
		}
		return d, nil
	}
	return 0, wrong
}

// The words that a Spec has beside the options of the plugin.
const (
	keyAllow = "allow"
	keyName  = "name"
)

// ParseSpec reads how a user names a plugin: the file, and behind commas its
// options, what it is allowed, and what to call it:
//
//	drop-nth.wasm,n=7,name=seventh,allow=payload+lab
func ParseSpec(spec string) (file string, o Options, err error) {
	file, rest, _ := cutAt(spec, ',')
	for _, word := range split(rest, ',') {
		key, value, _ := cutAt(word, '=')
		switch key {
		case "":
			if word != "" {
				return file, o, Error(quote(word) + " sets nothing; write it as name=value")
			}
		case keyName:
			o.Name = value
			if err := checkName(value); err != nil {
				return file, o, err
			}
		case keyAllow:
			for _, name := range split(value, '+') {
				g, err := ParseGrant(name)
				if err != nil {
					return file, o, err
				}
				o.Allow |= g
			}
		default:
			o.Set = append(o.Set, word)
		}
	}
	return file, o, nil
}
