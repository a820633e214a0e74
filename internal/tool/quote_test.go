package tool

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"zeroutils/internal/property"
)

func TestQuotingExamples(t *testing.T) {
	for _, c := range []struct{ locale, name, quote, always, locally string }{
		{"C", "plain", "plain", "'plain'", "'plain'"},
		{"C", "", "''", "''", "''"},
		{"C", "two words", "'two words'", "'two words'", "'two words'"},
		{"C", "a\nb", `'a'$'\n''b'`, `'a'$'\n''b'`, `'a\nb'`},
		{"C", "it's", `"it's"`, `"it's"`, `'it\'s'`},
		{"C", "it's $5", `'it'\''s $5'`, `'it'\''s $5'`, `'it\'s $5'`},
		{"C", "é", `''$'\303\251'`, `''$'\303\251'`, `'\303\251'`},
		{"C.UTF-8", "é", "é", "'é'", "‘é’"},
		{"C.UTF-8", "\xe9", `''$'\351'`, `''$'\351'`, `‘\351’`},
		{"C.UTF-8", "it's", `"it's"`, `"it's"`, "‘it's’"},
		{"C.UTF-8", "host:path", "'host:path'", "'host:path'", "‘host:path’"},
	} {
		inLocale(t, c.locale)
		if got := Quote(c.name); got != c.quote {
			t.Errorf("LC_ALL=%s: Quote(%q) = %s, want %s", c.locale, c.name, got, c.quote)
		}
		if got := QuoteAlways(c.name); got != c.always {
			t.Errorf("LC_ALL=%s: QuoteAlways(%q) = %s, want %s", c.locale, c.name, got, c.always)
		}
		if got := QuoteLocale(c.name); got != c.locally {
			t.Errorf("LC_ALL=%s: QuoteLocale(%q) = %s, want %s", c.locale, c.name, got, c.locally)
		}
	}
}

// names generates names in which what is special meets what is not.
func names() *rapid.Generator[string] {
	piece := rapid.OneOf(
		rapid.SampledFrom(strings.Split(" ! \" # $ % & ' ( ) * + , - . / 0 : ; < = > ? @ A [ \\ ] ^ _ ` a { | } ~ ‘ ’", " ")),
		rapid.SampledFrom([]string{" ", "'", "\n", "\t", "\a", "\x7f", "\x01", "\xc3", "\xe2\x82", "é", "€", "\u00a0", "\u200b", "\u2028", "\U0001f600", "\ue000", "\ufffd", "\ufffe", "ß", "Ж", "漢字", "e\u0301"}),
		rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOfN(rapid.Byte(), 1, 3).Draw(t, "bytes")) }),
	)
	return rapid.Custom(func(t *rapid.T) string {
		name := strings.Join(rapid.SliceOfN(piece, 0, 6).Draw(t, "pieces"), "")
		return strings.ReplaceAll(name, "\x00", "0")
	})
}

// inEachLocale checks a property of many names at a time, since that starts a
// program.
func inEachLocale(t *testing.T, check func(t *testing.T, rt *rapid.T, names []string)) {
	for _, locale := range locales {
		t.Run(locale, func(t *testing.T) {
			inLocale(t, locale)
			property.Check(t, property.Usual, func(rt *rapid.T) {
				check(t, rt, rapid.SliceOfN(names(), 1, 40).Draw(rt, "names"))
			})
		})
	}
}

func TestQuoteIsThatOfGNUCat(t *testing.T) {
	inEachLocale(t, func(t *testing.T, rt *rapid.T, names []string) {
		args, want := []string{"--"}, strings.Builder{}
		for _, name := range append(names, "x") {
			if name = "/nonexistent/" + name; confusesGNU(name) {
				continue
			}
			args = append(args, name)
			fmt.Fprintf(&want, "cat: %s: No such file or directory\n", Quote(name))
		}
		if got := real(t, "cat", args...).stderr; got != want.String() {
			rt.Errorf("GNU\n%sours\n%s", got, want.String())
		}
	})
}

// confusesGNU tells names with a single quote and something unprintable at the
// end. Those are scanned twice by GNU's quotearg.c, which does not reset its
// state in between: for "a'\x01" it prints two quotes too many in front, and
// for "\x01'\x01" what a shell does not read as that name.
func confusesGNU(name string) bool {
	if !strings.Contains(name, "'") {
		return false
	}
	var last character
	for last = range characters(name) {
		continue
	}
	return !last.printable
}

