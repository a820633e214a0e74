package main

import (
	"testing"

	"zeroutils/internal/scripttest"
	"zeroutils/internal/testbin"
)

func TestMain(m *testing.M) { scripttest.Main(m, main, "zpipe") }

// $BUILT has the tools as users have them: they know what was closed.
func TestScripts(t *testing.T) { scripttest.Run(t, "BUILT="+testbin.Dir(t)) }
