package tool

import "testing"

var reflinks = []string{"auto", "always", "never"}

func TestChoiceTakesAWordOrItsUnambiguousBeginning(t *testing.T) {
	backups := []string{"none|off", "simple|never", "existing|nil", "numbered|t"}
	for _, c := range []struct {
		value string
		valid []string
		want  string
	}{
		{"never", reflinks, "never"},
		{"n", reflinks, "never"},
		{"al", reflinks, "always"},
		{"off", backups, "none"},
		{"t", backups, "numbered"},
		{"ne", backups, "simple"},
		{"direct", []string{"direct", "directory"}, "direct"},
		{"s", []string{"same|save", "other"}, "same"},
	} {
		if got, err := Choice("--x", c.value, c.valid); got != c.want || err != nil {
			t.Errorf("Choice(%q, %q) = %q, %v, want %q", c.value, c.valid, got, err, c.want)
		}
	}
}

func TestChoiceRefusesAsGNUDoes(t *testing.T) {
	for _, locale := range locales {
		inLocale(t, locale)
		for _, value := range []string{"", "a", "autos", "Auto", "x'y", "x\ny", "é\\", "‘’"} {
			_, err := Choice("--reflink", value, reflinks)
			if err == nil {
				t.Errorf("%q was taken", value)
				continue
			}
			want := real(t, "cp", "--reflink="+value, "a", "b").stderr
			if got := "cp: " + err.Error() + "\nTry 'cp --help' for more information.\n"; got != want {
				t.Errorf("LC_ALL=%s: got\n%swant\n%s", locale, got, want)
			}
		}
	}
}

func TestChoiceListsSynonymsOnOneLine(t *testing.T) {
	inLocale(t, "C")
	_, err := Choice("backup type", "n", []string{"none|off", "simple|never", "existing|nil", "numbered|t"})
	if err == nil {
		t.Fatal("taken")
	}
	want := real(t, "cp", "--backup=n", "a", "b").stderr
	if got := "cp: " + err.Error() + "\nTry 'cp --help' for more information.\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
