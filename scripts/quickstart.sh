#!/bin/sh
# Builds the four tools and shows them at work on files that this machine has.
set -eu

case "${1-}" in
-h | --help)
	echo "Usage: $0"
	echo "Builds zcat, ztee, zcp and zpipe into bin/, runs each on the files of the Go"
	echo "toolchain (some hundred MB, in a temporary directory that is removed at the"
	echo "end), compares every result byte for byte and prints how the data moved."
	exit 0
	;;
esac

root=$(cd "$(dirname "$0")/.." && pwd)
"$root/scripts/build.sh" "$root/bin"
PATH=$root/bin:$PATH
unset ZEROUTILS_METHOD POSIXLY_CORRECT

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$work"

tar -chf toolchain.tar -C "$(go env GOROOT)" bin pkg src
cat toolchain.tar toolchain.tar >two.tar

# check WANT GOT...: all files have the same bytes.
check() {
	want=$1
	shift
	for got; do
		cmp "$want" "$got"
	done
	echo "    the bytes are right"
	rm -f "$@"
}

echo "1. cmd | ztee out.log | next   ($(wc -c <toolchain.tar) bytes)"
tar -chf - -C "$(go env GOROOT)" bin pkg src | ztee --stats out.log | cat >next.log
cmp out.log next.log
check toolchain.tar out.log

echo "2. zcp of a large file"
zcp --stats toolchain.tar copy.tar
check toolchain.tar copy.tar

echo "3. zcat of several files into a pipe, and into a file"
zcat --stats toolchain.tar toolchain.tar | cat >pipe.tar
check two.tar pipe.tar
zcat --stats toolchain.tar toolchain.tar >file.tar
check two.tar file.tar

echo "4. zpipe between two processes"
tar -chf - -C "$(go env GOROOT)" bin pkg src | zpipe --stats | cat >relay.tar
check toolchain.tar relay.tar

echo "All four did their job. They are in $root/bin; the manual is in $root/man."
