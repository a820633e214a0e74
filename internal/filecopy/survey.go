package filecopy

import (
	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

// A Survey counts what there is to copy. It may run beside the copy.
type Survey struct {
	Files, Bytes int64 // regular files, and their sizes

	links Links
	trees bool
	one   bool // on one filesystem only
	stop  func() bool
	buf   []byte
}

// Take counts the regular files among the sources and, if the options say so,
// below them. It returns nil if stop said so meanwhile, or where links lead
// round in circles.
func Take(sources []string, o Options, stop func() bool) *Survey {
	s := &Survey{links: o.Links, trees: o.Recursive, one: o.OneFilesystem, stop: stop, buf: make([]byte, place.DirentBuffer)}
	for _, source := range sources {
		if !s.count(place.Path(source), 0) {
			return nil
		}
	}
	return s
}

// deepest is where a survey gives up: a copy would go on, for years perhaps.
const deepest = 1000

// count returns false if there is no point in going on. What cannot be looked
// at is not counted: the copy will say so.
func (s *Survey) count(p place.Place, depth int) bool {
	flags := 0
	if s.links == CopyLinks || s.links == FollowNamed && depth > 0 {
		flags = unix.AT_SYMLINK_NOFOLLOW
	}
	var st unix.Stat_t
	switch err := place.Stat(p, &st, flags); {
	case s.stop() || depth > deepest:
		return false
	case err != nil:
	case place.IsKind(&st, unix.S_IFREG):
		s.Files++
		s.Bytes += st.Size
	case place.IsKind(&st, unix.S_IFDIR) && s.trees && !(s.one && depth > 0 && uint64(st.Dev) != p.Dir.ID.Dev):
		return s.below(p, depth)
	}
	return true
}

func (s *Survey) below(p place.Place, depth int) bool {
	flags := place.DirectoryFlags
	if s.links == FollowLinks || s.links == FollowNamed && depth == 0 {
		flags &^= unix.O_NOFOLLOW
	}
	dir, err := place.OpenAs(p, flags, new(unix.Stat_t))
	if err != nil {
		return true
	}
	defer dir.Close()
	names, _ := place.ReadNames(dir.FD, s.buf)
	for _, found := range names.Entries {
		if !s.count(place.In(dir, names.Name(found)), depth+1) {
			return false
		}
	}
	return true
}
