package tool

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Quote shows a file's name where it begins a message and a colon follows: as
// it is if a shell would take it for a word, else as QuoteAlways does. It is
// GNU's quotef.
func Quote(name string) string {
	if isWord(name) {
		return name
	}
	return QuoteAlways(name)
}

// QuoteAlways shows a file's name within a sentence, in single quotes, which a
// shell takes off again. It is GNU's quoteaf: what is not printable stands
// between them as
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

// QuoteLocale shows any other word: ‘so’ in UTF-8 and 'so' elsewhere, with the
// escapes of C for what is not printable. It is GNU's quote.
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

// isWord reports whether a shell, and a reader, would take the name for a
// single word. Like GNU it does not look at what is special only to some shells
// or only at some places; a colon would end the name in a message.
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

// shellQuoted puts the name in single quotes, and between them $'\n' for what
// is not printable and \' for a single quote.
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

// A character is a printable character of a string, or a part of it that is not
// printable: a byte, or in UTF-8 a whole unprintable character.
type character struct {
	at        int
	text      string
	printable bool
}

// characters takes a string apart as the user's locale would.
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

// printable is iswprint of the GNU C library: not only what unicode.IsPrint has,
// but also spaces, invisible format characters and private characters.
func printable(r rune) bool {
	return unicode.IsPrint(r) || unicode.In(r, unicode.Zs, unicode.Cf, unicode.Co)
}

// escaped writes a character as C does: \n, or \012 for each byte that has no
// letter.
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
