package filecopy

import (
	"path/filepath"
	"strings"
	"testing"

	"zeroutils/internal/splice"
	"zeroutils/internal/testfs"
)

// TestACopySaysHowItWasMade copies two files on each filesystem: what the
// first has found out about it is not tried with the second.
func TestACopySaysHowItWasMade(t *testing.T) {
	shared := How{Method: splice.Reflink, Reflink: Yes}
	own := How{Method: splice.Splice, Offload: Avoided, Reflink: Unsupported, Seeks: No, Zeros: No, Reason: NeverShares}
	tried := own
	tried.Reason = Refused
	for kind, want := range map[string][2]How{
		"tmpfs": {own, own}, "ext4": {own, own}, "xfs": {shared, shared}, "btrfs": {shared, shared},
		"xfs-noreflink": {tried, own},
	} {
		t.Run(kind, func(t *testing.T) {
			dir := testfs.Shared(t, kind)
			var told []How
			c := New(Options{}, Listener{Tell: func(e Event) {
				switch e := e.(type) {
				case Copied:
					told = append(told, e.How)
				case *Problem:
					t.Error(e)
				}
			}})
			defer c.Close()
			for _, name := range []string{"a", "b"} {
				path := filepath.Join(dir, name)
				write(t, path, strings.Repeat(name, 200_000))
				c.To(path+"copy", path, false)
			}
			if len(told) != 2 || told[0] != want[0] || told[1] != want[1] {
				t.Errorf("told %+v, want %+v", told, want)
			}
			tally := c.Tally()
			if total := tally[want[0].Reason] + tally[want[1].Reason]; total < 2 {
				t.Errorf("tally %v", tally)
			}
		})
	}
}