func TestQuoteOfWhatIsSpecialAtTheFrontIsThatOfGNUCat(t *testing.T) {
	inLocale(t, "C")
	empty := t.TempDir()
	for _, name := range []string{"", "{", "}", "{}", "#", "a#", "~", "a~", "~'", "#'", "a#'", "a~'", "{'", "-n", "é"} {
		want := fmt.Sprintf("cat: %s: No such file or directory\n", Quote(name))
		if got := real(t, "sh", "-c", `cd "$1" && exec cat -- "$2"`, "sh", empty, name).stderr; got != want {
			t.Errorf("GNU %sours %s", got, want)
		}
	}
}

func TestQuoteAlwaysIsThatOfGNUCp(t *testing.T) {
	empty := t.TempDir()
	inEachLocale(t, func(t *testing.T, rt *rapid.T, names []string) {
		args, want := []string{"-t", empty, "--"}, strings.Builder{}
		for _, name := range append(names, "x") {
			if name = "/nonexistent/" + name; confusesGNU(name) {
				continue
			}
			args = append(args, name)
			fmt.Fprintf(&want, "cp: cannot stat %s: No such file or directory\n", QuoteAlways(name))
		}
		if got := real(t, "cp", args...).stderr; got != want.String() {
			rt.Errorf("GNU\n%sours\n%s", got, want.String())
		}
	})
}

func TestQuoteLocaleIsThatOfGNUPrintf(t *testing.T) {
	inEachLocale(t, func(t *testing.T, rt *rapid.T, names []string) {
		args, want := []string{"printf", "%d"}, strings.Builder{}
		for _, name := range names {
			name = "x" + name
			args = append(args, name)
			fmt.Fprintf(&want, "printf: %s: expected a numeric value\n", QuoteLocale(name))
		}
		if got := real(t, "env", args...).stderr; got != want.String() {
			rt.Errorf("GNU\n%sours\n%s", got, want.String())
		}
	})
}

func TestAShellReadsQuotedNamesBack(t *testing.T) {
	inEachLocale(t, func(t *testing.T, rt *rapid.T, names []string) {
		script, want := `printf '%s\0'`, strings.Builder{}
		for _, name := range names {
			script += " " + QuoteAlways(name) + " " + Quote(name)
			want.WriteString(name + "\x00" + name + "\x00")
		}
		if got := real(t, "bash", "-c", script).stdout; got != want.String() {
			rt.Errorf("the shell read\n%q\nwant\n%q\nscript\n%s", got, want.String(), script)
		}
	})
}

// The C library and Go need not know the same version of Unicode: what only one
// of them has is no difference, as long as it is little.
func TestWhatIsPrintableIsSoToTheCLibrary(t *testing.T) {
	inLocale(t, "C.UTF-8")
	var names []string
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		if r < 0x3000 || r > 0xfff0 && r <= 0x10000 || unicode.In(r, unicode.Zs, unicode.Cf) || r%4096 == 5 {
			names = append(names, string(r))
		}
	}
	younger := 0
	lines := strings.Split(real(t, "cat", names...).stderr, "\n")
	for i, name := range names {
		r, _ := utf8.DecodeRuneInString(name)
		theirs := lines[i] == "cat: "+name+": No such file or directory"
		switch ours := printable(r); {
		case ours == theirs:
		case ours && r > unicode.MaxLatin1, theirs && !assigned(r):
			younger++
		default:
			t.Errorf("%U: printable here is %t, in the C library %t", r, ours, theirs)
		}
	}
	if younger > len(names)/100 {
		t.Errorf("%d of %d characters are printable only to one", younger, len(names))
	}
}

func assigned(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z, unicode.C)
}

func TestTheLocaleIsTheFirstVariableThatIsNotEmpty(t *testing.T) {
	for _, c := range []struct {
		all, ctype, lang string
		want             bool
	}{
		{"", "", "", false},
		{"", "", "C.UTF-8", true},
		{"", "C", "C.UTF-8", false},
		{"", "en_US.utf8", "C", true},
		{"POSIX", "C.UTF-8", "C.UTF-8", false},
		{"ca_ES.UTF-8@valencia", "", "", true},
		{"de_DE@euro", "", "", false},
		{"de_DE.ISO-8859-1", "", "", false},
	} {
		t.Setenv("LC_ALL", c.all)
		t.Setenv("LC_CTYPE", c.ctype)
		t.Setenv("LANG", c.lang)
		if got := inUTF8(); got != c.want {
			t.Errorf("LC_ALL=%s LC_CTYPE=%s LANG=%s: %t", c.all, c.ctype, c.lang, got)
		}
	}
}
