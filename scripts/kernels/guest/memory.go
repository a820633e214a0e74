package main

import (
	"errors"
	"os"
	"path/filepath"
)

// memory runs the tools in a control group that may use 32 MiB, the page cache
// included, for several times as much data.
func (t *try) memory() {
	const group = "/sys/fs/cgroup/small"
	t.must(t.mount("/sys/fs/cgroup", "cgroup2", "cgroup2", ""))
	t.must(os.WriteFile("/sys/fs/cgroup/cgroup.subtree_control", []byte("+memory"), 0))
	t.must(os.Mkdir(group, 0o755))
	t.cleanup(func() {
		if err := os.Remove(group); err != nil {
			t.fault("removing the group", "%v", err)
		}
	})
	t.must(os.WriteFile(group+"/memory.max", []byte("33554432"), 0))
	dir := "/mnt/memory"
	t.must(t.onDisk(dir, "ext4", "mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=1,lazy_journal_init=1"))
	var data []byte
	for range 8 {
		data = append(data, noise...)
	}
	t.must(os.Mkdir(dir+"/tree", 0o755))
	t.must(errors.Join(os.WriteFile(dir+"/f", data, 0o644), os.WriteFile(dir+"/tree/f", data, 0o644)))
	dropCaches()
	for _, c := range []struct{ name, script, result string }{
		{"zcat to a file", "zcat f >out", "out"},
		{"zcat -n to a file", "zcat -n f >numbered && /bin/cat -n f | cmp numbered - && rm numbered && cp f out", "out"},
		{"zcat to a pipe", "zcat f | cat >out", "out"},
		{"ztee", "zcat f | ztee one | cmp f - && mv one out", "out"},
		{"zpipe through a buffer", "zpipe --buffer=8M <f >out", "out"},
		{"zcp", "zcp f out", "out"},
		{"zcp --direct", "zcp --direct f out", "out"},
		{"zcp --atomic --fsync --verify", "zcp --atomic --fsync --verify f out", "out"},
		{"zcp -a of a tree", "zcp -a tree copy", "copy/f"},
	} {
		t.check(c.name+" with 32 MiB", func() (string, error) {
			p := command("/bin/bash", "-c", `set -o pipefail; echo $$ >`+group+`/cgroup.procs; `+c.script)
			p.Dir = dir
			err := p.succeed()
			path := filepath.Join(dir, c.result)
			if err == nil {
				err = holds(path, data)
			}
			return "", errors.Join(err, os.RemoveAll(path))
		})
	}
}
