package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long a guest may say nothing before it counts as hanging. The
// longest that a test is silent takes a minute under emulation; the machine
// may be busy.
const patience = 10 * time.Minute

// bootPatience is the same for a guest that has not started its first process yet,
// which takes some ten seconds.
const bootPatience = 3 * time.Minute

// boots is how often a guest is booted that does not get to its first process. An
// emulated kernel that changes its own code while another CPU runs it crashes now
// and then, which says nothing about the tools.
const boots = 3

// order is what the guest is told, as /kernels.json.
type order struct {
	Tests   []string
	Command string
	All     bool
	List    bool
	Modules map[string][]string
}

// boot runs a guest. The book is never nil.
func (s *setting) boot(kernel string) (*book, int, error) {
	b := &book{name: kernel}
	dir := filepath.Join(s.cache, "kernel-"+kernel)
	image, err := find(dir, "vmlinuz")
	if err != nil {
		return b, 0, err
	}
	initrd := filepath.Join(s.built, "initramfs")
	if err := s.pack(initrd, dir); err != nil {
		return b, 0, err
	}
	for n := 1; ; n++ {
		m := &machine{book: b, setting: s, quiet: time.NewTimer(bootPatience)}
		status, err := m.run(image, initrd)
		if err != nil && s.command == "" {
			err = fmt.Errorf("%w; the console's last lines:\n%s", err, strings.Join(m.last, "\n"))
		}
		if err == nil || m.booted || n == boots {
			return b, status, err
		}
		fmt.Fprintf(os.Stderr, "kernels: Linux %s did not boot: %v\nkernels: Linux %s is booted again\n", kernel, err, kernel)
	}
}

// find returns the path of the file below dir whose name begins with a word.
func find(dir, word string) (found string, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(entry.Name(), word) && entry.Type().IsRegular() {
			found = path
			return fs.SkipAll
		}
		return err
	})
	if err == nil && found == "" {
		err = fmt.Errorf("no %s below %s", word, dir)
	}
	return found, err
}

// pack writes the initramfs.
func (s *setting) pack(to, kernel string) error {
	a := &archive{}
	for _, dir := range []string{"dev", "proc", "sys", "tmp", "run", "mnt", "deb", "etc", "var", "root", "tools", "modules", "tests"} {
		a.dir(dir)
	}
	a.character("dev/console", 5, 1)
	a.character("dev/null", 1, 3)
	found, err := findModules(kernel)
	if err != nil {
		return err
	}
	o := order{Tests: s.tests, Command: s.command, All: s.all, List: s.list}
	if o.Modules, err = found.pack(a); err != nil {
		return err
	}
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	a.file("kernels.json", 0o644, text)
	if err := a.copy("init", 0o755, filepath.Join(s.built, "guest")); err != nil {
		return err
	}
	for _, dir := range []string{"tools", "tests"} {
		if err := packTree(a, dir, filepath.Join(s.built, dir)); err != nil {
			return err
		}
	}
	return os.WriteFile(to, a.end(), 0o600)
}

func packTree(a *archive, name, from string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == from {
			return nil
		}
		if err != nil || entry.IsDir() {
			return err
		}
		below, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		return a.copy(filepath.Join(name, below), uint32(info.Mode().Perm()), path)
	})
}

// A machine is a guest that runs.
type machine struct {
	*book
	*setting
	quiet *time.Timer // fires when the guest has said nothing for long
	done  bool
	code  int

	sync.Mutex
	booted bool     // the first process runs
	last   []string // lines of the console
}

// heard waits anew for the guest to say something.
func (m *machine) heard() {
	m.Lock()
	defer m.Unlock()
	if m.booted {
		m.quiet.Reset(patience)
	} else {
		m.quiet.Reset(bootPatience)
	}
}

// bootOptions let a panic end the guest. On a busy machine an emulated timer is
// late, which kernels take for a broken one (no_timer_check) or for CPUs that
// hang (nowatchdog, rcu_cpu_stall_suppress).
const bootOptions = "console=ttyS0 panic=-1 quiet loglevel=4 mitigations=off nokaslr random.trust_cpu=on " +
	"no_timer_check nowatchdog rcupdate.rcu_cpu_stall_suppress=1"

