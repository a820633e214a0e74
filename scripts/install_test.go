// Package scripts_test runs the scripts that users run.
package scripts_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zeroutils/internal/testbin"
	"zeroutils/internal/testfs"
)

// An installation is a prefix that install.sh is run on.
type installation struct {
	t      *testing.T
	script string
	prefix string
	env    []string
}

// newInstallation takes the tools from a tree without source, as a release has
// it, so that they are not built for each run.
func newInstallation(t *testing.T) installation {
	t.Helper()
	release := t.TempDir()
	for name, source := range map[string]string{
		"bin": testbin.Dir(t), "man": "../man", "scripts": ".",
		"README.md": "../README.md", "CHANGELOG.md": "../CHANGELOG.md", "LICENSE": "../LICENSE",
		"THIRD_PARTY_LICENSES": "../THIRD_PARTY_LICENSES",
	} {
		absolute, err := filepath.Abs(source)
		if err != nil {
			t.Fatal(err)
		}
		if name == "scripts" { // a link would lead back to the source
			if err := os.Mkdir(filepath.Join(release, name), 0o777); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"install.sh", "completions"} {
				copyTree(t, filepath.Join(absolute, name), filepath.Join(release, "scripts", name))
			}
			continue
		}
		if err := os.Symlink(absolute, filepath.Join(release, name)); err != nil {
			t.Fatal(err)
		}
	}
	return installation{
		t: t, script: filepath.Join(release, "scripts/install.sh"), prefix: filepath.Join(t.TempDir(), "a prefix"),
	}
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.Command("cp", "-R", from, to).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// run runs install.sh and returns what it printed and its exit status.
func (in installation) run(options ...string) (stdout, stderr string, status int) {
	in.t.Helper()
	cmd := exec.Command(in.script, append([]string{"--prefix", in.prefix}, options...)...)
	cmd.Env = append(os.Environ(), in.env...)
	var out, errors bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errors
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		in.t.Fatal(err)
	}
	return out.String(), errors.String(), cmd.ProcessState.ExitCode()
}

// must is run for what has to succeed.
func (in installation) must(options ...string) string {
	in.t.Helper()
	out, errors, status := in.run(options...)
	if status != 0 {
		in.t.Fatalf("install.sh %q: status %d\n%s%s", options, status, out, errors)
	}
	return out
}

// files lists what lies below the prefix, directories with a slash behind.
func (in installation) files() []string {
	in.t.Helper()
	var found []string
	err := filepath.WalkDir(in.prefix, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			path += "/"
		}
		found = append(found, path)
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		in.t.Fatal(err)
	}
	if os.IsNotExist(err) {
		return nil
	}
	return found
}

func (in installation) path(name string) string { return filepath.Join(in.prefix, name) }

func (in installation) write(name, content string) {
	in.t.Helper()
	if err := os.MkdirAll(filepath.Dir(in.path(name)), 0o777); err != nil {
		in.t.Fatal(err)
	}
	if err := os.WriteFile(in.path(name), []byte(content), 0o777); err != nil {
		in.t.Fatal(err)
	}
}

func (in installation) read(name string) string {
	in.t.Helper()
	content, err := os.ReadFile(in.path(name))
	if err != nil {
		in.t.Fatal(err)
	}
	return string(content)
}

// withAnotherZcat puts gzip's zcat into PATH, so to speak.
func (in installation) withAnotherZcat() installation {
	in.t.Helper()
	dir := in.t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "zcat"), []byte("#!/bin/sh\n"), 0o777); err != nil {
		in.t.Fatal(err)
	}
	in.env = append(in.env, "PATH="+dir+":"+os.Getenv("PATH"))
	return in
}

func TestInstallPutsWhatItListsAndUninstallLeavesNothing(t *testing.T) {
	in := newInstallation(t).withAnotherZcat()
	listed := in.must()
	var want []string
	for _, file := range in.files() {
		if !strings.HasSuffix(file, "/") && file != in.path("share/zeroutils/files") {
			want = append(want, file)
		}
	}
	got := strings.Split(strings.TrimSpace(listed), "\n")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("it lists\n%q\nand puts\n%q", got, want)
	}
	before := in.files()
	if again := in.must(); again != listed {
		t.Errorf("the second run lists\n%s\nthe first\n%s", again, listed)
	}
	if after := in.files(); !slices.Equal(after, before) {
		t.Errorf("after a second run there is\n%q\nafter the first\n%q", after, before)
	}
	if removed := in.must("--uninstall"); removed != listed {
		t.Errorf("removed\n%s\nwant\n%s", removed, listed)
	}
	if left := in.files(); left != nil {
		t.Errorf("left behind: %q", left)
	}
	if _, errors, status := in.run("--uninstall"); status != 1 || errors != "install.sh: zeroutils is not installed below "+in.prefix+"\n" {
		t.Errorf("a second removal says %q, status %d", errors, status)
	}
}

