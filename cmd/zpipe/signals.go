package main

import (
	"syscall"

	"zeroutils/internal/atexec"
	"zeroutils/internal/endpoint"
)

// outliveBrokenPipes lets a write to a peer that has gone fail, where it would
// otherwise kill the process: the message should name the peer. Unlike an
// ignored signal that is not handed on to commands.
func outliveBrokenPipes() {
	atexec.SurvivePipes()
}

// tidyUp removes a socket's file when a signal ends the process.
func tidyUp(l *endpoint.Listener) {
	atexec.BeforeDying(l.Unlink, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
}
