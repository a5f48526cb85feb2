package main

import (
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
)

// A configKey is one number of the engine's Config by its name on the command
// line: RTOMin is rto-min.
type configKey struct {
	key   string
	value reflect.Value
}

// configKeys walks the Config and what it is made of. What the command line has
// no words for (secrets, functions) is left out.
func configKeys(cfg *core.Config) []configKey {
	return walkConfig(reflect.ValueOf(cfg).Elem(), nil)
}

func walkConfig(v reflect.Value, keys []configKey) []configKey {
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		if !field.IsExported() {
			continue
		}
		switch value.Kind() {
		case reflect.Struct:
			keys = walkConfig(value, keys)
		case reflect.Bool, reflect.Int, reflect.Int64, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Interface:
			if value.Kind() == reflect.Interface && value.Type() != reflect.TypeFor[cc.Controller]() {
				continue
			}
			keys = append(keys, configKey{kebab(field.Name), value})
		}
	}
	return keys
}

// kebab writes a Go name as a word of the command line: RTOMin is rto-min.
func kebab(name string) string {
	upper := func(i int) bool { return i < len(name) && name[i] >= 'A' && name[i] <= 'Z' }
	var b strings.Builder
	for i := range len(name) {
		if upper(i) && i > 0 && (!upper(i-1) || i+1 < len(name) && !upper(i+1) && name[i+1] >= 'a') {
			b.WriteByte('-')
		}
		b.WriteByte(name[i])
	}
	return strings.ToLower(b.String())
}

// setConfig carries out one --set KEY=VALUE.
func setConfig(cfg *core.Config, kv string) error {
	key, text, ok := strings.Cut(kv, "=")
	if !ok || key == "" {
		return usagef("bad --set %q: not KEY=VALUE; give one like rto-min=50ms, or see --set help", kv)
	}
	for _, k := range configKeys(cfg) {
		if k.key == kebab(key) || k.key == strings.ToLower(key) {
			if err := setValue(k.value, text); err != nil {
				return usagef("bad --set %s: %v", kv, err)
			}
			return nil
		}
	}
	return usagef("bad --set %q: there is no %q; --set help lists what there is", kv, key)
}

func setValue(v reflect.Value, text string) error {
	switch {
	case v.Type() == reflect.TypeFor[cc.Controller]():
		c, ok := cc.ByName(text)
		if !ok {
			return fmt.Errorf("no such congestion control; give one of %s", controllers())
		}
		v.Set(reflect.ValueOf(c))
	case v.Type() == reflect.TypeFor[clock.Duration]():
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return fmt.Errorf("%q is no time; give one like 200ms or 2h", text)
		}
		v.SetInt(int64(d))
	case v.Kind() == reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		v.SetBool(b)
	default:
		n, err := parseSize(text)
		if err != nil {
			return err
		}
		if v.CanInt() {
			if v.OverflowInt(n) {
				return fmt.Errorf("%d is too large", n)
			}
			v.SetInt(n)
			return nil
		}
		if v.OverflowUint(uint64(n)) {
			return fmt.Errorf("%d is too large; at most %d", n, uint64(1)<<v.Type().Bits()-1)
		}
		v.SetUint(uint64(n))
	}
	return nil
}

// printConfig lists every key with its value, for --set help.
func printConfig(w io.Writer, cfg *core.Config) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, k := range configKeys(cfg) {
		var value any = k.value.Interface()
		switch v := value.(type) {
		case clock.Duration:
			value = time.Duration(v)
		case cc.Controller:
			value = v.Name()
		}
		fmt.Fprintf(t, "%s\t%v\n", k.key, value)
	}
	return t.Flush()
}