func TestInstallBuildsFromTheSource(t *testing.T) {
	in := newInstallation(t)
	in.script = "./install.sh"
	in.must()
	if out, err := exec.Command(in.path("bin/zcp"), "--version").Output(); err != nil || !strings.HasPrefix(string(out), "zcp (zeroutils) ") {
		t.Errorf("%q, %v", out, err)
	}
}

func TestInstalledToolsWorkUnderEachName(t *testing.T) {
	in := newInstallation(t).withAnotherZcat()
	in.must()
	in.write("f", "text\n")
	for name, args := range map[string][]string{
		"bin/zccat": {"f"}, "libexec/zeroutils/cat": {"f"}, "bin/zpipe": {"f"}, "libexec/zeroutils/tee": nil,
		"bin/zpv": {"-q", "f"}, "libexec/zeroutils/pv": {"-q", "f"},
	} {
		cmd := exec.Command(in.path(name), args...)
		cmd.Dir, cmd.Stdin = in.prefix, strings.NewReader("text\n")
		if out, err := cmd.Output(); err != nil || string(out) != "text\n" {
			t.Errorf("%s: %q, %v", name, out, err)
		}
		missing := exec.Command(in.path(name), "--no-such-option")
		if out, _ := missing.CombinedOutput(); !strings.HasPrefix(string(out), filepath.Base(name)+": ") {
			t.Errorf("%s calls itself otherwise: %q", name, out)
		}
	}
	cmd := exec.Command(in.path("libexec/zeroutils/cp"), "f", "g")
	cmd.Dir = in.prefix
	if out, err := cmd.CombinedOutput(); err != nil || in.read("g") != "text\n" {
		t.Errorf("cp: %v\n%s", err, out)
	}
	for _, name := range []string{"libexec/zeroutils/mv", "bin/zmv"} {
		cmd := exec.Command(in.path(name), "-v", "g", "h")
		cmd.Dir = in.prefix
		if out, err := cmd.CombinedOutput(); err != nil || string(out) != "renamed 'g' -> 'h'\n" || in.read("h") != "text\n" {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		in.write("g", "text\n")
	}
}

func TestInstallLeavesTheNameZcatToGzip(t *testing.T) {
	for _, tt := range []struct {
		name    string
		other   bool
		options []string
		env     string
		want    string
	}{
		{name: "another zcat in PATH", other: true, want: "zccat"},
		{name: "forced", other: true, options: []string{"--force-zcat"}, want: "zcat"},
		{name: "for a package", env: "DESTDIR=", want: "zccat"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := newInstallation(t)
			if tt.other {
				in = in.withAnotherZcat()
			}
			if tt.env != "" {
				root := t.TempDir()
				in.env = append(in.env, tt.env+root)
				in.must(tt.options...)
				in.prefix = filepath.Join(root, in.prefix)
			} else {
				in.must(tt.options...)
			}
			other := map[string]string{"zcat": "zccat", "zccat": "zcat"}[tt.want]
			for _, file := range []string{
				"bin/NAME", "share/man/man1/NAME.1", "share/bash-completion/completions/NAME",
				"share/zsh/site-functions/_NAME", "share/fish/vendor_completions.d/NAME.fish",
			} {
				if _, err := os.Stat(in.path(strings.ReplaceAll(file, "NAME", tt.want))); err != nil {
					t.Error(err)
				}
				if _, err := os.Stat(in.path(strings.ReplaceAll(file, "NAME", other))); err == nil {
					t.Errorf("%s is there under the name %s too", file, other)
				}
			}
			if page := in.read("share/man/man1/" + tt.want + ".1"); !strings.Contains(page, "\n.Nm "+tt.want+"\n") {
				t.Error("the manual page has another name")
			}
			for _, file := range []string{
				"share/bash-completion/completions/", "share/zsh/site-functions/_", "share/fish/vendor_completions.d/",
			} {
				name := file + tt.want
				if strings.Contains(file, "fish") {
					name += ".fish"
				}
				completion := in.read(name)
				if !strings.Contains(completion, tt.want) || tt.want == "zccat" && strings.Contains(completion, "zcat") {
					t.Errorf("%s completes another name:\n%s", name, completion)
				}
			}
		})
	}
}

