package splice_test

import (
	"bytes"
	"fmt"
	"log"
	"os"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
)

// exampleFile opens a temporary file with contents, or an empty one, for an example.
func exampleFile(contents string) (*os.File, *splice.Descriptor) {
	f, err := os.CreateTemp("", "splice-example-")
	if err != nil {
		log.Fatal(err)
	}
	if err := os.Remove(f.Name()); err != nil {
		log.Fatal(err)
	}
	if _, err := f.WriteString(contents); err != nil {
		log.Fatal(err)
	}
	if _, err := f.Seek(0, 0); err != nil {
		log.Fatal(err)
	}
	return f, describe(int(f.Fd()))
}

func describe(fd int) *splice.Descriptor {
	d, err := splice.Describe(fd)
	if err != nil {
		log.Fatal(err)
	}
	return d
}

func exampleContents(f *os.File) string {
	all := make([]byte, 100)
	n, err := f.ReadAt(all, 0)
	if n == 0 {
		log.Fatal(err)
	}
	return string(all[:n])
}

// Copy copies a file from its offset to its end. The report tells by which method the
// bytes went.
func ExampleCopier_Copy() {
	from, src := exampleFile("Dear reader")
	defer from.Close()
	to, dst := exampleFile("")
	defer to.Close()

	copier := splice.New()
	defer copier.Close()
	report, err := copier.Copy(dst, src, splice.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Delivered, report.By[splice.ReadWrite], exampleContents(to))
	// Output: 11 11 Dear reader
}

// A method that cannot serve the two descriptors is an error, if it is asked for.
func ExampleCopier_Copy_method() {
	from, src := exampleFile("Dear reader")
	defer from.Close()
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		log.Fatal(err)
	}
	defer unix.Close(pipe[0])
	defer unix.Close(pipe[1])

	_, err := splice.New().Copy(describe(pipe[1]), src, splice.Options{Method: splice.Reflink})
	fmt.Println(err)
	// Output: reflink cannot copy from a regular file to a pipe
}

// Tee copies to several sinks. One that fails leaves the others complete.
func ExampleCopier_Tee() {
	from, src := exampleFile("Dear reader")
	defer from.Close()
	good, dst := exampleFile("")
	defer good.Close()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		log.Fatal(err)
	}
	defer full.Close()

	copier := splice.New()
	defer copier.Close()
	sinks := []*splice.Sink{{Descriptor: describe(int(full.Fd()))}, {Descriptor: dst}}
	_, err = copier.Tee(sinks, src, splice.TeeOptions{
		SinkFailed: func(s *splice.Sink) error {
			fmt.Println(s.Err)
			return nil // go on with the others
		},
	})
	fmt.Println(err, exampleContents(good))
	// Output:
	// write: no space left on device
	// <nil> Dear reader
}

// CopyBuffered reads ahead while the sink is slow, or while a Limiter holds it back.
func ExampleCopier_CopyBuffered() {
	from, src := exampleFile("Dear reader")
	defer from.Close()
	to, dst := exampleFile("")
	defer to.Close()

	copier := splice.New()
	defer copier.Close()
	_, err := copier.CopyBuffered(dst, src, splice.Buffer{Size: 1 << 20}, splice.Options{
		Limiter: splice.NewLimiter(1 << 30), // bytes per second
	})
	fmt.Println(err, exampleContents(to))
	// Output: <nil> Dear reader
}

// Filter changes the bytes on their way.
func ExampleCopier_Filter() {
	from, src := exampleFile("Dear reader")
	defer from.Close()
	to, dst := exampleFile("")
	defer to.Close()

	copier := splice.New()
	defer copier.Close()
	_, err := copier.Filter(dst, src, func(out, in []byte) (filled, rest []byte) {
		n := min(len(in), cap(out)-len(out))
		return append(out, bytes.ToUpper(in[:n])...), in[n:]
	})
	fmt.Println(err, exampleContents(to))
	// Output: <nil> DEAR READER
}
