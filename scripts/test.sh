#!/bin/sh
# Checks and tests everything.
set -eu

usage() {
	cat <<END
Usage: $0 [--quick | --all] [--no-install] [PACKAGE...]
Runs every check and test, or those of some packages, such as ./cmd/zcat. As root
on Debian it first installs the programs that the tests use. A test that lacks
something is skipped; the end says how many were, and why.

  --quick       leave out the race detector and tests on other filesystems
  --all         also do what takes very long: many more random cases, and packages
  --no-install  install nothing

With CI=true in the environment it also builds for other architectures and runs
the tools there, makes packages if the last commits changed how, runs all tools
mixed at random for half a minute (soak.sh) and under two other kernels
(kernels.sh), and a test may skip nothing but what the running kernel lacks.
END
}

level=usual install=yes
while [ $# -gt 0 ]; do
	case $1 in
	-h | --help) usage; exit 0 ;;
	--quick) level=quick ;;
	--all) level=all ;;
	--no-install) install= ;;
	-*) usage >&2; exit 1 ;;
	*) break ;;
	esac
	shift
done
chosen=$*

cd "$(dirname "$0")/.."
[ -n "$chosen" ] || set -- ./...
unset ZEROUTILS_METHOD POSIXLY_CORRECT
ci=
[ "${CI-}" != true ] || ci=yes
began=$(date +%s)
scripts/fetch.sh # no more than a look at Go, before anything is installed

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir "$work/log"

# The Debian packages that are missing, each with what it is for.
missing() {
	while read -r package _ reason; do
		case $package in '#'* | '') continue ;; esac
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || printf '  %-16s %s\n' "$package" "$reason"
	done <internal/testfs/packages.txt
}

if command -v apt-get >/dev/null 2>&1; then
	missing >"$work/missing"
	if [ ! -s "$work/missing" ]; then
		:
	elif [ -n "$install" ] && [ "$(id -u)" = 0 ]; then
		echo "== installing packages that the tests use (--no-install leaves the system as it is)"
		cat "$work/missing"
		export DEBIAN_FRONTEND=noninteractive
		# shellcheck disable=SC2046 # one word a package
		{ apt-get update -qq && apt-get install -y -qq --no-install-recommends $(awk '{ print $1 }' "$work/missing"); } >"$work/apt" 2>&1 || {
			cat "$work/apt" >&2
			echo "zeroutils: the packages could not be installed: that takes the network; --no-install goes on without" >&2
			exit 1
		}
	else
		echo "== packages that are missing, so that tests will be skipped"
		cat "$work/missing"
	fi
fi

echo "== fetching modules and tools"
scripts/fetch.sh -test ./... honnef.co/go/tools/cmd/staticcheck
(cd scripts/bench && ../fetch.sh -test ./...)

GOFLAGS="$(go env GOFLAGS) -tags=urfave_cli_no_docs"
export GOFLAGS
go build -o "$work/gotest" ./scripts/gotest

# part NAME COMMAND...: runs a part of the tests. The others run also if it fails.
failed=
part() {
	name=$1
	shift
	echo "== $name"
	if ! "$@"; then
		echo "FAILED: $name"
		failed="$failed${failed:+, }$name"
	fi
}

# has PROGRAM: the program is installed. Under CI=true it has to be.
has() {
	command -v "$1" >/dev/null 2>&1 && return
	[ -z "$ci" ] || failed="$failed${failed:+, }$1 is missing"
	echo "== left out: $1 is missing"
	return 1
}

formatted() {
	unformatted=$(gofmt -l cmd internal man scripts) || return 1
	[ -z "$unformatted" ] || { echo "gofmt would change these: $unformatted"; return 1; }
}

tests() {
	"$work/gotest" "$work/log" test "$@"
}

for_packages() {
	(cd scripts/package && ../fetch.sh -test ./... && go vet ./... && tests -timeout 20m ./...)
}

# packages_changed: one of the last commits changed how packages are made.
packages_changed() {
	! git diff --quiet HEAD~30 -- scripts/package scripts/install.sh scripts/build.sh scripts/version.sh 2>/dev/null
}

for_the_benchmark() {
	(cd scripts/bench && go vet ./... && tests ./...)
}

