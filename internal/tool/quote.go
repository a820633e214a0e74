package tool

import (
	"fmt"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Quote shows a file name at the start of a message, before a colon: unchanged if
// a shell would take it for one word, otherwise as QuoteAlways does. It is GNU's
// quotef.
func Quote(name string) string {
	if isWord(name) {
		return name
	}
	return QuoteAlways(name)
}

// QuoteAlways shows a file name within a sentence, in single quotes, so that a
// shell reads it back. It is GNU's quoteaf: unprintable characters become
//
//	'two'$'\n''lines'
//
// and a name with single quotes in it stands in double quotes if nothing in it
// is special there.
func QuoteAlways(name string) string {
	if strings.Contains(name, "'") && fitsDoubleQuotes(name) {
		return `"` + name + `"`
	}
	return shellQuoted(name)
}

// QuoteLocale shows any other word: ‘so’ in UTF-8 and 'so' elsewhere, with C
// escapes for unprintable characters. It is GNU's quote.
func QuoteLocale(word string) string {
	left, right := "'", "'"
	if inUTF8() {
		left, right = "‘", "’"
	}
	var b strings.Builder
	b.WriteString(left)
	for c := range characters(word) {
		switch {
		case c.text == right || c.text == `\`:
			b.WriteString(`\` + c.text)
		case c.printable:
			b.WriteString(c.text)
		default:
			b.WriteString(c.escaped())
		}
	}
	b.WriteString(right)
	return b.String()
}

// isWord reports whether a shell, and a reader, would take the name for one word.
// Like GNU it ignores characters that are special only to some shells or in some
// places. A colon would end the name in a message.
func isWord(name string) bool {
	if name == "" || name == "{" || name == "}" || name[0] == '#' || name[0] == '~' {
		return false
	}
	for c := range characters(name) {
		if !c.printable || strings.Contains(" !\"$&'()*:;<=>?[\\^`|", c.text) {
			return false
		}
	}
	return true
}

// fitsDoubleQuotes reports whether the name has nothing that is special between
// double quotes, or, for GNU, anywhere in some shell.
func fitsDoubleQuotes(name string) bool {
	for c := range characters(name) {
		if !c.printable || strings.Contains("!\"#$&()*;<=>?[\\^`{|}~", c.text) && !harmlessAtFront(name, c) {
			return false
		}
	}
	return true
}

// harmlessAtFront tells GNU's one exception: # and ~ at the very beginning,
// where they are special without quotes, do not stand in the way of double ones.
func harmlessAtFront(name string, c character) bool {
	return c.at == 0 && (name[0] == '#' || name[0] == '~')
}

// shellQuoted puts the name in single quotes, with $'\n' for an unprintable
// character and \' for a single quote in between.
func shellQuoted(name string) string {
	var b strings.Builder
	b.WriteByte('\'')
	escaping := false // within $'
	for c := range characters(name) {
		switch {
		case c.text == "'":
			b.WriteString(`'\''`)
			escaping = false
		case c.printable && escaping:
			b.WriteString("''" + c.text)
			escaping = false
		case c.printable:
			b.WriteString(c.text)
		case escaping:
			b.WriteString(c.escaped())
		default:
			b.WriteString("'$'" + c.escaped())
			escaping = true
		}
	}
	b.WriteByte('\'')
	return b.String()
}

// A character is a printable character of a string, an unprintable one in UTF-8,
// or any other byte.
type character struct {
	at        int
	text      string
	printable bool
}

// characters splits a string as the user's locale does.
func characters(s string) func(yield func(character) bool) {
	utf8Locale := inUTF8()
	return func(yield func(character) bool) {
		for at := 0; at < len(s); {
			c := character{at, s[at : at+1], s[at] >= ' ' && s[at] <= '~'}
			if s[at] >= utf8.RuneSelf && utf8Locale {
				r, size := utf8.DecodeRuneInString(s[at:])
				c.text, c.printable = s[at:at+size], size > 1 && printable(r)
			}
			if !yield(c) {
				return
			}
			at += len(c.text)
		}
	}
}

// printable is iswprint(3) of the GNU C library: besides what unicode.IsPrint
// accepts, spaces, invisible format characters and private-use characters.
func printable(r rune) bool {
	return unicode.IsPrint(r) || unicode.In(r, unicode.Zs, unicode.Cf, unicode.Co)
}

// escaped shows a character as in C: \n, or \012 for a byte without a letter.
func (c character) escaped() string {
	if i := strings.IndexByte("\a\b\t\n\v\f\r", c.text[0]); i >= 0 {
		return `\` + "abtnvfr"[i:i+1]
	}
	var b strings.Builder
	for i := range len(c.text) {
		fmt.Fprintf(&b, `\%03o`, c.text[i])
	}
	return b.String()
}

// inUTF8 reports whether the user's locale uses UTF-8.
//
// The first of LC_ALL, LC_CTYPE and LANG that is not empty decides: "de_DE.UTF-8"
// is UTF-8 even if that locale is not installed, where the C library would fall
// back to "C". All other character sets count as ASCII.
func inUTF8() bool {
	name := ""
	for _, variable := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if name = os.Getenv(variable); name != "" {
			break
		}
	}
	_, charset, _ := strings.Cut(name, ".")
	charset, _, _ = strings.Cut(charset, "@")
	return strings.EqualFold(charset, "UTF-8") || strings.EqualFold(charset, "UTF8")
}
