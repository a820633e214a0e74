package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	os.Setenv("GORACE", noExitSleep)
	testscript.Main(m, map[string]func(){"zpipe": main})
}

// noExitSleep in $GORACE is for programs with the race detector, which otherwise
// take a second to end.
const noExitSleep = "atexit_sleep_ms=0"

// Each script in testdata pins one behaviour, as a user would see it.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", Setup: func(env *testscript.Env) error {
		env.Setenv("GORACE", noExitSleep)
		return nil
	}})
}
