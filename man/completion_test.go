package man_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"zeroutils/internal/testbin"
	"zeroutils/internal/testfs"
)

// A shell completes command lines.
type shell struct {
	name string
	file func(tool string) string // below scripts/completions/NAME
	// complete is a script that prints, a line each, what the shell offers for
	// the command line $2 with the completions of the file $1.
	complete string
}

var shells = []shell{
	{
		name: "bash",
		file: func(tool string) string { return tool },
		// bash calls the function that completes in its line editor only, which
		// wants a terminal: script(1) makes one. The first tab ends that bash.
		complete: `
			rc='PS1=
				exec 3>"$OUT"
				. "$FILE"
				probe() {
					COMPREPLY=()
					"$function" "$@"
					printf "%s\n" "${COMPREPLY[@]}" >&3
					kill -KILL $$
				}
				function=$(complete -p "$TOOL")
				function=${function#*-F } function=${function% *}
				complete -F probe "$TOOL"'
			directory=$(mktemp -d "$HOME/XXXXXX")
			printf '%s\n' "$rc" >"$directory/rc"
			export OUT=$directory/out FILE=$1 TOOL=${2%% *}
			mkfifo "$directory/keys"
			exec 4<>"$directory/keys" # at an end of its input script(1) waits for a quarter of a second
			printf '%s\t' "$2" >&4
			script -qec "exec bash --noprofile --rcfile '$directory/rc' -i" /dev/null <&4 >/dev/null
			cat "$OUT"
			rm -r "$directory"`,
	},
	{
		name: "fish",
		file: func(tool string) string { return tool + ".fish" },
		complete: `
			source $argv[1]
			complete -C $argv[2] | string replace -r '\t.*' ''
			true # also if there is nothing to replace`,
	},
	{
		name: "zsh",
		file: func(tool string) string { return "_" + tool },
		// zsh completes in its line editor only, which wants a terminal. There
		// every match goes through compadd.
		complete: `
			exec 3>&1
			editor='
				fpath=($1:h $fpath) LISTMAX=1000 # not to be asked before a long list
				autoload -Uz compinit && compinit -u -d $HOME/zcompdump
				compadd() {
					local -a matches
					if [[ " $argv " != *" -"[AOD]" "* ]]; then
						builtin compadd -A matches "$@"
						print -rlu3 -- $matches
					fi
					builtin compadd "$@"
				}
				as_command() { unset "compstate[vared]"; compprefuncs=(as_command) }
				compprefuncs=(as_command)
				unsetopt auto_list # which asks first if there is more than fits on the screen
				complete_and_quit() { zle complete-word; zle send-break }
				zle -N zle-line-init complete_and_quit
				line=$2
				vared -c line
			'
			zmodload zsh/zpty
			zpty child zsh -f -c ${(q)editor} zsh ${(q)1} ${(q)2}
			while zpty -r child; do :; done >/dev/null`,
	},
}

// forEachCompletion runs a test for each shell and each tool.
func forEachCompletion(t *testing.T, test func(t *testing.T, sh shell, tool string)) {
	for _, sh := range shells {
		t.Run(sh.name, func(t *testing.T) {
			sh.need(t)
			forEachTool(t, func(t *testing.T, tool string) { test(t, sh, tool) })
			for name := range called {
				t.Run(name, func(t *testing.T) { test(t, sh, name) })
			}
		})
	}
}

func TestShellsCompleteTheOptionsThatHelpShows(t *testing.T) {
	forEachCompletion(t, func(t *testing.T, sh shell, tool string) {
		sameOptions(t, sh.path(tool), sh.offers(t, tool, tool+" -"), helpOptions(t, tool))
	})
}

func TestShellsCompleteTheWordsThatAnOptionTakes(t *testing.T) {
	forEachCompletion(t, func(t *testing.T, sh shell, tool string) {
		for option, want := range validWords(t, tool) {
			got := sh.offers(t, tool, tool+" "+option+"=")
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%s= is completed by %q, the tool takes %q", option, got, want)
			}
		}
	})
}

