package man_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A block is a fenced block of a document, in a language: the commands of sh are
// run, those of console are, too, and print what follows them.
type block struct {
	language string
	lines    []string
}

func documents(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob("../docs/*.md")
	if err != nil || len(found) == 0 {
		t.Fatalf("documents are %q, %v", found, err)
	}
	return append(found, "../README.md", "../SECURITY.md")
}

func blocks(t *testing.T, file string) (found []block) {
	t.Helper()
	open := false
	for _, line := range lines(t, file) {
		language, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && !open:
			found, open = append(found, block{language: language}), true
		case fence:
			open = false
		case open:
			last := &found[len(found)-1]
			last.lines = append(last.lines, line)
		}
	}
	if open {
		t.Fatalf("%s has a block that does not end", file)
	}
	return found
}

func TestCommandsOfTheDocumentsRun(t *testing.T) {
	for _, file := range documents(t) {
		for i, b := range blocks(t, file) {
			t.Run(fmt.Sprintf("%s_%d", filepath.Base(file), i+1), func(t *testing.T) {
				switch b.language {
				case "sh":
					if !callsOurScripts(t, b) {
						runScript(t, strings.Join(b.lines, "\n"))
					}
				case "console":
					runConsole(t, b)
				case "text":
				default:
					t.Errorf("a block in the language %q", b.language)
				}
			})
		}
	}
}

// script is a script of the project in a command line.
var script = regexp.MustCompile(`\./(scripts/\S+\.sh)`)

// callsOurScripts reports whether a block runs scripts of the project, whose
// tests are elsewhere: here they only have to be there.
func callsOurScripts(t *testing.T, b block) bool {
	found := script.FindAllStringSubmatch(strings.Join(b.lines, "\n"), -1)
	for _, call := range found {
		if _, err := os.Stat("../" + call[1]); err != nil {
			t.Error(err)
		}
	}
	return len(found) > 0
}

// runConsole runs the commands of a block, and compares what they print, but for
// numbers.
func runConsole(t *testing.T, b block) {
	t.Helper()
	var commands, want []string
	for _, line := range b.lines {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			commands = append(commands, command)
		} else {
			want = append(want, line)
		}
	}
	got := runScript(t, strings.Join(commands, "\n"))
	if g, w := withoutNumbers(string(got)), withoutNumbers(strings.Join(want, "\n")+"\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

// withoutNumbers replaces numbers, with the prefixes of their units.
func withoutNumbers(text string) string {
	return regexp.MustCompile(`\d[\d.e+-]*( [kMGKT]?i?B\b)?`).ReplaceAllString(text, "N")
}

func TestDocumentsMentionNoOptionThatDoesNotExist(t *testing.T) {
	exist := []string{"--help", "--version", "--uninstall", "--prefix", "--force-zcat", "--quick", "--no-install", "--tmpfile", "--doc", "--docs", "--peers", "--remove-source-files"} // the last is of rsync
	for _, tool := range slices.Concat(tools, slices.Collect(maps.Keys(called))) {
		exist = append(exist, helpOptions(t, tool)...)
	}
	for _, file := range documents(t) {
		for _, line := range lines(t, file) {
			for _, option := range regexp.MustCompile(`(?:^|[\s`+"`"+`(])(--[a-z][a-z-]+)`).FindAllStringSubmatch(line, -1) {
				if !slices.Contains(exist, option[1]) {
					t.Errorf("%s mentions %s: %s", file, option[1], line)
				}
			}
		}
	}
}

// A mention of a test is the path of a script or test file, or a test's name.
func TestTestsThatDocumentsNameExist(t *testing.T) {
	var all strings.Builder
	for _, pattern := range []string{"../cmd/*/*_test.go", "../internal/*/*_test.go", "../internal/*/*/*_test.go", "../scripts/*_test.go", "*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			all.WriteString(strings.Join(lines(t, file), "\n"))
		}
	}
	named := regexp.MustCompile("`(Test\\w+|(?:cmd|internal|scripts)/[\\w/.]+)`")
	for _, file := range documents(t) {
		for _, line := range lines(t, file) {
			for _, name := range named.FindAllStringSubmatch(line, -1) {
				if strings.HasPrefix(name[1], "Test") {
					if !strings.Contains(all.String(), "func "+name[1]+"(") {
						t.Errorf("%s: there is no %s", file, name[1])
					}
				} else if _, err := os.Stat("../" + name[1]); err != nil {
					t.Errorf("%s: %v", file, err)
				}
			}
		}
	}
}

func TestTheDifferencesFromCpAndMvAreThoseThatTheComparisonAllows(t *testing.T) {
	for _, c := range []struct{ heading, file, function string }{
		{"| what cp does | what zcp does |", "../cmd/zcp/deviations_test.go", "deviation"},
		{"| what mv does | what zmv does |", "../cmd/zcp/mv_oracle_test.go", "mvDeviation"},
	} {
		page := lines(t, "../docs/compatibility.md")
		start := slices.Index(page, c.heading)
		if start < 0 {
			t.Fatalf("there is no table %q", c.heading)
		}
		var listed []string
		for _, line := range page[start+2:] {
			if line == "" {
				break
			}
			listed = append(listed, strings.TrimSpace(strings.Split(line, "|")[1]))
		}
		slices.Sort(listed)
		if allowed := returned(t, c.file, c.function); !slices.Equal(listed, allowed) {
			t.Errorf("listed are %q,\nallowed are %q", listed, allowed)
		}
	}
}

// returned are the texts that a function returns.
func returned(t *testing.T, source, name string) (texts []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), source, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		function, ok := d.(*ast.FuncDecl)
		if !ok || function.Name.Name != name {
			continue
		}
		ast.Inspect(function, func(n ast.Node) bool {
			if r, ok := n.(*ast.ReturnStmt); ok {
				literal, ok := r.Results[0].(*ast.BasicLit)
				if !ok {
					return true
				}
				text, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				if text != "" {
					texts = append(texts, text)
				}
			}
			return true
		})
	}
	slices.Sort(texts)
	return texts
}
