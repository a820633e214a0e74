package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// buildTests compiles the tests that run in the guests: those of the engine
// that use the kernel, and those of zcp's package.
func (s *setting) buildTests() error {
	for _, name := range []string{"splice", "filecopy"} {
		dir := filepath.Join(s.root, "internal", name)
		to := filepath.Join(s.built, "tests", name+".test")
		cmd := exec.Command("go", "test", "-c", "-trimpath", "-ldflags=-s -w", "-o", to, ".")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %w: %s", cmd, err, out)
		}
		names, err := outerTests(dir)
		if err != nil {
			return err
		}
		pattern := "."
		if len(names) > 0 {
			pattern = "^(" + strings.Join(names, "|") + ")$"
		}
		if err := os.WriteFile(filepath.Join(s.built, "tests", name+".run"), []byte(pattern), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// outerTests names the tests of a package that see it from outside. The
// engine's others have a kernel of their own.
func outerTests(dir string) ([]string, error) {
	var names []string
	paths, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		if !strings.HasSuffix(file.Name.Name, "_test") {
			continue
		}
		for _, d := range file.Decls {
			if f, is := d.(*ast.FuncDecl); is && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") && f.Name.Name != "TestMain" {
				names = append(names, f.Name.Name)
			}
		}
	}
	slices.Sort(names)
	return names, nil
}
