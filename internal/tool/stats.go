package tool

import "zeroutils/internal/splice"

// An Extra is what a tool adds to the statistics on its own.
type Extra struct {
	Key   string   // in the JSON object
	Value any      // anything that encoding/json takes
	Lines []string // in the text
}

// PrintStats writes on standard error what a copy did, if --stats asks for it.
//
// As text, that is
//
//	zcat: 536870912 bytes (537 MB, 512 MiB) copied, 0.0712 s, 7.5 GB/s, 1540 system calls, 0.00 CPU copies per byte
//	zcat: splice: 536870912 bytes
//	zcat: left copy_file_range for splice at byte 0: Invalid cross-device link
//
// with a line for each method that moved something, one for each change of
// method, one for a lease if one was asked for, and those of extra.
//
// As JSON it is one object on one line. Its keys:
//
//	tool              the name of the tool, as in messages
//	bytes             how many were delivered
//	seconds           how long that took
//	bytes_per_second  their quotient, null if it took no time
//	system_calls      how many were made
//	cpu_copied_bytes  how many bytes a CPU copied, each time it did
//	methods           bytes by method, without those that moved none
//	fallbacks         the changes of method, in order: from, to, at (bytes
//	                  delivered before), count (how often it was seen), errno
//	                  (its name, "EXDEV", or null) and reason (its text)
//	lease             none, held, broken, refused or lost
//
// and after them the keys of extra. Bytes that are not UTF-8 appear as U+FFFD.
func (inv *Invocation) PrintStats(r splice.Report, extra ...Extra) {
	switch inv.stats {
	case "text":
		inv.say(inv.statsText(r, extra))
	case "json":
		inv.put(statsJSON(inv.Name, r, extra))
	}
}
