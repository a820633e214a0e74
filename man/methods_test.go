package man_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
)

// A thing is a source or a sink that the tables of zeroutils.7 tell from
// others, under all the names that it has there.
type thing struct {
	names []string
	splice.Descriptor
}

const (
	smallSize = 1 << 10
	largeSize = 1 << 30
)

func sources() []thing {
	file := func(size int64) splice.Descriptor {
		return splice.Descriptor{Kind: splice.Regular, FS: unix.XFS_SUPER_MAGIC, Stat: unix.Stat_t{Size: size}}
	}
	return append(others(),
		thing{[]string{"file", "small file"}, file(smallSize)},
		thing{[]string{"file", "large file"}, file(largeSize)},
	)
}

func sinks() []thing {
	onSameFilesystem := splice.Descriptor{Kind: splice.Regular, FS: unix.XFS_SUPER_MAGIC}
	elsewhere := splice.Descriptor{Kind: splice.Regular, FS: unix.TMPFS_MAGIC, Stat: unix.Stat_t{Dev: 1}}
	list := append(others(),
		thing{[]string{"file", "sharing file", "empty file on the same filesystem"}, onSameFilesystem},
		thing{[]string{"file"}, elsewhere},
	)
	for _, t := range list {
		t.Flags = unix.O_APPEND
		list = append(list, thing{[]string{"opened for appending"}, t.Descriptor})
	}
	return list
}

// others are all but regular files.
func others() []thing {
	list := []thing{{[]string{"device"}, splice.Descriptor{Kind: splice.Block}}}
	for _, k := range []splice.Kind{splice.Character, splice.Pipe, splice.Socket} {
		list = append(list, thing{[]string{"stream"}, splice.Descriptor{Kind: k}})
	}
	for _, k := range []splice.Kind{splice.Terminal, splice.Other} {
		list = append(list, thing{nil, splice.Descriptor{Kind: k}})
	}
	return list
}

// in reports whether a cell of a table names the thing.
func (x thing) in(cell string) bool {
	if strings.HasPrefix(cell, "anything") {
		return true
	}
	return slices.ContainsFunc(strings.Split(cell, ", "), func(name string) bool { return slices.Contains(x.names, name) })
}

func TestTheTableOfMethodsSaysWhatAutoTries(t *testing.T) {
	rows := table(t, "zeroutils.7", "Source", "Sink", "Methods")
	for _, src := range sources() {
		for _, dst := range sinks() {
			plan, err := splice.Plan(&dst.Descriptor, &src.Descriptor, splice.Options{})
			if err != nil {
				t.Fatal(err)
			}
			fits := func(row []string) bool { return src.in(row[0]) && dst.in(row[1]) }
			i := slices.IndexFunc(rows, fits)
			if i < 0 {
				t.Errorf("no line for %s to %s", src.Kind.Describe(), dst.Kind.Describe())
				continue
			}
			if got := strings.Split(rows[i][2], ", "); !slices.Equal(got, names(plan)) {
				t.Errorf("%s to %s: the page says %q, the plan is %q", src.Kind.Describe(), dst.Kind.Describe(), got, names(plan))
			}
		}
	}
}

func names(plan []splice.Method) []string {
	var list []string
	for _, m := range plan {
		list = append(list, m.String())
	}
	return list
}

func TestTheTableOfPairsSaysWhatAMethodCanServe(t *testing.T) {
	rows := table(t, "zeroutils.7", "Method", "Source", "Sink")
	for _, row := range rows {
		method, ok := splice.ParseMethod(row[0])
		if !ok {
			t.Errorf("there is no method %q", row[0])
			continue
		}
		for _, src := range sources() {
			for _, dst := range sinks() {
				_, err := splice.Plan(&dst.Descriptor, &src.Descriptor, splice.Options{Method: method})
				unserved := (*splice.UnservedError)(nil)
				serves := !errors.As(err, &unserved)
				if says := src.in(row[1]) && takes(method, dst, row[2]); says != serves {
					t.Errorf("%v: the page says %v, the plan %v", &splice.UnservedError{Method: method, Src: src.Kind, Dst: dst.Kind}, says, serves)
				}
			}
		}
	}
	if want := splice.MethodNames()[1:]; len(rows) != len(want) {
		t.Errorf("%d methods in the table, want %q", len(rows), want)
	}
}

