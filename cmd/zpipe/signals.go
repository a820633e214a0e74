package main

import (
	"os"
	"syscall"

	"zeroutils/internal/atexec"
	"zeroutils/internal/endpoint"
)

// outliveBrokenPipes lets a write to a peer that has gone fail, where it would
// otherwise kill the process: the message should name the peer. Unlike an
// ignored signal that is not handed on to commands.
func outliveBrokenPipes() {
	atexec.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
}

// tidyUp removes a socket's file when a signal ends the process.
func tidyUp(l *endpoint.Listener) {
	deadly := make(chan os.Signal, 1)
	atexec.Notify(deadly, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		sig := (<-deadly).(syscall.Signal)
		l.Unlink()
		atexec.Die(sig)
	}()
}
