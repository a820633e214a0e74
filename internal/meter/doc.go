// Package meter shows the progress of a copy: bytes, time, rates, a bar and the time
// left, on one line that looks like pv's.
//
//	1.20GiB 0:00:05 [ 245MiB/s] [=====>      ]  42% ETA 0:00:07
//
// It has two layers, and the first can be used without the second.
//
// A [Meter] counts. Add is one atomic addition, cheap enough to follow every
// system call. [Meter.State] returns the progress at a given moment, and
// [Style.Line] writes that [State] as a line of a given width. None of these
// reads a clock, a descriptor or a terminal, except that a meter may have to record
// the time of its first byte.
//
// A [Display] draws what a [Source] returns on a terminal, usually descriptor 2,
// from a goroutine of its own, so that it goes on while the copy is blocked:
//
//	m := meter.New(size)
//	d := meter.Start(meter.Options{FD: 2}, meter.Row(m, meter.Style{Fields: meter.Default}))
//	defer d.Stop()
//	... m.Add(n) ...
//
// A source may return several rows, say one for a file and one for the tree.
//
// # Guarantees
//
//   - A line is never wider than asked for, never wraps and holds no control
//     characters, whatever the name in front of it. Where there is little room
//     the bar goes first, and then the fields that tell least.
//   - Each update is one write(2). The window's width is asked for every time.
//   - [Display.Stop] leaves the cursor at the beginning of a line, and
//     [Display.Suspend] lets a message be printed above what is drawn. Other
//     programs' text on the same terminal is not known here, except the displays of
//     other processes in the same pipeline (Options.Shared).
//   - Nothing is written while the process is in the background of its terminal,
//     and a write can not stop it there.
//   - A terminal that was stopped (^S) blocks Stop and Suspend, as any write to it,
//     but never Add.
//   - A [Display] that is off is nil, and all its methods may still be called.
//
// # What it does not do
//
// It knows no flag and no locale, catches no signals, and does not count the
// data itself. A process that dies without Stop leaves the cursor after the line.
package meter
