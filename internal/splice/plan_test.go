package splice

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

var everyKind = []Kind{Other, Regular, Block, Character, Terminal, Pipe, Socket, Directory}

// big is a descriptor of a kind; a regular file is too long to be read in one
// go, on a filesystem without offload.
func big(k Kind) *Descriptor {
	d := &Descriptor{Kind: k}
	if k == Regular {
		d.Stat.Size, d.FS = 1<<20, unix.TMPFS_MAGIC
	}
	return d
}

// The letters of the grids: Reflink, Copy_file_range, sEndfile, Splice, Mmap,
// Direct and read/Write.
func letters(plan []Method) string {
	s := ""
	for _, m := range plan {
		s += string(".RCESMDW?U"[m])
	}
	return s
}

func TestPlanOfEveryKindToEveryKind(t *testing.T) {
	grid := `
to:        Other  Regular Block Character Terminal Pipe Socket
Other      W      W       W     W         W        W    W
Regular    EW     SEW     SEW   SEW       EW       SEW  SEW
Block      EW     SEW     SEW   SEW       EW       SEW  SEW
Character  W      SW      SW    SW        W        SW   SW
Terminal   W      W       W     W         W        W    W
Pipe       W      SW      SW    SW        W        SW   SW
Socket     W      SW      SW    SW        W        SW   SW
Directory  W      W       W     W         W        W    W
`
	for i, row := range strings.Split(strings.TrimSpace(grid), "\n")[1:] {
		for j, want := range strings.Fields(row)[1:] {
			src, dst := everyKind[i], everyKind[j]
			plan, err := Plan(big(dst), big(src), Options{})
			if letters(plan) != want || err != nil {
				t.Errorf("%v to %v: %v (%v), want %s", src.Describe(), dst.Describe(), plan, err, want)
			}
			appending := big(dst)
			appending.Flags = unix.O_APPEND
			plan, err = Plan(appending, big(src), Options{})
			if letters(plan) != "W" || err != nil {
				t.Errorf("%v appended to %v: %v (%v), want read and write", src.Describe(), dst.Describe(), plan, err)
			}
		}
	}
}

func TestEveryMethodServesThePairsThatTheKernelHasItFor(t *testing.T) {
	grid := `
to:        Other   Regular Block  Character Terminal Pipe   Socket
Other      W       W       W      W         W        W      W
Regular    EMW     RCESMDW ESMDW  ESMW      EMW      ESMW   ESMW
Block      EW      ESDW    ESDW   ESW       EW       ESW    ESW
Character  W       SW      SW     SW        W        SW     SW
Terminal   W       W       W      W         W        W      W
Pipe       W       SW      SW     SW        W        SW     SW
Socket     W       SW      SW     SW        W        SW     SW
`
	for i, row := range strings.Split(strings.TrimSpace(grid), "\n")[1:] {
		for j, want := range strings.Fields(row)[1:] {
			src, dst := everyKind[i], everyKind[j]
			checkForced(t, src, dst, want, 0)
			without := strings.NewReplacer("R", "", "C", "", "E", "", "S", "", "D", "")
			checkForced(t, src, dst, without.Replace(want), unix.O_APPEND)
		}
	}
}

// checkForced asks for each method alone; the letters are those that serve.
func checkForced(t *testing.T, src, dst Kind, want string, flags int) {
	t.Helper()
	for m := Reflink; m <= ReadWrite; m++ {
		to := big(dst)
		to.Flags = flags
		to.Stat.Size = 0
		plan, err := Plan(to, big(src), Options{Method: m})
		name := fmt.Sprintf("%v from %v to %v, flags %#x", m, src.Describe(), dst.Describe(), flags)
		if strings.Contains(want, letters([]Method{m})) {
			if !slices.Equal(plan, []Method{m}) || err != nil {
				t.Errorf("%s: %v, %v", name, plan, err)
			}
			continue
		}
		var unserved *UnservedError
		if !errors.As(err, &unserved) || *unserved != (UnservedError{Method: m, Src: src, Dst: dst}) {
			t.Errorf("%s: plan %v, error %v", name, plan, err)
		}
	}
}

