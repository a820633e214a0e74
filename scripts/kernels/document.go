package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

const preface = `# Other kernels

` + "`scripts/kernels.sh --doc`" + ` wrote this page. It started each kernel in a virtual
machine, had the tools copy there and compared every byte. A cell that names
kernels says nothing about the others: there this has not been tried.

`

// document is docs/kernels.md.
func document(books []*book) []byte {
	var out bytes.Buffer
	out.WriteString(preface)
	out.WriteString("| name | kernel |\n| --- | --- |\n")
	for _, b := range books {
		fmt.Fprintf(&out, "| %s | Linux %s |\n", b.name, b.Release)
	}
	d := &sheet{books: books}
	d.methods(&out)
	d.features(&out)
	d.notes(&out)
	return out.Bytes()
}

// A sheet collects the notes of the tables.
type sheet struct {
	books   []*book
	reasons []string
}

// note returns the mark of a reason.
func (d *sheet) note(reason string) string {
	at := slices.Index(d.reasons, reason)
	if at < 0 {
		at = len(d.reasons)
		d.reasons = append(d.reasons, reason)
	}
	return fmt.Sprintf("[%d]", at+1)
}

func (d *sheet) notes(out *bytes.Buffer) {
	out.WriteString("\nWhy not, or how:\n\n")
	for i, reason := range d.reasons {
		fmt.Fprintf(out, "%d. %s\n", i+1, reason)
	}
}

// A row is what several kernels have in common: a part of a test.
type row struct {
	test, part string
	place      int // of the test in the list of all
}

// where is the filesystem, or the test.
func (r row) where() string {
	name := strings.TrimPrefix(r.test, "fs/")
	if name != r.test {
		name, _, _ = strings.Cut(name, "/")
	}
	return name
}

func (d *sheet) rows(match func(result) bool) (rows []row, methods []string) {
	for _, b := range d.books {
		for _, r := range b.Results {
			if r.Verdict == begins || !match(r) {
				continue
			}
			if at := (row{r.Test, r.Part, r.Place}); !slices.Contains(rows, at) {
				rows = append(rows, at)
			}
			if !slices.Contains(methods, r.Method) {
				methods = append(methods, r.Method)
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return a.place - b.place })
	return rows, methods
}

// methods is the table of filesystems and methods. Where kernels agree a cell
// says it once.
func (d *sheet) methods(out *bytes.Buffer) {
	rows, methods := d.rows(func(r result) bool { return r.Method != "" })
	if rows == nil {
		return
	}
	out.WriteString(`
## Filesystems and methods

A cell says whether ` + "`--method`" + ` serves, at sizes up to 3 MiB that end in the
middle of a page, and under ` + "`auto`" + ` what moved most bytes. Source and sink are on the
same filesystem. NFS and SMB were served by the guest itself, from ext4.

`)
	fmt.Fprintf(out, "| filesystem | copy | %s |\n| --- | --- |%s\n", strings.Join(methods, " | "), strings.Repeat(" --- |", len(methods)))
	for _, at := range rows {
		fmt.Fprintf(out, "| %s | %s |", at.where(), at.part)
		for _, m := range methods {
			fmt.Fprintf(out, " %s |", d.cell(at, m))
		}
		out.WriteString("\n")
	}
}

// features is the table of everything else.
func (d *sheet) features(out *bytes.Buffer) {
	rows, _ := d.rows(func(r result) bool { return r.Method == "" })
	if rows == nil {
		return
	}
	out.WriteString("\n## Everything else\n\n| test | what | result |\n| --- | --- | --- |\n")
	for _, at := range rows {
		fmt.Fprintf(out, "| %s | %s | %s |\n", at.where(), at.part, d.cell(at, ""))
	}
}

// cell says what the kernels answer, together where it is the same.
func (d *sheet) cell(at row, method string) string {
	var answers []string
	who := map[string][]string{}
	for _, b := range d.books {
		answer := ""
		for _, r := range b.Results {
			if r.Test == at.test && r.Part == at.part && r.Method == method {
				answer = d.answer(r)
			}
		}
		if answer == "" { // not tried
			continue
		}
		if who[answer] == nil {
			answers = append(answers, answer)
		}
		who[answer] = append(who[answer], b.name)
	}
	if len(answers) == 1 && len(who[answers[0]]) == len(d.books) {
		return answers[0]
	}
	for i, answer := range answers {
		answers[i] = strings.Join(who[answer], ", ") + ": " + answer
	}
	return strings.Join(answers, "; ")
}

func (d *sheet) answer(r result) string {
	switch {
	case r.Verdict == refused:
		return "no " + d.note(r.Detail)
	case r.Verdict == fault:
		return "**fault** " + d.note(r.Detail)
	case r.Method == "auto" && r.Detail != "":
		return r.Detail
	case strings.HasPrefix(r.Detail, "at "):
		return "partly " + d.note(r.Detail)
	case r.Method == "" && r.Detail != "":
		return "yes, " + r.Detail
	}
	return "yes"
}
