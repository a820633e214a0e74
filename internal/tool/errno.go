package tool

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
)

// ErrorText is what a user is told of an error. If the kernel is behind it,
// that is strerror(3) of the errno, as the GNU C library has it; what wraps the
// errno is dropped, for messages of tools name the file and the operation
// themselves.
func ErrorText(err error) string {
	if unserved := (*splice.UnservedError)(nil); errors.As(err, &unserved) {
		return unservedText(*unserved)
	}
	if hole := (*splice.HoleError)(nil); errors.As(err, &hole) {
		return ErrorText(hole.Err) + hole.Where()
	}
	if errno := unix.Errno(0); errors.As(err, &errno) {
		return strerror(errno)
	}
	return withoutSide(err).Error()
}

// unservedText keeps what the error says of the method besides the errno.
func unservedText(e splice.UnservedError) string {
	errno := e.Errno
	e.Errno = nil
	if errno == nil {
		return e.Error()
	}
	return e.Error() + ": " + ErrorText(errno)
}

// withoutSide takes off the engine's note of whether reading or writing failed.
func withoutSide(err error) error {
	if read := (*splice.ReadError)(nil); errors.As(err, &read) {
		return read.Err
	}
	if write := (*splice.WriteError)(nil); errors.As(err, &write) {
		return write.Err
	}
	return err
}

// strerror derives the C library's text from Go's, which differs in the first
// letter, and in the errnos that Go does not know.
func strerror(errno unix.Errno) string {
	const ehwpoison = 133
	text := errno.Error()
	switch {
	case errno == 0:
		return "Success"
	case errno == ehwpoison:
		return "Memory page has hardware error"
	case strings.HasPrefix(text, "errno "):
		return fmt.Sprintf("Unknown error %d", int(errno))
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
