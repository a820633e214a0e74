package splice

import (
	"testing"

	"pgregory.net/rapid"

	"zeroutils/internal/property"
)

func TestCopyDeliversExactlyTheSourceOrATruthfulErrorAndAnExactPrefix(t *testing.T) {
	for m := Auto; m <= ReadWrite; m++ {
		for _, from := range served[m].from {
			t.Run(m.String()+" from "+from.Describe(), property.Make(property.Usual, func(t *rapid.T) {
				s := newScene()
				drawOptions(t, s, m)
				drawSource(t, s, []Kind{from})
				drawSink(t, s, served[m].to)
				drawFaults(t, s)
				r, err := s.copy()
				s.checkSecondCopy(t)
				s.checkCopy(t, r, err)
			}))
		}
	}
}

// checkSecondCopy copies something else with the same Copier: nothing of what
// the first copy left behind may come along.
func (s *scene) checkSecondCopy(t rapid.TB) {
	k := s.k
	k.faults = map[site][]fault{}
	k.owed = nil
	second := &scene{k: k, copier: s.copier, options: Options{Method: Splice}}
	second.stream(Pipe, 0, 100, 200, 300)
	hole := second.toHole(Socket, 0)
	second.src.start = 0
	r, err := second.copy()
	if wrong := difference(hole.got, content(0, 600)); wrong != "" || err != nil || r.Delivered != 600 {
		t.Errorf("a second copy with the same Copier: %v, %s", err, wrong)
	}
}
