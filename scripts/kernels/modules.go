package main

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// wanted are the modules that the guest loads, by name; what a kernel has built
// in is no module of it. The names after a colon are loaded before.
var wanted = strings.Fields(`
	virtio_pci virtio_blk loop fuse overlay xfs btrfs exfat
	nfs nfsv4 nfsd cifs veth sch_netem dm_flakey dm_log_writes
	md4 md5 hmac cmac ccm gcm ecb arc4 des_generic aes_generic sha256_generic sha512_generic crc32c_generic
	libdes libarc4 nls_utf8 rpcsec_gss_krb5 rng_core virtio_rng`)

// modules holds what a kernel has.
type modules struct {
	paths map[string]string   // of the .ko, unpacked
	after map[string][]string // what is loaded before
}

// findModules looks below a directory.
func findModules(dir string) (*modules, error) {
	m := &modules{paths: map[string]string{}, after: map[string][]string{}}
	return m, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if name, _, is := strings.Cut(entry.Name(), ".ko"); is {
			m.paths[strings.ReplaceAll(name, "-", "_")] = path
		}
		return nil
	})
}

// read returns the content of a module and notes what it depends on.
func (m *modules) read(name string) ([]byte, error) {
	path := m.paths[name]
	var data []byte
	var err error
	if strings.HasSuffix(path, ".xz") {
		data, err = exec.Command("xz", "-dc", path).Output()
	} else {
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	file, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	section := file.Section(".modinfo")
	if section == nil {
		return nil, fmt.Errorf("%s has no .modinfo", path)
	}
	info, err := section.Data()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for line := range strings.SplitSeq(string(info), "\x00") {
		if names, is := strings.CutPrefix(line, "depends="); is && names != "" {
			m.after[name] = append(m.after[name], strings.Split(names, ",")...)
		}
		if names, is := strings.CutPrefix(line, "softdep=pre: "); is {
			m.after[name] = append(m.after[name], strings.Fields(names)...)
		}
	}
	for i, other := range m.after[name] {
		m.after[name][i] = strings.ReplaceAll(other, "-", "_")
	}
	return data, nil
}

// pack puts the wanted modules and all that they need into an archive, and
// returns for each the order in which to load.
func (m *modules) pack(a *archive) (map[string][]string, error) {
	packed := map[string]bool{}
	var walk func(name string, order *[]string, seen map[string]bool) error
	walk = func(name string, order *[]string, seen map[string]bool) error {
		if seen[name] || m.paths[name] == "" {
			return nil
		}
		seen[name] = true
		if !packed[name] {
			data, err := m.read(name)
			if err != nil {
				return err
			}
			a.file("modules/"+name+".ko", 0o644, data)
			packed[name] = true
		}
		for _, other := range m.after[name] {
			if err := walk(other, order, seen); err != nil {
				return err
			}
		}
		*order = append(*order, name)
		return nil
	}
	orders := map[string][]string{}
	for _, name := range wanted {
		var order []string
		if err := walk(name, &order, map[string]bool{}); err != nil {
			return nil, err
		}
		if order != nil {
			orders[name] = order
		}
	}
	return orders, nil
}
