package oracle

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"zeroutils/internal/testfs"
)

// Newest returns a program of Debian's unstable suite, from the package that has
// it. It is unpacked beside the system and runs with the loader and the libraries
// of that suite, so that the system has no part in it. It is fetched once and kept
// in a cache.
//
// It takes apt with a source of Debian's, and the network the first time.
func Newest(t testing.TB, pkg, program string) Program {
	t.Helper()
	for _, needed := range []string{"apt-get", "dpkg-deb"} {
		testfs.Need(t, needed)
	}
	path, err := fetch(pkg, program)
	if err != nil {
		testfs.Unavailable(t, fmt.Sprintf("%s of Debian unstable: %v", program, err))
	}
	return Program{path, program}
}

// fetchScript unpacks the package $2 and all that it depends on below $1. The
// suite has a state and a configuration of its own, beside those of the system,
// and comes from where the system's packages come from. In the end the file
// loader leads to the suite's dynamic loader, and the file libraries lists where
// its libraries are.
const fetchScript = `set -eu
cd "$1"
root=$PWD
mkdir -p lists/partial archives/partial parts
: >status
uri=$(sed -n 's/^URIs: *\([^ ]*debian\)\/*$/\1/p; s/^deb  *\(\[[^]]*\] *\)\{0,1\}\([a-z]*:[^ ]*debian\)\/*  *.*/\2/p' \
	/etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null | head -n 1)
[ -n "$uri" ] || { echo "apt has no source of Debian's" >&2; exit 1; }
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri unstable main" >sources.list
cat >apt.conf <<END
Dir::State "$root"; Dir::State::status "$root/status"; Dir::State::Lists "$root/lists";
Dir::Cache "$root"; Dir::Cache::Archives "$root/archives";
Dir::Etc::SourceList "$root/sources.list"; Dir::Etc::SourceParts "$root/parts";
APT::Sandbox::User ""; Acquire::Languages "none"; Debug::NoLocking "true";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
END
export APT_CONFIG=$root/apt.conf
apt-get update -qq
apt-get install -qq -y --download-only --no-install-recommends "$2"
for deb in archives/*.deb; do dpkg-deb -x "$deb" tree; done
rm -rf tree/usr/share lists archives parts status sources.list apt.conf pkgcache.bin srcpkgcache.bin
loader=$(find tree -name 'ld-linux*' | head -n 1)
[ -n "$loader" ]
ln -s "$loader" loader
find tree -name '*.so.[0-9]*' | sed 's,/[^/]*$,,' | sort -u >libraries
`

// runScript starts a program: the directory where all is unpacked, the name, and
// where the libraries are.
const runScript = `#!/bin/sh
exec '%[1]s/loader' --argv0 '%[2]s' --library-path '%[3]s' '%[1]s/tree/usr/bin/%[2]s' "$@"
`

// fetch returns the script that runs a program, and fetches it where it is not
// there. Test processes that run side by side fetch it once.
func fetch(pkg, program string) (path string, err error) {
	dir := filepath.Join(cacheDir(), "zeroutils", "unstable")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	unpacked := filepath.Join(dir, pkg)
	path = filepath.Join(unpacked, program)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if _, err := os.Stat(unpacked); err != nil {
		made, err := os.MkdirTemp(dir, "fetching-")
		if err != nil {
			return "", err
		}
		defer os.RemoveAll(made) // what was not renamed
		if out, err := exec.Command("sh", "-c", fetchScript, "sh", made, pkg).CombinedOutput(); err != nil {
			return "", errors.Join(err, errors.New(string(out)))
		}
		if err := errors.Join(os.Chmod(made, 0o755), os.Rename(made, unpacked)); err != nil {
			return "", err
		}
	}
	return path, writeScript(unpacked, program, path)
}

// cacheDir is the user's, or for root one that other users can read: root's tests
// run programs as others, too.
func cacheDir() string {
	if os.Geteuid() == 0 {
		return "/var/cache"
	}
	if dir, err := os.UserCacheDir(); err == nil {
		return dir
	}
	return os.TempDir()
}

// writeScript writes the script that runs a program.
func writeScript(unpacked, program, path string) error {
	if _, err := os.Stat(filepath.Join(unpacked, "tree/usr/bin", program)); err != nil {
		return err
	}
	list, err := os.ReadFile(filepath.Join(unpacked, "libraries"))
	if err != nil {
		return err
	}
	var libraries []string
	for line := range strings.Lines(string(list)) {
		libraries = append(libraries, filepath.Join(unpacked, strings.TrimSpace(line)))
	}
	text := fmt.Sprintf(runScript, unpacked, program, strings.Join(libraries, ":"))
	half := path + ".new"
	if err := os.WriteFile(half, []byte(text), 0o755); err != nil {
		return err
	}
	return os.Rename(half, path)
}
