package filecopy

import (
	"bytes"
	"os"
	"path"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/attr"
)

const selinux = "security.selinux"

// keepXattrs takes over extended attributes. It comes after a change of owner,
// which takes capabilities(7) away, and tells what could not be taken over.
func (w *worker) keepXattrs(k *attr.Pair) {
	if k.NoXattrs {
		return
	}
	if w.options.Label != "" && k.Fresh {
		if err := k.To.Setxattr(selinux, []byte(w.options.Label)); err != nil {
			w.report(&Problem{What: SetXattr, Source: selinux, Dest: k.To.At.Path(), Err: err})
		}
	}
	if !w.options.Preserve.has(Xattrs | Context) {
		return
	}
	names, err := k.From.Listxattr()
	if err != nil {
		if !attr.NoXattrs(err) {
			w.xattrProblem(&Problem{What: ListXattrs, Source: k.From.At.Path(), Err: err})
		}
		return
	}
	k.NoACL = !bytes.Contains(names, []byte(attr.AccessACL+"\x00"))
	for name := range strings.SplitSeq(string(names), "\x00") {
		if name != "" && w.copiesXattr(name) {
			w.keepXattr(k, name)
		}
	}
}

// copiesXattr reports whether an attribute is to be taken over.
func (w *worker) copiesXattr(name string) bool {
	switch {
	case name == selinux:
		return w.options.Label == "" && !w.options.Unlabelled
	case !w.options.Preserve.has(Xattrs):
		return false
	}
	for _, pattern := range excludedXattrs() {
		if match, _ := path.Match(pattern, name); match {
			return false
		}
	}
	return true
}

func (w *worker) keepXattr(k *attr.Pair, name string) {
	value, err := k.From.Getxattr(name, attr.UsualXattr)
	if err != nil {
		w.xattrProblem(&Problem{What: GetXattr, Source: name, Dest: k.From.At.Path(), Err: err})
		return
	}
	err = k.To.Setxattr(name, value)
	if err == unix.EACCES && !k.Link {
		err = k.To.SetOnReadOnly(name, value)
	}
	switch {
	case err == unix.EOPNOTSUPP:
		w.xattrProblem(&Problem{What: SetXattrs, Dest: k.To.At.Path(), Err: err})
	case err != nil:
		w.xattrProblem(&Problem{What: SetXattr, Source: name, Dest: k.To.At.Path(), Err: err})
	}
}

// xattrProblem tells of a failure, if it is to be told.
func (w *worker) xattrProblem(p *Problem) {
	p.Tolerated = w.options.Xattrs != RequireXattrs
	everything := !p.Tolerated || w.options.AttributesOnly || w.mover != nil
	if !everything && (w.options.Xattrs == IgnoreXattrs || attr.NoXattrs(p.Err) || p.Err == unix.ENODATA) {
		return
	}
	w.report(p)
}

// excludedXattrs are those that xattr.conf(5) says are no mere data: permissions,
// which go with the mode, and what only means something where it is.
var excludedXattrs = sync.OnceValue(func() []string {
	text, err := os.ReadFile("/etc/xattr.conf")
	if err != nil {
		return []string{
			attr.AccessACL, attr.DefaultACL, "system.nfs4_acl", "system.nfs4acl",
			"trusted.SGI_*", "xfsroot.*", "security.evm", "afs.*",
		}
	}
	var patterns []string
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		if fields := strings.Fields(line); len(fields) > 0 {
			patterns = append(patterns, fields[0])
		}
	}
	return append(patterns, attr.AccessACL, attr.DefaultACL)
})
