package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/oracle"
	"zeroutils/internal/property"
	"zeroutils/internal/testbin"
	"zeroutils/internal/testfs"
)

// A pvRun is what is compared of a run of pv: what it printed, and how it ended.
// What depends on the moment, rates above all, is made the same.
type pvRun struct{ out, shown, status string }

// pvCase is a command line of pv, for a shell, in which PV stands for the program.
type pvCase struct {
	command string
	columns int
}

// runPVIn runs a case on a terminal of its own, in a directory with some files.
func runPVIn(t *testing.T, program string, c pvCase) pvRun {
	t.Helper()
	tty := newPTY(t, c.columns, 24)
	dir, err := os.MkdirTemp("", "pv") // pv shortens names below a directory with a short name only
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for name, content := range map[string]string{
		"a": strings.Repeat("one line of text\n", 5000), "b": strings.Repeat("\x00", 70000) + "end", "empty": "", "nul": "x\x00yy\x00zzz\x00",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// No file grows without end, and nothing hangs.
	cmd := exec.Command("timeout", "-s", "KILL", "20", "sh", "-c", "ulimit -f 20000; "+strings.ReplaceAll(c.command, "PV", program))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TERM=xterm", "LC_ALL=C.UTF-8", "TMPDIR="+dir, "PWD="+dir)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, tty.slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 2}
	err = cmd.Start()
	tty.slave.Close()
	if err != nil {
		t.Fatal(err)
	}
	shown := tty.readAll(t)
	_ = cmd.Wait() // the state says it
	for _, name := range []string{"out", "store"} {
		if content, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
			fmt.Fprintf(&out, "%s: %q\n", name, content)
		}
	}
	return pvRun{out.String(), once(settled(shown)), cmd.ProcessState.String()}
}

// What is not the same in two runs, in the order in which it is replaced. A rate
// keeps its width.
var unsettled = []struct{ pattern, by string }{
	{`pid [0-9]+`, `pid N`},
	{`\x1b7\x1b\[[0-9]*;1H`, ``},
	{`[ 0-9.]{4}([KMGT]i|  | |[kKMGT])?[Bb]?/s`, `RATE/s`},
	{`[0-9]{2}:[0-9]{2}:[0-9]{2}`, `hh:mm:ss`},
	{`\[[ ]*<=>[ ]*\]`, `[<=>]`},
	{`= [0-9./]+ ?(RATE|[a-zA-Z]+)/s`, `= RATES`},
	{`= [0-9./]+RATE/s`, `= RATES`},
	{`\b[0-9]+\.[0-9]{4}\b`, `NUMBER`},
	{`rate not measured`, `rate min/avg/max/mdev = RATES`},
	{`pv-[A-Za-z0-9]+`, `pv-TEMPORARY`},
}

func settled(text string) string {
	for _, u := range unsettled {
		text = regexp.MustCompile(u.pattern).ReplaceAllString(text, u.by)
	}
	return text
}

// once leaves out drawings that are the same as the one before.
func once(text string) string {
	parts := strings.SplitAfter(text, "\r")
	for size := 1; size <= 8; size++ {
		for i := 0; i+2*size <= len(parts); {
			if slices.Equal(parts[i:i+size], parts[i+size:i+2*size]) {
				parts = slices.Delete(parts, i, i+size)
			} else {
				i++
			}
		}
	}
	return strings.Join(parts, "")
}

