// Probe prints on descriptor 3 what package procstart knows, and for each of
// the descriptors 0 to 2 that was closed what it refers to now and what reading
// and writing it says.
package main

import (
	"fmt"
	"os"
	"syscall"

	"zeroutils/internal/procstart"
)

func main() {
	report := os.NewFile(3, "report")
	fmt.Fprintf(report, "recorded %t\nignored %v\nblocked %v\n", procstart.Recorded(), list(procstart.Ignored), list(procstart.Blocked))
	for fd := range 3 {
		if procstart.Closed(fd) {
			name, _ := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
			_, readErr := syscall.Read(fd, make([]byte, 1))
			_, writeErr := syscall.Write(fd, make([]byte, 1))
			fmt.Fprintf(report, "closed %d: %s, %v, %v\n", fd, name, readErr, writeErr)
		}
	}
}

func list(has func(syscall.Signal) bool) []int {
	found := []int{}
	for sig := 1; sig <= 64; sig++ {
		if has(syscall.Signal(sig)) {
			found = append(found, sig)
		}
	}
	return found
}
