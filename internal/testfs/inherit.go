package testfs

import (
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// init makes tests independent of how `go test` was started: what they start
// inherits no other descriptors than they say, ignores no signals, and knows
// no locale or setting of the user's. A tool that a test has started by the
// test's own binary, under the tool's name, keeps what the test gave it.
func init() {
	if !strings.HasSuffix(filepath.Base(os.Args[0]), ".test") {
		return
	}
	closeOnExec()
	for sig := syscall.Signal(1); sig < 32; sig++ { // real-time signals cannot be ignored in a shell
		if signal.Ignored(sig) {
			signal.Notify(make(chan os.Signal, 1), sig) // a handler is the default action after exec
		}
	}
	unix.Umask(0o022)
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		switch {
		case name == "LANG", name == "LANGUAGE", strings.HasPrefix(name, "LC_"),
			name == "POSIXLY_CORRECT", name == "ZEROUTILS_METHOD", name == "COLUMNS", name == "LINES",
			name == "VERSION_CONTROL", name == "SIMPLE_BACKUP_SUFFIX", name == "TIME_STYLE", name == "QUOTING_STYLE":
			os.Unsetenv(name)
		}
	}
}

// closeOnExec keeps descriptors above 2 from programs that are executed. Go has
// none that would have to be kept.
func closeOnExec() {
	entries, _ := os.ReadDir("/proc/self/fd") // without /proc they stay
	for _, entry := range entries {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
}
