package meter

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"zeroutils/internal/property"
)

const windowWidth = 12

// drawRows returns rows that differ from those before, some of which fill the
// window.
func drawRows(t *rapid.T, step, most int) []string {
	rows := make([]string, rapid.IntRange(0, most).Draw(t, "rows"))
	for i := range rows {
		length := rapid.OneOf(rapid.IntRange(0, windowWidth), rapid.Just(windowWidth)).Draw(t, "length")
		rows[i] = strings.Repeat(string(rune('a'+step%26)), length)
	}
	return rows
}

// checkScreen draws rows, prints messages in between and ends, and looks at the
// window each time.
func checkScreen(t *rapid.T, s screen, most int) {
	w := newWindow(windowWidth)
	var messages, rows []string
	check := func(rows []string) {
		t.Helper()
		if got, want := w.text(), trimmed(slices.Concat(messages, rows)); !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	for step := range rapid.IntRange(1, 20).Draw(t, "steps") {
		if rapid.IntRange(0, 3).Draw(t, "message if 0") == 0 {
			w.write(s.clear())
			message := fmt.Sprintf("message %d", step)
			w.print(message)
			messages = append(messages, message)
			check(nil)
		}
		rows = drawRows(t, step, most)
		w.write(s.show(rows, size{columns: windowWidth}))
		check(rows)
	}
	w.write(s.end())
	check(rows)
	if s.shown() || s.clear() != nil || s.end() != nil {
		t.Fatal("the end is not the end")
	}
	if len(rows) > 0 && rows[len(rows)-1] != "" {
		w.print("afterwards")
	}
}

func TestRowsAndMessagesNeverGarbleEachOther(t *testing.T) {
	t.Run("with escape sequences", func(t *testing.T) {
		property.Check(t, property.Usual, func(t *rapid.T) { checkScreen(t, &ansi{}, 4) })
	})
	t.Run("without", func(t *testing.T) {
		property.Check(t, property.Usual, func(t *rapid.T) { checkScreen(t, &plain{}, 1) })
	})
}

func TestRowsAreWrittenOverThoseBefore(t *testing.T) {
	var s ansi
	for _, c := range []struct {
		rows []string
		want string
	}{
		{nil, ""},
		{[]string{"one"}, "\rone\x1b[K"},
		{[]string{"1", "2", "3"}, "\r1\x1b[K\n\r2\x1b[K\n\r3\x1b[K"},
		{[]string{"1", "0123456789ab", "3"}, "\x1b[2A\r1\x1b[K\n\r0123456789ab\n\r3\x1b[K"},
		{[]string{"1"}, "\r\x1b[2A\x1b[J\r1\x1b[K"},
		{nil, "\r\x1b[J"},
	} {
		if got := string(s.show(c.rows, size{columns: windowWidth})); got != c.want {
			t.Errorf("%q: got %q, want %q", c.rows, got, c.want)
		}
	}
}

func TestRowsThatAreLostAreNotReachedFor(t *testing.T) {
	s, w := ansi{}, newWindow(windowWidth)
	w.write(s.show([]string{"1", "2"}, size{columns: windowWidth}))
	w.write([]byte("^Z\n")) // the process is stopped, and the shell goes on
	w.print("$ fg")
	s.lost()
	w.write(s.show([]string{"3", "4"}, size{columns: windowWidth}))
	if got, want := w.text(), []string{"1", "2^Z", "$ fg", "3", "4"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWithoutEscapeSequencesThereIsOnlyTheLastRow(t *testing.T) {
	var s plain
	for _, c := range []struct {
		rows []string
		want string
	}{
		{nil, ""},
		{[]string{"file", "whole"}, "whole\r"},
		{[]string{"all"}, "all  \r"},
		{nil, "     \r"},
		{nil, ""},
	} {
		if got := string(s.show(c.rows, size{columns: windowWidth})); got != c.want {
			t.Errorf("%q: got %q, want %q", c.rows, got, c.want)
		}
	}
}
