package filecopy

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

const selinux = "security.selinux"

// keepXattrs takes over extended attributes. It comes after a change of owner,
// which takes capabilities(7) away, and tells what could not be taken over.
func (w *worker) keepXattrs(k *keeping) {
	if k.noXattrs {
		return
	}
	if w.options.Label != "" && k.fresh {
		if err := k.to.setxattr(selinux, []byte(w.options.Label)); err != nil {
			w.report(&Problem{What: SetXattr, Source: selinux, Dest: k.to.at.Path(), Err: err})
		}
	}
	if !w.options.Preserve.has(Xattrs | Context) {
		return
	}
	names, err := k.from.listxattr()
	if err != nil {
		if !noXattrs(err) {
			w.xattrProblem(&Problem{What: ListXattrs, Source: k.from.at.Path(), Err: err})
		}
		return
	}
	k.noACL = !bytes.Contains(names, []byte(accessACL+"\x00"))
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

func (w *worker) keepXattr(k *keeping, name string) {
	value, err := k.from.getxattr(name, usualXattr)
	if err != nil {
		w.xattrProblem(&Problem{What: GetXattr, Source: name, Dest: k.from.at.Path(), Err: err})
		return
	}
	err = k.to.setxattr(name, value)
	if err == unix.EACCES && !k.link {
		err = k.to.setOnReadOnly(name, value)
	}
	switch {
	case err == unix.EOPNOTSUPP:
		w.xattrProblem(&Problem{What: SetXattrs, Dest: k.to.at.Path(), Err: err})
	case err != nil:
		w.xattrProblem(&Problem{What: SetXattr, Source: name, Dest: k.to.at.Path(), Err: err})
	}
}

// xattrProblem tells of a failure, if it is to be told.
func (w *worker) xattrProblem(p *Problem) {
	p.Tolerated = w.options.Xattrs != RequireXattrs
	everything := !p.Tolerated || w.options.AttributesOnly || w.mover != nil
	if !everything && (w.options.Xattrs == IgnoreXattrs || noXattrs(p.Err) || p.Err == unix.ENODATA) {
		return
	}
	w.report(p)
}

// setOnReadOnly sets an attribute of a file that its owner may not write to,
// and who therefore may not set attributes either, by allowing it for a moment.
func (h handle) setOnReadOnly(name string, value []byte) error {
	var st unix.Stat_t
	if err := h.stat(&st); err != nil {
		return err
	}
	mode := st.Mode & (permissions | setID)
	if h.chmod(mode|unix.S_IWUSR) != nil {
		return unix.EACCES
	}
	err := h.setxattr(name, value)
	if chmodErr := h.chmod(mode); err == nil {
		err = chmodErr
	}
	return err
}

func (h handle) stat(st *unix.Stat_t) error {
	if h.fd >= 0 {
		return place.Fstat(h.fd, st)
	}
	return place.Stat(h.at, st, unix.AT_SYMLINK_NOFOLLOW)
}

// noXattrs are the answers of a filesystem that keeps no extended attributes.
func noXattrs(err error) bool { return err == unix.EOPNOTSUPP || err == unix.ENOSYS }

// excludedXattrs are those that xattr.conf(5) says are no mere data: permissions,
// which go with the mode, and what only means something where it is.
var excludedXattrs = sync.OnceValue(func() []string {
	text, err := os.ReadFile("/etc/xattr.conf")
	if err != nil {
		return []string{
			accessACL, defaultACL, "system.nfs4_acl", "system.nfs4acl",
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
	return append(patterns, accessACL, defaultACL)
})

const (
	usualXattr   = 256      // bytes of a value, or of all names, that one call reads
	longestXattr = 64 << 10 // XATTR_SIZE_MAX and XATTR_LIST_MAX, linux/limits.h
)

// listxattr returns the names, a zero byte behind each.
func (h handle) listxattr() ([]byte, error) {
	return sized(usualXattr, func(buf []byte) (int, error) {
		if h.fd >= 0 {
			return unix.Flistxattr(h.fd, buf)
		}
		return unix.Llistxattr(h.xattrPath(), buf)
	})
}

// getxattr returns a value; one call will do if it has no more than the usual
// number of bytes.
func (h handle) getxattr(name string, usual int) ([]byte, error) {
	return sized(usual, func(buf []byte) (int, error) {
		if h.fd >= 0 {
			return unix.Fgetxattr(h.fd, name, buf)
		}
		return unix.Lgetxattr(h.xattrPath(), name, buf)
	})
}

// sized calls get with larger buffers until what it gets fits in.
func sized(size int, get func([]byte) (int, error)) ([]byte, error) {
	for ; ; size = min(size*8, longestXattr) {
		buf, n := make([]byte, size), 0
		err := place.Retry(func() (err error) {
			n, err = get(buf)
			return err
		})
		if err == nil {
			return buf[:n], nil
		}
		if err != unix.ERANGE || size == longestXattr {
			return nil, err
		}
	}
}

func (h handle) setxattr(name string, value []byte) error {
	return place.Retry(func() error {
		if h.fd >= 0 {
			return unix.Fsetxattr(h.fd, name, value, 0)
		}
		return unix.Lsetxattr(h.xattrPath(), name, value, 0)
	})
}

func (h handle) removeACL(name string) error {
	return place.Retry(func() error {
		if h.fd >= 0 {
			return unix.Fremovexattr(h.fd, name)
		}
		return unix.Lremovexattr(h.xattrPath(), name)
	})
}

// xattrPath names the file for the calls on extended attributes, which know no
// directory descriptors.
func (h handle) xattrPath() string {
	if h.at.Dir == nil {
		return h.at.Name
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", h.at.Dir.FD, h.at.Name)
}
