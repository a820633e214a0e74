package main

import (
	"fmt"
	"net"
	"time"
)

// connection relays between two zpipes.
func connection(s *site) error {
	data, err := s.file("in", 8<<20)
	if err != nil {
		return err
	}
	listener, err := s.start(nil, nil, "zpipe", "unix-listen:socket", pick(s, "file:out,atomic", "file:out", "sh:cat >out"))
	if err != nil {
		return err
	}
	from := pick(s, "in", "sh:cat in", "exec:cat in")
	if err := s.run(nil, nil, "zpipe", from, "unix:socket,retry=10000,interval=0.01"); err != nil {
		return err
	}
	if err := listener.succeeds(); err != nil {
		return err
	}
	return s.has(s.path("out"), data)
}

// client sends to the server and reads the echo.
func client(s *site) error {
	for range 1 + s.IntN(20) {
		c, err := net.Dial("unix", s.server.path)
		if err != nil {
			return err
		}
		s.server.clients.Add(1)
		data := s.data(1 << 20)
		_ = c.SetDeadline(time.Now().Add(patience))
		if s.IntN(10) == 0 { // in the middle
			_, _ = c.Write(data[:len(data)/2])
			c.Close()
			continue
		}
		go s.feed(writing{c.(*net.UnixConn)}, data)
		err = s.reads(c, data)
		c.Close()
		if err != nil {
			return fmt.Errorf("the echo %w", err)
		}
	}
	return nil
}

// Closing a writing ends what a connection sends.
type writing struct{ *net.UnixConn }

func (w writing) Close() error { return w.CloseWrite() }