// takes is what the cell says, and the text below the table of appending.
func takes(m splice.Method, dst thing, cell string) bool {
	if dst.Appends() {
		return m == splice.Mmap || m == splice.ReadWrite
	}
	return dst.in(cell)
}

// table returns the lines of the table of a page that has this head.
func table(t *testing.T, page string, head ...string) [][]string {
	t.Helper()
	all := lines(t, page)
	start := slices.Index(all, ".It Sy "+strings.Join(head, " Ta Sy "))
	if start < 0 {
		t.Fatalf("no table of %q", head)
	}
	var rows [][]string
	for _, line := range all[start+1:] {
		if line == ".El" {
			break
		}
		cells := strings.Split(strings.TrimPrefix(line, ".It "), " Ta ")
		if len(cells) != len(head) {
			t.Fatalf("%d columns, want %d: %s", len(cells), len(head), line)
		}
		rows = append(rows, cells)
	}
	return rows
}

func TestTheWordsThatOptionsTakeAreDescribed(t *testing.T) {
	forEachTool(t, func(t *testing.T, tool string) {
		for option, words := range validWords(t, tool) {
			for _, word := range words {
				if !mentions(t, "Cm", word, tool+".1", "zeroutils.7") {
					t.Errorf("nothing is said of %s=%s", option, word)
				}
			}
		}
	})
}

func TestTheKeysOfStatisticsAreDescribed(t *testing.T) {
	for tool, script := range map[string]string{
		"zcat":  "zcat --stats=json disk.img 2>&1 >/dev/null",
		"ztee":  "ztee --stats=json <disk.img 2>&1 >/dev/null",
		"zcp":   "zcp --stats=json --verify disk.img copy.img 2>&1",
		"zpipe": "zpipe --stats=json <disk.img 2>&1 >/dev/null",
	} {
		t.Run(tool, func(t *testing.T) {
			got := statistics(t, script)
			keys := slices.Sorted(maps.Keys(got))
			want := slices.Sorted(slices.Values(slices.Concat(entries(t, "zeroutils.7"), entries(t, tool+".1"))))
			if !slices.Equal(keys, want) {
				t.Errorf("the keys are %q, described are %q", keys, want)
			}
			for _, list := range got {
				describedInList(t, list, tool+".1", "zeroutils.7")
			}
		})
	}
}

func TestTheKeysOfAChangeOfMethodAreDescribed(t *testing.T) {
	// No descriptor is left for a pipe, so splice is given up.
	got := statistics(t, "exec <disk.img 2>&1 >/dev/null; ulimit -n 3; exec zpipe --stats=json")
	if string(got["fallbacks"]) == "[]" {
		t.Error("there was no change of method")
	}
	describedInList(t, got["fallbacks"], "zeroutils.7")
}

// describedInList checks the keys of the objects in a list, if it is one.
func describedInList(t *testing.T, list json.RawMessage, pages ...string) {
	t.Helper()
	var objects []map[string]any
	if json.Unmarshal(list, &objects) != nil {
		return
	}
	for _, object := range objects {
		for key := range object {
			if !mentions(t, "Va", key, pages...) {
				t.Errorf("nothing is said of %q in %s", key, list)
			}
		}
	}
}

// statistics is what a script prints.
func statistics(t *testing.T, script string) map[string]json.RawMessage {
	t.Helper()
	out := runScript(t, script)
	var object map[string]json.RawMessage
	if err := json.Unmarshal(out, &object); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return object
}

// mentions reports whether one of the pages has a word in this markup.
func mentions(t *testing.T, macro, word string, pages ...string) bool {
	t.Helper()
	for _, page := range pages {
		for _, line := range lines(t, page) {
			if strings.HasPrefix(line, ".") && strings.Contains(line+" ", macro+" "+word+" ") {
				return true
			}
		}
	}
	return false
}

// entries are the variables that a page has an entry for.
func entries(t *testing.T, page string) []string {
	t.Helper()
	var list []string
	for _, line := range lines(t, page) {
		if name, ok := strings.CutPrefix(line, ".It Va "); ok {
			list = append(list, name)
		}
	}
	return list
}
