package filecopy

import (
	"os"
	"path/filepath"
	"testing"

	"zeroutils/internal/testfs"
)

// TestTheGaugeEndsWithWhatTheSurveyCounts copies files of all kinds, some with
// holes and one that cannot be copied.
func TestTheGaugeEndsWithWhatTheSurveyCounts(t *testing.T) {
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "src"), filepath.Join(dir, "dst")
	woods(t, src)
	sparse := filepath.Join(src, "sparse")
	write(t, sparse, "data")
	if err := os.Truncate(sparse, 1<<40); err != nil {
		t.Fatal(err)
	}
	mkdir(t, dst)
	mkdir(t, dst, "src")
	mkdir(t, dst, "src/sparse") // in the way
	write(t, filepath.Join(src, "sparse too"), "")
	if err := os.Truncate(filepath.Join(src, "sparse too"), 1<<30); err != nil {
		t.Fatal(err)
	}
	survey := Take([]string{src}, recursive(), func() bool { return false })
	target, err := OpenTarget(dst)
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	r := newRun(t, recursive())
	r.Into(target, src)
	r.only(t, FileOverDirectory, nil)
	g := r.Gauge()
	files, bytes := g.Missing()
	if files != 1 || bytes != 1<<40 {
		t.Errorf("%d files and %d bytes are missing", files, bytes)
	}
	if g.Files()+files != survey.Files || g.Bytes()+bytes != survey.Bytes {
		t.Errorf("%d files and %d bytes are done, and there were %d and %d", g.Files(), g.Bytes(), survey.Files, survey.Bytes)
	}
	if name, _, _, under := g.Current(); under {
		t.Errorf("%s is still under way", name)
	}
}

func TestASurveyEndsWhenItIsToldToAndWhereLinksGoRound(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "file"), "12345")
	always := func() bool { return true }
	never := func() bool { return false }
	if s := Take([]string{dir}, recursive(), always); s != nil {
		t.Errorf("a survey that was stopped returned %+v", s)
	}
	if s := Take([]string{dir, filepath.Join(dir, "file")}, Options{}, never); s == nil || s.Files != 1 || s.Bytes != 5 {
		t.Errorf("without directories a survey found %+v", s)
	}
	if err := os.Symlink("..", filepath.Join(mkdir(t, dir, "inner"), "round")); err != nil {
		t.Fatal(err)
	}
	if s := Take([]string{dir}, Options{Recursive: true}, never); s != nil && s.Files > 1000 {
		t.Errorf("a survey went round and round: %+v", s)
	}
}

func TestASurveyOfOneFilesystemCountsNoOther(t *testing.T) {
	inner := testfs.Mount(t, "tmpfs")
	write(t, filepath.Join(inner, "file"), "text")
	never := func() bool { return false }
	for source, want := range map[string]int64{inner: 1, filepath.Dir(inner): 0} {
		o := recursive()
		all := Take([]string{source}, o, never)
		o.OneFilesystem = true
		one := Take([]string{source}, o, never)
		if got := all.Files - one.Files; got != 1-want {
			t.Errorf("%s: %d files left out", source, got)
		}
	}
}
