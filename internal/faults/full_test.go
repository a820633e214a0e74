package faults

import (
	"testing"

	"zeroutils/internal/testfs"
)

// room is the size in bytes of a disk, or of the largest file, that is too
// small for a source.
const room = 1 << 20

func TestFullDiskEndsTheCopyWhereItIsFull(t *testing.T) {
	for _, method := range []string{"auto", "splice", "mmap", "direct", "readwrite"} {
		t.Run(method, func(t *testing.T) {
			onFullDisk(t, scene{tool: "zcat", options: []string{"--method=" + method}, sources: fromFile})
			onFullDisk(t, scene{tool: "zpipe", options: []string{"--method=" + method}, sources: fromStdin})
		})
	}
	for _, method := range []string{"auto", "splice", "readwrite"} {
		t.Run(method+" from a pipe", func(t *testing.T) {
			onFullDisk(t, scene{tool: "zcat", options: []string{"--method=" + method}, sources: fromPipe})
		})
	}
}

func onFullDisk(t *testing.T, s scene) {
	t.Helper()
	disk := testfs.MountSized(t, "tmpfs", room)
	s.sinks = []sink{{file, disk + "/out"}}
	o := s.setUp(t, t.TempDir()).run()
	o.sinkFailed(0, "No space left on device")
	if len(o.got[0]) != room {
		t.Errorf("%d bytes are on a disk of %d", len(o.got[0]), room)
	}
}

func TestFullDiskCostsZteeThatOutputAlone(t *testing.T) {
	for _, method := range []string{"auto", "readwrite"} {
		for full := range 3 {
			disk := testfs.MountSized(t, "tmpfs", room)
			s := scene{tool: "ztee", options: []string{"--method=" + method}, sources: fromPipe}
			s.sinks = []sink{{file, "a"}, {file, "b"}, {pipe, ""}, {file, "c"}}
			k := full
			if full == 2 {
				k = 3
			}
			s.sinks[k].name = disk + "/out"
			s.setUp(t, t.TempDir()).run().sinkFailed(k, "No space left on device")
		}
	}
}
