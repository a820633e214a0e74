package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// features tries what else filesystems differ in.
func (p *place) features() {
	p.must(os.WriteFile(p.path("f"), noise[:large], 0o644))
	p.check("zcp --reflink=always, as cp", p.reflink)
	p.check("zcp keeps holes, as cp", p.holes)
	p.check("zcp --move within", p.moveWithin)
	p.check("zcp --move to tmpfs", p.moveAway)
	p.check("zcp --verify", p.verify)
	p.check("zcp --atomic --fsync over a file", p.atomic)
	p.check("zcp --move --resume after a kill", p.resume)
	p.check("zcat --stable with a writer", p.stable)
	p.check("zcat appending", p.appending)
	p.check("ztee to two files and a pipe", p.fanOut)
}

func (p *place) reflink() (string, error) {
	want, err := command("/bin/cp", "--reflink=always", p.path("f"), p.path("theirs")).finish()
	if err != nil {
		return "", err
	}
	tool := command("zcp", "--reflink=always", p.path("f"), p.path("ours"))
	got, err := tool.finish()
	if err != nil {
		return "", err
	}
	if got != want {
		return "", fmt.Errorf("status %d, cp's is %d: %s", got, want, tool.said.String())
	}
	if got != 0 {
		if _, err := os.Lstat(p.path("ours")); !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("a file is left: %v", err)
		}
		_, errno, _ := strings.Cut(strings.TrimSpace(tool.said.String()), "': ")
		return "", refusal(errno)
	}
	return "", holds(p.path("ours"), noise[:large])
}

func (p *place) holes() (string, error) {
	file, err := os.Create(p.path("sparse"))
	if err != nil {
		return "", err
	}
	defer file.Close()
	_, err = file.WriteAt(noise[:100<<10], 16<<20)
	if err := errors.Join(err, file.Truncate(32<<20), file.Close()); err != nil {
		return "", err
	}
	if err := command("zcp", p.path("sparse"), p.path("ours")).succeed(); err != nil {
		return "", err
	}
	if err := command("/bin/cp", p.path("sparse"), p.path("theirs")).succeed(); err != nil {
		return "", err
	}
	want, err := os.ReadFile(p.path("sparse"))
	if err != nil {
		return "", err
	}
	if err := p.arrived("ours", want); err != nil {
		return "", err
	}
	unix.Sync()
	var ours, theirs unix.Stat_t
	if err := errors.Join(unix.Stat(p.path("ours"), &ours), unix.Stat(p.path("theirs"), &theirs)); err != nil {
		return "", err
	}
	if ours.Blocks > theirs.Blocks+1024 {
		return "", fmt.Errorf("%d KiB of 32 MiB, cp %d", ours.Blocks/2, theirs.Blocks/2)
	}
	return "", nil
}

func (p *place) moveWithin() (string, error) {
	if err := os.WriteFile(p.path("m"), noise[:large], 0o600); err != nil {
		return "", err
	}
	if err := command("zcp", "--move", p.path("m"), p.path("n")).succeed(); err != nil {
		return "", err
	}
	if _, err := os.Lstat(p.path("m")); !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("the source is still there: %v", err)
	}
	return "", p.arrived("n", noise[:large])
}

func (p *place) moveAway() (string, error) {
	if err := os.WriteFile(p.path("m"), noise[:large], 0o600); err != nil {
		return "", err
	}
	defer os.Remove("/tmp/away")
	if err := command("zcp", "--move", p.path("m"), "/tmp/away").succeed(); err != nil {
		return "", err
	}
	if _, err := os.Lstat(p.path("m")); !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("the source is still there: %v", err)
	}
	return "", holds("/tmp/away", noise[:large])
}

func (p *place) verify() (string, error) {
	os.Remove(p.path("verified"))
	tool := command("zcp", "--verify", "--stats", p.path("f"), p.path("verified"))
	if err := tool.succeed(); err != nil {
		return "", err
	}
	return "", p.arrived("verified", noise[:large])
}

func (p *place) atomic() (string, error) {
	if err := os.WriteFile(p.path("old"), noise[100:5000], 0o600); err != nil {
		return "", err
	}
	if err := command("zcp", "--atomic", "--fsync", p.path("f"), p.path("old")).succeed(); err != nil {
		return "", err
	}
	left, err := filepath.Glob(p.path(".zcp-*"))
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("%v is left", left)
	}
	return "", errors.Join(err, p.arrived("old", noise[:large]))
}

