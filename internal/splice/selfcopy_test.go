package splice

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestACopyOfAFileOntoItselfIsSeen(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(dst, src *Descriptor)
		want   bool
	}{
		{"cat <f >>f", func(dst, _ *Descriptor) { dst.Flags = unix.O_APPEND }, true},
		{"cat f >f, which is empty by now", func(dst, src *Descriptor) { dst.Stat.Size, src.Stat.Size = 0, 0 }, false},
		{"reading behind the end of what is appended to", func(dst, src *Descriptor) {
			dst.Flags, src.Offset = unix.O_APPEND, 100
		}, false},
		{"reading before the writing offset", func(dst, _ *Descriptor) { dst.Offset = 50 }, true},
		{"cat <>f 1<>f: both at the start", func(_, _ *Descriptor) {}, false},
		{"reading ahead of the writing offset", func(_, src *Descriptor) { src.Offset = 50 }, false},
		{"another file of the device", func(dst, _ *Descriptor) { dst.Stat.Ino, dst.Offset = 2, 50 }, false},
		{"the same number on another device", func(dst, _ *Descriptor) { dst.Stat.Dev, dst.Offset = 2, 50 }, false},
		{"cat <>tty >>tty", func(dst, src *Descriptor) {
			dst.Kind, src.Kind, dst.Flags = Terminal, Terminal, unix.O_APPEND
		}, false},
		{"one pipe at both ends", func(dst, src *Descriptor) { dst.Kind, src.Kind = Pipe, Pipe }, false},
	} {
		src, dst := &Descriptor{Kind: Regular}, &Descriptor{Kind: Regular}
		src.Stat.Size, dst.Stat.Size = 100, 100
		c.change(dst, src)
		if got := CopiesOntoItself(dst, src); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
