package property

import (
	"flag"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// cases are what a run draws.
func cases(t *testing.T, n int) (drawn []int) {
	t.Run("run", func(t *testing.T) {
		Check(t, n, func(t *rapid.T) { drawn = append(drawn, rapid.Int().Draw(t, "case")) })
	})
	return drawn
}

func TestCIDrawsTheSameCasesEachTime(t *testing.T) {
	t.Setenv("CI", "true")
	first, second := cases(t, 50), cases(t, 50)
	if len(first) == 0 || !slices.Equal(first, second) {
		t.Errorf("%v, then %v", first, second)
	}
}

func TestOthersDrawNewOnes(t *testing.T) {
	t.Setenv("CI", "")
	if first, second := cases(t, 50), cases(t, 50); len(first) == 0 || slices.Equal(first, second) {
		t.Errorf("%v, then %v", first, second)
	}
}

func TestTheSameCasesCanBeAskedFor(t *testing.T) {
	t.Setenv("CI", "")
	var runs [2][]int
	for i := range runs {
		t.Run("run", func(t *testing.T) {
			CheckSame(t, 50, func(t *rapid.T) { runs[i] = append(runs[i], rapid.Int().Draw(t, "case")) })
		})
	}
	if len(runs[0]) == 0 || !slices.Equal(runs[0], runs[1]) {
		t.Errorf("%v, then %v", runs[0], runs[1])
	}
}

func TestFlagsAreLeftAsTheyWere(t *testing.T) {
	t.Setenv("CI", "true")
	before := flag.Lookup("rapid.seed").Value.String()
	cases(t, 3)
	if after := flag.Lookup("rapid.seed").Value.String(); after != before {
		t.Errorf("-rapid.seed=%s, was %s", after, before)
	}
}
