package splice

// The kernel's calls return 0 for more than the end of a source. Only read(2)
// decides: when another mechanism has come to what it takes for the end, read is
// asked, and what it still gives is copied, until it returns 0 as well.
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
//	terminal         read(2) alone         the user's end of input (^D)              nobody: he would have to
//	                                                                                 type it twice
//	anything         read(2)               the end                                   nobody
//
// read is asked once for each end. A source that is left with read and write
// stays with them: what comes behind an urgent byte is little as a rule.

// decides reports whether 0 from a method is the end of a source.
func (m Method) decides() bool { return m == ReadWrite || m == Uncached }

// confirm asks read(2) for the end that another method has found, and copies
// what it gives, but where nothing may be written beside it.
func (t *transfer) confirm(err error) error {
	if err != nil || t.method.decides() || t.left == 0 || t.copiedByServer() {
		return err
	}
	t.method = ReadWrite
	return readWrite(t)
}
