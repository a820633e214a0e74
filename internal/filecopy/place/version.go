package place

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// KernelIs reports whether the running kernel is of a version or a later one.
func KernelIs(major, minor int) bool {
	at := version()
	return at[0] > major || at[0] == major && at[1] >= minor
}

// version is 0.0 if it cannot be told.
var version = sync.OnceValue(func() (at [2]int) {
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		_, _ = fmt.Sscanf(unix.ByteSliceToString(name.Release[:]), "%d.%d", &at[0], &at[1])
	}
	return at
})
