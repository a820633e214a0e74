#!/bin/sh
# Builds the four tools.
set -eu

usage() {
	echo "Usage: $0 [-v] [DIR]"
	echo "Builds zcat, ztee, zcp and zpipe into DIR (default: bin in the project)."
	echo "With -v it says every few seconds how far it has come."
}

verbose=
case "${1-}" in
-h | --help) usage; exit 0 ;;
-v) verbose=1; shift ;;
-*) usage >&2; exit 1 ;;
esac

root=$(cd "$(dirname "$0")/.." && pwd)
dir=${1:-$root/bin}
{ mkdir -p "$dir" && [ -w "$dir" ]; } 2>/dev/null || {
	echo "zeroutils: $dir cannot be written to; name another directory: $0 DIR" >&2
	exit 1
}
dir=$(cd "$dir" && pwd)
cd "$root"
scripts/fetch.sh ./cmd/...

# -E: an entry point before the Go runtime's, which records how the process was
# started (internal/procstart). Not every architecture has one.
entry=
case $(go env GOARCH) in
amd64 | arm64) entry="-E zeroutils_start" ;;
esac

# -tags and -ldflags here would replace those of GOFLAGS, so they include them.
tags=urfave_cli_no_docs
ldflags="-s -w $entry -X zeroutils/internal/tool.version=$(scripts/version.sh)"
for flag in $(go env GOFLAGS); do
	case $flag in
	-tags=*) tags=$tags,${flag#*=} ;;
	-ldflags=*) ldflags="$ldflags ${flag#*=}" ;;
	esac
done

build() { # -buildvcs=false: version.sh has asked git, which may not trust the checkout's owner
	CGO_ENABLED=0 go build "$@" -trimpath -buildvcs=false -tags "$tags" -ldflags "$ldflags" -o "$dir/" ./cmd/...
}

if [ -z "$verbose" ]; then
	build
	exit
fi
said=$(mktemp)
(
	last=
	while sleep 4; do
		count=$(wc -l <"$said")
		[ "$count" = "$last" ] || echo "    $count packages compiled"
		last=$count
	done
) &
ticker=$!
trap 'kill "$ticker"; rm -f "$said"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
build -v 2>"$said" || { cat "$said" >&2; exit 1; }
