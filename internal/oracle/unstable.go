package oracle

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zeroutils/internal/testfs"
	"zeroutils/internal/unstable"
)

// Newest returns a program of Debian's unstable suite, from the package that has
// it, as a script that lasts as long as the test. It is fetched once and kept in
// a cache. That takes apt with a source of Debian's, and the network the first
// time.
func Newest(t testing.TB, pkg, program string) Program {
	t.Helper()
	for _, needed := range []string{"apt-get", "dpkg-deb"} {
		testfs.Need(t, needed)
	}
	command, err := unstable.Command(pkg, program)
	if err != nil {
		testfs.Unavailable(t, fmt.Sprintf("%s of Debian unstable: %v", program, err))
	}
	dir, err := os.MkdirTemp("", "unstable-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	script := filepath.Join(dir, program)
	text := "#!/bin/sh\nexec '" + strings.Join(command, "' '") + "' \"$@\"\n"
	if err := errors.Join(os.WriteFile(script, []byte(text), 0o755), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	return Program{script, program}
}
