package main

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"zeroutils/internal/filecopy"
	"zeroutils/internal/meter"
	"zeroutils/internal/signals"
	"zeroutils/internal/tool"
)

// A progress shows how far the copy is: on a display, and when SIGUSR1 asks.
type progress struct {
	inv     *tool.Invocation
	gauge   *filecopy.Gauge
	sources []string
	display *meter.Display // nil if there is none
	ended   atomic.Bool    // the copy
	files   atomic.Int64   // how many there are, 0 if that is not known
	known   sync.Once      // how much there is

	mu    sync.Mutex
	whole *meter.Meter
	shown int64 // bytes that whole has
	lost  int64 // bytes that its total is less by: they will not come
}

// patience is how long a copy may take before there is a display.
const patience = time.Second

// startProgress begins to show what --progress asks for. sources are what will
// be copied.
func startProgress(inv *tool.Invocation, c *filecopy.Copier, sources []string, o *options) *progress {
	p := &progress{inv: inv, gauge: c.Gauge(), sources: sources, whole: meter.New(0)}
	when := o.progress
	if when == "" || when == "never" || o.copy.Ask { // a question and a display do not share a terminal
		return p
	}
	always := when == "always"
	show := meter.Options{FD: 2, Delay: patience}
	if always {
		show.Delay = 0
	}
	if p.display = meter.Start(show, p.rows); p.display == nil && always {
		show.Scroll = true // on what is no terminal
		p.display = meter.Start(show, p.rows)
	}
	if p.display == nil {
		return p
	}
	inv.Suspend = p.display.Suspend
	time.AfterFunc(patience/2, func() { p.survey(sources, o.copy) })
	return p
}

// survey finds out how much there is to copy.
func (p *progress) survey(sources []string, o filecopy.Options) {
	if s := filecopy.Take(sources, o, p.ended.Load); s != nil {
		p.total(s.Files, s.Bytes)
	}
}

func (p *progress) total(files, bytes int64) {
	p.known.Do(func() {
		p.whole.AddTotal(bytes)
		p.files.Store(files)
	})
}

// stop takes the last picture: what has come until then is all.
func (p *progress) stop() {
	p.ended.Store(true)
	files, bytes := p.gauge.Missing()
	p.total(p.gauge.Files()+files, p.gauge.Bytes()+bytes)
	p.display.Stop()
}

// answer prints the state whenever SIGUSR1 comes. It never stops: a late
// signal must not kill.
func (p *progress) answer() {
	asked := make(chan os.Signal, 1)
	signals.Notify(asked, syscall.SIGUSR1)
	go func() {
		for range asked {
			for _, row := range p.text(meter.Frame{Now: time.Now(), Width: wide}, 0) {
				p.inv.Warnf("%s", row)
			}
		}
	}()
}

// wide has room for everything.
const wide = 200

// rows is the source of the display.
func (p *progress) rows(f meter.Frame) []string { return p.text(f, meter.Bar) }

// text is a row for the file under way and one for the whole, or only one
// where they are the same.
func (p *progress) text(f meter.Frame, bar meter.Fields) (rows []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	bytes := p.gauge.Bytes()
	p.whole.Add(bytes - p.shown)
	p.shown = bytes
	if _, lost := p.gauge.Missing(); p.files.Load() > 0 {
		p.whole.AddTotal(p.lost - lost)
		p.lost = lost
	}
	state := p.whole.State(f.Now)
	state.Done = f.Last
	done, of := p.gauge.Files(), p.files.Load()
	width := 1
	if bar != 0 {
		width = nameWidth
	}
	name, arrived, size, under := p.gauge.Current()
	if under && !f.Last && (done > 0 || of != 1) {
		file := meter.Style{Name: name, NameWidth: width, Fields: meter.Count | bar}
		rows = append(rows, file.Line(meter.State{Count: arrived, Total: size}, f.Width))
	}
	label := count(done, of)
	if of == 1 && len(p.sources) == 1 {
		label = p.sources[0]
	}
	whole := meter.Style{Name: label, NameWidth: width, Fields: meter.Default&^meter.Bar | bar}
	return append(rows, whole.Line(state, f.Width))
}

// nameWidth is the least width of what stands in front of a row.
const nameWidth = 16

// count is how many files are done, of how many.
func count(done, of int64) string {
	if of == 0 {
		return fmt.Sprintf("%d files", done)
	}
	return fmt.Sprintf("%d/%d files", done, of)
}
