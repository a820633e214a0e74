#!/bin/sh
# Build the four tools and the benchmark, and run it.
set -eu

usage() {
	cat <<'EOF'
usage: run.sh [-l] [-n ROUNDS] [-s SIZE] [-c PATTERN] [-d DIR] [-f FSLIST]
              [--peers] [-o FILE] [TOOL[:LABEL]=PATH]...
       run.sh --docs FILE

Compare zcat, ztee, zcp and zpipe with cat, tee, cp, pv and others.

  -l          list the cases and exit
  -n ROUNDS   timed rounds, after one to warm up and check (default 7)
  -s SIZE     bytes that a case moves; K, M, G are powers of 1024 (default 512M)
  -c PATTERN  only the cases whose name matches this regular expression
  -d DIR      work in a directory below DIR (default $TMPDIR or /tmp)
  -f FSLIST   filesystems to work on (default ext4,xfs,btrfs,tmpfs); those that
              DIR is not on are mounted for the time being, which takes root
  --peers     also run the newest programs of Debian's unstable suite, fetched
              through apt and unpacked beside the system; what is missing is named
  -o FILE     write all figures to FILE as JSON; those that it has of other cases
              stay, so that a whole run may come in parts
  --docs FILE make docs/benchmarks.* and the table of README.md from such a FILE

Every TOOL=PATH adds a program that is run wherever TOOL is, be it one of the
above, dd, mbuffer or socat:

  run.sh -c '^cat/' cat:uutils=/opt/uutils/cat zcat:before=/tmp/old/zcat

For each case and contender the table has the median figure, the CPU time of
the tool alone, and how many times better it is than the first of the case. In
the memory cases the figure is the peak resident size.
EOF
}

for arg; do
	if [ "$arg" = -h ]; then
		usage
		exit
	fi
done

here=$(cd "$(dirname "$0")" && pwd)
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

"$here/../build.sh" "$built"
ln -s zpipe "$built/zpv"
ln -s zcp "$built/zmv"
(cd "$here" && go build -o "$built/bench" .)
if [ "${1-}" = --docs ] && [ $# = 2 ]; then
	"$built/bench" -docs "$here/../.." "$2"
	exit
fi
"$built/bench" -ours "$built" "$@"
