package main

import (
	"cmp"
	"os"
	"path/filepath"
)

// The pages are made from figures alone, so that a test can tell whether they
// are what the figures say.

// writePages makes docs/benchmarks.md and .html below the root of the project,
// and the table of its README, from the file of a run, which it keeps as
// docs/benchmarks.json.
func writePages(root, name string) error {
	f, err := readFigures(name)
	if err != nil {
		return err
	}
	page, err := f.html()
	if err != nil {
		return err
	}
	readme := filepath.Join(root, "README.md")
	text, err := os.ReadFile(readme)
	if err != nil {
		return err
	}
	replaced, err := replaceTable(string(text), f.readmeTable())
	if err != nil {
		return err
	}
	docs := filepath.Join(root, "docs")
	return cmp.Or(
		f.write(filepath.Join(docs, "benchmarks.json")),
		os.WriteFile(filepath.Join(docs, "benchmarks.md"), []byte(f.markdown()), 0o644),
		os.WriteFile(filepath.Join(docs, "benchmarks.html"), []byte(page), 0o644),
		os.WriteFile(readme, []byte(replaced), 0o644),
	)
}
