// Package man_test keeps the manual pages, the completions and --help of the
// tools together: what one of them says of the command line, all say.
package man_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"zeroutils/internal/testbin"
	"zeroutils/internal/testfs"
)

var tools = []string{"zcat", "ztee", "zcp", "zpipe"}

// called are the tools by the names of the programs that they stand in for.
var called = map[string]string{"zmv": "zcp", "zpv": "zpipe"}

// run returns a command that runs a tool by the name it is called by.
func run(t *testing.T, tool string, args ...string) *exec.Cmd {
	binary := tool
	if real, ok := called[tool]; ok {
		binary = real
	}
	cmd := exec.Command(filepath.Join(testbin.Dir(t), binary), args...)
	cmd.Args[0] = tool
	return cmd
}

func TestMain(m *testing.M) {
	os.Unsetenv("ZEROUTILS_METHOD")
	os.Unsetenv("POSIXLY_CORRECT")
	os.Exit(m.Run())
}

// forEachTool runs a test for each of the tools.
func forEachTool(t *testing.T, test func(t *testing.T, tool string)) {
	for _, tool := range tools {
		t.Run(tool, func(t *testing.T) { test(t, tool) })
	}
}

func TestThePageOfAToolDescribesTheOptionsThatHelpShows(t *testing.T) {
	describes := func(t *testing.T, tool string) {
		sameOptions(t, tool+".1", described(t, tool+".1"), helpOptions(t, tool))
	}
	forEachTool(t, describes)
	for name := range called {
		t.Run(name, func(t *testing.T) { describes(t, name) })
	}
}

func TestPagesMentionNoOptionThatDoesNotExist(t *testing.T) {
	exist := map[string][]string{"zeroutils.7": nil}
	for _, tool := range tools {
		options := helpOptions(t, tool)
		exist[tool+".1"] = options
		exist["zeroutils.7"] = append(exist["zeroutils.7"], options...)
	}
	for page, options := range exist {
		for _, line := range lines(t, page) {
			for _, option := range flags(line) {
				if !slices.Contains(options, option) {
					t.Errorf("%s mentions %s: %s", page, option, line)
				}
			}
		}
	}
}

func TestMandocFindsNothingToSayAboutThePages(t *testing.T) {
	testfs.Need(t, "mandoc")
	for _, page := range pages(t) {
		out, err := exec.Command("mandoc", "-T", "lint", "-W", "warning", page).CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", page, err, out)
		}
	}
}

// groff is what man(1) formats pages with on most systems.
func TestPagesFitATerminalOf80Columns(t *testing.T) {
	testfs.Need(t, "groff")
	for _, page := range pages(t) {
		out, err := exec.Command("sh", "-c", "groff -mdoc -Tutf8 -ww -rLL=78n \"$0\" 2>&1 >/dev/null", page).CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", page, err, out)
		}
	}
}

// The headings of --help are those of the page's options.
func TestThePageHasTheOptionsUnderTheHeadingsOfHelp(t *testing.T) {
	for _, tool := range []string{"zcp", "zpipe", "zpv"} {
		t.Run(tool, func(t *testing.T) {
			page, help := map[string]string{}, map[string]string{}
			heading := ""
			for _, line := range lines(t, tool+".1") {
				if title, ok := strings.CutPrefix(line, ".Ss "); ok {
					heading = title
				}
				if strings.HasPrefix(line, ".Sh ") {
					heading = ""
				}
				if heading != "" && strings.HasPrefix(line, ".It Fl ") {
					for _, option := range flags(line) {
						page[option] = heading
					}
				}
			}
			heading = ""
			for _, line := range helpLines(t, tool) {
				if found := helpHeading.FindStringSubmatch(line); found != nil {
					heading = found[1]
				}
				for _, option := range optionsOf(line) {
					help[option] = heading
				}
			}
			for option, heading := range help {
				if option != "--help" && option != "--version" && page[option] != heading {
					t.Errorf("%s stands below %q in --help, below %q in the page", option, heading, page[option])
				}
			}
		})
	}
}

