// Bench measures the four tools against those they stand in for.
//
// A case is one thing that people do with a tool, such as copying a file or
// relaying a pipe. Its contenders take turns, A B C A B C, so that whatever
// else the machine does falls on all of them alike. A first round warms the
// caches and checks every byte that comes out: a tool that is fast and wrong
// is struck out. The rounds after it are timed, and their medians printed.
//
// The clock runs from just before the tool is started until it has exited and
// the consumers of its output have seen the end. Making the input, removing
// the output of the round before, starting producers and consumers, and
// checking are outside it. CPU time is user and system time of the tool alone,
// as the kernel reports it when the tool exits.
//
// Run it through run.sh, which builds everything first.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	args, err := os.Args[1:], error(nil)
	switch {
	case len(args) == 3 && (args[0] == "produce" || args[0] == "consume"):
		err = help(args[0], args[1], args[2])
	case len(args) > 0 && args[0] == "way":
		err = way(args[1:])
	case len(args) > 1 && args[0] == "share":
		err = share(args[1:])
	default:
		err = run(args)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// The parts of a run beside its cases, by the name that -c selects them by.
const (
	serverPart  = "server"
	classicPart = "classic"
)

// run does what the command line asks for; run.sh -h explains it.
func run(args []string) error {
	flags := flag.NewFlagSet("run.sh", flag.ExitOnError)
	flags.Usage = func() { fmt.Fprintln(flags.Output(), "try run.sh -h") }
	rounds := flags.Int("n", 7, "")
	sizeText := flags.String("s", "512M", "")
	pattern := flags.String("c", "", "")
	dir := flags.String("d", os.TempDir(), "")
	filesystems := flags.String("f", "ext4,xfs,btrfs,tmpfs", "")
	list := flags.Bool("l", false, "")
	newest := flags.Bool("peers", false, "")
	output := flags.String("o", "", "")
	docs := flags.String("docs", "", "")
	ours := flags.String("ours", "bin", "")
	flags.Parse(args)
	*rounds = max(*rounds, 1)

	if *docs != "" && flags.NArg() == 1 {
		return writePages(*docs, flags.Arg(0))
	}
	size, err := parseSize(*sizeText)
	if err != nil {
		return err
	}
	re, err := regexp.Compile(*pattern)
	if err != nil {
		return err
	}
	cases, err := selectCases(size, re)
	if err != nil {
		return err
	}
	if *list {
		for _, c := range cases {
			fmt.Println(c.name)
		}
		for _, part := range []string{serverPart, classicPart} {
			if re.MatchString(part) {
				fmt.Println(part)
			}
		}
		return nil
	}
	tools, err := findTools(*ours, flags.Args())
	if err != nil {
		return err
	}
	if *newest {
		if err := tools.addPeers(); err != nil {
			fmt.Println(err)
		}
	}
	// SIGPIPE too: what is mounted has to be unmounted even if nobody reads
	// the table any more.
	ctx, _ := signal.NotifyContext(context.Background(),
		unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGPIPE)
	g, err := newGround(*dir, strings.Split(*filesystems, ","), size)
	if err != nil {
		return err
	}
	f := figures{Machine: machine(), Date: time.Now().Format(time.DateOnly), Size: *sizeText, Rounds: *rounds, Versions: tools.versions()}
	fmt.Printf("%s, medians of %d rounds, -s %s\n", f.Machine, f.Rounds, f.Size)
	err = f.runCases(ctx, cases, tools, g)
	if ctx.Err() == nil && re.MatchString(serverPart) {
		var partErr error
		f.Servers, partErr = runServers(ctx, tools, min(f.Rounds, 3))
		err = errors.Join(err, partErr)
		printServers(os.Stdout, f.Servers)
	}
	if ctx.Err() == nil && re.MatchString(classicPart) {
		var partErr error
		f.Classic, partErr = runClassic(ctx, g, tools)
		err = errors.Join(err, partErr)
		printClassic(os.Stdout, f.Classic)
	}
	if *output != "" && ctx.Err() == nil {
		err = errors.Join(err, f.writeInto(*output))
	}
	return errors.Join(err, g.close())
}

func selectCases(size int64, re *regexp.Regexp) ([]benchCase, error) {
	cases, err := parseCases(caseTable, size)
	return slices.DeleteFunc(cases, func(c benchCase) bool { return !re.MatchString(c.name) }), err
}

// runCases prints each case as it is done. It goes on after a contender has
// failed, and says in the end how many did.
func (f *figures) runCases(ctx context.Context, cases []benchCase, b toolbox, g *ground) error {
	t := newTable(os.Stdout, cases, b)
	failed := 0
	for _, c := range cases {
		results, err := runCase(ctx, c, b.lineup(c), g, f.Rounds)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		one := c.figures(results)
		if err != nil {
			one.Skipped = err.Error()
			t.note(c.name, "", "skipped: "+one.Skipped)
		}
		failed += t.add(one)
		f.Cases = append(f.Cases, one)
	}
	if failed > 0 {
		return fmt.Errorf("%d contenders failed", failed)
	}
	return nil
}

// machine says where the figures come from.
func machine() string {
	var u unix.Utsname
	unix.Uname(&u) // fails only for a bad pointer
	cpu := "?"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		_, rest, _ := strings.Cut(string(info), "model name")
		_, rest, _ = strings.Cut(rest, ":")
		cpu, _, _ = strings.Cut(rest, "\n")
	}
	return fmt.Sprintf("Linux %s, %d CPUs (%s)", unix.ByteSliceToString(u.Release[:]), runtime.NumCPU(), strings.TrimSpace(cpu))
}
