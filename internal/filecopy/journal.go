package filecopy

import "sync"

// A journal passes events on in the order in which they would come if one
// worker alone did everything. Each file that is handed to a worker has a page
// of it, and so has the end of each directory; what the walk has to tell
// meanwhile stands behind the last page. What can be told at once is.
type journal struct {
	listener Listener

	mu          sync.Mutex
	first, last *page // the pages that are not passed on yet
	weight      int   // of these together
	enough      int   // the walk waits until they weigh no more than that; -1 if it does not
	passed      sync.Cond
}

// A page is the events of one file, and of the walk behind it.
type page struct {
	next   *page
	weight int     // what it costs to keep it waiting
	own    []Event // until all pages before it are passed on
	behind []Event
	closed bool
}

func newJournal(l Listener) *journal {
	j := &journal{listener: l, enough: -1}
	j.passed.L = &j.mu
	return j
}

// open appends a page. It is the walk that does.
func (j *journal) open(weight int) *page {
	j.mu.Lock()
	defer j.mu.Unlock()
	p := &page{weight: weight}
	if j.last == nil {
		j.first = p
	} else {
		j.last.next = p
	}
	j.last = p
	j.weight += weight
	return p
}

// note writes on a page; nil is the walk's place behind the last one.
func (j *journal) note(p *page, e Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case p == j.first: // also if both are nil
		j.listener.Tell(e)
	case p == nil:
		j.last.behind = append(j.last.behind, e)
		j.last.weight++
		j.weight++
	default:
		p.own = append(p.own, e)
	}
}

// close ends a page, and passes on what waited for that.
func (j *journal) close(p *page) {
	j.mu.Lock()
	defer j.mu.Unlock()
	p.closed = true
	for j.first != nil && j.first.closed {
		j.tell(j.first.behind)
		j.weight -= j.first.weight
		if j.first = j.first.next; j.first == nil {
			j.last = nil
		} else {
			j.tell(j.first.own)
		}
	}
	if j.weight <= j.enough {
		j.enough = -1
		j.passed.Signal()
	}
}

func (j *journal) tell(events []Event) {
	for _, e := range events {
		j.listener.Tell(e)
	}
}

// announce tells an event at once.
func (j *journal) announce(e Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.listener.Tell != nil {
		j.listener.Tell(e)
	}
}

// heavier reports whether the pages weigh more than enough.
func (j *journal) heavier(enough int) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.weight > enough
}

// wait returns when the pages that are open or behind open ones weigh no more
// than enough.
func (j *journal) wait(enough int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.weight > enough {
		j.enough = enough
		j.passed.Wait()
	}
}
