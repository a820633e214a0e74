package place

import "testing"

func TestPathsAreJoinedWithOneSlash(t *testing.T) {
	for _, test := range []struct{ dir, want string }{
		{"d", "d/in/x"}, {"d/", "d/in/x"}, {"d//", "d/in/x"}, {"a//d//", "a//d/in/x"},
		{"/", "/in/x"}, {"//", "//in/x"}, {".", "./in/x"}, {"..", "../in/x"}, {"d/.", "d/./in/x"},
	} {
		top := &Directory{At: Place{nil, test.dir}}
		inner := &Directory{At: Place{top, "in"}}
		if got := (Place{inner, "x"}).Path(); got != test.want {
			t.Errorf("x in in in %q is %q, want %q", test.dir, got, test.want)
		}
	}
}

func TestSiblingsAreInTheSameDirectory(t *testing.T) {
	for path, want := range map[string]string{
		"a": "s", "a/": "s", "d/a": "d/s", "d/a//": "d/s", "/a": "/s", "/": "/s", "": "s", "..": "s", "d//a": "d//s",
	} {
		if got := (Place{nil, path}).Sibling("s").Name; got != want {
			t.Errorf("beside %q: %q, want %q", path, got, want)
		}
	}
}

func TestCopiesAreCalledByTheLastComponent(t *testing.T) {
	for path, want := range map[string]string{
		"a": "a", "d/a": "a", "a/": "a", "d//a//": "a", "/": "", "//": "", ".": ".", "d/..": "..", "": "", "\xff/\xfe": "\xfe",
	} {
		if got := Base(path); got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
}

func TestOneEntryHasManyPaths(t *testing.T) {
	t.Chdir(t.TempDir())
	mkdir(t, "d")
	mkdir(t, "e")
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"d/x", "d/x", true}, {"d/x", "e/../d/x/", true}, {"d/x", "./d//x", true}, {"x", "d/../x", true},
		{"d/x", "e/x", false}, {"d/x", "d/y", false}, {"d", "d/.", false}, {"/x", "//x", true}, {"gone/x", "gone/x", false},
	} {
		if got := SameName(Place{nil, test.a}, Place{nil, test.b}); got != test.want {
			t.Errorf("%q and %q: %v", test.a, test.b, got)
		}
	}
}
