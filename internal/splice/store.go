package splice

import (
	"math"
	"sync"

	"golang.org/x/sys/unix"
)

const (
	// blockSize is how much of a store is one piece of memory, in bytes;
	// smallBlock with a budget, of which every store has one for nothing.
	blockSize  = 1 << 20
	smallBlock = 64 << 10
	// mostInPipes is how much a store has in pipes, in bytes: half of what the
	// kernel lets a user have by default (fs.pipe-user-pages-soft).
	mostInPipes = 32 << 20
)

// A block holds bytes of the source, in a pipe or in memory.
type block struct {
	pipe       *pipe
	memory     []byte
	start, end int  // of what it holds; in a pipe only their difference counts
	sealed     bool // the pipe takes no more: small pieces have used up its pages
	charged    bool // to the budget
}

func (b *block) held() int { return b.end - b.start }

// room is how many bytes a block takes.
func (b *block) room() int {
	switch {
	case b.pipe == nil:
		return len(b.memory) - b.end
	case b.sealed:
		return 0
	}
	return b.pipe.capacity - b.held()
}

// A store holds the bytes between a source and a sink. One goroutine
// fills it, and another empties it.
type store struct {
	size      int
	threshold int    // bytes to have before delivery begins
	mapping   []byte // all memory, used or not
	pipes     []*pipe
	budget    *Budget // nil is no bound
	blockSize int

	mu      sync.Mutex
	changed sync.Cond
	queue   []*block // what is filled, the oldest first; the last takes more
	held    int

	inPipes    bool // blocks are pipes as long as there are any
	piped      int  // bytes that all pipes can hold
	freePipes  []*block
	freeMemory []*block
	unused     []byte // memory that was no block yet

	flowing  bool // delivery has begun
	ended    bool // no more will come
	err      error
	unwanted bool // delivery has stopped
}

// newStore returns an empty store. The error is ENOMEM.
func newStore(b Buffer) (*store, error) {
	size := min(max(b.Size, smallestPipe), math.MaxInt-blockSize)
	// One block more than the store holds: the oldest block may be delivered in
	// part, and takes nothing more.
	memory, err := unix.Mmap(-1, 0, size+blockSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, err
	}
	s := &store{size: size, threshold: int(int64(size) * int64(b.Fill) / 100), mapping: memory, unused: memory, budget: b.Budget, blockSize: blockSize}
	if s.budget != nil {
		s.blockSize = smallBlock
	}
	s.changed.L = &s.mu
	return s, nil
}

func (s *store) close(sys *system) {
	for _, p := range s.pipes {
		p.close(sys)
	}
	for _, b := range s.queue {
		s.release(b)
	}
	unix.Munmap(s.mapping)
}

// room waits until the store has room, and returns a block and the most bytes to
// put there. A nil block means that delivery has stopped.
func (s *store) room(sys *system, pipeSize int) (*block, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.unwanted {
		if s.held < s.size {
			if b := s.tail(sys, pipeSize); b != nil {
				return b, min(b.room(), s.size-s.held)
			}
			s.flowing = true // the budget does not allow more to be filled
			s.changed.Broadcast()
		}
		s.changed.Wait()
	}
	return nil, 0
}

// tail returns the block that takes the next bytes. It is nil if the budget allows
// no other and the store holds bytes. mu is held.
func (s *store) tail(sys *system, pipeSize int) *block {
	if last := len(s.queue) - 1; last >= 0 {
		b := s.queue[last]
		if b.held() == 0 {
			b.start, b.end, b.sealed = 0, 0, false
		}
		left := b.pipe != nil && !s.inPipes
		if b.room() > 0 && !left {
			return b
		}
		if b.held() == 0 {
			s.queue = s.queue[:last]
		}
	}
	b := s.emptyBlock(sys, pipeSize)
	if b != nil {
		s.queue = append(s.queue, b)
	}
	return b
}

// emptyBlock returns a pipe if possible, else memory: the one that was used last,
// which is most likely in a CPU's cache.
func (s *store) emptyBlock(sys *system, pipeSize int) *block {
	if s.inPipes && len(s.freePipes) == 0 && s.piped < mostInPipes {
		s.makePipe(sys, pipeSize)
	}
	if s.inPipes && len(s.freePipes) > 0 {
		return pop(&s.freePipes)
	}
	charge := s.budget != nil && len(s.queue) > 0
	if charge && !s.budget.take(s.blockSize) {
		return nil
	}
	if len(s.freeMemory) > 0 {
		b := pop(&s.freeMemory)
		b.charged = charge
		return b
	}
	b := &block{memory: s.unused[:min(s.blockSize, len(s.unused))], charged: charge}
	s.unused = s.unused[len(b.memory):]
	return b
}

// release returns the memory of a charged block to the budget and to the kernel.
func (s *store) release(b *block) {
	if b.charged {
		_ = unix.Madvise(b.memory, unix.MADV_DONTNEED) // of an anonymous mapping: it cannot fail
		s.budget.give(s.blockSize)
		b.charged = false
	}
}

func pop(blocks *[]*block) *block {
	last := len(*blocks) - 1
	b := (*blocks)[last]
	*blocks = (*blocks)[:last]
	return b
}

// makePipe makes one more pipe. If that fails, or the pipe is small, no other is
// made: descriptors or the user's pipe memory have run out.
func (s *store) makePipe(sys *system, size int) {
	if size == 0 {
		size = DefaultPipeSize
	}
	p, err := newPipe(sys, size)
	if err != nil {
		s.piped = mostInPipes
		return
	}
	s.pipes = append(s.pipes, p)
	if p.capacity <= smallestPipe {
		s.piped = mostInPipes
		return
	}
	s.piped += p.capacity
	s.freePipes = append(s.freePipes, &block{pipe: p})
}

// leavePipes puts the bytes that come from now on into memory.
func (s *store) leavePipes() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inPipes = false
}

// seal keeps more bytes out of a block until it is empty. It returns false if it
// is empty already.
func (s *store) seal(b *block) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	b.sealed = b.held() > 0
	return b.sealed
}

// add counts n bytes that came into a block.
func (s *store) add(b *block, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b.end += n
	s.held += n
	s.changed.Signal()
}

// next waits until bytes may be delivered, and returns the oldest block and the
// number of its bytes. A nil block is the end.
func (s *store) next() (*block, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.flows() && !s.ended {
		s.changed.Wait()
	}
	if s.held == 0 {
		return nil, 0
	}
	return s.queue[0], s.queue[0].held()
}

// flows reports whether bytes may be delivered. mu is held.
func (s *store) flows() bool {
	if s.held > 0 && s.held >= s.threshold {
		s.flowing = true
	}
	return s.flowing
}

// remove counts n bytes of the oldest block that were delivered.
func (s *store) remove(b *block, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b.start += n
	s.held -= n
	s.flowing = s.held > 0
	s.changed.Signal()
	if b.held() > 0 || len(s.queue) == 1 {
		return // the last takes more
	}
	s.queue = s.queue[1:]
	b.start, b.end, b.sealed = 0, 0, false
	if b.pipe == nil {
		s.release(b)
		s.freeMemory = append(s.freeMemory, b)
	} else {
		s.freePipes = append(s.freePipes, b)
	}
}

// end is called when the source has ended, stop when delivery has.
func (s *store) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended, s.err = true, err
	s.changed.Signal()
}

func (s *store) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unwanted = true
	s.changed.Signal()
}

func (s *store) stopped() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unwanted
}
