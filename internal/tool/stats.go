package tool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
	"zeroutils/internal/units"
)

// An Extra is what a tool adds to the statistics.
type Extra struct {
	Key   string   // in the JSON object
	Value any      // anything that encoding/json takes
	Lines []string // in the text
}

// PrintStats writes the report of a copy on standard error, if --stats was given.
//
// As text, that is
//
//	zcat: 536870912 bytes (537 MB, 512 MiB) copied, 0.0712 s, 7.5 GB/s, 1540 system calls, 0.00 CPU copies per byte
//	zcat: splice: 536870912 bytes
//	zcat: left copy_file_range for splice at byte 0: Invalid cross-device link
//
// with a line for each method that moved bytes, one for each change of method,
// one for a lease if it was asked for, and the lines of extra.
//
// As JSON it is one object on one line. Its keys:
//
//	version           1; it grows when a key changes its meaning or goes
//	tool              the name of the tool, as in messages
//	bytes             bytes delivered
//	seconds           elapsed time
//	bytes_per_second  their quotient, an integer, null if the time is 0
//	system_calls      system calls made
//	cpu_copied_bytes  bytes that a CPU copied, counted once for each copy
//	methods           bytes by method, without methods that moved none
//	fallbacks         the changes of method, in order: from, to, at (bytes
//	                  delivered before), count (how often it was seen), errno
//	                  (its name, "EXDEV", or null) and reason (its text)
//	lease             none, held, broken, refused or lost
//
// followed by the keys of extra. Bytes that are not UTF-8 appear as U+FFFD.
func (inv *Invocation) PrintStats(r splice.Report, extra ...Extra) {
	switch inv.stats {
	case "text":
		inv.say(inv.statsText(r, extra))
	case "json":
		inv.put(statsJSON(inv.Name, r, extra))
	}
}

// statsText returns the report as text, without the tool's name in front.
func (inv *Invocation) statsText(r splice.Report, extra []Extra) string {
	lines := []string{summary(r)}
	for m, n := range r.By {
		if n > 0 {
			lines = append(lines, fmt.Sprintf("%s: %s", splice.Method(m), units.Count(n, "byte")))
		}
	}
	for _, f := range r.Fallbacks {
		lines = append(lines, fallbackText(f))
	}
	if r.Lease != splice.LeaseNone {
		lines = append(lines, leaseText(r))
	}
	for _, e := range extra {
		lines = append(lines, e.Lines...)
	}
	return strings.Join(lines, "\n"+inv.Name+": ")
}

// summary is dd's line, followed by what only this engine counts.
func summary(r splice.Report) string {
	copies := 0.0
	if r.Delivered > 0 {
		copies = float64(r.Copied) / float64(r.Delivered)
	}
	return fmt.Sprintf("%s copied, %s s, %s, %s, %.2f CPU copies per byte",
		units.Bytes(r.Delivered), units.Seconds(r.Elapsed), units.Rate(r.Delivered, r.Elapsed),
		units.Count(r.Calls, "system call"), copies)
}

func fallbackText(f splice.Fallback) string {
	s := fmt.Sprintf("left %s for %s at byte %d", f.From, f.To, f.At)
	if f.Err != nil {
		s += ": " + ErrorText(f.Err)
	}
	if f.Count > 1 {
		s += fmt.Sprintf(" (%d times)", f.Count)
	}
	return s
}

func leaseText(r splice.Report) string {
	s := "lease: " + r.Lease.String()
	if r.LeaseErr != nil {
		s += ": " + ErrorText(r.LeaseErr)
	}
	return s
}

// jsonVersion is the version of the JSON object. New keys do not change it.
const jsonVersion = 1

// statsJSON returns the report as one line of JSON.
func statsJSON(tool string, r splice.Report, extra []Extra) []byte {
	o := object{
		{"version", jsonVersion},
		{"tool", tool},
		{"bytes", r.Delivered},
		{"seconds", r.Elapsed.Seconds()},
		{"bytes_per_second", perSecond(r)},
		{"system_calls", r.Calls},
		{"cpu_copied_bytes", r.Copied},
		{"methods", methodsObject(r)},
		{"fallbacks", fallbackObjects(r)},
		{"lease", r.Lease.String()},
	}
	for _, e := range extra {
		o = append(o, member{e.Key, e.Value})
	}
	line, err := o.MarshalJSON()
	if err != nil {
		panic(err) // a tool's Extra cannot be marshalled
	}
	return append(line, '\n')
}

// perSecond returns nil, JSON's null, if no time has passed.
func perSecond(r splice.Report) any {
	if r.Elapsed <= 0 {
		return nil
	}
	return int64(math.Round(float64(r.Delivered) / r.Elapsed.Seconds()))
}

func methodsObject(r splice.Report) object {
	o := object{}
	for m, n := range r.By {
		if n > 0 {
			o = append(o, member{splice.Method(m).String(), n})
		}
	}
	return o
}

func fallbackObjects(r splice.Report) []object {
	list := []object{}
	for _, f := range r.Fallbacks {
		list = append(list, object{
			{"from", f.From.String()},
			{"to", f.To.String()},
			{"at", f.At},
			{"count", f.Count},
			{"errno", errnoName(f.Err)},
			{"reason", reason(f.Err)},
		})
	}
	return list
}

// errnoName returns a name such as EXDEV, or nil.
func errnoName(err error) any {
	var errno unix.Errno
	if !errors.As(err, &errno) {
		return nil
	}
	if errno == unix.EOPNOTSUPP {
		return "EOPNOTSUPP" // as man pages have it, not ENOTSUP, which is the same number
	}
	if name := unix.ErrnoName(errno); name != "" {
		return name
	}
	return nil
}

func reason(err error) any {
	if err == nil {
		return nil
	}
	return ErrorText(err)
}

// An object is a JSON object whose members keep their order.
type object []member

type member struct {
	key   string
	value any
}

func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	separator := byte('{')
	for _, m := range o {
		b.WriteByte(separator)
		separator = ','
		if err := m.write(&b); err != nil {
			return nil, err
		}
	}
	if len(o) == 0 {
		b.WriteByte('{')
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func (m member) write(b *bytes.Buffer) error {
	key, err := json.Marshal(m.key)
	if err != nil {
		return err
	}
	value, err := json.Marshal(m.value)
	if err != nil {
		return err
	}
	b.Write(key)
	b.WriteByte(':')
	b.Write(value)
	return nil
}
