package splice

import "golang.org/x/sys/unix"

// reflink makes the empty sink share all extents of the source. It looks once
// more whether the sink is empty: who shares its offset may have written since
// it was described.
func reflink(t *transfer) error {
	if at, err := t.seek(t.dst.FD, 0, unix.SEEK_CUR); err != nil || at > 0 {
		return &notThisWay{ErrNotEmpty}
	}
	if err := t.clone(t.dst.FD, t.src.FD); err != nil {
		if reflinkRefused(err) {
			return &notThisWay{err}
		}
		return &WriteError{err}
	}
	// The ioctl moves no offset, and the source may have grown since it was
	// described: the sink's size is what was cloned.
	size, err := t.seek(t.dst.FD, 0, unix.SEEK_END)
	if err != nil {
		return &WriteError{err}
	}
	if _, err := t.seek(t.src.FD, size, unix.SEEK_SET); err != nil {
		return &ReadError{err}
	}
	return t.delivered(size)
}
