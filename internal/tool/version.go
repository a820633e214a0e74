package tool

import "runtime/debug"

// version is set by the linker for releases:
// -X zeroutils/internal/tool.version=1.2.3.
var version string

// Version is the release that the program belongs to. Without one it is what
// the go command knows of the source, and else "devel".
func Version() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}