for_architectures() {
	for arch in arm64 arm 386 riscv64 ppc64le s390x loong64 mips mips64le; do
		echo "   $arch"
		GOARCH=$arch CGO_ENABLED=0 go vet ./cmd/... || return 1
	done
}

# go install makes tools without the entry point that build.sh gives them.
by_go_install() {
	GOFLAGS='' GOBIN="$work/plain" go install ./cmd/... || return 1
	echo data >"$work/data"
	"$work/plain/zcat" "$work/data" | "$work/plain/ztee" | "$work/plain/zpipe" >"$work/out" &&
		"$work/plain/zcp" "$work/out" "$work/copy" && cmp "$work/data" "$work/copy"
}

# An amd64 kernel may not run programs of 386, and qemu-i386 none of Go.
with_32_bits() {
	set -- ./internal/splice -run 'Delivers|FourGigabytes|LargestOffset'
	echo 'package main; func main() {}' >"$work/empty.go"
	if GOARCH=386 CGO_ENABLED=0 go build -o "$work/empty" "$work/empty.go" && "$work/empty" 2>/dev/null; then
		GOARCH=386 tests "$@"
	else
		GOARCH=arm tests "$@" -exec qemu-arm
	fi
}

part gofmt formatted
part "go vet" go vet "$@"
[ $level = quick ] || part staticcheck go tool staticcheck "$@"
if [ -z "$chosen" ]; then
	! has shellcheck || part shellcheck shellcheck .ci/run scripts/*.sh scripts/*/*.sh
	! has mandoc || part mandoc mandoc -T lint -W warning man/*.[17]
fi

# The race detector needs a C compiler and an architecture that has it.
race=
compiler=$(go env CC)
case $level/$(go env GOARCH) in
quick/*) ;;
*/amd64 | */arm64 | */ppc64le | */s390x) ! has "${compiler%% *}" || race=-race ;;
esac

# Tests that run the tools as programs, which are built without it, would only
# take three times as long.
in_process=
programs=
for package in $(go list "$@"); do
	case $package in
	*/cmd/* | */internal/faults | */internal/powerloss | */internal/procstart | */man | */scripts*)
		programs="$programs $package" ;;
	*) in_process="$in_process $package" ;;
	esac
done

# shellcheck disable=SC2086 # one word a package
case $level/$race in
quick/*) # most tests wait more than they compute
	part "tests (no race detector, no filesystems)" tests -short -p 4 -parallel 16 "$@" ;;
all/*) part "tests, long" env ZEROUTILS_LONG=1 "$work/gotest" "$work/log" test -timeout 3h $race "$@" ;;
*/-race)
	[ -z "$in_process" ] || part "tests with the race detector" tests -timeout 30m -race $in_process
	[ -z "$programs" ] || part "tests of the programs" tests -timeout 30m $programs
	;;
*) part tests tests -timeout 30m "$@" ;;
esac

if [ -z "$chosen" ] && [ $level != quick ]; then
	part "tests of the benchmark" for_the_benchmark
fi
if [ -z "$chosen" ] && { [ $level = all ] || { [ -n "$ci" ] && packages_changed; }; }; then
	part "packages" for_packages
fi
if [ -z "$chosen" ] && { [ -n "$ci" ] || [ $level = all ]; }; then
	part "go install" by_go_install
	part "the engine's matrix without the race detector" tests ./internal/splice -run 'Every'
	part "go vet for other architectures" for_architectures
	! has qemu-s390x || part "the tools on other architectures" scripts/architectures.sh
	! has qemu-arm || part "tests with 32 bits" with_32_bits
fi

if [ -z "$chosen" ] && [ -n "$ci" ]; then
	part "soak" scripts/soak.sh -s 1 0.5 # the same scenes each time
elif [ -z "$chosen" ] && [ $level = all ]; then
	part "soak, long" scripts/soak.sh 10
fi

# The oldest and the newest kernel take three minutes under emulation, all
# kernels with all tests hours.
if [ -z "$chosen" ] && { [ -n "$ci" ] || [ $level = all ]; }; then
	! has qemu-system-x86_64 || part "other kernels" scripts/kernels.sh -k 5.10 -k unstable
fi

echo "== what was tested, in $(($(date +%s) - began)) s"
[ -z "$failed" ] || echo "FAILED: $failed"
"$work/gotest" "$work/log" summary
[ -z "$failed" ]
