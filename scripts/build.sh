#!/bin/sh
# Builds the four tools.
set -eu

usage() {
	echo "Usage: $0 [DIR]"
	echo "Builds zcat, ztee, zcp and zpipe into DIR (default: bin in the project)."
}

case "${1-}" in
-h | --help) usage; exit 0 ;;
-*) usage >&2; exit 1 ;;
esac

root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "${1:-$root/bin}"
dir=$(cd "${1:-$root/bin}" && pwd)
cd "$root"

needs() {
	echo "zeroutils needs Go 1.26 or newer to build; $1." >&2
	echo "Install it from https://go.dev/dl/ (unpack to /usr/local and put /usr/local/go/bin into PATH)" >&2
	echo "or, where your distribution has it, as the package golang-1.26 or newer." >&2
	exit 1
}

command -v go >/dev/null 2>&1 || needs "no go command was found in PATH"
version=$(go env GOVERSION 2>/dev/null) || needs "$(go version 2>&1 | head -n 1) cannot build it"
minor=${version#go1.}
minor=${minor%%[!0-9]*}
[ "${minor:-0}" -ge 26 ] || needs "found $version"

# -E: an entry point before the Go runtime's, which records how the process was
# started (internal/procstart). Not every architecture has one.
entry=
case $(go env GOARCH) in
amd64 | arm64) entry="-E zeroutils_start" ;;
esac
release=$(git describe --tags --always --dirty 2>/dev/null || echo devel)

CGO_ENABLED=0 go build -trimpath -tags urfave_cli_no_docs \
	-ldflags "-s -w $entry -X zeroutils/internal/tool.version=$release" \
	-o "$dir/" ./cmd/...
