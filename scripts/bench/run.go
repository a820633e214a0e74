package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// A sample is what one start of a tool cost.
type sample struct {
	wall, cpu time.Duration // of the tools alone
	switches  int64         // context switches of the tools
	peak      int64         // KiB resident; only where it was counted
	calls     int64         // system calls of the tools; only where they were counted
}

// A result is what a contender reached in a case.
type result struct {
	contender
	samples []sample // timed
	counted sample   // not timed; no calls and no memory where nothing can be counted
}

// runCase lets the contenders take turns. One that fails is out, and the
// others go on; runCase itself fails if the case cannot be set up.
func runCase(ctx context.Context, c benchCase, lineup []contender, g *ground, rounds int) (results []result, err error) {
	for _, who := range lineup {
		results = append(results, result{contender: who})
	}
	l, err := newLane(c, g)
	if err != nil {
		return nil, err
	}
	defer l.close()
	for round := range 1 + rounds {
		for i := range results {
			if results[i].err == nil && ctx.Err() == nil {
				results[i].err = l.turn(ctx, &results[i], round == 0)
			}
		}
	}
	return results, nil
}

// A lane is the directory in which the contenders of a case run.
type lane struct {
	benchCase
	*ground
	dir       string
	formatted string // the hash of what the first contender made of text
}

func newLane(c benchCase, g *ground) (*lane, error) {
	p := g.place(c.sourceFS())
	if p.err != nil {
		return nil, p.err
	}
	l := &lane{benchCase: c, ground: g, dir: filepath.Join(p.dir, "lane")}
	if err := os.Mkdir(l.dir, 0o755); err != nil {
		return nil, err
	}
	err := l.makeInput()
	if c.freshFS() != "" {
		err = cmp.Or(err, os.Symlink(l.freshDir(), l.path("fresh")))
	}
	if err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *lane) close() {
	l.unmountFresh() // or the next mount says that it could not
	os.RemoveAll(l.dir)
}

// turn runs a contender for a round. The first round is for checking.
func (l *lane) turn(ctx context.Context, r *result, first bool) error {
	if first {
		if _, err := l.once(ctx, r.contender, rig{compare: true}); err != nil {
			return err
		}
		err := l.checkOutput()
		if l.columns() > 0 {
			err = l.checkFormatted()
		}
		if err == nil && len(r.line()) > 0 && r.copies == 1 {
			r.counted, err = l.once(ctx, r.contender, rig{count: true})
		}
		return err
	}
	if l.shows == "memory" {
		return nil
	}
	for range l.starts() {
		s, err := l.once(ctx, r.contender, rig{})
		if err != nil {
			return err
		}
		r.samples = append(r.samples, s)
	}
	return nil
}

// once removes what the run before has made, gets everything ready around the
// tool, and runs it. An error has with it what the tool and the helpers said.
func (l *lane) once(ctx context.Context, who contender, r rig) (s sample, err error) {
	if err := l.clear(); err != nil {
		return s, err
	}
	r.ctx, r.lane = ctx, l
	if err = r.assemble(who); err == nil {
		s, err = r.run()
	}
	if err != nil {
		said := make([]byte, 1024)
		n, _ := l.log.ReadAt(said, 0)
		l.log.Truncate(0)
		err = fmt.Errorf("%w\n%s", err, said[:n])
	}
	return s, err
}
