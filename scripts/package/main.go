// Package makes the packages of a release: for each architecture a .deb, an
// .rpm, an .apk, a .pkg.tar.zst and a plain .tar.gz; the sources as a .tar.gz; a
// list of what the binaries are built from; SHA256SUMS.
//
// Two runs give the same bytes, wherever the checkout lies: every time in a
// package is SOURCE_DATE_EPOCH, or else that of the last commit. The sources have
// always that of the last commit.
package main

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	architectures = []string{"amd64", "arm64", "riscv64", "386"}
	formats       = []string{"deb", "rpm", "apk", "archlinux", "tar", "source"}
)

func main() {
	out := flag.String("o", "dist", "write the packages into `DIR`")
	archs := flag.String("arch", strings.Join(architectures, ","), "make packages for these `ARCHITECTURES`, as Go names them")
	kinds := flag.String("format", strings.Join(formats, ","), "make packages of these `FORMATS`")
	flag.Parse()
	if err := run(*out, strings.Split(*archs, ","), strings.Split(*kinds, ","), flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "package:", err)
		os.Exit(1)
	}
}

func run(out string, archs, kinds, operands []string) error {
	if len(operands) > 0 {
		return fmt.Errorf("extra operand %q", operands[0])
	}
	if unknown := firstUnknown(archs, architectures); unknown != "" {
		return fmt.Errorf("no architecture %q: there are %s", unknown, strings.Join(architectures, ", "))
	}
	if unknown := firstUnknown(kinds, formats); unknown != "" {
		return fmt.Errorf("no format %q: there are %s", unknown, strings.Join(formats, ", "))
	}
	root, err := output("", "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return fmt.Errorf("packages are made from a git checkout: %w", err)
	}
	rel, err := newRelease(root)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o777); err != nil {
		return err
	}
	var made []string
	if i := slices.Index(kinds, "source"); i >= 0 {
		name, err := rel.source(out)
		if err != nil {
			return fmt.Errorf("source: %w", err)
		}
		made = append(made, name)
		if kinds = slices.Delete(slices.Clone(kinds), i, i+1); len(kinds) == 0 {
			archs = nil
		}
	}
	for _, arch := range archs {
		files, err := rel.makeFor(arch, kinds, out)
		if err != nil {
			return fmt.Errorf("%s: %w", arch, err)
		}
		made = append(made, files...)
	}
	for _, name := range made {
		fmt.Println(filepath.Join(out, name))
	}
	return writeSums(out, made)
}

func firstUnknown(words, known []string) string {
	for _, word := range words {
		if !slices.Contains(known, word) {
			return word
		}
	}
	return ""
}

// A release is what all packages of one run have in common.
type release struct {
	root       string // of the checkout
	version    string
	maintainer string    // who makes the package: "Name <address>"
	date       time.Time // of every file in a package
}

func newRelease(root string) (*release, error) {
	version, err := output(root, filepath.Join(root, "scripts/version.sh"))
	if err != nil {
		return nil, err
	}
	maintainer := os.Getenv("MAINTAINER")
	if maintainer == "" {
		if maintainer, err = output(root, "git", "log", "-1", "--format=%an <%ae>"); err != nil {
			return nil, err
		}
	}
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		if epoch, err = output(root, "git", "log", "-1", "--format=%ct"); err != nil {
			return nil, err
		}
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("SOURCE_DATE_EPOCH is no number of seconds: %q", epoch)
	}
	return &release{root: root, version: version, maintainer: maintainer, date: time.Unix(seconds, 0).UTC()}, nil
}

// packageVersion is the version as package managers compare it: they want a
// digit first, which a bare commit does not have.
func (r *release) packageVersion() string {
	version := strings.TrimPrefix(r.version, "v")
	if version != "" && version[0] >= '0' && version[0] <= '9' && strings.Contains(version, ".") {
		return version
	}
	return "0.0.0~git" + r.date.Format("20060102") + "." + version
}

// makeFor installs the tools for one architecture into a directory of its own,
// and packs that.
func (r *release) makeFor(arch string, kinds []string, out string) (made []string, err error) {
	stage, err := os.MkdirTemp("", "zeroutils-package-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(stage)) }()
	install := exec.Command(filepath.Join(r.root, "scripts/install.sh"), "--prefix", "/usr")
	install.Env = append(os.Environ(), "DESTDIR="+stage, "GOOS=linux", "GOARCH="+arch)
	install.Stderr = os.Stderr
	if err := install.Run(); err != nil {
		return nil, fmt.Errorf("install.sh: %w", err)
	}
	tree, err := r.prepare(stage)
	if err != nil {
		return nil, err
	}
	for _, kind := range kinds {
		pack := r.nfpm
		if kind == "tar" {
			pack = r.tar
		}
		name, err := pack(tree, arch, kind, out)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
		made = append(made, name)
	}
	parts, err := output("", "go", "version", "-m", filepath.Join(stage, "usr/bin/zcp"))
	if err != nil {
		return nil, err
	}
	sbom := fmt.Sprintf("zeroutils-%s-%s.sbom.txt", r.packageVersion(), arch)
	parts = strings.ReplaceAll(parts, filepath.Join(stage, "usr/bin/"), "")
	if err := os.WriteFile(filepath.Join(out, sbom), []byte(parts+"\n"), 0o666); err != nil {
		return nil, err
	}
	return append(made, sbom), nil
}

// writeSums writes SHA256SUMS for sha256sum -c.
func writeSums(out string, names []string) error {
	var sums strings.Builder
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(content), name)
	}
	return os.WriteFile(filepath.Join(out, "SHA256SUMS"), []byte(sums.String()), 0o666)
}

// output runs a command in dir and returns its output without the last newline.
func output(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	return strings.TrimRight(string(out), "\n"), nil
}
