package man_test

import (
	"os/exec"
	"path/filepath"
	"slices"
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
		complete: `
			compopt() { :; } # works in a line that is being edited only
			. "$1"
			read -ra COMP_WORDS <<<"${2//=/ = }" # as COMP_WORDBREAKS has it
			COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
			function=$(complete -p "${COMP_WORDS[0]}")
			function=${function#*-F }
			"${function% *}"
			printf '%s\n' "${COMPREPLY[@]}"`,
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
			testfs.Need(t, sh.name)
			forEachTool(t, func(t *testing.T, tool string) { test(t, sh, tool) })
			for name := range called {
				t.Run(name, func(t *testing.T) { test(t, sh, name) })
			}
		})
	}
}

func TestShellsCompleteTheOptionsThatHelpShows(t *testing.T) {
	forEachCompletion(t, func(t *testing.T, sh shell, tool string) {
		sameOptions(t, sh.path(tool), sh.offers(t, tool, "-"), helpOptions(t, tool))
	})
}

func TestShellsCompleteTheWordsThatAnOptionTakes(t *testing.T) {
	forEachCompletion(t, func(t *testing.T, sh shell, tool string) {
		for option, want := range validWords(t, tool) {
			got := sh.offers(t, tool, option+"=")
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%s= is completed by %q, the tool takes %q", option, got, want)
			}
		}
	})
}

func TestShellsCompleteTheCommandsOfAPipeline(t *testing.T) {
	for _, sh := range shells {
		t.Run(sh.name, func(t *testing.T) {
			testfs.Need(t, sh.name)
			for typed, want := range map[string]string{
				"ru":                       "run",
				"run --pipe-s":             "--pipe-size",
				"run -- mkfif":             "mkfifo",
				"run -p -- true ::: mkfif": "mkfifo",
			} {
				if got := sh.offers(t, "zpipe", typed); !slices.Equal(got, []string{want}) {
					t.Errorf("%q is completed by %q, want %q", typed, got, want)
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
		sameOptions(t, sh.path(tool), sh.offers(t, tool, "--st"), want)
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

// offers lists how the shell would complete the last word of a command line: an
// option, of which it may say that it takes a value, or the value.
func (sh shell) offers(t *testing.T, tool, word string) []string {
	t.Helper()
	file, err := filepath.Abs(sh.path(tool))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(sh.name, "-c", sh.complete, sh.name, file, tool+" "+word)
	if sh.name == "fish" { // has no $0
		cmd = exec.Command(sh.name, "--no-config", "-c", sh.complete, file, tool+" "+word)
	}
	cmd.Dir = t.TempDir()
	cmd.Env = append(cmd.Environ(), "HOME="+testbin.Dir(t)) // zsh is faster with its notes of the last time
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var offered []string
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSuffix(strings.TrimSpace(line), "=")
		if _, value, ok := strings.Cut(line, "="); ok {
			line = value
		}
		if line != "" {
			offered = append(offered, line)
		}
	}
	slices.Sort(offered)
	return slices.Compact(offered)
}
