//go:build !mips && !mipsle && !mips64 && !mips64le

package procstart

// SizeofSigset is the size of the kernel's sigset_t in bytes.
const SizeofSigset = 8