func TestInstallChangesNothingIfSomethingIsInTheWay(t *testing.T) {
	in := newInstallation(t)
	in.write("bin/zpipe", "somebody else's")
	before := in.files()
	_, errors, status := in.run()
	want := "install.sh: " + in.path("bin/zpipe") + " is in the way: it was not installed by this script, or was changed since; nothing was installed\n"
	if status != 1 || errors != want {
		t.Errorf("status %d, %q, want 1, %q", status, errors, want)
	}
	if after := in.files(); !slices.Equal(after, before) || in.read("bin/zpipe") != "somebody else's" {
		t.Errorf("left behind: %q", after)
	}

	in = newInstallation(t)
	in.write("../file", "")
	in.prefix = filepath.Join(filepath.Dir(in.prefix), "file", "prefix")
	_, errors, status = in.run()
	want = "install.sh: " + filepath.Dir(in.prefix) + " is in the way: it is not a directory; nothing was installed\n"
	if status != 1 || errors != want {
		t.Errorf("status %d, %q, want 1, %q", status, errors, want)
	}
}

func TestInstallOnAFullDiskLeavesTheEarlierVersion(t *testing.T) {
	dir := testfs.MountSized(t, "tmpfs", 48<<20)
	in := newInstallation(t)
	in.prefix = filepath.Join(dir, "prefix")
	in.must()
	before := in.files()
	sum := in.read("bin/zcp")
	filler, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer filler.Close()
	for err == nil {
		_, err = filler.Write(make([]byte, 1<<16))
	}
	_, errors, status := in.run()
	if status != 1 || !strings.HasSuffix(errors, "install.sh: nothing was installed\n") || !strings.Contains(errors, "No space left on device") {
		t.Errorf("status %d, %q", status, errors)
	}
	if after := in.files(); !slices.Equal(after, before) || in.read("bin/zcp") != sum {
		t.Errorf("there is\n%q\nand was\n%q", after, before)
	}
}

func TestAFirstInstallOnAFullDiskLeavesNothing(t *testing.T) {
	in := newInstallation(t)
	in.prefix = testfs.MountSized(t, "tmpfs", 4<<20)
	before := in.files()
	if _, errors, status := in.run(); status != 1 || !strings.HasSuffix(errors, "install.sh: nothing was installed\n") {
		t.Errorf("status %d, %q", status, errors)
	}
	if after := in.files(); !slices.Equal(after, before) {
		t.Errorf("left behind: %q", after)
	}
}

func TestInstallMendsWhatIsHalfInstalled(t *testing.T) {
	in := newInstallation(t)
	in.must()
	before := in.files()
	for _, name := range []string{"bin/zcp", "share/man/man1/zcp.1", "libexec/zeroutils/tee"} {
		if err := os.Remove(in.path(name)); err != nil {
			t.Fatal(err)
		}
	}
	in.write("bin/ztee.zeroutils-new", "a piece")
	in.must()
	if after := in.files(); !slices.Equal(after, before) {
		t.Errorf("there is\n%q\nwant\n%q", after, before)
	}
}

func TestUninstallKeepsWhatWasChanged(t *testing.T) {
	in := newInstallation(t)
	in.must()
	in.write("bin/zcp", "somebody else's")
	in.write("share/man/man1/cat.1", "another page")
	_, errors, status := in.run("--uninstall")
	if want := "install.sh: kept " + in.path("bin/zcp") + ", which was changed after it was installed\n"; status != 0 || errors != want {
		t.Errorf("status %d, %q, want 0, %q", status, errors, want)
	}
	var left []string
	for _, file := range in.files() {
		if !strings.HasSuffix(file, "/") {
			left = append(left, file)
		}
	}
	if want := []string{in.path("bin/zcp"), in.path("share/man/man1/cat.1")}; !slices.Equal(left, want) {
		t.Errorf("left are %q, want %q", left, want)
	}
}

func TestADryRunListsAndChangesNothing(t *testing.T) {
	in := newInstallation(t)
	listed := in.must("--dry-run")
	if files := in.files(); files != nil {
		t.Errorf("put %q", files)
	}
	if installed := in.must(); installed != listed {
		t.Errorf("listed\n%s\nput\n%s", listed, installed)
	}
	before := in.files()
	in.must("--dry-run", "--uninstall")
	if after := in.files(); !slices.Equal(after, before) {
		t.Errorf("removed something: %q", after)
	}
}

func TestInstallRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, options := range [][]string{{"--prefix"}, {"--prefix=relative"}, {"--no-such-option"}, {"operand"}} {
		out, err := exec.Command("./install.sh", options...).CombinedOutput()
		if err == nil || len(out) == 0 {
			t.Errorf("%q: %v, %q", options, err, out)
		}
	}
	if out, err := exec.Command("./install.sh", "--help").Output(); err != nil || !strings.HasPrefix(string(out), "Usage: ./install.sh") {
		t.Errorf("--help: %v, %q", err, out)
	}
}
