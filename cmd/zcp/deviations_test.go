package main

import (
	"regexp"
	"slices"
	"strings"
)

// deviation says what is wrong with cp where it does something else, or "" if
// nothing is known to be.
func (c *testCase) deviation(want, got string) string {
	switch {
	case strings.HasPrefix(got, "status 2"): // a panic
		return ""
	case c.confusesNames(want, got):
		return "cp loses its way"
	case strings.Contains(want, "File name too long"):
		return "cp fills a directory with copies of itself"
	case slices.Contains(c.args, "-u") && strings.Contains(want, "removed") != strings.Contains(got, "removed"):
		return "cp replaces newer files by links to each other"
	case slices.Contains(c.args, ""):
		return "since 9.2 cp takes no name for that of the working directory"
	case slices.Contains(c.args, "--parents") && regexp.MustCompile(`cp: cannot (create|open) `).MatchString(want):
		return "cp takes what a later source becomes for new, if directories had to be made for an earlier one"
	case slices.Contains(c.args, "--remove-destination") && strings.Contains(want, " for reading: No such file or directory"):
		return "cp removes the link that leads to the source"
	case strings.Count(want, "cannot overwrite ") != strings.Count(got, "cannot overwrite "):
		return "since 9.2 a backup makes place for a directory, and where it cannot cp finds out by trying"
	case strings.Contains(want, "cannot create hard link ") && !strings.Contains(got, "cannot create hard link "):
		return "since 9.2 cp removes a file if it is to become a link to itself"
	case withoutSetID(want) == withoutSetID(got):
		return "cp 9.1 leaves a copy set-id bits that the source has not"
	case strings.Contains(want, "etting attribute ") && strings.Contains(got, "etting attribute "): // getting or setting
		return "libattr names the attribute twice, and not the file"
	case strings.HasPrefix(want, "status 1") && onlyMore(withoutSetID(got), withoutSetID(want), "cp: clearing permissions for "):
		return "cp fails without a word if the file is not the user's"
	case strings.Contains(want, "cp: preserving times for ") && withoutSetID(withoutXattrs(want)) == withoutSetID(withoutXattrs(got)):
		return "cp gives up attributes where it cannot set the times"
	case misplacesBackups(want, got), onlyInHas(want, got, "cp: cannot un-backup "):
		return "cp 9.1 puts a backup into the working directory"
	case onlyInHas(want, got, ": Not a directory") && onlyInHas(want, got, "cp: preserving permissions for "):
		return "cp takes permissions from a name that it has made lead elsewhere"
	case regexp.MustCompile(`(?m)^cp: ['‘].*['’]: Permission denied$`).MatchString(want):
		return "cp has narrowed the permissions of the directory that the source is in, and cannot read its access control list"
	case onlySays(onlyIn(want, got), "cp: cannot remove ") && onlySays(onlyIn(got, want), "cp: cannot create "):
		return "cp removes a file before it tries to make the new one"
	case keepsMore(want, got), strings.Contains(want, noRelativeLink) && strings.Contains(got, noRelativeLink):
		return "cp loses a file"
	}
	return ""
}

// confusesNames tells a mistake of cp's. It compares the directories that two
// names are in without following symbolic links to them (same_nameat), and so
// does not always see that it is about to copy a directory into itself, or a
// link onto itself; it stops for another reason later, or not at all.
func (c *testCase) confusesNames(want, got string) bool {
	missed := strings.Contains(want, "will not create hard link ") || strings.Contains(got, " are the same file")
	return missed && slices.ContainsFunc(c.args, c.goesThroughLink)
}

