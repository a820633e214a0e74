package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// An entry is a file, directory or symbolic link of a package.
type entry struct {
	path   string // in the package, absolute
	source string // where it lies now
	mode   fs.FileMode
	link   string // of a symbolic link
	size   int64
}

// prepare makes what install.sh has put into stage what a package holds, and
// lists it: compressed manual pages, a changelog and a copyright file as Debian
// wants them, and no list of installed files, which a package manager keeps.
func (r *release) prepare(stage string) ([]entry, error) {
	share := filepath.Join(stage, "usr/share")
	if err := os.RemoveAll(filepath.Join(share, "zeroutils")); err != nil {
		return nil, err
	}
	doc := filepath.Join(share, "doc/zeroutils")
	if err := r.writeDebianFiles(doc); err != nil {
		return nil, err
	}
	var tree []entry
	err := filepath.WalkDir(stage, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == stage {
			return err
		}
		if d.Type().IsRegular() && (strings.Contains(path, "/man/man") || filepath.Base(path) == "CHANGELOG.md") {
			if path, err = compress(path); err != nil {
				return err
			}
		}
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		e := entry{path: strings.TrimPrefix(path, stage), source: path, mode: info.Mode(), size: info.Size()}
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			e.link, err = os.Readlink(path)
			e.size = 0
		case info.IsDir():
			e.size = 0
		}
		tree = append(tree, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	return tree, nil
}

// compress replaces a file by its gzip, without name and time, and returns the
// new path.
func compress(path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return "", err
	}
	if _, err := w.Write(content); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	if err := os.WriteFile(path+".gz", packed.Bytes(), 0o644); err != nil {
		return "", err
	}
	return path + ".gz", os.Remove(path)
}

// writeDebianFiles adds what Debian's policy asks of every package.
func (r *release) writeDebianFiles(doc string) error {
	licence, err := os.ReadFile(filepath.Join(doc, "LICENSE"))
	if err != nil {
		return err
	}
	others, err := os.ReadFile(filepath.Join(doc, "THIRD_PARTY_LICENSES"))
	if err != nil {
		return err
	}
	for _, name := range []string{"LICENSE", "THIRD_PARTY_LICENSES"} {
		if err := os.Remove(filepath.Join(doc, name)); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(doc, "copyright"), append(append(licence, '\n'), others...), 0o644); err != nil {
		return err
	}
	log := fmt.Sprintf("zeroutils (%s-1) unstable; urgency=medium\n\n  * See CHANGELOG.md.gz for what a user notices.\n\n -- %s  %s\n",
		r.packageVersion(), r.maintainer, r.date.Format(time.RFC1123Z))
	name := filepath.Join(doc, "changelog.Debian")
	if err := os.WriteFile(name, []byte(log), 0o644); err != nil {
		return err
	}
	if _, err := compress(name); err != nil {
		return err
	}
	overrides := filepath.Join(filepath.Dir(filepath.Dir(doc)), "lintian/overrides")
	if err := os.MkdirAll(overrides, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(overrides, "zeroutils"), []byte(lintianOverrides), 0o644)
}

const lintianOverrides = `# Go links statically: the tools need no library and no other file, and start
# faster so.
zeroutils: statically-linked-binary *
`
