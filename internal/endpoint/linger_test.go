package endpoint

import (
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
)

// An eventfd refuses TIOCOUTQ, as a TCP socket does on gVisor.
func TestNobodyLingersWhereTheKernelDoesNotTellWhatIsLeft(t *testing.T) {
	fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if _, err := unix.IoctlGetInt(fd, unix.TIOCOUTQ); err == nil {
		t.Fatal("an eventfd answers TIOCOUTQ")
	}
	s := &Stream{Endpoint: Endpoint{Kind: TCP}, Out: &splice.Descriptor{FD: fd}}
	if err := s.Linger(0); err != nil {
		t.Error(err)
	}
}