// pvCases are options one by one and things that go wrong. The display is drawn
// once, at the end. What zpv(1) says of differences is left out.
var pvCases = []string{
	"PV a", "PV a b empty", "PV empty", "PV <a", "cat a | PV", "PV nothere a", "PV nothere", "PV . ", "PV - <a", "PV a - <b", "PV - - <a",
	"PV -p a", "PV -t a", "PV -e a", "PV -I a", "PV -r a", "PV -a a", "PV -b a", "PV -T a",
	"cat a | PV -p", "cat a | PV -t", "cat a | PV -e", "cat a | PV -I", "cat a | PV -r", "cat a | PV -b", "cat a | PV -T", "cat a | PV -pteI",
	"PV -n a", "PV -nb a", "PV -nt a", "PV -nr a", "PV -nbtr a", "cat a | PV -n", "cat a | PV -nb", "PV -nl a", "PV -nlb a", "PV -n8b a",
	"PV -q a", "PV -8 a", "PV -8b a", "PV -k a", "PV -kb a", "PV -8kb a", "cat b | PV -8k",
	"PV -W a", "PV -W empty", "PV -D 5 a", "PV -D 0 a", "PV -s 100 a", "PV -s 1M a", "cat a | PV -s 1M", "cat a | PV -s 85000", "cat a | PV -s 1000",
	"cat a | PV -s 0", "cat a | PV -s 1.5K", "cat a | PV -s 0.1G", "cat a | PV -s 1k", "PV -s @a b", "cat a | PV -s @b", "PV -s @nothere a",
	"cat a | PV -k -s 1k", "cat a | PV -s 1k -k",
	"PV -g a", "PV -l a", "cat a | PV -l", "PV -lb a", "PV -l b", "cat a | PV -ls 5000", "cat a | PV -ls 10000", "PV -0 nul", "PV -0b nul", "cat nul | PV -0bs 3",
	"PV -i 5 a", "PV -i 0.05 empty", "PV -m 5 a", "PV -w 40 a", "PV -w 100 a", "PV -w 10 a", "PV -w 1 a", "PV -w 0 a", "PV -H 10 a", "PV -H 1 a",
	"PV -N name a", "PV -N 'a longer name' a", "PV -N '' a", "PV -N näme -p a", "PV -bN x a",
	"PV -u plain a", "PV -u block a", "PV -u granular a", "PV -u shaded a", "PV -pu block -s 200000 a", "PV -pu granular -s 200000 a", "PV -pu shaded -s 200000 a", "PV -pu plain -s 200000 a",
	"cat a | PV -pu block", "cat a | PV -pu shaded",
	"PV -9 a", "PV -v a", "PV -qv a", "PV -lv a", "PV -8v a", "PV -f a 2>err; cat err >&2", "PV a 2>err; cat err >&2", "PV -n a 2>err; cat err >&2",
	"PV -x windowtitle a", "PV -x windowtitle:%b a", "PV -x window:%p a",
	"PV -o out a", "PV -o out a b", "PV -o nodir/out a", "PV -o out nothere", "PV -o . a",
	"PV -L 100M a", "PV -L 0 a", "PV -B 1000 a", "PV -B 10M a", "PV -B 0 a", "PV -C a", "PV -C a b", "cat a | PV -C", "PV -J 64k a", "cat a | PV -J 64k",
	"PV -E a", "PV -EE a", "PV -Z 100 a", "PV -EZ 4k a",
	"PV -S -s 1000 a", "cat a | PV -Ss 1000", "PV -S a", "PV -Ss 1M a", "PV -Ss 100000 a b", "PV -Ss 85000 a b",
	"PV -Y -o out a", "PV -Y a", "PV -K a", "PV -O -o out b", "PV -O b", "PV -O -o out a b", "PV -X a", "PV -X nothere a", "cat a | PV -X",
	"PV -U store a", "PV -U - a", "PV -U store a b", "PV -U nodir/store a", "cat a | PV -U store", "PV -U store nothere a",
	"PV -P pid a; test ! -e pid && echo gone",
	"PV a >>a", "PV a b >>b", "PV -o a a", "PV a 1<>a",
	"PV a >/dev/full", "PV a b >/dev/full", "PV -C a >/dev/full", "PV -q a >/dev/full", "PV -l a >/dev/full",
	"PV <&-", "PV a <&-", "PV -n <&- >out",
	"PV -F '%b %t' a", "PV -F '%p' a", "PV -F '%%|%z|%' a", "PV -F '%20p|%p' a", "PV -F '%N:%b' -N x a", "PV -F '%b' -l a", "PV -F '%{bytes} %{timer}' a", "PV -F '%{nothing} %' a",
	"PV -F '%10A|%L' a", "PV -F '%20L|' a", "PV -F '%{bar-block} %{bar-granular} %{bar-shaded} %{bar-plain}' -s 200000 a", "PV -F '%{progress-bar-only}|%{progress-amount-only}' a",
	"PV -F '%{sgr:red,bold}%b%{sgr:reset}' a", "PV -F '%{sgr:none}%{sgr:green,42}%b' a", "PV -F '%T %a %r %I %e' a", "PV -F '' a", "PV -F 'text' a", "PV -F '%{ratio}' a", "PV -nF '%b %t' a",
	"PV -F '%{progress-conemu}%b' a", "PV -F '%20{bar-plain}' a", "PV -F '%5b' a", "PV -F '%{last-written}' a", "PV -F '%5{last-written}' a", "PV -F '%100p' a",
	"PV -s x a", "PV -s -1 a", "PV -s '' a", "PV -i x a", "PV -i -1 a", "PV -w x a", "PV -w -5 a", "PV -H x a", "PV -L x a", "PV -L 1x a", "PV -A x a", "PV -A 0 a", "PV -D x a", "PV -m x a", "PV -B x a", "PV -J x a", "PV -Z x a",
	"PV -d x", "PV -d 999999999", "PV -d @nothere", "PV -d =no-such-process", "PV -d 0", "PV -d ''",
	watched + "PV -i 0.3 -pb -d $!:3", watched + "PV -i 0.3 -pb -d $!", watched + "PV -i 0.3 -b -w 60 -d $!", watched + "PV -i 0.3 -pb -H 1 -d $!",
	watched + "PV -i 0.3 -F '%b|%N' -d $!", watched + "PV -i 0.3 -bN x -d $!:3", watched + "echo $!:3 >list; PV -i 0.3 -b -d @list", watched + "PV -i 0.3 -b -d $!=name", watched + "PV -i 0.3 -b -d $!:9",
	watched + "PV -l -d $!", watched + "PV -c -d $!", watched + "PV -o x -d $!", watched + "PV -E -d $!",
	"PV -s ' 10' a", "PV -s 10 a", "PV -s 0K a", "PV -9 -F %b a", "PV /dev/null a", "PV a .", "cat a | PV - b", "cat a | PV b -",
	"PV -o '' a", "PV -U '' a", "PV -P '' a", "PV -w 80 -U store empty", "PV -w 80 -U store -s 100 a", "PV -w 80 -U store -S -s 100 a", "PV -d =", "PV -d @", "PV -d $$:0 x",
	"PV --nothing a", "PV --si --bytes a", "PV --by a", "PV -y a", "PV -s", "PV --size=85000 --progress <a", "PV --size 100 a",
}