func TestPlanBetweenFiles(t *testing.T) {
	const small, large = smallFile, smallFile + 1
	const ext4, tmpfs, xfs, btrfs = unix.EXT4_SUPER_MAGIC, unix.TMPFS_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC
	for _, c := range []struct {
		name     string
		size     int64
		from, to int64
		change   func(dst, src *Descriptor, o *Options)
		want     string
	}{
		{"an empty file may be one whose size is not true", 0, ext4, ext4, nil, "W"},
		{"a small file", small, ext4, ext4, nil, "W"},
		{"a large file", large, ext4, ext4, nil, "SEW"},
		{"a large file, tmpfs", large, tmpfs, tmpfs, nil, "SEW"},
		{"a large file where extents are shared", large, xfs, xfs, nil, "RCSEW"},
		{"a small one there", small, btrfs, btrfs, nil, "RW"},
		{"from one that shares to one that does not", large, xfs, ext4, nil, "SEW"},
		{"from one that does not to one that does", large, ext4, xfs, nil, "SEW"},
		{"between two that share, of different kinds", large, xfs, btrfs, nil, "SEW"},
		{"between two of a kind", large, xfs, xfs, func(dst, _ *Descriptor, _ *Options) { dst.Stat.Dev = 7 }, "CSEW"},
		{"between subvolumes", large, btrfs, btrfs, func(dst, _ *Descriptor, _ *Options) { dst.Stat.Dev = 7 }, "RCSEW"},
		{"unknown filesystems", large, 0, 0, nil, "SEW"},
		{"no offload", large, xfs, xfs, func(_, _ *Descriptor, o *Options) { o.NoOffload = true }, "SEW"},
		{"no offload of a small file", small, xfs, xfs, func(_, _ *Descriptor, o *Options) { o.NoOffload = true }, "W"},
		{"a limit", large, xfs, xfs, func(_, _ *Descriptor, o *Options) { o.Limit = 100 }, "CSEW"},
		{"not from the start", large, xfs, xfs, func(_, src *Descriptor, _ *Options) { src.Offset = 1 }, "W"},
		{"far from the start", 2 * large, xfs, xfs, func(_, src *Descriptor, _ *Options) { src.Offset = page }, "CSEW"},
		{"behind the end", large, xfs, xfs, func(_, src *Descriptor, _ *Options) { src.Offset = 2 * large }, "W"},
		{"not to the start", large, xfs, xfs, func(dst, _ *Descriptor, _ *Options) { dst.Offset = 1 }, "CSEW"},
		{"over something", large, xfs, xfs, func(dst, _ *Descriptor, _ *Options) { dst.Stat.Size = 1 }, "CSEW"},
		{"appended", large, xfs, xfs, func(dst, _ *Descriptor, _ *Options) { dst.Flags = unix.O_APPEND }, "W"},
		{"stable is for pipes", large, xfs, xfs, func(_, _ *Descriptor, o *Options) { o.Stable = true }, "RCSEW"},
		{"preallocated", large, ext4, ext4, func(_, _ *Descriptor, o *Options) { o.Preallocate = true }, "SEW"},
	} {
		src := &Descriptor{Kind: Regular, FS: c.from}
		src.Stat.Size = c.size
		dst := &Descriptor{Kind: Regular, FS: c.to}
		var o Options
		if c.change != nil {
			c.change(dst, src, &o)
		}
		if plan, err := Plan(dst, src, o); letters(plan) != c.want || err != nil {
			t.Errorf("%s: %v (%v), want %s", c.name, plan, err, c.want)
		}
	}
}

