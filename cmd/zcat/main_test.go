package main

import (
	"testing"

	"zeroutils/internal/scripttest"
)

func TestMain(m *testing.M) { scripttest.Main(m, main, "zcat", "renamed") }

func TestScripts(t *testing.T) { scripttest.Run(t) }
