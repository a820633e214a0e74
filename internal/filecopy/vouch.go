package filecopy

import (
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/attr"
	"zeroutils/internal/filecopy/place"
)

// tick is longer than the step of a file's times before Linux 6.13, which is that
// of the kernel's clock: at most 10 ms (CONFIG_HZ=100).
const tick = 10 * time.Millisecond

// watch has every store to the source from now on change its ctime, also one
// through a shared mapping. A page that is dirty already takes stores without a
// word; once written back, it is mapped read-only, and the next store is a fault
// that sets the times. sync_file_range(2) does that without waiting for the
// journal. tmpfs, which writes nothing back, has no such fault.
func (m *mover) watch(src *file) {
	if m == nil || !src.regular() {
		return
	}
	if age := time.Since(time.Unix(src.stat.Ctim.Unix())); age >= 0 && age < tick {
		time.Sleep(tick - age) // a change in the same step would not show
	}
	const writeBack = unix.SYNC_FILE_RANGE_WAIT_BEFORE | unix.SYNC_FILE_RANGE_WRITE | unix.SYNC_FILE_RANGE_WAIT_AFTER
	// An error is one of writing the source, which is read from the page cache;
	// those who wrote it are still told by their own fsync(2).
	_ = place.Retry(func() error { return unix.SyncFileRange(src.fd, 0, 0, writeBack) })
}

// changed reports whether a file is another one, or was written to, or had its
// attributes changed.
func changed(was, now *unix.Stat_t) bool {
	return place.IDOf(was) != place.IDOf(now) || was.Size != now.Size || was.Mtim != now.Mtim || was.Ctim != now.Ctim
}

// vanished reports whether a file has lost its last name, and nothing else: then
// the copy is all that is left.
func vanished(was, now *unix.Stat_t) bool {
	return now.Nlink == 0 && place.IDOf(was) == place.IDOf(now) && was.Size == now.Size && was.Mtim == now.Mtim
}

// vouch makes sure, before a copy takes its place, that the source is as it was,
// and that the copy is as long and has the attributes that it should have.
func (m *mover) vouch(w *worker, dst, src *file) *Problem {
	if m == nil {
		return nil
	}
	var from, to unix.Stat_t
	_, err := place.IdentifyOpen(src.fd)
	if err == nil {
		err = place.Fstat(src.fd, &from)
	}
	if err != nil {
		return &Problem{What: StatSource, Source: src.at.Path(), Err: err}
	}
	if err := place.Fstat(dst.fd, &to); err != nil {
		return &Problem{What: StatDest, Dest: dst.at.Path(), Err: err}
	}
	if changed(&src.stat, &from) && !vanished(&src.stat, &from) {
		return &Problem{What: SourceChanged, Source: src.at.Path()}
	}
	if what := w.differingAttribute(&from, &to); what != "" {
		return &Problem{What: Differs, Source: src.at.Path(), Dest: dst.at.Path(), Err: plainError(what)}
	}
	return nil
}

// differingAttribute names one that the copy was to have and has not. What a
// user who is not root may not give is not expected.
func (w *worker) differingAttribute(from, to *unix.Stat_t) string {
	keeps := w.options.Preserve
	owned := from.Uid == to.Uid && from.Gid == to.Gid
	switch {
	case from.Size != to.Size:
		return "in length"
	case keeps.has(Ownership) && w.privileged && !owned:
		return "in owner"
	case keeps.has(Mode) && (from.Mode^to.Mode)&attr.Permissions != 0:
		return "in permissions"
	case keeps.has(Timestamps) && !sameTime(from.Mtim, to.Mtim):
		return "in time of change"
	}
	return ""
}

// sameTime allows for what filesystems keep of times: whole seconds, some only
// even ones.
func sameTime(a, b unix.Timespec) bool {
	distance := a.Nano() - b.Nano()
	return max(distance, -distance) < 2e9
}

// unkept refuses a move to a filesystem that cannot keep the attributes of the
// source. It tries them on the empty copy, where the filesystem is none that
// keeps all.
func (m *mover) unkept(w *worker, e *entry, dst, src *file) *Problem {
	if m == nil || !src.regular() || !dst.regular() || keepsSizes(w.devices.filesystem(dst)) {
		return nil
	}
	to, keeps := attr.Opened(dst.fd, dst.at), w.options.Preserve
	var lost []string
	if keeps.has(Mode) {
		k := &attr.Pair{From: attr.Opened(src.fd, src.at), To: to, Source: &e.stat, Was: &dst.stat, Fresh: true}
		if attr.KeepMode(k, e.stat.Mode&attr.Permissions) != nil {
			lost = append(lost, "mode")
		}
	}
	if keeps.has(Ownership) && w.privileged {
		to.Chown(int(e.stat.Uid), int(e.stat.Gid)) // what comes of it is seen below
	}
	if keeps.has(Timestamps) {
		to.Touch(e.stat.Atim, e.stat.Mtim)
	}
	if err := place.Fstat(dst.fd, &dst.stat); err != nil {
		return &Problem{What: StatDest, Dest: dst.at.Path(), Err: err}
	}
	from, now := &e.stat, &dst.stat
	if keeps.has(Mode) && lost == nil && (from.Mode^now.Mode)&attr.Permissions != 0 {
		lost = append(lost, "mode")
	}
	if keeps.has(Ownership) && w.privileged && (from.Uid != now.Uid || from.Gid != now.Gid) {
		lost = append(lost, "ownership")
	}
	if keeps.has(Timestamps) && !sameTime(from.Mtim, now.Mtim) {
		lost = append(lost, "timestamps")
	}
	if lost == nil {
		return nil
	}
	return &Problem{
		What: Unkept, Source: e.src.Path(), Dest: e.dst.Path(),
		Err: plainError("--no-preserve=" + strings.Join(lost, ",") + " moves it without them"),
	}
}
