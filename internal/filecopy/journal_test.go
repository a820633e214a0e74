package filecopy

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"zeroutils/internal/property"
)

// TestAJournalKeepsTheOrderOfTheWalk has pages written and closed by several
// goroutines, while the walk goes on.
func TestAJournalKeepsTheOrderOfTheWalk(t *testing.T) {
	property.Check(t, property.Usual, func(t *rapid.T) {
		own := rapid.SliceOfN(rapid.IntRange(0, 3), 1, 40).Draw(t, "events of each page")
		behind := rapid.SliceOfN(rapid.IntRange(0, 2), len(own), len(own)).Draw(t, "events of the walk behind it")
		enough := rapid.IntRange(0, 10).Draw(t, "weight that may wait")
		var told, want []string
		j := newJournal(Listener{Tell: func(e Event) { told = append(told, e.(Skipped).Dest) }})
		tell := func(p *page, text string) { j.note(p, Skipped{text}) }
		var writers sync.WaitGroup
		for i := range own {
			j.wait(enough)
			p := j.open(1)
			writers.Go(func() {
				for k := range own[i] {
					if rand.IntN(2) == 0 {
						runtime.Gosched()
					}
					tell(p, fmt.Sprint("page ", i, ", ", k))
				}
				j.close(p)
			})
			for k := range own[i] {
				want = append(want, fmt.Sprint("page ", i, ", ", k))
			}
			for k := range behind[i] {
				tell(nil, fmt.Sprint("walk ", i, ", ", k))
				want = append(want, fmt.Sprint("walk ", i, ", ", k))
			}
		}
		j.wait(0)
		if !slices.Equal(told, want) {
			t.Errorf("told %q,\nwant %q", told, want)
		}
		if j.weight != 0 || j.first != nil || j.last != nil {
			t.Errorf("something stays: %+v", j)
		}
		writers.Wait()
	})
}
