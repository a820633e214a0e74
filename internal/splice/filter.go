package splice

// A Transform converts in and appends the result to out, within out's capacity. It
// returns out and the rest of in.
type Transform func(out, in []byte) (filled, rest []byte)

// filterRoom is the capacity in bytes of a Transform's output.
const filterRoom = 256 << 10

// Filter copies src to dst by read and write, and converts it by transform. It passes
// on at once what has arrived. Errors are those of [Copier.Copy]; the Report counts
// the bytes written.
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

// Put writes p to dst: the rest that a Transform has at the end of its input.
func (c *Copier) Put(dst *Descriptor, p []byte) (Report, error) {
	t := c.newTransfer(dst, nil, Options{Method: ReadWrite})
	t.method = ReadWrite
	return t.finish(t.writeSink(p))
}
