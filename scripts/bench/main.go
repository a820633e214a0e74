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

	"golang.org/x/sys/unix"
)

func main() {
	args, err := os.Args[1:], error(nil)
	if len(args) == 3 && (args[0] == "produce" || args[0] == "consume") {
		err = help(args[0], args[1], args[2])
	} else {
		err = run(args)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

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
	ours := flags.String("ours", "bin", "")
	flags.Parse(args)
	*rounds = max(*rounds, 1)

	size, err := parseSize(*sizeText)
	if err != nil {
		return err
	}
	cases, err := selectCases(size, *pattern)
	if err != nil {
		return err
	}
	if *list {
		for _, c := range cases {
			fmt.Println(c.name)
		}
		return nil
	}
	tools, err := findTools(*ours, flags.Args())
	if err != nil {
		return err
	}
	// SIGPIPE too: what is mounted has to be unmounted even if nobody reads
	// the table any more.
	ctx, _ := signal.NotifyContext(context.Background(),
		unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGPIPE)
	g, err := newGround(*dir, strings.Split(*filesystems, ","), size)
	if err != nil {
		return err
	}
	fmt.Printf("%s, medians of %d rounds, -s %s\n", machine(), *rounds, *sizeText)
	return errors.Join(runCases(ctx, cases, tools, g, *rounds), g.close())
}

func selectCases(size int64, pattern string) ([]benchCase, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	cases, err := parseCases(caseTable, size)
	return slices.DeleteFunc(cases, func(c benchCase) bool { return !re.MatchString(c.name) }), err
}

// runCases prints each case as it is done. It goes on after a contender has
// failed, and says in the end how many did.
func runCases(ctx context.Context, cases []benchCase, b toolbox, g *ground, rounds int) error {
	t := newTable(os.Stdout, cases, b)
	failed := 0
	for _, c := range cases {
		results, err := runCase(ctx, c, b.lineup(c), g, rounds)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			t.note(c.name, "", fmt.Errorf("skipped: %w", err))
		}
		failed += t.add(c, results)
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
	return fmt.Sprintf("Linux %s, %d CPUs", unix.ByteSliceToString(u.Release[:]), runtime.NumCPU())
}
