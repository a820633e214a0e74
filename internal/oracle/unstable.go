package oracle

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"zeroutils/internal/testfs"
)

// Newest returns the newest program of the given name in Debian's unstable
// suite, from the package of the same name. It is unpacked beside the system and
// runs with the loader and the C library of that suite, so that the system has no
// part in it. It is fetched once and kept in the user's cache.
//
// It needs apt and amd64 or arm64; the program may need no library but the C
// library.
func Newest(t testing.TB, name string) Program {
	t.Helper()
	for _, needed := range []string{"apt-get", "dpkg-deb"} {
		testfs.Need(t, needed)
	}
	newest.Lock()
	defer newest.Unlock()
	path, err := fetch(name)
	if err != nil {
		testfs.Unavailable(t, fmt.Sprintf("%s of Debian unstable: %v", name, err))
	}
	return Program{path, name}
}

var newest sync.Mutex

// fetchScript unpacks $2 and libc6 of the suite below $1, and makes a script $2
// that runs the one with the other. The suite has a state and a configuration of
// its own, beside those of the system.
const fetchScript = `set -eu
cd "$1"
root=$PWD
mkdir -p lists/partial archives/partial debs parts
: >status
uri=$(sed -n 's/^URIs: *\([^ ]*debian\)\/*$/\1/p; s/^deb  *\(\[[^]]*\] *\)\{0,1\}\([a-z]*:[^ ]*debian\)\/*  *.*/\2/p' \
	/etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null | head -n 1)
[ -n "$uri" ] || { echo "apt has no source of Debian's" >&2; exit 1; }
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri sid main" >sources.list
cat >apt.conf <<END
Dir::State "$root"; Dir::State::status "$root/status"; Dir::State::Lists "$root/lists";
Dir::Cache "$root"; Dir::Cache::Archives "$root/archives";
Dir::Etc::SourceList "$root/sources.list"; Dir::Etc::SourceParts "$root/parts";
APT::Sandbox::User ""; Acquire::Languages "none"; Debug::NoLocking "true";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
END
export APT_CONFIG=$root/apt.conf
apt-get update -qq
(cd debs && apt-get download -qq "$2" libc6)
for deb in debs/*.deb; do dpkg-deb -x "$deb" tree; done
rm -rf lists archives debs parts pkgcache.bin srcpkgcache.bin
libraries=$(dirname "$(find tree -name libc.so.6 | head -n 1)")
loader=$(find "$libraries" -name 'ld-linux*' | head -n 1)
[ -x "tree/usr/bin/$2" ] && [ -n "$loader" ]
{
	echo '#!/bin/sh'
	echo 'here=$(dirname "$0")'
	echo "exec \"\$here/$loader\" --argv0 $2 --library-path \"\$here/$libraries\" \"\$here/tree/usr/bin/$2\" \"\$@\""
} >"$2"
chmod +x "$2"
`

// fetch returns the script that runs a program, and fetches it where it is not
// there. Test processes that run side by side fetch it once.
func fetch(name string) (path string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "zeroutils", "newest")
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
	done := filepath.Join(dir, name)
	path = filepath.Join(done, name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	made, err := os.MkdirTemp(dir, "fetching-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(made) // what was not renamed
	if out, err := exec.Command("sh", "-c", fetchScript, "sh", made, name).CombinedOutput(); err != nil {
		return "", errors.Join(err, errors.New(string(out)))
	}
	return path, os.Rename(made, done)
}