func TestOnlyWholeFilesCanBeReflinked(t *testing.T) {
	for _, change := range []func(dst, src *Descriptor, o *Options){
		func(_, src *Descriptor, _ *Options) { src.Offset = page },
		func(dst, _ *Descriptor, _ *Options) { dst.Offset = page },
		func(dst, _ *Descriptor, _ *Options) { dst.Stat.Size = 1 },
		func(dst, _ *Descriptor, _ *Options) { dst.Stat.Dev = 7 },
		func(_, _ *Descriptor, o *Options) { o.Limit = 1 << 30 },
		func(_, _ *Descriptor, o *Options) { o.NoOffload = true },
	} {
		dst, src, o := big(Regular), big(Regular), Options{Method: Reflink}
		dst.Stat.Size = 0
		if _, err := Plan(dst, src, o); err != nil {
			t.Fatal(err)
		}
		change(dst, src, &o)
		if _, err := Plan(dst, src, o); err == nil {
			t.Errorf("%+v from %+v to %+v is served", o, src, dst)
		}
	}
}

func TestNoOffloadForbidsCopyFileRange(t *testing.T) {
	if _, err := Plan(big(Regular), big(Regular), Options{Method: CopyFileRange, NoOffload: true}); err == nil {
		t.Error("it is served")
	}
}

// Plan does not see the lease that guards a regular file on its way into a
// pipe: Copy takes it instead of asking for a plan.
func TestAStableCopyLeavesNoReferencesWithoutALease(t *testing.T) {
	for _, c := range []struct {
		src, dst Kind
		want     string
	}{
		{Regular, Pipe, "W"},
		{Regular, Socket, "W"},
		{Block, Pipe, "W"},
		{Block, Socket, "W"},
		{Regular, Regular, "SEW"},
		{Block, Block, "SEW"},
		{Pipe, Pipe, "SW"},
		{Character, Socket, "SW"},
	} {
		plan, err := Plan(big(c.dst), big(c.src), Options{Stable: true})
		if letters(plan) != c.want || err != nil {
			t.Errorf("%v to %v: %v (%v), want %s", c.src.Describe(), c.dst.Describe(), plan, err, c.want)
		}
		for _, m := range []Method{Sendfile, Splice} {
			_, err := Plan(big(c.dst), big(c.src), Options{Stable: true, Method: m})
			if served := strings.Contains(c.want, letters([]Method{m})); served != (err == nil) {
				t.Errorf("%v from %v to %v: %v", m, c.src.Describe(), c.dst.Describe(), err)
			}
		}
	}
}

func TestNothingIsPlannedForDevNull(t *testing.T) {
	null := big(Character)
	null.Stat.Rdev = unix.Mkdev(1, 3)
	if plan, err := Plan(big(Pipe), null, Options{}); letters(plan) != "W" || err != nil {
		t.Errorf("%v, %v", plan, err)
	}
	zero := big(Character)
	zero.Stat.Rdev = unix.Mkdev(1, 5)
	if plan, err := Plan(big(Pipe), zero, Options{}); letters(plan) != "SW" || err != nil {
		t.Errorf("/dev/zero: %v, %v", plan, err)
	}
}

func TestATapeIsReadAndWrittenByTheRecord(t *testing.T) {
	tape := big(Character)
	tape.Stat.Rdev = unix.Mkdev(9, 128)
	for _, pair := range [][2]*Descriptor{{big(Pipe), tape}, {tape, big(Pipe)}, {big(Block), tape}} {
		if plan, err := Plan(pair[0], pair[1], Options{}); letters(plan) != "W" || err != nil {
			t.Errorf("%v to %v: %v, %v", pair[1].Kind, pair[0].Kind, plan, err)
		}
	}
}

func TestFilesystemsThatOffload(t *testing.T) {
	for fs, want := range map[int64]bool{
		0x9123683e: true,  // btrfs
		0x58465342: true,  // XFS
		0x7461636f: true,  // OCFS2
		0x6969:     true,  // NFS
		0xff534d42: true,  // CIFS
		0xfe534d42: true,  // SMB2
		0x00c36400: true,  // Ceph
		0x65735546: true,  // FUSE
		0xca451a4e: true,  // bcachefs
		0x2fc12fc1: true,  // ZFS
		0xef53:     false, // ext4
		0x01021994: false, // tmpfs
		0x794c7630: false, // overlay
		0x9fa0:     false, // proc
		0:          false,
	} {
		if offloads(fs) != want {
			t.Errorf("offloads(%#x) = %v", fs, !want)
		}
	}
}

