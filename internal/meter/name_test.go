package meter

import "testing"

func TestNamesCanNotMoveTheCursor(t *testing.T) {
	for name, want := range map[string]string{
		"plain.txt":      "plain.txt",
		"a\x1b[2Jb":      "a?[2Jb",
		"two\nlines\r\t": "two?lines??",
		"\xff\xfe":       "??",
		"\u202eevil":     "?evil",
		"\u009b1A":       "?1A",
		"grün 漢字 😀":      "grün 漢字 😀",
	} {
		if got := clean(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

// wcwidth(3) of each, or more.
func TestColumnsAreNeverFewerThanATerminalTakes(t *testing.T) {
	for text, atLeast := range map[string]int{
		"abc": 3, "grün": 4, "漢字": 4, "한글": 4, "\u1112\u1161\u11ab": 2, "😀": 2, "⌚": 2, "ｆｕｌｌ": 8, "e\u0301": 1, "🇩🇪": 2, "❤\ufe0f": 2,
	} {
		if got := columns(text); got < atLeast {
			t.Errorf("%q: %d columns, want %d", text, got, atLeast)
		}
	}
	for text, exactly := range map[string]int{"abc": 3, "grün": 4, "Ελλάδα": 6, "Москва": 6, "漢字": 4} {
		if got := columns(text); got != exactly {
			t.Errorf("%q: %d columns, want %d", text, got, exactly)
		}
	}
}

func TestLongNamesAreCutInTheMiddle(t *testing.T) {
	const long = "photos-2024-summer.tar.gz"
	for width, want := range map[int]string{
		25: long, 24: "photos-2024-sum...tar.gz", 12: "photos-...gz", 5: "ph..z", 4: "phot", 1: "p", 0: "",
	} {
		if got := cut(long, width); got != want {
			t.Errorf("%d: got %q, want %q", width, got, want)
		}
	}
	if got, want := cut("漢字漢字漢字", 9), "漢字..字"; got != want { // a column stays free
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNamesStandAtTheRightOfTheirColumns(t *testing.T) {
	st := State{Count: 5, Elapsed: 1}
	const long = "a-very-long-name-of-a-file.tar.gz"
	checkLine(t, Style{Fields: Count, Name: "abc"}, st, 80, "      abc: 5.00  B")
	checkLine(t, Style{Fields: Count, Name: "abc", NameWidth: 12}, st, 80, "         abc: 5.00  B")
	checkLine(t, Style{Fields: Count, Name: "漢字", NameWidth: 5}, st, 80, " 漢字: 5.00  B")
	checkLine(t, Style{Fields: Count, Name: long}, st, 60, "a-very-long-..tar.gz: 5.00  B")
	checkLine(t, Style{Fields: Count, Name: long, NameWidth: 30}, st, 60, "a-very-long-name-of..le.tar.gz: 5.00  B")
}
