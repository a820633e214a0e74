package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// need is for tests that take more than Go.
func need(t *testing.T, programs ...string) {
	t.Helper()
	if os.Geteuid() != 0 {
		unavailable(t, "needs root")
	}
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			unavailable(t, program+" is not installed")
		}
	}
}

func unavailable(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal("cannot be skipped under CI=true: ", reason)
	}
	t.Skip(reason)
}

// checkout is where the packages are made from.
var checkout, _ = filepath.Abs("../..")

// packages makes packages from a clone of the checkout in a folder of its own.
func packages(t *testing.T, version string, archs, kinds []string) string {
	t.Helper()
	clone := filepath.Join(t.TempDir(), "a clone")
	if out, err := exec.Command("git", "-c", "safe.directory=*", "clone", "-q", checkout, clone).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Chdir(clone)
	t.Setenv("VERSION", version)
	t.Setenv("MAINTAINER", "zeroutils <packages@debian.org>") // lintian wants a host that exists
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	out := t.TempDir()
	if err := run(out, archs, kinds, nil); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTwoBuildsInDifferentFoldersGiveTheSameBytes(t *testing.T) {
	builds := make(map[string][][]byte) // what each file held in each build
	for _, build := range []string{"first", "second"} {
		t.Run(build, func(t *testing.T) {
			built := packages(t, "1.2.3", []string{"amd64"}, formats)
			files, err := os.ReadDir(built)
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				content, err := os.ReadFile(filepath.Join(built, file.Name()))
				if err != nil {
					t.Fatal(err)
				}
				builds[file.Name()] = append(builds[file.Name()], content)
			}
		})
	}
	for name, contents := range builds {
		if len(contents) != 2 || !bytes.Equal(contents[0], contents[1]) {
			t.Errorf("%s differs between two builds", name)
		}
	}
	want := []string{
		"SHA256SUMS", "zeroutils-1.2.3-1-x86_64.pkg.tar.zst", "zeroutils-1.2.3-1.x86_64.rpm",
		"zeroutils-1.2.3-amd64.sbom.txt", "zeroutils-1.2.3-linux-amd64.tar.gz", "zeroutils-1.2.3.tar.gz",
		"zeroutils_1.2.3-1_amd64.deb", "zeroutils_1.2.3-r1_x86_64.apk",
	}
	if names := slices.Sorted(maps.Keys(builds)); !slices.Equal(names, want) {
		t.Errorf("made %q, want %q", names, want)
	}
}

