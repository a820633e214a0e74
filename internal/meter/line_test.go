package meter

import (
	"testing"
	"time"
)

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30
)

// half is a state in the middle of things.
var half = State{
	Count: 1288490189, Total: 3 * gib, Elapsed: 5 * time.Second, Rate: 245 * mib, Recent: 246 * mib, Average: 247 * mib,
	Left: 7 * time.Second, Finish: time.Date(2026, 1, 2, 15, 14, 51, 0, time.UTC), Beat: 5,
}

// endless is half without a total.
var endless = State{
	Count: half.Count, Elapsed: half.Elapsed, Rate: half.Rate, Recent: half.Recent, Average: half.Average, Left: Unknown, Beat: 5,
}

func checkLine(t *testing.T, s Style, st State, width int, want string) {
	t.Helper()
	if got := s.Line(st, width); got != want {
		t.Errorf("width %d:\ngot  %q\nwant %q", width, got, want)
	}
}

// These are lines of pv 1.12; only the times left were made to agree with the
// states.
func TestLinesLookLikeThoseOfPv(t *testing.T) {
	early := State{Count: 100, Total: 10 * mib, Elapsed: 1100 * time.Millisecond, Rate: 91.8, Left: 104856 * time.Second}
	middle := State{Count: 5000100, Total: 10 * mib, Elapsed: 2 * time.Second, Rate: 5.13 * mib, Average: 1.98 * mib, Left: 2 * time.Second, Beat: 2}
	ended := middle
	ended.Done = true
	lines := State{Count: 1000000, Total: 2000000, Elapsed: time.Second, Rate: 989000, Left: time.Second}
	for _, c := range []struct {
		style Style
		state State
		total int64
		width int
		want  string
	}{
		{Style{Fields: Default}, early, 10 * mib, 80, " 100  B 0:00:01 [91.8  B/s] [>                             ]   0% ETA 1:05:07:36"},
		{Style{Fields: Default}, middle, 10 * mib, 80, "4.77MiB 0:00:02 [5.13MiB/s] [==============>                  ]  47% ETA 0:00:02"},
		{Style{Fields: Default}, ended, 10 * mib, 80, "4.77MiB 0:00:02 [1.98MiB/s] [==============>                  ]  47%"},
		{Style{Fields: Default}, middle, 0, 80, "4.77MiB 0:00:02 [5.13MiB/s] [ <=>                                              ]"},
		{Style{Fields: Default}, middle, 10 * mib, 60, "4.77MiB 0:00:02 [5.13MiB/s] [=====>       ]  47% ETA 0:00:02"},
		{Style{Fields: Default}, middle, 10 * mib, 50, "4.77MiB 0:00:02 [5.13MiB/s] 47% ETA 0:00:02"},
		{Style{Fields: Default}, middle, 0, 50, "4.77MiB 0:00:02 [5.13MiB/s] [<=>                 ]"},
		{Style{Fields: Bar | ETA}, middle, 20 * mib, 40, "[===>                 ]  23% ETA 0:00:02"},
		{Style{Fields: Bar | ETA}, ended, 5000100, 60, "[========================================>] 100%"},
		{Style{Fields: Bar | ETA}, ended, 3333400, 60, "[=========================================] 150%"},
		{Style{Fields: Default, Name: "abc"}, middle, 10 * mib, 80, "      abc: 4.77MiB 0:00:02 [5.13MiB/s] [=========>            ]  47% ETA 0:00:02"},
		{Style{Fields: Default, Lines: true}, lines, 2000000, 60, "1.00M 0:00:01 [ 989k/s] [=======>         ]  50% ETA 0:00:01"},
	} {
		c.state.Total = c.total
		checkLine(t, c.style, c.state, c.width, c.want)
	}
}

func TestTheBarTakesTheRoomThatIsLeft(t *testing.T) {
	for width, want := range map[int]string{
		62:  "1.20GiB 0:00:05 [ 245MiB/s] [=====>         ]  40% ETA 0:00:07",
		51:  "1.20GiB 0:00:05 [ 245MiB/s] [>   ]  40% ETA 0:00:07",
		100: "1.20GiB 0:00:05 [ 245MiB/s] [====================>                                ]  40% ETA 0:00:07",
	} {
		checkLine(t, Style{Fields: Default}, half, width, want)
	}
}

