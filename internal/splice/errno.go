package splice

import "golang.org/x/sys/unix"

// This file alone decides which errnos lead to the next method. An errno that is not
// listed for a mechanism is final. A call that fails moves no offset, so the next
// method starts where the last byte was delivered.

// A refusal is the error of a mechanism that cannot serve, or no longer. Every byte
// that it has taken from the source is delivered.
type refusal struct{ errno error }

func (e *refusal) Error() string { return "refused: " + e.errno.Error() }

// refused reports whether the kernel, the filesystem or a container's seccomp filter
// does not support the call.
func refused(err error) bool {
	switch err {
	case unix.ENOSYS, // not in this kernel, or filtered by seccomp
		unix.EPERM,      // filtered by seccomp; immutable or sealed target, which write then names
		unix.EACCES,     // a security module
		unix.EOPNOTSUPP, // not on this filesystem
		unix.EINVAL,     // not for this kind of descriptor, or O_APPEND was set meanwhile
		unix.EBADF:      // not open for reading or writing, or O_APPEND: read or write says which
		return true
	}
	return false
}

// reflinkRefused: ioctl_ficlonerange(2). EIO, ENOSPC, EDQUOT and ENOMEM are
// final.
func reflinkRefused(err error) bool {
	switch err {
	case unix.EXDEV, // not one filesystem
		unix.ENOTTY,  // a filesystem without the ioctl
		unix.ETXTBSY: // a swap file
		return true
	}
	return refused(err)
}

// copyFileRangeRefused: copy_file_range(2).
func copyFileRangeRefused(err error) bool {
	switch err {
	case unix.EXDEV, // between filesystems, before Linux 5.19 or on some still
		unix.ENOTTY,  // FUSE servers
		unix.ETXTBSY, // a swap file
		unix.ENOENT,  // CIFS
		unix.ENOMEM,  // a kernel buffer that read and write do not need
		unix.EFBIG:   // also with nothing left to copy, at an offset near 2^63-1
		return true
	}
	return refused(err) || ambiguous(err)
}

// sendfileRefused: sendfile(2), whose source must be seekable and have pages.
func sendfileRefused(err error) bool {
	switch err {
	case unix.ESPIPE,
		unix.ENOMEM,    // no kernel pipe
		unix.ETXTBSY,   // a swap file
		unix.EOVERFLOW: // the offset does not fit
		return true
	}
	return refused(err) || ambiguous(err)
}

// ambiguous reports whether an errno of a call that both reads and writes comes from a
// disk or a server in trouble. read and write at the same offsets then tell which side
// it is.
func ambiguous(err error) bool {
	switch err {
	case unix.EIO,
		unix.ESTALE, unix.ETIMEDOUT, unix.EHOSTDOWN, unix.EREMOTEIO, // NFS, CIFS
		unix.ENOTCONN, unix.ECONNABORTED, // FUSE, whose server has gone
		unix.EUCLEAN, unix.EBADMSG, unix.ENODATA, // a checksum, a medium
		unix.ENOKEY: // an encrypted file without its key
		return true
	}
	return false
}

// spliceInRefused: splice(2) from a source into an empty private pipe.
func spliceInRefused(err error) bool {
	switch err {
	case unix.EISDIR, // read says it again, as the source's own error
		unix.ENOMEM: // no page array
		return true
	}
	return refused(err)
}

// spliceOutRefused: splice(2) from the private pipe into a sink. EIO may be
// the disk's that a page in the pipe was read from, or the sink's: read and
// write on the same bytes tell.
func spliceOutRefused(err error) bool {
	switch err {
	case unix.EIO, unix.ENOMEM, unix.ETXTBSY, unix.ESPIPE:
		return true
	}
	return refused(err)
}

// directRefused: O_DIRECT. EINVAL is an alignment the filesystem does not
// take; it comes from open, read or write.
func directRefused(err error) bool {
	switch err {
	case unix.ENOENT, // no /proc to open the file a second time through
		unix.ENOTDIR, unix.ELOOP, unix.ENXIO, unix.EROFS, unix.ETXTBSY,
		unix.EMFILE, unix.ENFILE, unix.ENOMEM:
		return true
	}
	return refused(err)
}

// mmapRefused: mmap(2). ENODEV is a filesystem or device without mappings,
// EAGAIN and ENOMEM are limits.
func mmapRefused(err error) bool {
	switch err {
	case unix.ENODEV, unix.EAGAIN, unix.ENOMEM, unix.ENXIO, unix.EOVERFLOW, unix.ETXTBSY:
		return true
	}
	return refused(err)
}