// watched is a process that has files open, of one of which it has read a part.
const watched = "(exec 3<a 4<b; dd bs=1000 count=1 <&3 >d 2>&1; exec sleep 1.2 >d 2>&1) & until grep -q sleep /proc/$!/comm; do :; done; "

// ourPV is the program that users have, by the name of pv.
func ourPV(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "pv")
	if err := os.Symlink(filepath.Join(testbin.Dir(t), "zpipe"), name); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestPVIsComparedWithTheRealOne(t *testing.T) {
	real, ours := oracle.Newest(t, "pv", "pv").Path, ourPV(t)
	for i, columns := range []int{20, 200} {
		for j, command := range pvCases {
			if testing.Short() && i != j%2 {
				continue // each in one of the two widths
			}
			t.Run(fmt.Sprintf("%d/%s", columns, command), func(t *testing.T) {
				t.Parallel() // they wait most of the time
				comparePV(t, real, ours, pvCase{command, columns})
			})
		}
	}
}

// pvParts are options that go with all others. What zpv(1) says of differences is
// left out.
var pvParts = []string{
	"-p", "-t", "-e", "-I", "-r", "-a", "-b", "-T", "-8", "-k", "-l", "-0", "-N name", "-u block", "-u shaded", "-9", "-n", "-q",
	"-s 100000", "-s 1M", "-S -s 1000", "-S -s 100000", "-C", "-B 4096", "-w 50", "-i 3", "-m 3", "-E", "-O", "-X", "-Y", "-L 500M", "-o out", "-D 0", "-H 5", "-J 128k", "-f",
}

func TestCombinationsOfPVsOptionsAreComparedWithTheRealOne(t *testing.T) {
	real, ours := oracle.Newest(t, "pv", "pv").Path, ourPV(t)
	rounds, seed := 60, uint64(1)
	if property.Long() {
		rounds, seed = 1500, uint64(time.Now().UnixNano())
	}
	random := rand.New(rand.NewPCG(seed, 0))
	for range rounds {
		var options []string
		for range 1 + random.IntN(6) {
			options = append(options, pvParts[random.IntN(len(pvParts))])
		}
		if all := strings.Join(options, " "); strings.Contains(all, "-S") && regexp.MustCompile(`-[l0]\b`).MatchString(all) {
			continue // pv goes beyond the line that it should stop at
		}
		sources := []string{"PV %s a", "PV %s a b", "PV %s b a", "cat a | PV %s", "cat b | PV %s", "PV %s nul", "PV %s empty", "PV %s nothere b"}
		c := pvCase{fmt.Sprintf(sources[random.IntN(len(sources))], strings.Join(options, " ")), []int{20, 80, 200}[random.IntN(3)]}
		t.Run(c.command, func(t *testing.T) { comparePV(t, real, ours, c) })
	}
}

