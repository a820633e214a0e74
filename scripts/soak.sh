#!/bin/sh
# Runs all tools mixed at random and checks every byte.
set -eu

usage() {
	cat <<END
Usage: $0 [-s SEED] [-n SCENE] [MINUTES]
Runs the tools for MINUTES (1, or a part of one such as 0.5) as people use them, all
together: pipelines, files, sockets, a server, outputs of ztee, trees that zcp
copies and moves, copies that are killed and resumed. It compares every byte that
comes out, and watches descriptors, threads and memory. It prints its seed first
and a summary at the end, and stops at the first fault.

  -s SEED   draw the same scenes as the run that printed SEED
  -n SCENE  run only the scene of this number
  -h        display this help and exit

It needs at most 300 MB below TMPDIR and, where there is one, in /dev/shm, and
removes what it makes.
END
}

options=
while getopts hs:n: option; do
	case $option in
	h) usage; exit 0 ;;
	s) options="$options -seed $OPTARG" ;;
	n) options="$options -only $OPTARG" ;;
	*) usage >&2; exit 1 ;;
	esac
done
shift $((OPTIND - 1))
minutes=${1-1}
case $minutes in
*[!0-9.]* | '' | . | *.*.*) usage >&2; exit 1 ;;
esac
[ $# -le 1 ] || { usage >&2; exit 1; }

cd "$(dirname "$0")/.."
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
scripts/build.sh "$built/tools" >/dev/null
go build -o "$built/soak" ./scripts/soak
# shellcheck disable=SC2086 # words of options
"$built/soak" -tools "$built/tools" -for "${minutes}m" $options
