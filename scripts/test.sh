#!/bin/sh
# Installs what the tests need, where it may, and runs everything.
set -eu

case "${1-}" in
-h | --help)
	echo "Usage: $0"
	echo "Runs every check and test. As root on Debian it first installs the programs"
	echo "that the tests use; elsewhere tests that miss one are skipped and say so,"
	echo "except with CI=true in the environment, where nothing may be skipped."
	exit 0
	;;
esac

cd "$(dirname "$0")/.."
unset ZEROUTILS_METHOD POSIXLY_CORRECT

packages="acl attr bindfs btrfs-progs curl e2fsprogs ethtool fish gcc groff-base iperf3 iproute2 libc6-dev mandoc netbase netcat-openbsd perl procps pv python3 qemu-user shellcheck socat strace tmux util-linux xfsprogs zsh"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	missing=
	for package in $packages; do
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
	done
	if [ -n "$missing" ]; then
		echo "== installing$missing"
		export DEBIAN_FRONTEND=noninteractive
		apt-get update -qq
		# shellcheck disable=SC2086 # one word a package
		apt-get install -y -qq --no-install-recommends $missing >/dev/null
	fi
fi

# lint NAME COMMAND...: runs a checker that must be there and be silent.
lint() {
	name=$1
	shift
	echo "== $name"
	if ! command -v "$1" >/dev/null 2>&1; then
		[ "${CI-}" != true ] || { echo "$1 is missing" >&2; exit 1; }
		echo "skipped: $1 is not installed"
		return
	fi
	said=$("$@" 2>&1) || { echo "$said" >&2; exit 1; }
	[ -z "$said" ] || { echo "$said" >&2; exit 1; }
}

export GOFLAGS="${GOFLAGS-} -tags=urfave_cli_no_docs"
lint gofmt gofmt -l cmd internal man scripts
lint "go vet" go vet ./...
lint staticcheck go tool staticcheck ./...
lint shellcheck shellcheck .ci/run scripts/*.sh scripts/*/*.sh
lint mandoc mandoc -T lint -W warning man/zcat.1 man/ztee.1 man/zcp.1 man/zpipe.1 man/zeroutils.7

echo "== builds for other architectures"
for arch in arm64 386 riscv64 mips mipsle mips64 mips64le; do
	GOARCH=$arch CGO_ENABLED=0 go vet ./cmd/...
done

if [ "$(go env GOARCH)" = amd64 ]; then
	echo "== tests with 32 bits"
	GOARCH=386 go test ./internal/splice -run 'Delivers|FourGigabytes|LargestOffset'
fi

echo "== tests of the benchmark"
(cd scripts/bench && go vet ./... && go test ./...)

echo "== tests"
race=-race
if ! command -v "$(go env CC)" >/dev/null 2>&1; then
	[ "${CI-}" != true ] || { echo "$(go env CC) is missing" >&2; exit 1; }
	echo "without the race detector: $(go env CC) is not installed"
	race=
fi
go test ${race:+-race} -timeout 30m ./...
