#!/bin/sh
# Builds the tools for other architectures and tries them with qemu-user.
set -eu

case "${1-}" in
-h | --help)
	echo "Usage: $0 [GOARCH...]"
	echo "Builds the tools for other architectures (default: arm64 arm riscv64 s390x) and"
	echo "has each of them copy, append and die of SIGPIPE, and find a closed descriptor"
	echo "where there is an entry point, all under the qemu-user of the architecture."
	echo "386 is not among them: threads of a Go program get each other's thread-local"
	echo "storage from qemu-i386."
	exit 0
	;;
esac

[ $# -gt 0 ] || set -- arm64 arm riscv64 s390x
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$work"
head -c 3000000 /dev/urandom >data
printf 'log\n' | cat - data >appended

fail() {
	echo "$arch: $*" >&2
	exit 1
}

# tool NAME ARGUMENT...: runs a tool of the architecture, in the shell's place.
tool() {
	name=$1
	shift
	exec $emulator "$work/$arch/$name" "$@"
}

# same FILE WHAT: the file has the data. It is removed.
same() {
	cmp data "$1" || fail "$2"
	rm "$1"
}

# says WANT WHAT COMMAND...: a command ends with status 1 and this message.
says() {
	want=$1 what=$2
	shift 2
	status=0
	said=$( ("$@") 2>&1) || status=$?
	[ "$status:$said" = "1:$want" ] || fail "$what: status $status, '$said', want '$want'"
}

closed_output() { tool "$1" data >&-; }
closed_input() { tool "$1" <&- >out; }

# dies NAME: a tool dies of SIGPIPE when nobody reads on.
dies() {
	{ status=0; (tool "$1" </dev/zero) || status=$?; echo "$status" >status; } | head -c 1 >first
	[ "$(cat status)" = 141 ] || fail "$1 without a reader: status $(cat status)"
}

closed='zcat: -: Bad file descriptor
zcat: closing standard input: Bad file descriptor'

for arch; do
	case $arch in
	amd64) emulator="qemu-x86_64" ;;
	arm64) emulator="qemu-aarch64" ;;
	loong64) emulator="qemu-loongarch64" ;;
	mips64le) emulator="qemu-mips64el" ;;
	mipsle) emulator="qemu-mipsel" ;;
	*) emulator="qemu-$arch" ;;
	esac
	command -v "$emulator" >/dev/null || fail "$emulator is missing"
	GOARCH=$arch "$root/scripts/build.sh" "$work/$arch"

	(tool zcat data data) >out
	cat data data | cmp - out || fail "zcat into a file"
	(tool zcat data) | cat >out
	same out "zcat into a pipe"
	printf 'log\n' >out
	(tool zcat data) >>out
	cmp appended out || fail "zcat, appending"

	(tool ztee copy <data) | cat >out
	same copy "ztee into a file"
	same out "ztee into a pipe"
	printf 'log\n' >log
	(tool ztee -a log <data) >out
	cmp appended log || fail "ztee -a"
	same out "ztee into another file"

	(tool zcp -p data copy)
	same copy "zcp"
	mkdir -p tree/below
	cp data tree/below
	(tool zcp -a tree new)
	cmp data new/below/data || fail "zcp -a"
	(tool zcp --move new/below/data moved)
	same moved "zcp --move"
	rm -r tree new

	# shellcheck disable=SC2002 # a pipe on both sides
	cat data | (tool zpipe) | cat >out
	same out "zpipe between pipes"
	(tool zpipe data copy)
	same copy "zpipe between files"
	(tool zpipe run -- cat data ::: cat) >out
	same out "zpipe run"

	case $arch in
	amd64 | arm64)
		says "zcat: standard output: Bad file descriptor" "zcat with a closed output" closed_output zcat
		says "$closed" "zcat with a closed input" closed_input zcat
		;;
	esac
	for name in zcat ztee zpipe; do
		dies $name
	done
	echo "$arch: the tools work"
	rm -r "${work:?}/$arch"
done
