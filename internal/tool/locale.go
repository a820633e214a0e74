package tool

import (
	"os"
	"strings"
)

// inUTF8 reports whether the user's locale uses UTF-8, which decides what
// quoting may show as it is.
//
// The first of LC_ALL, LC_CTYPE and LANG that is not empty is taken at its word:
// "de_DE.UTF-8" is UTF-8 also where that locale is not installed, and the C
// library would fall back to "C". All other character sets are taken for ASCII.
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
