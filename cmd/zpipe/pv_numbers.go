package main

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"zeroutils/internal/tool"
)

var (
	errNotUnderstood = errors.New("numeric value not understood")
	errNoNumber      = errors.New("numeric argument expected")
	errNoInteger     = errors.New("integer argument expected")
	errNoProcess     = errors.New("invalid process ID")
)

// isDecimal reports whether a text is digits, with a point behind the first.
func isDecimal(text string) bool {
	whole, fraction, _ := strings.Cut(text, ".")
	return whole != "" && strings.Trim(whole+fraction, "0123456789") == ""
}

// quantity reads a number with a unit, K, M, G or T.
func (o *pvOptions) quantity(text string) (float64, error) {
	base, power := 1024.0, 0
	text = strings.TrimLeft(text, " \t")
	if o.look.SI {
		base = 1000
	}
	if text != "" {
		power = strings.Index("KMGT", strings.ToUpper(text[len(text)-1:])) + 1
	}
	if power > 0 {
		text = text[:len(text)-1]
	}
	if !isDecimal(text) {
		return 0, errNotUnderstood
	}
	v, err := strconv.ParseFloat(strings.TrimSuffix(text, "."), 64)
	return v * math.Pow(base, float64(power)), err
}

func (o *pvOptions) bytes(text string) (int64, error) {
	v, err := o.quantity(text)
	return int64(min(v, math.MaxInt64/2)), err
}

func (o *pvOptions) readSize(text string) (int64, error) {
	if strings.HasPrefix(text, "@") {
		return readSize(text)
	}
	return o.bytes(text)
}

func pvInteger(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, errNoInteger
	}
	return int(n), nil
}

// pvProcess reads the number of a process.
func pvProcess(text string) (int, error) {
	pid, err := pvInteger(text)
	if err == nil && pid == 0 {
		err = errNoProcess
	}
	return pid, err
}

func pvSeconds(text string) (time.Duration, error) {
	if !isDecimal(text) {
		return 0, errNoNumber
	}
	return tool.Seconds("interval", strings.TrimSuffix(text, "."))
}
