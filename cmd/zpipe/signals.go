package main

import (
	"os"
	"syscall"

	"zeroutils/internal/atexec"
)

// outliveBrokenPipes lets a write to a peer that has gone fail, where it would
// otherwise kill the process: the message should name the peer. Unlike an
// ignored signal that is not handed on to commands.
func outliveBrokenPipes() {
	atexec.SurvivePipes()
}

// tidyUp removes the files of sockets when a signal ends the process.
func (s *settings) tidyUp() {
	deadly := make(chan os.Signal, 1)
	atexec.Notify(deadly, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		sig := (<-deadly).(syscall.Signal)
		s.opener.Unlink()
		atexec.Die(sig)
	}()
}
