// Package unstable has programs of Debian's unstable suite, which is where their
// newest versions are. A package is unpacked beside the system and runs with the
// loader and the libraries of that suite, so that the system has no part in it.
package unstable

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

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

// Command returns the beginning of a command line that runs a program of a
// package: the suite's loader, and the program for it to load. The package is
// fetched where it is not in the cache; processes that run side by side do that
// once.
func Command(pkg, program string) ([]string, error) {
	dir := filepath.Join(cacheDir(), "zeroutils", "unstable")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return nil, err
	}
	unpacked := filepath.Join(dir, pkg)
	if _, err := os.Stat(unpacked); err != nil {
		if err := fetch(pkg, unpacked); err != nil {
			return nil, err
		}
	}
	return command(unpacked, program)
}

func fetch(pkg, unpacked string) error {
	made, err := os.MkdirTemp(filepath.Dir(unpacked), "fetching-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(made) // what was not renamed
	if out, err := exec.Command("sh", "-c", fetchScript, "sh", made, pkg).CombinedOutput(); err != nil {
		return errors.Join(err, errors.New(string(out)))
	}
	return errors.Join(os.Chmod(made, 0o755), os.Rename(made, unpacked))
}

func command(unpacked, program string) ([]string, error) {
	file := filepath.Join(unpacked, "tree/usr/bin", program)
	if _, err := os.Stat(file); err != nil {
		return nil, err
	}
	list, err := os.ReadFile(filepath.Join(unpacked, "libraries"))
	if err != nil {
		return nil, err
	}
	var libraries []string
	for line := range strings.Lines(string(list)) {
		libraries = append(libraries, filepath.Join(unpacked, strings.TrimSpace(line)))
	}
	return []string{filepath.Join(unpacked, "loader"), "--argv0", program,
		"--library-path", strings.Join(libraries, ":"), file}, nil
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