// old91 hides what has changed since cp 9.1: a file that the user does not want
// to be overwritten now makes the status 1, and some messages have other words.
func old91(want, got string) (string, string) {
	asked := strings.Contains(got, ": overwrite ") || strings.Contains(got, " try anyway? ") || strings.Contains(got, ", overriding mode ")
	if asked && strings.HasPrefix(want, "status 0") {
		got = strings.Replace(got, "status 1", "status 0", 1)
	}
	if strings.Contains(want, " with non-directory\n") {
		got = regexp.MustCompile(`(?m)( with non-directory) .*$`).ReplaceAllString(got, "$1")
	}
	want = strings.Replace(want, "options --backup and --no-clobber are mutually exclusive",
		"--backup is mutually exclusive with -n or --update=none-fail", 1)
	return want, got
}

// withoutSetID takes the set-id and sticky bits out of a snapshot, and the times
// that depend on them.
func withoutSetID(snapshot string) string {
	return regexp.MustCompile(`(?m)^("/.*" \d{1,2})[0-7]([0-7]{3} \d+:\d+)( 978\d{15})?`).ReplaceAllString(snapshot, "$1-$2")
}

// withoutXattrs takes the extended attributes out of a snapshot, and what was
// said of them.
func withoutXattrs(snapshot string) string {
	return regexp.MustCompile(`(?m) (user|trusted|system)\.\w+=[0-9a-f]+|^cp: [gs]etting attribute .*\n`).ReplaceAllString(snapshot, "")
}

// misplacesBackups reports whether cp has a backup below the working directory,
// and zcp one elsewhere. cp 9.1 puts those there that belong into the target
// directory.
func misplacesBackups(want, got string) bool {
	here := regexp.MustCompile(`^"/1/2/3/4/5/6/w/.*(~|\.old)" `)
	anywhere := regexp.MustCompile(`^"/.*(~|\.old)" `)
	return slices.ContainsFunc(onlyIn(want, got), here.MatchString) && slices.ContainsFunc(onlyIn(got, want), anywhere.MatchString)
}

// onlySays reports whether all lines, of which there are some, begin alike.
func onlySays(lines []string, what string) bool {
	return len(lines) > 0 && !slices.ContainsFunc(lines, func(line string) bool { return !strings.HasPrefix(line, what) })
}

// onlyMore reports whether one is other with some more lines, which begin alike.
func onlyMore(one, other, what string) bool {
	return len(onlyIn(other, one)) == 0 && onlySays(onlyIn(one, other), what)
}

// onlyInHas reports whether a line that only the first one has contains something.
func onlyInHas(one, other, what string) bool {
	return slices.ContainsFunc(onlyIn(one, other), func(line string) bool { return strings.Contains(line, what) })
}

const noRelativeLink = ": can make relative symbolic links only in current directory"

// keepsMore tells a difference that is meant. Where a file is to take the place
// of another, cp removes the old one first, and has nothing left if it then
// cannot read the source, or cannot make the new one.
func keepsMore(want, got string) bool {
	lost, kept := onlyIn(want, got), onlyIn(got, want)
	isFile := func(line string) bool { return strings.HasPrefix(line, `"/`) }
	changing := regexp.MustCompile(` 978\d{15}| \d+ links `) // times, of which there are none once a file is touched
	touched := func(line string) bool {                      // a directory that something was removed from, another name of a file
		return isFile(line) && slices.ContainsFunc(kept, func(k string) bool {
			return changing.ReplaceAllString(k, "") == changing.ReplaceAllString(line, "")
		})
	}
	said := func(line string) bool {
		return strings.HasPrefix(line, "removed ") || strings.Contains(line, " -> ") || strings.HasPrefix(line, "cp: cannot remove ")
	}
	reason := func(line string) bool {
		return strings.HasSuffix(line, " for reading: Permission denied") || strings.Contains(line, noRelativeLink)
	}
	return strings.HasPrefix(want, "status 1") && strings.HasPrefix(got, "status 1") && len(kept) > 0 &&
		!slices.ContainsFunc(kept, func(line string) bool { return !isFile(line) && !reason(line) }) &&
		!slices.ContainsFunc(lost, func(line string) bool { return !touched(line) && !said(line) })
}
