package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/apk"
	_ "github.com/goreleaser/nfpm/v2/arch"
	_ "github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
	_ "github.com/goreleaser/nfpm/v2/rpm"
)

const description = `Zero-copy replacements for cat, tee and cp, and a relay
zcat (installed as zccat), ztee, zcp and zpipe move data by splice,
copy_file_range, reflinks and sendfile where the kernel offers these, and by
read and write elsewhere. They take the options of the tools that they replace.
/usr/libexec/zeroutils has them under the names cat, tee, cp, mv and pv.`

// nfpm packs for a package manager and returns the file's name.
func (r *release) nfpm(tree []entry, arch, format, out string) (string, error) {
	info := nfpm.WithDefaults(&nfpm.Info{
		Name:            "zeroutils",
		Arch:            arch,
		Platform:        "linux",
		Version:         r.packageVersion(),
		VersionSchema:   "none",
		Release:         "1",
		Section:         "utils",
		Priority:        "optional",
		Maintainer:      r.maintainer,
		Description:     description,
		License:         "MIT",
		DisableGlobbing: true,
		MTime:           r.date,
		Overridables: nfpm.Overridables{
			RPM: nfpm.RPM{BuildHost: "localhost", Summary: "Zero-copy replacements for cat, tee and cp, and a relay", Group: "Applications/File"},
		},
	})
	for _, e := range tree {
		content := &files.Content{
			Source: e.source, Destination: e.path,
			FileInfo: &files.ContentFileInfo{Owner: "root", Group: "root", Mode: e.mode.Perm(), MTime: r.date, Size: e.size},
		}
		switch {
		case e.link != "":
			content.Type, content.Source = files.TypeSymlink, e.link
		case e.mode.IsDir():
			continue // made for what lies in them; those of others are not ours
		}
		info.Contents = append(info.Contents, content)
	}
	if err := nfpm.PrepareForPackager(info, format); err != nil {
		return "", err
	}
	packager, err := nfpm.Get(format)
	if err != nil {
		return "", err
	}
	name := packager.ConventionalFileName(info)
	return name, create(filepath.Join(out, name), func(w io.Writer) error { return packager.Package(info, w) })
}

// tar packs the tree below a directory, and returns the file's name.
func (r *release) tar(tree []entry, arch, _, out string) (string, error) {
	dir := fmt.Sprintf("zeroutils-%s-linux-%s", r.packageVersion(), arch)
	name := dir + ".tar.gz"
	return name, create(filepath.Join(out, name), func(w io.Writer) error {
		packed := gzip.NewWriter(w)
		archive := tar.NewWriter(packed)
		for _, e := range tree {
			header := &tar.Header{
				Name: dir + e.path, Mode: int64(e.mode.Perm()), Size: e.size, Linkname: e.link, ModTime: r.date,
				Uname: "root", Gname: "root", Typeflag: tar.TypeReg, Format: tar.FormatPAX,
			}
			switch {
			case e.link != "":
				header.Typeflag, header.Mode = tar.TypeSymlink, 0o777
			case e.mode.IsDir():
				header.Typeflag, header.Name = tar.TypeDir, header.Name+"/"
			}
			if err := archive.WriteHeader(header); err != nil {
				return err
			}
			if e.mode&fs.ModeType == 0 {
				if err := appendFile(archive, e.source); err != nil {
					return err
				}
			}
		}
		return errors.Join(archive.Close(), packed.Close())
	})
}

// source packs the sources of the last commit, with the file VERSION that
// version.sh reads where there is no git, and returns the archive's name.
func (r *release) source(out string) (string, error) {
	changes, err := output(r.root, "git", "status", "--porcelain")
	if err != nil {
		return "", err
	}
	if changes != "" {
		return "", fmt.Errorf("the checkout has changes that are not committed:\n%s", changes)
	}
	dir := "zeroutils-" + r.packageVersion()
	archive := exec.Command("git", "archive", "--prefix="+dir+"/", "--add-virtual-file="+dir+"/VERSION:"+r.version+"\n", "HEAD")
	archive.Dir, archive.Stderr = r.root, os.Stderr
	name := dir + ".tar.gz"
	return name, create(filepath.Join(out, name), func(w io.Writer) error {
		packed := gzip.NewWriter(w)
		archive.Stdout = packed
		if err := archive.Run(); err != nil {
			return fmt.Errorf("git archive: %w", err)
		}
		return packed.Close()
	})
}

func appendFile(w io.Writer, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

// create writes a file and leaves none if that fails.
func create(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}
