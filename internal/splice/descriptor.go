package splice

import "golang.org/x/sys/unix"

// A Kind is the type of file that a descriptor refers to.
type Kind uint8

const (
	Other     Kind = iota // eventfd, epoll and the like: read and write only
	Regular               // a regular file, also of procfs, sysfs or FUSE
	Block                 // a block device
	Character             // a character device that is no terminal
	Terminal              // isatty(3)
	Pipe                  // a pipe or FIFO
	Socket                // a socket
	Directory             // a directory
)

// Describe returns the kind with its article, for messages.
func (k Kind) Describe() string {
	return [...]string{
		"a descriptor of unknown kind", "a regular file", "a block device", "a character device",
		"a terminal", "a pipe", "a socket", "a directory",
	}[k]
}

// A Descriptor is an open descriptor and the properties that a copy depends on.
type Descriptor struct {
	FD     int
	Kind   Kind
	Stat   unix.Stat_t // fstat(2) when it was described
	Flags  int         // F_GETFL: access mode, O_APPEND, O_NONBLOCK
	Offset int64       // the file offset of a Regular or Block, in bytes, kept true by a copy; else 0
	// Inherited is set if another process may have the same open file description:
	// see shared.go.
	Inherited bool
	// Records is set for a socket whose data comes in records, each of which one
	// read(2) takes and one write(2) makes: all but SOCK_STREAM.
	Records bool
	// FS is the magic number of the filesystem that a Regular lies on
	// (statfs(2)), or 0 if it is not known: a copy that needs it asks then. A
	// caller that copies many files can ask once for each device.
	FS int64

	inUse bool  // another process moves the offset: only read and write serve
	claim claim // what this copy alone reads or writes
}

// Describe describes an inherited descriptor, by fstat(2), F_GETFL, and lseek(2),
// TCGETS or SO_TYPE for some kinds. The error is that of fstat or fcntl: EBADF for a
// closed descriptor.
func Describe(fd int) (*Descriptor, error) {
	d, err := DescribeOwn(fd)
	if err == nil {
		d.Inherited = true
	}
	return d, err
}

// DescribeOwn is Describe for a descriptor that this process has opened, so that no
// other process uses its file offset.
func DescribeOwn(fd int) (*Descriptor, error) {
	var st unix.Stat_t
	err := error(unix.EINTR)
	for err == unix.EINTR { // of the Go scheduler's signals, on CIFS and FUSE
		err = unix.Fstat(fd, &st)
	}
	if err != nil {
		return nil, err
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return nil, err
	}
	d := Opened(fd, &st, flags)
	if d.Kind == Regular || d.Kind == Block {
		d.Offset, _ = unix.Seek(fd, 0, unix.SEEK_CUR) // a device that cannot seek is at 0
	}
	return d, nil
}

// Opened describes a descriptor that the caller has just opened with the given flags.
// For a regular file it makes no system call.
func Opened(fd int, st *unix.Stat_t, flags int) *Descriptor {
	d := &Descriptor{FD: fd, Kind: kindOf(fd, st.Mode), Stat: *st, Flags: flags}
	d.Records = d.Kind == Socket && inRecords(fd)
	return d
}

// inRecords reports whether a socket is of another type than SOCK_STREAM.
func inRecords(fd int) bool {
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	return err == nil && kind != unix.SOCK_STREAM
}

func kindOf(fd int, mode uint32) Kind {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		return Regular
	case unix.S_IFBLK:
		return Block
	case unix.S_IFIFO:
		return Pipe
	case unix.S_IFSOCK:
		return Socket
	case unix.S_IFDIR:
		return Directory
	case unix.S_IFCHR:
		if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); err == nil {
			return Terminal
		}
		return Character
	}
	return Other
}

// Remaining returns the number of bytes between a regular file's offset and its size,
// or 0. The file may hold more: procfs, sysfs and some FUSE filesystems report wrong
// sizes.
func (d *Descriptor) Remaining() int64 {
	if d.Kind != Regular {
		return 0
	}
	return max(0, d.Stat.Size-d.Offset)
}

// Appends reports whether every write goes to the end of the file, which
// splice, sendfile and copy_file_range refuse (EINVAL, EBADF).
func (d *Descriptor) Appends() bool { return d.Flags&unix.O_APPEND != 0 }

// splices reports whether splice(2) can serve. It does not serve
//   - terminals, where it would wait for a second end of file (^D);
//   - tapes, where a call reads or writes one record: until Linux 5.10 splice read
//     and wrote devices by the page, and lost the rest of a record;
//   - sockets of records, which it cuts where a pipe has fewer slots than they have
//     pages.
func (d *Descriptor) splices() bool {
	switch d.Kind {
	case Regular, Block, Pipe:
		return true
	case Socket:
		return !d.Records
	case Character:
		return unix.Major(uint64(d.Stat.Rdev)) != tapes
	}
	return false
}

// tapes is the major number of SCSI tapes (admin-guide/devices.txt of Linux).
const tapes = 9

// isNull recognizes /dev/null, the character device 1:3. As a source it is
// empty, and splice refuses it (EINVAL).
func (d *Descriptor) isNull() bool {
	return d.Kind == Character && uint64(d.Stat.Rdev) == unix.Mkdev(1, 3)
}

// advance updates Offset, and the size of a file that has grown, after n bytes were
// read.
func (d *Descriptor) advance(n int64) {
	if d.Kind != Regular && d.Kind != Block {
		return
	}
	d.Offset += n
	d.Stat.Size = max(d.Stat.Size, d.Offset)
}

// wrote updates them after n bytes were written; with O_APPEND, at the end.
func (d *Descriptor) wrote(n int64) {
	if d.Appends() && n > 0 {
		d.Offset = d.Stat.Size
	}
	d.advance(n)
}

// looksSparse reports whether the file has fewer blocks than its size needs.
func (d *Descriptor) looksSparse() bool { return d.Stat.Blocks*512 < d.Stat.Size }

// CopiesOntoItself reports whether copying src to dst would never end, since it reads
// the bytes that it has written: both are the same regular file, and the source's
// offset is before the sink's. A [Copier.Filter] may write more than it reads: for that
// see FiltersOntoItself.
func CopiesOntoItself(dst, src *Descriptor) bool {
	if !sameFile(dst, src) {
		return false
	}
	if dst.Appends() {
		return src.Offset < dst.Stat.Size
	}
	return src.Offset < dst.Offset
}

// FiltersOntoItself is CopiesOntoItself for a [Copier.Filter], whatever the offsets.
func FiltersOntoItself(dst, src *Descriptor) bool {
	return sameFile(dst, src) && src.Offset < max(src.Stat.Size, dst.Offset)
}

func sameFile(dst, src *Descriptor) bool {
	return dst.Kind == Regular && src.Stat.Dev == dst.Stat.Dev && src.Stat.Ino == dst.Stat.Ino
}