// resume kills a move from tmpfs when a part has been copied, and goes on.
func (p *place) resume() (string, error) {
	dir := p.path("into")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	whole := make([]byte, 0, 8*len(noise))
	for range 8 {
		whole = append(whole, noise...)
	}
	if err := os.WriteFile("/tmp/whole", whole, 0o600); err != nil {
		return "", err
	}
	defer os.Remove("/tmp/whole")
	tool := command("zcp", "--move", "--resume", "--method=readwrite", "/tmp/whole", filepath.Join(dir, "whole"))
	if err := tool.Start(); err != nil {
		return "", err
	}
	detail := "ended before it could be killed"
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if found, _ := filepath.Glob(filepath.Join(dir, ".zcp-*")); len(found) > 0 {
			if st, err := os.Stat(found[0]); err == nil && st.Size() > 4<<20 {
				detail = "killed midway"
				break
			}
		}
		if _, err := os.Lstat(filepath.Join(dir, "whole")); err == nil {
			break
		}
	}
	tool.Process.Kill()
	tool.end()
	if _, err := os.Lstat("/tmp/whole"); err == nil {
		again := command("zcp", "--move", "--resume", "/tmp/whole", filepath.Join(dir, "whole"))
		switch err := again.succeed(); {
		case strings.Contains(again.said.String(), "with all its attributes"): // as on SMB without POSIX
			return "", errors.Join(holds("/tmp/whole", whole), refusal("the filesystem cannot keep permissions, and the source is left"))
		case err != nil:
			return "", err
		}
		if _, err := os.Lstat("/tmp/whole"); !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("the source is still there: %v", err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) != 1 {
		err = fmt.Errorf("%d files in the directory", len(entries))
	}
	return detail, errors.Join(err, p.arrived("into/whole", whole))
}

// stable has a file written to between zcat's end and its reader's.
func (p *place) stable() (string, error) {
	data := noise[:256<<10]
	if err := os.WriteFile(p.path("stable"), data, 0o644); err != nil {
		return "", err
	}
	dropCaches()
	r, w, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer r.Close()
	tool := command("zcat", "--stable", p.path("stable"))
	tool.Stdout = w
	if err := tool.Start(); err != nil {
		w.Close()
		return "", err
	}
	w.Close()
	const first = 32 << 10
	for end := time.Now().Add(patience); ; {
		if n, err := unix.IoctlGetInt(int(r.Fd()), unix.TIOCINQ); err != nil || n >= first {
			break
		}
		look := []unix.PollFd{{Fd: int32(r.Fd())}}
		unix.Poll(look, 1)
		if look[0].Revents&unix.POLLHUP != 0 || time.Now().After(end) {
			tool.Process.Kill()
			tool.end()
			return "", errors.New("nothing arrives: " + tool.said.String())
		}
	}
	written := make(chan error, 1)
	go func() {
		file, err := os.OpenFile(p.path("stable"), os.O_WRONLY, 0) // waits for a lease
		if err == nil {
			_, err = file.Write(make([]byte, first))
			err = errors.Join(err, file.Close())
		}
		written <- err
	}()
	select { // without a lease the writer comes first, and must not be seen
	case err = <-written:
	case <-time.After(time.Second):
		err = nil
		defer func() { <-written }()
	}
	got, readErr := io.ReadAll(r)
	status := tool.end()
	if err := errors.Join(err, readErr); err != nil {
		return "", err
	}
	if status != 0 {
		return "", fmt.Errorf("status %d: %s", status, tool.said.String())
	}
	if len(got) != len(data) {
		return "", fmt.Errorf("%d bytes of %d", len(got), len(data))
	}
	return "", same(got[:first], data[:first])
}

func (p *place) appending() (string, error) {
	if err := os.WriteFile(p.path("log"), noise[:1000], 0o644); err != nil {
		return "", err
	}
	out, err := os.OpenFile(p.path("log"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return "", err
	}
	defer out.Close()
	tool := command("zcat", p.path("f"))
	tool.Stdout = out
	if err := tool.succeed(); err != nil {
		return "", err
	}
	out.Close()
	return "", p.arrived("log", append(append([]byte{}, noise[:1000]...), noise[:large]...))
}

func (p *place) fanOut() (string, error) {
	tool := command("ztee", p.path("one"), p.path("two"))
	in, err := os.Open(p.path("f"))
	if err != nil {
		return "", err
	}
	defer in.Close()
	tool.Stdin = in
	got, status, err := tool.read()
	if err == nil && status != 0 {
		err = tool.failed(status)
	}
	return "", errors.Join(err, same(got, noise[:large]), p.arrived("one", noise[:large]), p.arrived("two", noise[:large]))
}
