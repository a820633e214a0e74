package splice

import (
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// What rapid draws for a scene: the kinds of both ends, sizes, how much a call moves, who
// is slow, and faults. drawOptions comes first, then drawSource, drawSink and drawFaults.
// To repeat a failure, run the test with the -rapid.seed that it prints.

var (
	anySource = []Kind{Other, Regular, Block, Character, Terminal, Pipe, Socket, Directory}
	anySink   = []Kind{Other, Regular, Block, Character, Terminal, Pipe, Socket}
	spliced   = []Kind{Regular, Block, Character, Pipe, Socket}
	files     = []Kind{Regular, Block}
	regular   = []Kind{Regular}
)

// served are the kinds that each method can be asked to copy between.
var served = map[Method]struct{ from, to []Kind }{
	Auto:          {anySource, anySink},
	Reflink:       {regular, regular},
	CopyFileRange: {regular, regular},
	Sendfile:      {files, []Kind{Regular, Block, Character, Terminal, Pipe, Socket}},
	Splice:        {spliced, spliced},
	Mmap:          {regular, anySink},
	Direct:        {files, files},
	ReadWrite:     {anySource, anySink},
}

var filesystems = []int64{unix.TMPFS_MAGIC, unix.EXT4_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.XFS_SUPER_MAGIC}

func size(t *rapid.T, label string) int64 {
	some := rapid.OneOf(
		rapid.IntRange(0, 3*page),
		rapid.SampledFrom([]int{page - 1, page, page + 1, 65535, 65536, 65537, bufferSize - 1, bufferSize, bufferSize + 1}),
		rapid.IntRange(0, 300<<10),
	)
	if oneIn(t, 40, label+" is big") {
		some = rapid.IntRange(1<<20, 3<<20)
	}
	return int64(some.Draw(t, label))
}

func oneIn(t *rapid.T, n int, label string) bool {
	return rapid.IntRange(0, n-1).Draw(t, label) == n-1
}

func drawOptions(t *rapid.T, s *scene, m Method) {
	s.options = Options{
		Method:      m,
		NoOffload:   m != Reflink && m != CopyFileRange && oneIn(t, 4, "no offload"),
		Preallocate: rapid.Bool().Draw(t, "preallocate"),
		Stable:      m != Sendfile && oneIn(t, 8, "stable"),
	}
	if m != Reflink && oneIn(t, 3, "limited") {
		s.options.Limit = 1 + size(t, "limit")
	}
	if m != Reflink && m != Direct && oneIn(t, 8, "held to a rate") {
		s.options.Limiter = NewLimiter(rapid.Float64Range(1<<16, 1<<30).Draw(t, "per second"))
	}
	if oneIn(t, 8, "stopped") {
		s.stop = rapid.IntRange(1, 10).Draw(t, "stopped at")
	}
	s.copier.PipeSize = rapid.SampledFrom([]int{0, 1, 2 * page, 64 << 10}).Draw(t, "pipe size")
	if oneIn(t, 3, "pool") {
		s.copier.Pool = NewPool(64<<10, rapid.IntRange(1, 2).Draw(t, "pipes"))
	}
	if oneIn(t, 3, "waits elsewhere") {
		s.options.Wait = s.wait
	}
	s.k.biggestPipe = rapid.SampledFrom([]int{page, 2 * page, 64 << 10, 1 << 20}).Draw(t, "biggest pipe")
}

// wait is an Options.Wait that does what the engine would do itself.
func (s *scene) wait(fd int, events int16, timeout int) (ready bool, err error) {
	elsewhere := &system{kernel: s.copier.kernel}
	ready, err = elsewhere.poll(fd, events, timeout)
	switch {
	case err == nil:
		return ready, nil
	case fd == s.src.FD:
		return false, &ReadError{err}
	}
	return false, &WriteError{err}
}

func drawSource(t *rapid.T, s *scene, kinds []Kind) {
	kind := rapid.SampledFrom(kinds).Draw(t, "source")
	switch kind {
	case Regular, Block:
		drawFile(t, s, kind)
	case Directory:
		st := s.stream(Directory, 0)
		st.fails = unix.EISDIR
	default:
		drawStream(t, s, kind)
	}
}

func drawFile(t *rapid.T, s *scene, kind Kind) {
	f := s.file(kind, size(t, "source size"), 0)
	f.fs = rapid.SampledFrom(filesystems).Draw(t, "source filesystem")
	f.align = rapid.SampledFrom([]int{512, page, 2 << 20}).Draw(t, "source alignment")
	switch offset := rapid.IntRange(0, 5).Draw(t, "source offset"); {
	case s.options.Method == Reflink, offset < 3:
	case offset == 3:
		s.src.o.offset = int64(rapid.IntRange(0, 4).Draw(t, "source page") * page)
	default:
		s.src.o.offset = size(t, "source offset")
	}
	if kind == Regular && oneIn(t, 5, "strange") {
		f.known = rapid.SampledFrom([]int64{-1, 0, page}).Draw(t, "size that is known")
		f.refusal = rapid.SampledFrom([]unix.Errno{0, unix.EINVAL, unix.ENOSYS}).Draw(t, "refusal")
		f.atOnce = rapid.IntRange(page/4, 2*page).Draw(t, "bytes of a read")
	}
	if oneIn(t, 6, "bad sector") {
		f.bad = size(t, "bad at") / page * page
		f.badErr = rapid.SampledFrom([]unix.Errno{unix.EIO, unix.ESTALE, unix.ENOTCONN, unix.EUCLEAN}).Draw(t, "bad with")
	}
	if rapid.Bool().Draw(t, "no leases") {
		f.noLease = rapid.SampledFrom([]unix.Errno{unix.EACCES, unix.EAGAIN, unix.EINVAL}).Draw(t, "for")
	}
	s.src = s.describe(s.src.o)
	if f.known < 0 && oneIn(t, 5, "resized") {
		s.src.length = -1
		to := max(0, f.size-int64(rapid.IntRange(1, 2*page).Draw(t, "cut off")))
		if rapid.Bool().Draw(t, "by much") {
			to = size(t, "resized to")
		}
		if s.options.Method != Mmap && s.options.Method != ReadWrite {
			to = to / page * page // what is cut off within a page is zeros in a pipe that refers to it
		}
		f.writers = append(f.writers, &fakeWriter{
			step:   rapid.IntRange(1, 30).Draw(t, "resized at"),
			change: func(f *fakeFile) { f.resizeTo(to) },
		})
	}
}

// resizeTo cuts the file or lets it grow by what every source has there.
func (f *fakeFile) resizeTo(size int64) {
	if size > f.size {
		f.grow(size - f.size)
	} else {
		f.resize(size)
	}
}

func drawStream(t *rapid.T, s *scene, kind Kind) {
	segments := rapid.SliceOfN(rapid.IntRange(1, page), 0, 60).Draw(t, "segments")
	if kind == Terminal && oneIn(t, 3, "types after the end") {
		segments = append(segments, 0)
	}
	flags := 0
	if oneIn(t, 3, "source is nonblocking") {
		flags = unix.O_NONBLOCK
	}
	st := s.stream(kind, flags, segments...)
	if len(segments) > 0 && segments[len(segments)-1] == 0 {
		st.segments = append(st.segments, []byte("typed after the end"))
	}
	st.dry = rapid.SliceOfN(rapid.Bool(), 0, len(segments)).Draw(t, "dry")
	st.burst = rapid.IntRange(1, 20).Draw(t, "burst")
	if kind != Terminal && oneIn(t, 6, "source fails") {
		st.fails = rapid.SampledFrom([]unix.Errno{unix.EIO, unix.ECONNRESET, unix.ETIMEDOUT}).Draw(t, "with")
	}
	if oneIn(t, 6, "splice refuses midway") {
		st.refusal = rapid.SampledFrom([]unix.Errno{unix.EINVAL, unix.EPERM}).Draw(t, "refusal")
		st.refuse = size(t, "refused from")
	}
}

func drawSink(t *rapid.T, s *scene, kinds []Kind) {
	kind := rapid.SampledFrom(kinds).Draw(t, "sink")
	flags := 0
	if kind != Regular && kind != Block && oneIn(t, 3, "sink is nonblocking") {
		flags = unix.O_NONBLOCK
	}
	switch kind {
	case Regular, Block:
		drawFileSink(t, s, kind)
	case Pipe:
		p := s.toPipe(flags, rapid.SampledFrom([]int{1, 2, 3, 16, 64}).Draw(t, "slots"))
		p.reader.pace = rapid.SliceOfN(rapid.IntRange(0, 5), 0, 20).Draw(t, "pace")
		if oneIn(t, 6, "reader leaves") {
			p.reader.leaves = int(1 + size(t, "after"))
		}
		if oneIn(t, 6, "reader sleeps") {
			p.reader.wakes = s.k.clock.Add(2 * time.Second)
		}
	default:
		h := s.toHole(kind, flags)
		h.rooms = rapid.SliceOfN(rapid.IntRange(0, 3*page), 0, 20).Draw(t, "rooms")
		if oneIn(t, 6, "sink refuses") {
			h.refusal = rapid.SampledFrom([]unix.Errno{unix.EINVAL, unix.EPERM}).Draw(t, "refusal")
		}
		if oneIn(t, 6, "sink fails") {
			h.full = size(t, "fails at")
			h.err = rapid.SampledFrom([]unix.Errno{unix.ENOSPC, unix.ECONNRESET, unix.EPIPE}).Draw(t, "with")
		}
	}
}

func drawFileSink(t *rapid.T, s *scene, kind Kind) {
	var before, offset int64
	flags := 0
	direct := s.options.Method == Direct
	if s.options.Method != Reflink && oneIn(t, 2, "sink has content") {
		before = size(t, "sink size")
		offset = int64(rapid.IntRange(0, int(before)).Draw(t, "sink offset"))
		if direct && !oneIn(t, 4, "aligned differently") {
			offset = offset/page*page + s.src.Offset%page
			before = max(before, offset)
		}
	}
	takesAppend := s.options.Method == Auto || s.options.Method == ReadWrite || s.options.Method == Mmap
	if kind == Regular && takesAppend && oneIn(t, 5, "appends") {
		flags = unix.O_APPEND
	}
	f := s.toFile(kind, flags, before, offset)
	f.fs = rapid.SampledFrom(filesystems).Draw(t, "sink filesystem")
	f.align = rapid.SampledFrom([]int{512, page}).Draw(t, "sink alignment")
	if oneIn(t, 6, "disk is full") {
		f.full = size(t, "full at")
		f.fullErr = rapid.SampledFrom([]unix.Errno{unix.ENOSPC, unix.EDQUOT, unix.EIO}).Draw(t, "with")
	}
}

// errnos are what any call may answer: those of errno.go, and others.
var errnos = []unix.Errno{
	unix.ENOSYS, unix.EPERM, unix.EACCES, unix.EOPNOTSUPP, unix.EINVAL, unix.EBADF, unix.EXDEV, unix.ENOTTY,
	unix.ETXTBSY, unix.ENOENT, unix.EIO, unix.ENOMEM, unix.EFBIG, unix.ESPIPE, unix.EOVERFLOW, unix.EISDIR,
	unix.ENODEV, unix.ENXIO, unix.EMFILE, unix.ENFILE, unix.ENOSPC, unix.EDQUOT, unix.EPIPE, unix.ECONNRESET,
	unix.ESTALE, unix.EROFS, unix.EBUSY,
}

// faulty are the calls that get faults, and how else than by an errno each one
// can disappoint.
var faulty = []struct {
	site
	signal, short, again, zero bool
}{
	{site{"read", source}, true, true, true, false},
	{site{"read", nobody}, true, true, false, false},
	{site{"write", theSink}, true, true, true, true},
	{site{"splice in", source}, true, true, true, true},
	{site{"splice out", theSink}, true, true, true, true},
	{site{"tee", theSink}, true, true, true, true},
	{site{"tee", nobody}, true, true, false, true},
	{site{"copy_file_range", either}, true, true, false, true},
	{site{"sendfile", either}, true, true, true, true},
	{site{"clone", either}, true, false, false, false},
	{site{"poll", source}, true, false, false, false},
	{site{"poll", theSink}, true, false, false, false},
	{site{"pread", source}, true, true, false, false},
	{site{"pwrite", theSink}, true, true, false, true},
	{site{"reopen", source}, true, false, false, false},
	{site{"reopen", theSink}, true, false, false, false},
	{site{"pipe", nobody}, false, false, false, false},
	{site{"F_SETPIPE_SZ", nobody}, false, false, false, false},
	{site{"F_SETLEASE", nobody}, false, false, false, false},
	{site{"mmap", source}, false, false, false, false},
	{site{"fstat", source}, true, false, false, false},
	{site{"fallocate", nobody}, false, false, false, false},
}

// drawFaults puts faults everywhere. EAGAIN is only for what may block, and 0
// is not for what it would be the true end of.
func drawFaults(t *rapid.T, s *scene) {
	if oneIn(t, 6, "no faults") {
		return
	}
	for _, f := range faulty {
		last := f.who
		if f.who == theSink {
			last = party(len(s.dst))
		}
		for who := f.who; who <= last; who++ {
			ends := f.call == "splice in" && (s.src.Kind == Pipe || s.src.Kind == Socket)
			again := f.again && s.mayBlock(f.site.call, who)
			faults := rapid.SliceOfN(drawFault(f.signal, f.short, again, f.zero && !ends), 0, 5)
			s.fail(f.call, who, faults.Draw(t, f.call)...)
		}
	}
}

func (s *scene) mayBlock(call string, who party) bool {
	end := s.src
	if call == "sendfile" {
		end = s.dst[0]
	} else if who >= theSink {
		end = s.dst[who-theSink]
	}
	return end.Kind != Regular && end.Kind != Block
}

func drawFault(signal, short, again, zero bool) *rapid.Generator[fault] {
	return rapid.Custom(func(t *rapid.T) fault {
		switch kind := rapid.IntRange(0, 19).Draw(t, "fault"); {
		case kind < 5:
			return fault{}
		case kind < 8 && short:
			return fault{most: rapid.IntRange(1, 2*page).Draw(t, "most")}
		case kind < 10 && short:
			return fault{most: rapid.IntRange(1, 16).Draw(t, "pages") * page}
		case kind < 13 && signal:
			return fault{errno: unix.EINTR}
		case kind < 16 && again:
			return fault{errno: unix.EAGAIN}
		case kind < 17 && zero:
			return fault{zero: true}
		case kind > 17:
			return fault{errno: rapid.SampledFrom(errnos).Draw(t, "errno")}
		}
		return fault{}
	})
}
