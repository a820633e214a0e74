package meter

import (
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"zeroutils/internal/property"
)

func drawState(t *rapid.T) State {
	count := rapid.OneOf(rapid.Int64(), rapid.Int64Range(0, 1<<40), rapid.Just[int64](0))
	rate := rapid.OneOf(rapid.Float64(), rapid.Float64Range(0, 1e12), rapid.Just(0.0))
	length := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-1, int64(1e15)))
	return State{
		Count: count.Draw(t, "count"), Total: count.Draw(t, "total"),
		Rate: rate.Draw(t, "rate"), Average: rate.Draw(t, "average"),
		Elapsed: time.Duration(length.Draw(t, "elapsed")),
		Left:    time.Duration(length.Draw(t, "left")),
		Finish:  time.Unix(rapid.Int64Range(0, 1<<40).Draw(t, "finish"), 0),
		Beat:    rapid.Int().Draw(t, "beat"),
		Done:    rapid.Bool().Draw(t, "done"),
	}
}

func drawStyle(t *rapid.T) Style {
	return Style{
		Fields:    Fields(rapid.IntRange(0, int(name)-1).Draw(t, "fields")),
		Name:      rapid.OneOf(rapid.String(), rapid.Just(""), rapid.Just("\x1b[A漢\xff")).Draw(t, "name"),
		NameWidth: rapid.IntRange(0, 100).Draw(t, "name width"),
		Lines:     rapid.Bool().Draw(t, "lines"),
	}
}

// columns is trusted here; TestColumnsAreNeverFewerThanATerminalTakes checks it.
func TestNoLineIsWiderThanItsWidthOrMovesTheCursor(t *testing.T) {
	property.Check(t, property.Usual, func(t *rapid.T) {
		style, state := drawStyle(t), drawState(t)
		width := rapid.IntRange(1, 200).Draw(t, "width")
		line := style.Line(state, width)
		if n := columns(line); n > width {
			t.Fatalf("%q has %d columns, not %d", line, n, width)
		}
		for _, r := range line {
			if !unicode.IsPrint(r) {
				t.Fatalf("%q has %U", line, r)
			}
		}
	})
}

func TestALineWithABarIsExactlyAsWideAsTheWindow(t *testing.T) {
	property.Check(t, property.Usual, func(t *rapid.T) {
		state := drawState(t)
		state.Total = rapid.Int64Range(0, 1<<40).Draw(t, "a total")
		style := Style{Fields: Bar | Fields(rapid.IntRange(0, int(Bar)-1).Draw(t, "other fields"))}
		width := rapid.IntRange(80, 200).Draw(t, "width")
		if line := style.Line(state, width); columns(line) != width {
			t.Fatalf("%q has %d columns, not %d", line, columns(line), width)
		}
	})
}

func TestWhatFitsIsNotLostInAWiderWindow(t *testing.T) {
	property.Check(t, property.Usual, func(t *rapid.T) {
		style, state := drawStyle(t), drawState(t)
		width := rapid.IntRange(1, 200).Draw(t, "width")
		if style.Line(state, width) != "" && style.Line(state, width+1) == "" {
			t.Fatalf("nothing at %d", width+1)
		}
	})
}
