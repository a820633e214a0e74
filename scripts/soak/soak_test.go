package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zeroutils/internal/testbin"
	"zeroutils/internal/testfs"
)

// alter makes a directory of the tools in which one is a script.
func alter(t *testing.T, name, script string) string {
	t.Helper()
	dir := t.TempDir()
	for _, tool := range []string{"zcat", "ztee", "zcp", "zpipe"} {
		if err := os.Symlink(filepath.Join(testbin.Dir(t), tool), filepath.Join(dir, tool)); err != nil {
			t.Fatal(err)
		}
	}
	if name != "" {
		path := filepath.Join(dir, name)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		script = "#!/bin/sh\nreal=" + "'" + filepath.Join(testbin.Dir(t), name) + "'\n" + script
		if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestAFaultOfAToolIsFound(t *testing.T) {
	testfs.NotOnFUSE(t) // where files with several names may have several inodes
	testbin.Dir(t)      // before it is another temporary directory
	for what, c := range map[string]struct{ tool, script, want string }{
		"a byte is lost":           {"zcat", `"$real" "$@" | tail -c +2`, "byte"},
		"a byte is there twice":    {"ztee", `{ printf x; cat; } | "$real" "$@"`, "byte"},
		"a wrong status":           {"zcat", `"$real" "$@"; exit 1`, "status 1"},
		"a word too much":          {"zcp", `echo done >&2; exec "$real" "$@"`, `said "done\n"`},
		"a move that only copies":  {"zcp", `case $* in *--move*) for a; do to=$a; done; cp -aT tree "$to" 2>/dev/null || cp -aT "$(dirname "$to")/tree" "$to" ;; *) exec "$real" "$@" ;; esac`, "still there"},
		"a copy without the times": {"zcp", `case $* in *--move* | --help) exec "$real" "$@" ;; esac; "$real" "$@"; for a; do to=$a; done; touch -- "$to"`, "-aT"},
	} {
		t.Run(what, func(t *testing.T) {
			tools := alter(t, c.tool, c.script)  // before TMPDIR is another
			dir, err := os.MkdirTemp("", "soak") // the path of a socket has to be short
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			t.Setenv("TMPDIR", dir)
			var out strings.Builder
			err = run([]string{"-tools", tools, "-for", "100s", "-seed", "1"}, &out)
			if err == nil {
				t.Fatalf("nothing was found: %s", out.String())
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("found %v, want %s", err, c.want)
			}
			if !strings.Contains(err.Error(), "-seed 1 -only ") || !strings.HasPrefix(out.String(), "seed 1\n") {
				t.Errorf("%v does not say how to repeat it; the summary is %q", err, out.String())
			}
			if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 {
				t.Errorf("%v is left", left)
			}
		})
	}
}
