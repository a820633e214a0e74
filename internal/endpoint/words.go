package endpoint

import (
	"errors"
	"fmt"
	"strings"
)

// words splits a command at its blanks as sh(1) does, and takes off the quotes
// that keep blanks in a word. Within single quotes every character is itself,
// within double quotes all but a backslash before ", \, $ or `, and elsewhere a
// backslash makes any character be itself. Nothing is expanded.
func words(command string) (argv []string, err error) {
	var word []byte
	inWord, quote := false, byte(0)
	for i := 0; i < len(command); i++ {
		c := command[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
			continue
		case quote == 0 && (c == '\'' || c == '"'):
			inWord, quote = true, c
			continue
		case quote == 0 && (c == ' ' || c == '\t' || c == '\n'):
			if inWord {
				argv = append(argv, string(word))
			}
			word, inWord = nil, false
			continue
		case c == '\\' && quote != '\'':
			if i+1 == len(command) {
				return nil, errors.New("nothing stands behind the \\")
			}
			if quote == 0 || strings.IndexByte("\"\\$`", command[i+1]) >= 0 {
				i++
				c = command[i]
			}
		}
		word, inWord = append(word, c), true
	}
	if quote != 0 {
		return nil, fmt.Errorf("the second %c is missing", quote)
	}
	if inWord {
		argv = append(argv, string(word))
	}
	return argv, nil
}
