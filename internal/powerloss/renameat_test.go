//go:build !riscv64 && !loong64

package powerloss

import "golang.org/x/sys/unix"

// Newer architectures have renameat2(2) alone.
func init() { steps[unix.SYS_RENAMEAT] = "renameat" }