// run returns what the guest says its status is.
func (m *machine) run(kernel, initrd string) (int, error) {
	console, err := m.listen("console")
	if err != nil {
		return 0, err
	}
	defer console.Close()
	results, err := m.listen("results")
	if err != nil {
		return 0, err
	}
	defer results.Close()
	scratch, err := os.Create(filepath.Join(m.built, "scratch"))
	if err != nil {
		return 0, err
	}
	defer scratch.Close()
	if err := errors.Join(scratch.Truncate(0), scratch.Truncate(4<<30)); err != nil {
		return 0, err
	}

	cmd := exec.Command("qemu-system-x86_64", "-accel", accelerator(), "-cpu", "max", "-smp", "2", "-m", "1536",
		"-nodefaults", "-display", "none", "-no-reboot",
		"-serial", "unix:"+console.Addr().String(), "-serial", "unix:"+results.Addr().String(),
		"-drive", "if=virtio,format=raw,readonly=on,file="+filepath.Join(m.cache, "programs.img"),
		"-drive", "if=virtio,format=raw,cache=unsafe,discard=unmap,file="+scratch.Name(),
		"-device", "virtio-rng-pci",
		"-kernel", kernel, "-initrd", initrd,
		"-append", bootOptions)
	var said strings.Builder
	cmd.Stderr = &said
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true, Pdeathsig: unix.SIGKILL}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	var readers sync.WaitGroup
	readers.Go(func() { accept(console, m.hearConsole) })
	readers.Go(func() { accept(results, m.hearResults) })
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	hung := false
	select {
	case err = <-ended:
	case <-m.quiet.C:
		hung = true
		cmd.Process.Kill()
		err = <-ended
	}
	console.Close()
	results.Close()
	readers.Wait()
	switch {
	case m.done:
		return m.code, nil
	case hung:
		return 1, errors.New("the guest said nothing for minutes and was killed")
	case err != nil:
		return 1, fmt.Errorf("QEMU: %w: %s", err, said.String())
	}
	return 1, errors.New("the guest ended before its tests did")
}

// virtualizes is what /proc/cpuinfo says of a CPU on which guests run.
var virtualizes = regexp.MustCompile(`(?m)^flags\s*:.* (vmx|svm)( |$)`)

// accelerator is hardware's where it can be had. A virtual machine may have
// /dev/kvm without a CPU for it: there a guest hangs before its first line.
func accelerator() string {
	cpu, err := os.ReadFile("/proc/cpuinfo")
	if err == nil && virtualizes.Match(cpu) && unix.Access("/dev/kvm", unix.R_OK|unix.W_OK) == nil {
		return "kvm"
	}
	return "tcg,thread=multi"
}

func (m *machine) listen(name string) (net.Listener, error) {
	path := filepath.Join(m.built, name)
	os.Remove(path)
	return net.Listen("unix", path)
}

// accept hears the one connection that is made.
func accept(l net.Listener, hear func(io.Reader)) {
	if conn, err := l.Accept(); err == nil {
		hear(conn)
		conn.Close()
	}
}

// consoleLines is how many lines of a console a failure shows.
const consoleLines = 40

// hearConsole keeps the last lines, or shows all of a command's.
func (m *machine) hearConsole(from io.Reader) {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			m.heard()
			line = strings.TrimRight(line, "\r\n")
			if m.command != "" || m.list {
				fmt.Println(line)
			}
			m.Lock()
			m.last = append(m.last, line)
			m.last = m.last[max(0, len(m.last)-consoleLines):]
			m.Unlock()
		}
		if err != nil {
			return
		}
	}
}

func (m *machine) hearResults(from io.Reader) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		m.Lock()
		m.booted = true
		m.Unlock()
		m.heard()
		var r result
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			fmt.Fprintf(os.Stderr, "kernels: Linux %s says %q\n", m.name, lines.Text())
			continue
		}
		switch {
		case r.Kernel != "":
			m.Release = r.Kernel
		case r.Done:
			m.done, m.code = true, r.Status
		default:
			m.Results = append(m.Results, r)
			if r.Verdict == fault || r.Verdict == begins || m.verbose {
				fmt.Printf("Linux %s: %s\n", m.name, r)
			}
		}
	}
}
