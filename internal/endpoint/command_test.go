package endpoint

import (
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Whichever comes first of the start and the end: no command is left behind.
func TestNoCommandOutlivesTheEndOfAll(t *testing.T) {
	o := Opener{Detached: true}
	before, err := o.Open(endpointOf(t, "exec:sleep 1000"), AsSource)
	if err != nil {
		t.Fatal(err)
	}
	var meanwhile sync.WaitGroup
	for range 8 {
		meanwhile.Go(func() {
			s, err := o.Open(endpointOf(t, "exec:sleep 1000"), AsSource)
			if err == nil {
				_ = s.Close()
				if status := s.Wait(); status != 128+int(unix.SIGTERM) {
					t.Errorf("one started meanwhile ended with %d", status)
				}
			} else if err != unix.ECANCELED {
				t.Error(err)
			}
		})
	}
	o.EndCommands(time.Minute)
	_ = before.Close()
	if status := before.Wait(); status != 128+int(unix.SIGTERM) {
		t.Errorf("it ended with %d", status)
	}
	meanwhile.Wait()
	if len(o.commands.running) != 0 {
		t.Errorf("%d commands are still known", len(o.commands.running))
	}
	if s, err := o.Open(endpointOf(t, "exec:true"), AsSink); err != unix.ECANCELED {
		t.Error(s, err)
	}
}
