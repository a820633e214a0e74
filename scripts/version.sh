#!/bin/sh
# Prints the version that is built: $VERSION, or what the file VERSION of a
# release says, or what git says of the checkout, or devel.
set -eu

case "${1-}" in
'') ;;
-h | --help)
	echo "Usage: $0"
	echo "Prints the version that is built: \$VERSION, or what the file VERSION of a release"
	echo "says, or git describe, or devel."
	exit 0
	;;
*) echo "Usage: $0" >&2; exit 1 ;;
esac

root=$(cd "$(dirname "$0")/.." && pwd)
if [ -n "${VERSION-}" ]; then
	echo "$VERSION"
elif [ -f "$root/VERSION" ]; then
	cat "$root/VERSION"
elif [ ! -e "$root/.git" ]; then
	echo devel
else
	# git does not trust a checkout of another user; this one is to be built, so
	# it is trusted.
	git -C "$root" -c safe.directory="$root" describe --tags --always --dirty 2>/dev/null || echo devel
fi
