#!/bin/sh
# Builds the four tools and shows them at work on files that this machine has.
set -eu

case "${1-}" in
-h | --help)
	echo "Usage: $0"
	echo "Builds zcat, ztee, zcp and zpipe into bin/, runs each on the sources of the Go"
	echo "toolchain, compares every result byte for byte and prints how the data moved."
	echo "It takes at most 300 MB in a temporary directory that is removed at the end."
	exit 0
	;;
esac

root=$(cd "$(dirname "$0")/.." && pwd)
room=300000 # in KiB

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

free=$(df -Pk "$work" | awk 'NR == 2 { print $4 }')
if [ "$free" -lt "$room" ]; then
	echo "zeroutils: ${TMPDIR:-/tmp} has $((free / 1000)) MB free, $((room / 1000)) are needed; set TMPDIR to another directory" >&2
	exit 1
fi

echo "== fetching modules"
(cd "$root" && scripts/fetch.sh ./cmd/...)
echo "== compiling; the first time takes a minute or two"
"$root/scripts/build.sh" -v "$root/bin"
PATH=$root/bin:$PATH
unset ZEROUTILS_METHOD POSIXLY_CORRECT

cd "$work"
sources=$(go env GOROOT)/src

# pack writes some of the sources to standard output, the same bytes each time.
pack() {
	tar -chf - -C "$sources" cmd/compile crypto net runtime
}

# check GOT WANT...: GOT has the bytes of all WANT. It is removed.
check() {
	got=$1
	shift
	cat "$@" | cmp - "$got"
	echo "    the bytes are right"
	rm "$got"
}

pack >sources.tar

echo "1. cmd | ztee out.log | next   ($(wc -c <sources.tar) bytes)"
pack | ztee --stats out.log | cat >next.log
cmp out.log next.log
rm out.log
check next.log sources.tar

echo "2. zcp of a large file"
zcp --stats sources.tar copy.tar
check copy.tar sources.tar

echo "3. zcat of several files into a pipe, and into a file"
zcat --stats sources.tar sources.tar | cat >pipe.tar
check pipe.tar sources.tar sources.tar
zcat --stats sources.tar sources.tar >file.tar
check file.tar sources.tar sources.tar

echo "4. zpipe between two processes"
pack | zpipe --stats | cat >relay.tar
check relay.tar sources.tar

cat <<END

All four did their job. They are in $root/bin, so next:
    $root/bin/zcat --help           each tool has --help,
    man $root/man/zpipe.1           and a manual page; zeroutils.7 is about all
    $root/scripts/build.sh DIR      puts the tools where you want to keep them
    $root/scripts/test.sh           runs every check and test
END
