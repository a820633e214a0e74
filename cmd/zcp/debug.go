package main

import (
	"fmt"

	"zeroutils/internal/filecopy"
	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

var answers = [...]string{
	filecopy.Unknown: "unknown", filecopy.Yes: "yes", filecopy.No: "no",
	filecopy.Avoided: "avoided", filecopy.Unsupported: "unsupported",
}

// explain is the line of --debug for a file: GNU cp's, how the bytes were moved in
// the end, and what became of the destination.
func explain(how filecopy.How, action filecopy.Action) string {
	method := "none needed"
	if how.Method != splice.Auto {
		method = how.Method.String()
	}
	return fmt.Sprintf("%s, method: %s, action: %s", explainAsGNU(how), method, action)
}

// explainAsGNU is GNU's line alone.
func explainAsGNU(how filecopy.How) string {
	return fmt.Sprintf("copy offload: %s, reflink: %s, sparse detection: %s",
		answers[how.Offload], answers[how.Reflink], detection(how))
}

// detection is how holes were found.
func detection(how filecopy.How) string {
	seeks, zeros := how.Seeks == filecopy.Yes, how.Zeros == filecopy.Yes
	switch {
	case seeks && zeros:
		return "SEEK_HOLE + zeros"
	case seeks:
		return "SEEK_HOLE"
	case zeros:
		return "zeros"
	}
	return answers[how.Seeks]
}

// reasons are why files have blocks of their own, for people and for programs.
var reasons = [...][2]string{
	filecopy.Forbidden:      {"the options forbid it", "forbidden"},
	filecopy.NotFiles:       {"not both are regular files", "not_files"},
	filecopy.TwoFilesystems: {"they are on two filesystems", "two_filesystems"},
	filecopy.NeverShares:    {"the filesystem cannot", "never_shares"},
	filecopy.Refused:        {"the filesystem refused", "refused"},
}

// reasonsOf adds to the statistics how many files share no blocks with their
// sources, and why.
func reasonsOf(t filecopy.Tally) tool.Extra {
	counts := map[string]int64{}
	e := tool.Extra{Key: "unshared_files", Value: counts}
	for reason, files := range t {
		texts := reasons[reason]
		if filecopy.Reason(reason) == filecopy.Shares || files == 0 {
			continue
		}
		counts[texts[1]] = files
		e.Lines = append(e.Lines, fmt.Sprintf("no shared blocks in %d of the files: %s", files, texts[0]))
	}
	return e
}

// readBackFrom says where a copy and its source came from when they were
// compared.
func readBackFrom(direct bool) string {
	if direct {
		return "past the page cache"
	}
	return "through the page cache"
}

// verifiedStats is what --stats says of --verify.
func verifiedStats(c *filecopy.Copier) []tool.Extra {
	v := c.Verified()
	return []tool.Extra{{
		Key:   "verified",
		Value: map[string]int64{"files": v.Files, "bytes": v.Bytes, "direct_bytes": v.Direct},
		Lines: []string{fmt.Sprintf("verified: %d bytes, %d of them past the page cache", v.Bytes, v.Direct)},
	}}
}
