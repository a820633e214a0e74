#!/bin/sh
# Fetches the modules that packages are built from.
set -eu

case "${1-}" in
-h | --help)
	echo "Usage: $0 [[-test] PACKAGE...]"
	echo "Checks that Go is new enough and fetches what packages of the module in the"
	echo "working directory need of other modules, with -test for their tests too."
	exit 0
	;;
esac

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

[ $# -gt 0 ] || exit 0
go list -deps -tags urfave_cli_no_docs "$@" >/dev/null || {
	echo "zeroutils: not all modules could be fetched: the first time that takes the network, or a GOPROXY that has them." >&2
	exit 1
}
