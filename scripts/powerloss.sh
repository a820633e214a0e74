#!/bin/sh
# Cuts the power under zcp --move, again and again.
set -eu

case "${1-}" in
-h | --help)
	echo "Usage: $0 [ROUNDS]"
	echo "Moves a tree with zcp, stops it after each call that makes or removes a name or"
	echo "syncs, and checks what a loss of power at that moment would leave: on ext4, XFS"
	echo "and btrfs, in every mode, ROUNDS times (1), each time with other writes of the"
	echo "kernel in between. One round takes some minutes. It needs root and 2 GiB of"
	echo "memory, and leaves nothing behind."
	exit 0
	;;
esac

cd "$(dirname "$0")/.."
export CI=true GOFLAGS="${GOFLAGS-} -tags=urfave_cli_no_docs" POWERLOSS_ROUNDS="${1-1}"
exec go test -count=1 -timeout 0 -v ./internal/powerloss
