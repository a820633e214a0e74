#!/bin/sh
# Makes the packages of a release.
set -eu

usage() {
	cat <<EOF
Usage: $0 [-o DIR] [-arch LIST] [-format LIST]
Makes a .deb, .rpm, .apk, .pkg.tar.zst and .tar.gz for each architecture, a .tar.gz
of the sources, SHA256SUMS, and a list of the modules that the binaries are built
from.

  -o DIR        write the packages into DIR (default dist)
  -arch LIST    of amd64,arm64,riscv64,386 (default: all)
  -format LIST  of deb,rpm,apk,archlinux,tar,source (default: all)

Two runs give the same bytes, wherever the checkout lies. SOURCE_DATE_EPOCH sets
the time of every file (default: that of the last commit), VERSION the version
(default: git describe), MAINTAINER who makes the package (default: the author of
the last commit). GOFLAGS is passed to the compiler.
EOF
}

case "${1-}" in
-h | --help) usage; exit 0 ;;
esac

here=$(cd "$(dirname "$0")" && pwd)
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
(cd "$here" && CGO_ENABLED=0 go build -o "$built/package" .)
"$built/package" "$@"