// Every shell is asked in a directory with the files fish, fowl and the directory fine.
func TestShellsCompleteWhatIsTyped(t *testing.T) {
	for _, sh := range shells {
		t.Run(sh.name, func(t *testing.T) {
			sh.need(t)
			for typed, want := range map[string]string{
				"zcat --stats=":                 "json text",
				"zcat --stats=j":                "json",
				"zcp --preserve=mode,":          "all context links ownership timestamps xattr",
				"zcp --preserve=mode,links,mod": "",
				"zcp --no-preserve=mode,t":      "timestamps",
				"zpipe tcp":                     "tcp-listen: tcp4-listen: tcp4: tcp6-listen: tcp6: tcp:",
				"zpipe fi":                      "file: fine fish",
				"zpipe - fis":                   "fish",
				"zpipe - uni":                   "unix-listen: unix:",
				"zpipe file:fi":                 "fine fish",
				"zpipe - unix-listen:fi":        "fine fish",
				"zpipe - file:x,a":              "append atomic",
				"zpipe - unix-listen:x,u":       "uid user",
				"zpipe tcp:host:1,r":            "retry",
				"zpipe exec:mkfif":              "mkfifo",
				"zpipe ru":                      "run",
				"zpipe -p ru":                   "run",
				"zpipe -i 2 ru":                 "run",
				"zpipe - ru":                    "",
				"zpipe --stats=":                "json text",
				"zpipe -s @fi":                  "fine fish",
				"zpipe --size=@fo":              "fowl",
				"zpipe --size=10":               "10G 10K 10M 10T",
				"zpipe -L 5":                    "5G 5K 5M 5T",
				"zpipe -L 5M,":                  "all each",
				"zpipe --buffer=":               "16M 1G 1M 256M 64K",
				"zpipe run --pipe-s":            "--pipe-size",
				"zpipe run mkfif":               "mkfifo",
				"zpipe run -- mkfif":            "mkfifo",
				"zpipe run -p mkfif":            "mkfifo",
				"zpipe run -- cat fow":          "fowl",
				"zpipe run cat ::: mkfif":       "mkfifo",
				"zpipe run -- whil":             "", // while is a word of the shell
				"zpipe run -- unalia":           "", // and so is unalias
				"zpv --size=@fo":                "fowl",
				"zpv -s @fo":                    "fowl",
			} {
				if got := strings.Join(sh.offers(t, strings.Fields(typed)[0], typed), " "); got != want {
					t.Errorf("%q is completed by %q, want %q", typed, got, want)
				}
			}
			for typed, want := range map[string]string{
				"zpipe run ": "--", "zpipe run -": "--", "zpipe run cat ": ":::", "zpipe run cat ::": ":",
				"zpipe -d ": strconv.Itoa(os.Getpid()), "zpipe --watchfd=": strconv.Itoa(os.Getpid()),
				"zpv -d ":                                strconv.Itoa(os.Getpid()),
				fmt.Sprintf("zpipe -d %d:", os.Getpid()): "0",
			} {
				if got := sh.offers(t, strings.Fields(typed)[0], typed); !slices.Contains(got, want) {
					t.Errorf("%q is completed by %q, which lacks %q", typed, got, want)
				}
			}
		})
	}
}

func TestShellsOfferOnlyWhatBeginsAsTyped(t *testing.T) {
	forEachCompletion(t, func(t *testing.T, sh shell, tool string) {
		var want []string
		for _, option := range helpOptions(t, tool) {
			if strings.HasPrefix(option, "--st") {
				want = append(want, option)
			}
		}
		sameOptions(t, sh.path(tool), sh.offers(t, tool, tool+" --st"), want)
	})
}

func TestEveryToolHasACompletionAndNothingElseHas(t *testing.T) {
	for _, sh := range shells {
		files, err := filepath.Glob(filepath.Join(completions, sh.name, "*"))
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, tool := range tools {
			want = append(want, sh.path(tool))
		}
		for name := range called {
			want = append(want, sh.path(name))
		}
		slices.Sort(want)
		if !slices.Equal(files, want) {
			t.Errorf("completions for %s are %q, want %q", sh.name, files, want)
		}
	}
}

func TestShellsCanReadTheCompletions(t *testing.T) {
	forEachCompletion(t, func(t *testing.T, sh shell, tool string) {
		if out, err := exec.Command(sh.name, "-n", sh.path(tool)).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

const completions = "../scripts/completions"

func (sh shell) path(tool string) string {
	return filepath.Join(completions, sh.name, sh.file(tool))
}

// need skips a test where the shell, or what shows it a terminal, is missing.
func (sh shell) need(t *testing.T) {
	t.Helper()
	testfs.Need(t, sh.name)
	if sh.name == "bash" {
		testfs.Need(t, "script")
	}
}

// offers lists how the shell would complete the last word of a line that begins
// with the tool: without what it keeps of the word, without an = that wants a
// value, and without the slash of a directory.
func (sh shell) offers(t *testing.T, tool, line string) []string {
	t.Helper()
	file, err := filepath.Abs(sh.path(tool))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(sh.name, "-c", sh.complete, sh.name, file, line)
	if sh.name == "fish" { // has no $0
		cmd = exec.Command(sh.name, "--no-config", "-c", sh.complete, file, line)
	}
	cmd.Dir = t.TempDir()
	for _, name := range []string{"fish", "fowl", "fine/file"} {
		write(t, filepath.Join(cmd.Dir, name), "")
	}
	cmd.Env = append(cmd.Environ(),
		"HOME="+testbin.Dir(t), // zsh is faster with its notes of the last time
		"LC_ALL=C")             // bash complains of a locale that is not installed
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	word := line[strings.LastIndex(line, " ")+1:]
	kept := word[:strings.LastIndexAny(word, "=@:,")+1]
	var offered []string
	for found := range strings.Lines(string(out)) {
		found = strings.TrimSpace(found)
		for i := range kept { // shells keep different parts
			if rest, ok := strings.CutPrefix(found, kept[i:]); ok && rest != "" {
				found = rest
				break
			}
		}
		if found = strings.TrimRight(found, "=/"); found != "" {
			offered = append(offered, found)
		}
	}
	slices.Sort(offered)
	return slices.Compact(offered)
}
