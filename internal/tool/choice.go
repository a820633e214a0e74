package tool

import "strings"

// Choice finds the word that value means: one of the valid ones, or the only
// one that begins with value. Words that mean the same stand in one string,
// "none|off", and the first of them is returned.
//
// The error is a usage error with the words of GNU's XARGMATCH, and a list of
// what is valid. Its context says whose value it is: an option, "--method", or
// an environment variable, "$ZEROUTILS_METHOD".
func Choice(context, value string, valid []string) (string, error) {
	found := ""
	for _, synonyms := range valid {
		words := strings.Split(synonyms, "|")
		for _, word := range words {
			switch {
			case word == value:
				return words[0], nil
			case !strings.HasPrefix(word, value) || found == words[0]:
			case found == "":
				found = words[0]
			default:
				return "", choiceError("ambiguous", context, value, valid)
			}
		}
	}
	if found == "" {
		return "", choiceError("invalid", context, value, valid)
	}
	return found, nil
}

func choiceError(what, context, value string, valid []string) error {
	var list strings.Builder
	for _, synonyms := range valid {
		separator := "\n  - "
		for word := range strings.SplitSeq(synonyms, "|") {
			list.WriteString(separator + QuoteLocale(word))
			separator = ", "
		}
	}
	return UsageErrorf("%s argument %s for %s\nValid arguments are:%s",
		what, QuoteLocale(value), QuoteLocale(context), &list)
}
