package splice

// A Transform appends to out what becomes of in, as far as out's capacity
// goes, and returns out and the rest of in that there was no room for.
type Transform func(out, in []byte) (filled, rest []byte)

// filterRoom is the capacity in bytes of a Transform's output, beyond which it
// is written. A Transform must be able to make something of it.
const filterRoom = 256 << 10

// Filter delivers to dst, by read and write, what transform makes of src. What
// has arrived is passed on at once. Errors are those of [Copier.Copy]; the
// Report counts what was written.
func (c *Copier) Filter(dst, src *Descriptor, transform Transform) (Report, error) {
	t := c.newTransfer(dst, src, Options{Method: ReadWrite})
	t.method = ReadWrite
	return t.finish(t.filter(transform))
}

func (t *transfer) filter(transform Transform) error {
	if t.copier.filtered == nil {
		t.copier.filtered = make([]byte, 0, filterRoom)
	}
	for {
		read, err := t.nextBytes()
		if err != nil || len(read) == 0 {
			return err
		}
		for rest := read; len(rest) > 0; {
			var out []byte
			out, rest = transform(t.copier.filtered, rest)
			if err := t.writeSink(out); err != nil {
				return err
			}
		}
	}
}

// Put delivers p to dst: what a Transform had left at the end of its input.
func (c *Copier) Put(dst *Descriptor, p []byte) (Report, error) {
	t := c.newTransfer(dst, nil, Options{Method: ReadWrite})
	t.method = ReadWrite
	return t.finish(t.writeSink(p))
}
