package main

import (
	"sync"
	"time"
)

// mostLines is how many lines a second a server says of its connections.
const mostLines = 10

// A journal prints messages, but no more than so many a second. Of the others it
// prints how many there were.
type journal struct {
	print func(format string, args ...any)
	most  int

	mu      sync.Mutex
	lines   int         // in this second
	omitted int         // messages
	second  *time.Timer // runs to the end of the second; nil between them
}

func newJournal(print func(format string, args ...any), most int) *journal {
	return &journal{print: print, most: most}
}

// say prints a message, or counts it.
func (j *journal) say(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.second == nil {
		j.lines = 0
		j.second = time.AfterFunc(time.Second, j.flush)
	}
	if j.lines++; j.lines > j.most {
		j.omitted++
		return
	}
	j.print(format, args...)
}

// flush ends the second, and says how many messages were left out.
func (j *journal) flush() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.second != nil {
		j.second.Stop()
		j.second = nil
	}
	if j.omitted > 0 {
		j.print("messages left out: %d", j.omitted)
		j.omitted = 0
	}
}