// What was written to a file and what the server copied to it corrupt each
// other there.
func TestOnSMBTheServerCopiesOnlyWhatIsWrittenNoOtherWay(t *testing.T) {
	for _, fs := range []int64{unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC} {
		at := func(d *Descriptor) *Descriptor { d.FS = fs; return d }
		for _, c := range []struct {
			o    Options
			want []Method
		}{
			{Options{}, []Method{Splice, Sendfile, ReadWrite}},
			{Options{Direct: true}, []Method{Direct, ReadWrite}},
			{Options{Alone: true}, []Method{Reflink, CopyFileRange, Splice, Sendfile, ReadWrite}},
			{Options{Method: CopyFileRange}, []Method{CopyFileRange}},
		} {
			if plan, err := Plan(at(&Descriptor{Kind: Regular}), at(big(Regular)), c.o); !slices.Equal(plan, c.want) || err != nil {
				t.Errorf("%+v: %v, %v, want %v", c.o, plan, err, c.want)
			}
		}
	}
}

func TestWhatTheServerOfSMBHasBegunNobodyElseFinishes(t *testing.T) {
	for _, e := range []unix.Errno{unix.EIO, unix.EOPNOTSUPP} {
		s := fileToFile(unix.CIFS_SUPER_MAGIC, Auto)
		s.options.Alone = true
		s.fail("clone", either, fault{errno: unix.EOPNOTSUPP})
		s.fail("copy_file_range", either, fault{most: 3 * page}, fault{errno: e})
		r, err := s.copy()
		if failed := (*WriteError)(nil); !errors.As(err, &failed) || failed.Err != e {
			t.Errorf("%s: error %v", e, err)
		}
		if r.By[CopyFileRange] != r.Delivered || r.Delivered == 0 {
			t.Errorf("%s: by method %v", e, r.By)
		}
	}
}

func TestBlocksAreReservedOnExt4Alone(t *testing.T) {
	for _, fs := range []int64{0, unix.TMPFS_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC} {
		if preallocates(fs) {
			t.Errorf("filesystem %#x", fs)
		}
	}
	if !preallocates(unix.EXT4_SUPER_MAGIC) {
		t.Error("not on ext4")
	}
}

func TestCopiesByTheCPU(t *testing.T) {
	xfs := func(k Kind) *Descriptor { return &Descriptor{Kind: k, FS: unix.XFS_SUPER_MAGIC} }
	for _, c := range []struct {
		m        Method
		src, dst *Descriptor
		want     int64
	}{
		{ReadWrite, big(Pipe), big(Pipe), 2},
		{ReadWrite, big(Regular), big(Regular), 2},
		{Mmap, big(Regular), big(Pipe), 1},
		{Direct, big(Regular), big(Regular), 0},
		{Reflink, big(Regular), big(Regular), 0},
		{CopyFileRange, xfs(Regular), xfs(Regular), 0},
		{CopyFileRange, xfs(Regular), big(Regular), 1},
		{CopyFileRange, big(Regular), big(Regular), 1},
		{Splice, big(Pipe), big(Pipe), 0},
		{Splice, big(Regular), big(Pipe), 0},
		{Splice, big(Regular), big(Socket), 0},
		{Splice, big(Pipe), big(Regular), 1},
		{Splice, big(Pipe), big(Block), 1},
		{Splice, big(Character), big(Pipe), 1},
		{Splice, big(Character), big(Regular), 2},
		{Sendfile, big(Regular), big(Socket), 0},
		{Sendfile, big(Regular), big(Regular), 1},
		{TeePipe, big(Pipe), big(Pipe), 0},
	} {
		if n := cpuCopies(c.m, c.dst, c.src); n != c.want {
			t.Errorf("%v from %v to %v: %d, want %d", c.m, c.src.Kind.Describe(), c.dst.Kind.Describe(), n, c.want)
		}
	}
}