func TestEveryArchitectureHasItsBinaries(t *testing.T) {
	machines := map[string]uint16{"amd64": 62, "arm64": 183, "riscv64": 243, "386": 3} // of ELF headers
	built := packages(t, "1.2.3", architectures, []string{"tar"})
	for arch, want := range machines {
		f, err := os.Open(filepath.Join(built, "zeroutils-1.2.3-linux-"+arch+".tar.gz"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		unpacked, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		var binaries []string
		for archive := tar.NewReader(unpacked); ; {
			header, err := archive.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if header.Uid != 0 || header.Gid != 0 || header.ModTime.Unix() != 1700000000 {
				t.Errorf("%s: %d:%d, %v", header.Name, header.Uid, header.Gid, header.ModTime)
			}
			if strings.Contains(header.Name, "/bin/") && header.Typeflag == tar.TypeReg {
				binaries = append(binaries, filepath.Base(header.Name))
				head := make([]byte, 20)
				if _, err := io.ReadFull(archive, head); err != nil {
					t.Fatal(err)
				}
				if got := uint16(head[18]) | uint16(head[19])<<8; got != want {
					t.Errorf("%s: %s is for machine %d, want %d", arch, header.Name, got, want)
				}
			}
		}
		if want := []string{"zccat", "zcp", "zpipe", "ztee"}; !slices.Equal(binaries, want) {
			t.Errorf("%s has %q, want %q", arch, binaries, want)
		}
	}
}

// A packager has neither the repository nor its history.
func TestTheSourcesBuildWithoutGit(t *testing.T) {
	built := packages(t, "v1.2.3", nil, []string{"source"})
	prefix := filepath.Join(t.TempDir(), "usr")
	t.Chdir(t.TempDir())
	if out, err := exec.Command("tar", "-xf", filepath.Join(built, "zeroutils-1.2.3.tar.gz")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	os.Unsetenv("VERSION") // packages has said what becomes of it in the end
	if out, err := exec.Command("zeroutils-1.2.3/scripts/install.sh", "--prefix", prefix).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(filepath.Join(prefix, "bin/zcp"), "--version").Output()
	if err != nil || !strings.HasPrefix(string(out), "zcp (zeroutils) v1.2.3\n") {
		t.Errorf("%v, %q", err, out)
	}
}

func TestChangesThatAreNotCommittedAreNoSources(t *testing.T) {
	packages(t, "1.2.3", nil, []string{"source"}) // leaves the test in its clone
	if err := os.WriteFile("new", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	err := run(out, nil, []string{"source"}, nil)
	if err == nil || err.Error() != "source: the checkout has changes that are not committed:\n?? new" {
		t.Error(err)
	}
	if made, err := os.ReadDir(out); err != nil || len(made) != 0 {
		t.Errorf("made %v, %v", made, err)
	}
}

// TestTheDebianPackage installs, uses, upgrades and removes the package in a
// copy of this system: an overlay whose changes lie in memory.
func TestTheDebianPackage(t *testing.T) {
	need(t, "dpkg", "unshare", "chroot", "lintian")
	first := filepath.Join(packages(t, "1.0.0", []string{"amd64"}, []string{"deb"}), "zeroutils_1.0.0-1_amd64.deb")
	second := filepath.Join(packages(t, "1.0.1", []string{"amd64"}, []string{"deb"}), "zeroutils_1.0.1-1_amd64.deb")
	script := `
		set -eu
		mount -t tmpfs tmpfs "$1"
		mkdir "$1/upper" "$1/work" "$1/root"
		mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
		cp "$2" "$1/root/first.deb"
		cp "$3" "$1/root/second.deb"
		mount -t proc proc "$1/root/proc"
		chroot "$1/root" sh -eux -c '
			sum=$(sha256sum /bin/zcat /usr/bin/zcat)
			find /usr /etc | sort >/before
			dpkg -i /first.deb >/dev/null
			echo text >/f
			test "$(zccat /f)" = text
			test "$(/usr/libexec/zeroutils/cat /f)" = text
			/usr/libexec/zeroutils/cp /f /g && cmp /f /g
			test "$(gzip -c /g | zcat)" = text
			zccat --version | grep -q "(zeroutils) 1.0.0"
			dpkg -i /second.deb >/dev/null
			zccat --version | grep -q "(zeroutils) 1.0.1"
			dpkg -V zeroutils
			dpkg -P zeroutils >/dev/null
			find /usr /etc | sort >/after
			diff /before /after
			test "$(sha256sum /bin/zcat /usr/bin/zcat)" = "$sum"'
	`
	cmd := exec.Command("unshare", "-m", "sh", "-c", script, "sh", t.TempDir(), first, second)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	out, err := exec.Command("lintian", "--allow-root", "--no-cfg", "--fail-on", "error", second).CombinedOutput()
	if err != nil {
		t.Errorf("lintian: %v\n%s", err, out)
	}
}

func TestWhatCannotBeMadeIsRefused(t *testing.T) {
	out := t.TempDir()
	for _, tt := range []struct {
		archs, kinds, operands []string
		want                   string
	}{
		{[]string{"vax"}, []string{"deb"}, nil, `no architecture "vax": there are amd64, arm64, riscv64, 386`},
		{[]string{"amd64"}, []string{"zip"}, nil, `no format "zip": there are deb, rpm, apk, archlinux, tar, source`},
		{[]string{"amd64"}, []string{"deb"}, []string{"x"}, `extra operand "x"`},
	} {
		if err := run(out, tt.archs, tt.kinds, tt.operands); err == nil || err.Error() != tt.want {
			t.Errorf("%v, want %s", err, tt.want)
		}
	}
}

func TestAVersionThatPackageManagersCompare(t *testing.T) {
	for version, want := range map[string]string{
		"v1.2.3": "1.2.3", "1.2.3-4-gabcdef0": "1.2.3-4-gabcdef0", "9c4ee0c": "0.0.0~git19700101.9c4ee0c",
	} {
		r := release{version: version}
		r.date = r.date.AddDate(1969, 0, 0)
		if got := r.packageVersion(); got != want {
			t.Errorf("%s becomes %s, want %s", version, got, want)
		}
	}
}