// Long lists of options come with examples right behind the synopsis.
func TestPagesHaveTheSectionsThatReadersLookFor(t *testing.T) {
	common := []string{"ENVIRONMENT", "EXIT STATUS", "EXAMPLES", "SIGNALS", "COMPATIBILITY", "SEE ALSO"}
	for _, tool := range append([]string{"zmv", "zpv"}, tools...) {
		var titles []string
		for _, line := range lines(t, tool+".1") {
			if title, ok := strings.CutPrefix(line, ".Sh "); ok {
				titles = append(titles, strings.TrimSuffix(title, `\&`))
			}
		}
		for _, title := range common {
			if !slices.Contains(titles, title) {
				t.Errorf("%s.1 has no section %s", tool, title)
			}
		}
		if early := titles[2] == "EXAMPLES"; early != slices.Contains([]string{"zcp", "zpipe", "zpv"}, tool) {
			t.Errorf("%s.1: the sections are %q", tool, titles)
		}
	}
}

// sameOptions reports the options that a source has too many or too few.
func sameOptions(t *testing.T, source string, got, want []string) {
	t.Helper()
	for _, option := range want {
		if !slices.Contains(got, option) {
			t.Errorf("%s lacks %s", source, option)
		}
	}
	for _, option := range got {
		if !slices.Contains(want, option) {
			t.Errorf("%s has %s, which --help does not show", source, option)
		}
	}
}

// helpLine is a line of the table of options: "  -n, --number  text", or
// "      --stats[=FORMAT]  text". What is said of an option goes on further to
// the right.
var helpLine = regexp.MustCompile(`^(?:  | {6})(-[^\s,]+(?:, -[^\s,]+)*)`)

// helpHeading is a heading above options.
var helpHeading = regexp.MustCompile(`^([A-Z][a-z ]*):$`)

// optionsOf lists the options of a line of --help, with their dashes and without
// their values.
func optionsOf(line string) (options []string) {
	found := helpLine.FindStringSubmatch(line)
	if found == nil {
		return nil
	}
	for spelling := range strings.SplitSeq(found[1], ", ") {
		name, _, _ := strings.Cut(spelling, "=")
		options = append(options, strings.TrimSuffix(name, "["))
	}
	return options
}

// helpOptions lists the options that a tool's --help shows.
func helpOptions(t *testing.T, tool string) []string {
	t.Helper()
	var options []string
	for _, line := range helpLines(t, tool) {
		options = append(options, optionsOf(line)...)
	}
	if len(options) == 0 {
		t.Fatalf("no options in %s --help", tool)
	}
	return options
}

func helpLines(t *testing.T, tool string) []string {
	t.Helper()
	out, err := run(t, tool, "--help").Output()
	if err != nil {
		t.Fatalf("%s --help: %v", tool, err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// validWord is a line of the list that a tool prints after a word that an
// option does not take.
var validWord = regexp.MustCompile(`(?m)^  - (.*)$`)

// validWords lists, for each option that takes one of several words, these
// words. Which ones do the tool says itself, when it is given another one.
func validWords(t *testing.T, tool string) map[string][]string {
	t.Helper()
	words := make(map[string][]string)
	for _, option := range helpOptions(t, tool) {
		if !strings.HasPrefix(option, "--") {
			continue
		}
		cmd := run(t, tool, option+"=none of these", "--help")
		cmd.Env = append(os.Environ(), "LC_ALL=C")
		out, _ := cmd.CombinedOutput()
		for _, found := range validWord.FindAllStringSubmatch(string(out), -1) {
			for word := range strings.SplitSeq(found[1], ", ") {
				words[option] = append(words[option], strings.Trim(word, "'"))
			}
		}
	}
	return words
}

// described lists the options that have an entry of their own in a page.
func described(t *testing.T, page string) []string {
	t.Helper()
	options := make(map[string]bool)
	for _, line := range lines(t, page) {
		if strings.HasPrefix(line, ".It Fl ") {
			for _, option := range flags(line) {
				options[option] = true
			}
		}
	}
	return slices.Collect(maps.Keys(options))
}

// flags lists the options of a line in mdoc: ".Fl b , Fl -number" are -b and
// --number, ".Op Fl abc" are -a, -b and -c.
func flags(line string) []string {
	if !strings.HasPrefix(line, ".") {
		return nil
	}
	var options []string
	words := strings.Fields(line[1:])
	for i, word := range words[:len(words)-1] {
		if word != "Fl" {
			continue
		}
		if name := words[i+1]; strings.HasPrefix(name, "-") {
			options = append(options, "-"+name)
			continue
		}
		for _, letter := range words[i+1] {
			options = append(options, "-"+string(letter))
		}
	}
	return options
}

func pages(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob("*.[1-9]")
	if err != nil || len(found) <= len(tools) {
		t.Fatalf("pages are %q, %v", found, err)
	}
	return found
}

func lines(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}
