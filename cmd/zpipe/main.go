// Zpipe relays a source to a sink within the kernel: standard input and output,
// files, sockets and commands. It gives the pipes on both sides more room than
// they have by themselves.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0
package main

import (
	"os"
	"path/filepath"
	"syscall"

	"zeroutils/internal/endpoint"
	"zeroutils/internal/proc"
	"zeroutils/internal/signals"
	"zeroutils/internal/tool"
)

func main() { tool.Main(commandCalled(os.Args)) }

// personalities are the programs that zpipe is when it is called by their names.
var personalities = map[string]func() tool.Command{"pv": pvCommand, "zpv": pvCommand}

// commandCalled is the command for the name in args.
func commandCalled(args []string) tool.Command {
	if len(args) > 0 {
		if other, ok := personalities[filepath.Base(args[0])]; ok {
			return other()
		}
	}
	return command()
}

func command() tool.Command {
	return tool.Command{
		Name:     "zpipe",
		Synopsis: []string{"[OPTION]... [SOURCE [SINK]]", "run [OPTION]... COMMAND [ARG]... [::: COMMAND [ARG]...]..."},
		Summary: `Relay SOURCE to SINK, standard input to standard output by default.

Pipes on either side are raised to 1 MiB, which makes a pipeline faster than
joining its commands directly. With run, join commands by such pipes, and
exit with the last status that is not 0.
`,
		Flags:   flags(),
		Groups:  groups,
		Notes:   endpointNotes,
		Ends:    endsOptions,
		Signals: []syscall.Signal{syscall.SIGUSR1},
		Run:     run,
	}
}

func run(inv *tool.Invocation) error {
	if err := checkOptions(inv); err != nil {
		return err
	}
	asked := useOf(inv)
	switch asked {
	case watching:
		return runWatch(inv)
	case running:
		return runPipeline(inv)
	}
	s, err := readSettings(inv)
	if err != nil {
		return err
	}
	if asked == serving {
		return s.serve()
	}
	go s.monitor.answerSoon()
	if s.src.Command() || s.dst.Command() {
		proc.Adopt()
	}
	if s.src.Kind == endpoint.UnixListen || s.dst.Kind == endpoint.UnixListen || s.dst.Atomic() {
		signals.Cleanup(s.opener.Unlink, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	}
	r := s.newRelay(single{s})
	if !r.open() {
		return nil // it has said why
	}
	r.findRoute()
	s.monitor.start()
	ended := r.run()
	s.monitor.stop()
	if !ended {
		s.opener.EndCommands(s.grace)
		s.opener.Unlink()
		return nil // there are no statistics of what is still under way
	}
	r.end()
	inv.PrintStats(r.report, r.routeStats()...)
	if r.broken {
		signals.Die(syscall.SIGPIPE)
	}
	return nil
}