// A device whose second half cannot be read.
func TestWhatPVSkipsIsComparedWithTheRealOne(t *testing.T) {
	real, ours := oracle.Newest(t, "pv", "pv").Path, ourPV(t)
	testfs.NeedRoot(t)
	losetup := testfs.Need(t, "losetup")
	image := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(image, noise[:256<<10], 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(losetup, "--find", "--show", image).CombinedOutput()
	if err != nil {
		testfs.Unavailable(t, "losetup: "+string(out))
	}
	device := strings.TrimSpace(string(out))
	t.Cleanup(func() { _ = exec.Command(losetup, "--detach", device).Run() })
	if err := os.Truncate(image, 128<<10); err != nil {
		t.Fatal(err)
	}
	for _, options := range []string{
		"", "-C", "-E", "-EE", "-E -Z 4096", "-E -Z 1000", "-E -Z 65536", "-EE -Z 1M", "-E -B 4096 -Z 8192", "-E -Z 100 -q",
	} {
		t.Run(options, func(t *testing.T) { comparePV(t, real, ours, pvCase{"PV -i 20 " + options + " " + device, 80}) })
	}
}

func comparePV(t *testing.T, real, ours string, c pvCase) {
	t.Helper()
	var want, got pvRun
	for range 3 { // a machine that is held up draws once more, or finds another rate
		done := make(chan struct{})
		go func() {
			defer close(done) // also if it fails
			want = runPVIn(t, real, c)
		}()
		got = runPVIn(t, ours, c)
		<-done
		if got == want {
			return
		}
	}
	if got.out != want.out {
		t.Errorf("standard output differs: %.300q, want %.300q", got.out, want.out)
	}
	if got.shown != want.shown || got.status != want.status {
		t.Errorf("%d columns\ngot  %q, %s\nwant %q, %s", c.columns, got.shown, got.status, want.shown, want.status)
	}
}

// A pty is a pseudo-terminal whose output is as it was written.
type pty struct{ master, slave *os.File }

func newPTY(t *testing.T, columns, rows int) *pty {
	t.Helper()
	open := func(name string) *os.File {
		fd, err := unix.Open(name, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		return os.NewFile(uintptr(fd), name)
	}
	p := &pty{master: open("/dev/ptmx")}
	fd := int(p.master.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.slave = open(fmt.Sprintf("/dev/pts/%d", number))
	attributes, err := unix.IoctlGetTermios(int(p.slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	attributes.Oflag &^= unix.OPOST
	attributes.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(int(p.slave.Fd()), unix.TCSETS, attributes); err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: uint16(rows), Col: uint16(columns)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.master.Close(); p.slave.Close() })
	return p
}

// readAll returns what was written until nobody has the terminal any more.
func (p *pty) readAll(t *testing.T) string {
	t.Helper()
	const most = 1 << 20
	var all []byte
	for buffer := make([]byte, 4096); ; {
		n, err := unix.Read(int(p.master.Fd()), buffer) // EIO is the end
		if err == unix.EINTR {
			continue
		}
		if all = append(all, buffer[:max(n, 0)]...); err != nil || n == 0 || len(all) > most {
			return string(all)
		}
	}
}

// Several displays on one terminal, and one in a window of two rows, leave what the
// real ones leave. Which of several comes first is a matter of who starts first.
func TestDisplaysInAWindowAreComparedWithTheRealOnes(t *testing.T) {
	real, ours := oracle.Newest(t, "pv", "pv").Path, ourPV(t)
	for _, c := range []struct{ rows, command string }{
		{"15", "PV -cbN one | PV -cbN two | PV -cbN three >/dev/null"},
		{"15", "PV -cpN one -s 2000 | PV -cbN two >/dev/null"},
		{"2", "PV -bN one >/dev/null"},
		{"4", "PV -bptN one -w 30 -s 2000 >/dev/null"},
	} {
		var left [2]string
		for i, program := range []string{real, ours} {
			w := newWindow(t, "60")
			w.tmux(t, "resize-window", "-x", "60", "-y", c.rows)
			w.press(t, "clear; head -c 1000 /dev/zero | "+strings.ReplaceAll(c.command, "PV", program)+"; PS1='@ '", "Enter")
			rows := strings.Split(w.becomes(t, `(?m)^@( |$)`), "\n")
			rows = slices.DeleteFunc(rows, func(row string) bool { return !strings.Contains(row, ": ") })
			for i, row := range rows {
				rows[i] = strings.Trim(row, "@ ") // the real one may leave the cursor, and so the prompt, on a row
			}
			slices.Sort(rows)
			left[i] = settled(strings.Join(rows, "\n"))
		}
		if left[0] != left[1] {
			t.Errorf("%s in %s rows leaves\n%s\nand the real one\n%s", c.command, c.rows, left[1], left[0])
		}
	}
}
