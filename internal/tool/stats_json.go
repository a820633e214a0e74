package tool

import (
	"bytes"
	"encoding/json"
	"errors"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
)

// statsJSON is the report for programs, one line.
func statsJSON(tool string, r splice.Report, extra []Extra) []byte {
	o := object{
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

// perSecond is nil, and so null, where there is no number.
func perSecond(r splice.Report) any {
	if r.Elapsed <= 0 {
		return nil
	}
	return float64(r.Delivered) / r.Elapsed.Seconds()
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

// errnoName is a name like EXDEV, or nil.
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
