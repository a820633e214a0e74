// Cat is the smallest tool: cat without options. The tests compare what the
// frame does around it with GNU's cat.
package main

import (
	"golang.org/x/sys/unix"

	"zeroutils/internal/tool"
)

func main() {
	tool.Main(tool.Command{
		Name:     "cat",
		Synopsis: []string{"[FILE]..."},
		Summary:  "Concatenate FILE(s) to standard output.",
		Run:      run,
	})
}

func run(inv *tool.Invocation) error {
	out, err := inv.Stdout()
	if err != nil {
		inv.Errorf("standard output: %v", err)
		return nil
	}
	if len(inv.Operands) == 0 {
		inv.Operands = []string{"-"}
	}
	for _, name := range inv.Operands {
		if err := cat(inv, name, out); err != nil {
			inv.Errorf("write error: %v", err)
			return nil
		}
	}
	return closeStdin(inv)
}

// cat returns only errors of writing.
func cat(inv *tool.Invocation, name string, out int) error {
	in, err := open(inv, name)
	if err != nil {
		inv.Fail(name, err)
		return nil
	}
	buf := make([]byte, 4096)
	for {
		n, err := unix.Read(in, buf)
		if err != nil {
			inv.Fail(name, err)
			return nil
		}
		if n == 0 {
			return nil
		}
		if _, err := unix.Write(out, buf[:n]); err != nil {
			return err
		}
	}
}

func open(inv *tool.Invocation, name string) (int, error) {
	if name == "-" {
		return inv.Stdin()
	}
	return unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
}

func closeStdin(inv *tool.Invocation) error {
	for _, name := range inv.Operands {
		if name != "-" {
			continue
		}
		if err := inv.CloseStdin(); err != nil {
			inv.Errorf("closing standard input: %v", err)
		}
		break
	}
	return nil
}
