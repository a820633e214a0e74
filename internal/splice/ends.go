package splice

// Not every 0 that a system call returns is the end of the source. Only read(2)
// decides: when another mechanism gets 0, the copy continues with read until that
// returns 0 as well.
//
//	source           mechanism             0 means                                   who confirms
//	regular file     splice, sendfile,     the end; or procfs, sysfs, FUSE: the      read(2)
//	                 copy_file_range       size that fstat(2) gives is 0 or wrong
//	                 (Linux 5.3 to 5.18)
//	regular file     mmap                  fstat's size is reached                   read(2)
//	regular file     FICLONE               fstat's size was cloned                   read(2)
//	inherited file   all but read          the size known when it was described:     read(2)
//	                                       no more than that is claimed (shared.go)
//	file, device     pread(2), O_DIRECT    the end, or a size that is not true       read(2)
//	block device     splice, sendfile      the end of the device                     read(2)
//	character device splice                the end                                   read(2)
//	pipe, FIFO       splice                no writer, and nothing to read            read(2)
//	TCP socket       splice                the peer's end; or the place of an        read(2), which passes
//	                                       urgent byte, or the end of a receive      over the urgent byte
//	                                       queue that urgent data interrupts
//	other stream     splice                the peer's end                            read(2)
//	socket
//	socket of        read(2) alone         an empty record, or the peer's end        nobody, as for cat
//	records
//	terminal         read(2) alone         the user's end of input (^D)              nobody: the user would
//	                                                                                 have to type it twice
//	anything         read(2)               the end                                   nobody
//
// A copy that has changed to read and write does not change back: usually only few
// bytes follow an urgent byte.

// decides reports whether 0 from a method is the end of a source.
func (m Method) decides() bool { return m == ReadWrite || m == Uncached }

// confirm has read(2) confirm the end that another method has reported, and copies
// what read returns. After a copy by the server, nobody else may write to the sink.
func (t *transfer) confirm(err error) error {
	if err != nil || t.method.decides() || t.left == 0 || t.copiedByServer() {
		return err
	}
	t.method = ReadWrite
	return readWrite(t)
}