func TestFieldsThatTellLeastGoFirstWhereThereIsLittleRoom(t *testing.T) {
	all := Style{Fields: Default | Average | Finish}
	named := Style{Fields: Default, Name: "abc"}
	for _, c := range []struct {
		style Style
		state State
		width int
		want  string
	}{
		{all, half, 76, "1.20GiB 0:00:05 [ 245MiB/s] ( 246MiB/s) [>   ]  40% ETA 0:00:07 FIN 15:14:51"},
		{all, half, 75, "1.20GiB 0:00:05 [ 245MiB/s] ( 246MiB/s) 40% ETA 0:00:07 FIN 15:14:51"},
		{all, half, 74, "1.20GiB 0:00:05 [ 245MiB/s] ( 246MiB/s) 40% ETA 0:00:07 FIN 15:14:51"},
		{all, half, 67, "1.20GiB 0:00:05 [ 245MiB/s] 40% ETA 0:00:07 FIN 15:14:51"},
		{all, half, 55, "1.20GiB 0:00:05 [ 245MiB/s] ( 246MiB/s) 40% ETA 0:00:07"},
		{all, half, 50, "1.20GiB 0:00:05 [ 245MiB/s] 40% ETA 0:00:07"},
		{all, half, 40, "1.20GiB [ 245MiB/s] 40% ETA 0:00:07"},
		{all, half, 31, "1.20GiB 0:00:05 40% ETA 0:00:07"},
		{all, half, 30, "1.20GiB 40% ETA 0:00:07"},
		{all, half, 20, "40% ETA 0:00:07"},
		{all, half, 14, "1.20GiB 40%"},
		{all, half, 3, "40%"},
		{all, half, 2, ""},
		{all, endless, 48, "1.20GiB 0:00:05 [ 245MiB/s] ( 246MiB/s) [<=>   ]"},
		{all, endless, 40, "1.20GiB 0:00:05 [ 245MiB/s] ( 246MiB/s)"},
		{all, endless, 30, "1.20GiB 0:00:05 [ 245MiB/s]"},
		{all, endless, 20, "1.20GiB [ 245MiB/s]"},
		{all, endless, 15, "1.20GiB 0:00:05"},
		{all, endless, 8, "1.20GiB"},
		{all, endless, 6, ""},
		{named, half, 62, "      abc: 1.20GiB 0:00:05 [ 245MiB/s] [>   ]  40% ETA 0:00:07"},
		{named, half, 55, "abc: 1.20GiB 0:00:05 [ 245MiB/s] 40% ETA 0:00:07"},
		{named, half, 20, "abc: 40% ETA 0:00:07"},
		{named, endless, 20, "abc: 1.20GiB 0:00:05"},
		{named, half, 8, "abc: 40%"},
		{named, half, 7, "40%"},
	} {
		checkLine(t, c.style, c.state, c.width, c.want)
	}
}

func TestOnlyWantedFieldsAreShown(t *testing.T) {
	for _, c := range []struct {
		fields Fields
		state  State
		want   string
	}{
		{0, half, ""},
		{Count, half, "1.20GiB"},
		{Elapsed, half, "0:00:05"},
		{Rate, half, "[ 245MiB/s]"},
		{Average, half, "( 246MiB/s)"},
		{ETA, half, "ETA 0:00:07"},
		{ETA, endless, ""},
		{Finish, half, "FIN 15:14:51"},
		{Finish, endless, ""},
		{Count | Elapsed | Rate, endless, "1.20GiB 0:00:05 [ 245MiB/s]"},
		{Bar, half, "[============>                    ]  40%"},
		{Bar, endless, "[   <=>                                ]"},
	} {
		checkLine(t, Style{Fields: c.fields}, c.state, 40, c.want)
	}
}

func TestTheTimeOfTheEndHasADateIfItIsFar(t *testing.T) {
	st := half
	for left, want := range map[time.Duration]string{
		6 * time.Hour:             "FIN 15:14:51",
		6*time.Hour + time.Second: "FIN 2026-01-02 15:14:51",
		Unknown:                   "FIN --:--:--",
		999 * 24 * time.Hour:      "FIN 2026-01-02 15:14:51",
		time.Duration(0):          "FIN 15:14:51",
	} {
		st.Left = left
		checkLine(t, Style{Fields: Finish}, st, 80, want)
	}
}

func TestAnUnknownTimeLeftIsNotZero(t *testing.T) {
	st := half
	st.Left = Unknown
	checkLine(t, Style{Fields: Bar | ETA}, st, 40, "[=======>             ]  40% ETA -:--:--")
}

func TestTheLastLineShowsTheAverageAndTheTimeOfTheEnd(t *testing.T) {
	st := half
	st.Done = true
	checkLine(t, Style{Fields: Default}, st, 60, "1.20GiB 0:00:05 [ 247MiB/s] [====>        ]  40%")
	checkLine(t, Style{Fields: Default | Finish}, st, 50, "1.20GiB 0:00:05 [ 247MiB/s] 40% FIN 15:14:51")
	checkLine(t, Style{Fields: Default}, st, 40, "1.20GiB 0:00:05 [ 247MiB/s] 40%")
}

func TestABarWithoutATotalGoesToAndFro(t *testing.T) {
	st := endless
	for beat, want := range map[int]string{
		0:   "[<=>       ]",
		1:   "[<=>       ]",
		25:  "[   <=>    ]",
		50:  "[       <=>]",
		75:  "[   <=>    ]",
		99:  "[<=>       ]",
		100: "[<=>       ]",
	} {
		st.Beat = beat
		checkLine(t, Style{Fields: Bar}, st, 12, want)
	}
}

func TestNumericIsWhatPvPrintsForPrograms(t *testing.T) {
	at := State{Count: 5000000, Total: 10 * mib, Elapsed: 1085600 * time.Microsecond, Rate: 2048.5, Beat: 1}
	for _, c := range []struct {
		fields Fields
		total  int64
		want   string
	}{
		{Bar | ETA | Average, 10 * mib, "47"},
		{Rate, 10 * mib, "2048.5000"},
		{Elapsed | Count | Rate, 0, "1.0856 5000000 2048.5000"},
		{Count | Elapsed, 10 * mib, "1.0856 5000000"},
		{Elapsed, 10 * mib, "1.0856 47"},
		{Count, 0, "5000000"},
		{0, 0, "2"},
		{0, 5000000, "100"},
		{0, 2000000, "250"},
	} {
		at.Total = c.total
		if got := (Style{Fields: c.fields}).Numeric(at); got != c.want {
			t.Errorf("%b of %d: got %q, want %q", c.fields, c.total, got, c.want)
		}
	}
}
