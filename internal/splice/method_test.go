package splice

import (
	"slices"
	"testing"
)

func TestMethodNamesAreWhatParseMethodTakes(t *testing.T) {
	want := []string{"auto", "reflink", "copy_file_range", "sendfile", "splice", "mmap", "direct", "readwrite"}
	if names := MethodNames(); !slices.Equal(names, want) {
		t.Fatalf("names are %q", names)
	}
	for i, name := range want {
		if m, ok := ParseMethod(name); m != Method(i) || !ok || m.String() != name {
			t.Errorf("%q is %v, %v", name, m, ok)
		}
	}
}

func TestNothingElseIsAMethod(t *testing.T) {
	for _, name := range []string{"", "tee", "Auto", "read", "copy-file-range", "splice "} {
		if m, ok := ParseMethod(name); ok || m != Auto {
			t.Errorf("%q is %v", name, m)
		}
	}
}

func TestWhoAppendsToMethodNamesChangesNothing(t *testing.T) {
	_ = append(MethodNames(), "mine")
	if TeePipe.String() != "tee" {
		t.Errorf("the name of TeePipe is now %q", TeePipe)
	}
}

func TestEveryMethodHasAName(t *testing.T) {
	for m := range methods {
		if m.String() == "" {
			t.Errorf("method %d has none", m)
		}
	}
	if got := (methods + 3).String(); got != "method(13)" {
		t.Errorf("an unknown one is %q", got)
	}
}

func TestEveryKindSaysWhatItIs(t *testing.T) {
	seen := map[string]bool{}
	for k := Other; k <= Directory; k++ {
		seen[k.Describe()] = true
	}
	if len(seen) != 8 || seen[""] {
		t.Errorf("%v", seen)
	}
}
