// Package endpoint opens what a SOURCE or SINK of zpipe names:
//
//	"-"                      standard input or output
//	PATH                     a file, device or FIFO; a file with something in it is no sink
//	file:PATH[,append|,excl|,atomic]
//	                         any name; a sink is overwritten, appended to, must be
//	                         new, or appears when it is complete
//	fd:N                     a descriptor that the process has inherited
//	unix:PATH                connect to a socket; @NAME is an abstract one
//	unix-listen:PATH         wait for a connection
//	tcp:HOST:PORT            connect; HOST is a name or an address, PORT a number or a service
//	tcp-listen:[HOST:]PORT   wait for a connection, on 127.0.0.1 unless HOST says otherwise
//	listen-fds:[NAME]        sockets that a service manager has passed
//	exec:COMMAND ARG...      a program, its arguments separated and quoted as for a shell
//	sh:COMMAND LINE          the same for the shell
//
// [Parse] reads such a name, [Opener.Open] makes a [Stream] of it, and
// [Opener.Listen] a [Listener] that gives a Stream for each connection.
//
// # What it promises
//
//   - Without more words, a port is bound to the loopback interface, which every
//     user of the machine can reach, and a socket's file has mode 0600.
//   - Nothing is lost by opening: a sink's file is neither truncated nor made
//     before its source is open, and never truncated if it is named by a plain
//     PATH ([Stream.Truncate]); a socket's file is replaced only if it is a
//     socket on which nobody answers, and unlinked at the end only if it is
//     still the one that was made here.
//   - A TCP connection ends in order only if [Stream.EndOutput] or [Stream.Close]
//     says so. Whatever else closes it, the death of the process as well, resets
//     it.
//   - No shell is asked but for sh:.
//   - Descriptors made here are close-on-exec, and nonblocking where they are
//     sockets or the pipes of a command, and FIFOs and terminals where somebody
//     has more to wait for. Inherited ones are left as they are.
//   - An error is an errno, a [*NameError], or one of the errors named here,
//     without the endpoint's name, which the caller knows.
//
// It moves no bytes, but for throwing away what a peer still sends when a
// stream ends, so that the kernel does not throw away what the peer should get.
package endpoint
