package splice_test

import (
	"testing"

	"zeroutils/internal/splice"
	"zeroutils/internal/testfs"
)

func TestFilesOfEveryFilesystemReachEveryOther(t *testing.T) {
	file, sink := sourceKinds[0], sinkKinds[0]
	for i, from := range testfs.Kinds() {
		for j, to := range testfs.Kinds() {
			t.Run(from+" to "+to, func(t *testing.T) {
				t.Parallel()
				s := newStage(t, testfs.Shared(t, from), "", "")
				s.sinkDir = testfs.Shared(t, to)
				acrossSizes(s, file, sink, turns{pair: i + j, share: 4, circumstance: 6*i + j}, func(m splice.Method, when circumstance) bool {
					return mustServeFiles(m, from, to, when)
				})
			})
		}
	}
}

func TestFilesOfEveryFilesystemReachPipesAndSocketsAndBack(t *testing.T) {
	for i, fs := range testfs.Kinds() {
		t.Run(fs, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, testfs.Shared(t, fs), "", "")
			for j, other := range []string{"pipe", "TCP socket"} {
				turn := turns{pair: i + 2*j, share: 4, circumstance: i + 18*j}
				acrossSizes(s, sourceKinds[0], sinkNamed(other), turn, func(m splice.Method, _ circumstance) bool {
					return mustServe(m, "regular file", other)
				})
				turn.pair++
				acrossSizes(s, sourceNamed(other), sinkKinds[0], turn, func(m splice.Method, _ circumstance) bool {
					return mustServe(m, other, "regular file")
				})
			}
		})
	}
}

// mustServeFiles adds what depends on the filesystems and on the offsets.
func mustServeFiles(m splice.Method, from, to string, when circumstance) bool {
	whole := when.srcOffset == 0 && when.dstOffset == 0 && when.limit == unlimited
	switch m {
	case splice.Reflink:
		return whole && from == to && (from == "xfs" || from == "btrfs")
	case splice.CopyFileRange:
		return from == to && from != "overlay"
	case splice.Direct:
		aligned := when.srcOffset%4096 == 0 && when.dstOffset%4096 == 0
		return aligned && takesDirect(from) && takesDirect(to)
	}
	return mustServe(m, "regular file", "regular file")
}

// takesDirect: tmpfs has O_DIRECT since Linux 6.6 only.
func takesDirect(fs string) bool {
	return fs == "ext4" || fs == "btrfs" || fs == "xfs" || fs == "xfs-noreflink"
}

func sourceNamed(name string) sourceKind {
	for _, k := range sourceKinds {
		if k.name == name {
			return k
		}
	}
	panic(name)
}

func sinkNamed(name string) sinkKind {
	for _, k := range sinkKinds {
		if k.name == name {
			return k
		}
	}
	panic(name)
}
