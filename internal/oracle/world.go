package oracle

import (
	"bytes"
	"io/fs"
	"math/rand/v2"
	"sync"
)

// A World is what surrounds a program when it starts.
type World struct {
	Files  []File
	Stdin  Stdin
	Stdout Stdout
	Env    []string

	names int // drawn
}

// A File is in the directory where the program runs.
type File struct {
	Name string
	Kind FileKind
	Data Data
	Mode fs.FileMode // permissions
}

type FileKind string

const (
	Plain     FileKind = "plain"
	Directory FileKind = "directory"
	Loop      FileKind = "symbolic link to itself"
	Feeding   FileKind = "FIFO that the data comes from"
	Taking    FileKind = "FIFO that is read to its end"
)

// A Stdin is what descriptor 0 is.
type Stdin struct {
	Kind   StdinKind
	Data   Data
	Offset int64 // of FromFile
}

type StdinKind string

const (
	FromPipe      StdinKind = "a pipe"
	FromFile      StdinKind = "a file"
	FromNull      StdinKind = "/dev/null"
	FromDirectory StdinKind = "a directory"
	FromClosed    StdinKind = "closed"
	FromWriteOnly StdinKind = "a file open for writing"
)

// A Stdout is what descriptor 1 is.
type Stdout struct {
	Kind   StdoutKind
	Before Data  // of ToFile and ToAppend
	Offset int64 // of ToFile
}

type StdoutKind string

const (
	ToPipe   StdoutKind = "a pipe"
	ToBroken StdoutKind = "a pipe without a reader"
	ToFile   StdoutKind = "a file"
	ToAppend StdoutKind = "the end of a file"
	ToFull   StdoutKind = "/dev/full"
	ToClosed StdoutKind = "closed"
)

// The names of the files that Stdin and Stdout are.
const (
	StdinFile  = "stdin.data"
	StdoutFile = "stdout.data"
)

// Data is so many bytes. Equal Data are equal bytes.
type Data struct {
	Size int  // at most 4 MiB
	Text bool // lines, with what cat's options are about; otherwise noise
	Seed int  // at most 1000
}

// Bytes returns the bytes, which are not to be changed.
func (d Data) Bytes() []byte {
	all := noise()
	if d.Text {
		all = text()
	}
	return all[d.Seed*1009:][:d.Size]
}

var noise = sync.OnceValue(func() []byte {
	p := make([]byte, 5<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(p)
	return p
})

var text = sync.OnceValue(func() []byte {
	p := bytes.Clone(noise())
	for i, c := range p {
		p[i] = textBytes[int(c)%len(textBytes)]
	}
	return p
})

// textBytes is rich in ends of lines, empty lines, tabs, and bytes that are
// shown as ^M, ^[, ^?, M-C or M-^@.
const textBytes = "\n\n\n\n\n\t\t\r\x00\x1b\x7f\x80\xc3\xa9\xff aaabbcde"
