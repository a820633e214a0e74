package filecopy

import (
	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

// sources are the files that were copied, of those that go when all of what the
// user named is copied. Only they are removed, and only as they were copied. A
// file takes 16 bytes and the room for growth of place.Identities. A nil *sources
// remembers nothing.
type sources struct {
	copied place.Identities // when the state of each changed last, in the place of its birth
}

// note remembers a file as it was before it was copied.
func (s *sources) note(st *unix.Stat_t) {
	if s != nil {
		s.copied.Add(place.Identity{FileID: place.IDOf(st), Born: st.Ctim.Nano()})
	}
}

// finishFile remembers a regular file, if its copy is as long.
func (s *sources) finishFile(dst, src *file) *Problem {
	if s == nil {
		return nil
	}
	var to unix.Stat_t
	if err := place.Fstat(dst.fd, &to); err != nil {
		return &Problem{What: StatDest, Dest: dst.at.Path(), Err: err}
	}
	if !place.IsKind(&to, unix.S_IFREG) || to.Size != src.stat.Size {
		return &Problem{What: Differs, Source: src.at.Path(), Dest: dst.at.Path(), Err: plainError("in length")}
	}
	s.note(&src.stat)
	return nil
}

// A verdict is what may become of a source.
type verdict uint8

const (
	goes      verdict = iota // it was copied, and is as it was
	stranger                 // it was not there when its directory was listed
	different                // it has changed since it was copied
)

// judge says what may become of a file that is found where sources were.
func (s *sources) judge(st *unix.Stat_t) verdict {
	changed, known := s.copied.Born(place.IDOf(st))
	switch {
	case !known:
		return stranger
	case !place.IsKind(st, unix.S_IFDIR) && changed != st.Ctim.Nano():
		return different
	}
	return goes
}
