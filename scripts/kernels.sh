#!/bin/sh
# Runs the tools and their tests on other kernels, in virtual machines.
set -eu

usage() {
	cat <<'END'
Usage: kernels.sh [-k KERNEL]... [-t TEST]... [--all] [--doc] [--update] [COMMAND]

Runs the four tools and their tests under Linux kernels of Debian, each in a
virtual machine (QEMU). With COMMAND, runs that with sh instead, as root, and
exits with its status, of several kernels the last that is not 0.

  -k KERNEL  5.10, 6.1, 6.12 or unstable; the default is all four
  -t TEST    only the tests of this name or below it, such as fs/ext4, fs/ext4/trees or
             streams; -l lists them
  -l         list the tests and exit
  -v         show every result, not only faults
  --all      all tests at all sizes, and the tests of the packages; without it,
             what three minutes allow
  --doc      write docs/kernels.md from what the last run of each test found;
             with neither --all nor -t, run nothing
  --update   look for newer kernels first
  -h         display this help and exit

The kernels and the programs that the tests need are packages of Debian. They
come from the mirror that apt uses, into ZEROUTILS_CACHE or ~/.cache/zeroutils,
where they are unpacked, about 900 MB; nothing is installed. Besides apt,
qemu-system-x86_64, mke2fs and xz must be there.
END
}

root=$(cd "$(dirname "$0")/.." && pwd)
cache=${ZEROUTILS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/zeroutils}/kernels
kernels=
options=
tests=
update=

fail() {
	echo "kernels.sh: $1" >&2
	exit 1
}

while [ $# -gt 0 ]; do
	case $1 in
	-h | --help) usage; exit ;;
	--update) update=yes ;;
	--all | --doc | -l | -v) options="$options -${1##*-}" ;;
	-k | -t)
		[ $# -gt 1 ] || fail "$1 needs a name"
		[ "$1" = -t ] && tests="$tests $2" || kernels="$kernels $2"
		shift
		;;
	--) shift; break ;;
	-*) usage >&2; exit 1 ;;
	*) break ;;
	esac
	shift
done
[ -n "$kernels" ] || kernels="5.10 6.1 6.12 unstable"

suite() {
	case $1 in
	5.10) echo bullseye ;;
	6.1) echo bookworm ;;
	6.12) echo trixie ;;
	unstable) echo sid ;;
	*) fail "no kernel $1: there are 5.10, 6.1, 6.12 and unstable" ;;
	esac
}

# debian SUITE COMMAND...: runs an apt command that knows this suite only, and
# keeps its state in the cache.
debian() {
	state=$cache/apt/$1
	suite=$1
	shift
	if [ ! -f "$state/apt.conf" ]; then
		# shellcheck disable=SC2016 # apt fills these in
		uri=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' | sed -n '/-security/d; s/^Debian //p' | head -n 1)
		[ -n "$uri" ] || fail "apt has no source of Debian"
		mkdir -p "$state/lists/partial" "$state/archives/partial" "$state/none"
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite main" >"$state/sources.list"
		cat >"$state/apt.conf.new" <<-END
			Dir::Etc::SourceList "$state/sources.list";
			Dir::Etc::SourceParts "$state/none";
			Dir::Etc::Preferences "/dev/null";
			Dir::Etc::PreferencesParts "$state/none";
			Dir::State "$state";
			Dir::State::Lists "$state/lists";
			Dir::State::Status "/dev/null";
			Dir::Cache "$state";
			Dir::Cache::Archives "$state/archives";
			APT::Architecture "amd64";
			APT::Architectures { "amd64"; };
			APT::Sandbox::User "";
			APT::Install-Recommends "false";
			Acquire::Languages "none";
			Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
			Debug::NoLocking "true";
		END
		APT_CONFIG=$state/apt.conf.new apt-get update -qq
		mv "$state/apt.conf.new" "$state/apt.conf"
	elif [ -n "$update" ]; then
		APT_CONFIG=$state/apt.conf apt-get update -qq
	fi
	APT_CONFIG=$state/apt.conf "$@"
}

# fetch_kernel KERNEL: unpacks the newest cloud kernel of its suite, which has
# all filesystems and few drivers.
fetch_kernel() {
	into=$cache/kernel-$1
	[ -n "$update" ] || [ ! -d "$into" ] || return 0
	echo "fetching Linux $1" >&2
	suite=$(suite "$1")
	debian "$suite" true
	packages=$(debian "$suite" apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts \
		--no-breaks --no-replaces --no-enhances linux-image-cloud-amd64 |
		grep -E '^linux-(image|binary|modules)-[0-9].*-cloud-amd64$' | sort -u)
	[ -n "$packages" ] || fail "$suite has no package linux-image-cloud-amd64"
	rm -rf "$into.new" "$cache/debs"
	mkdir -p "$into.new" "$cache/debs"
	# shellcheck disable=SC2086 # one word a package
	(cd "$cache/debs" && debian "$suite" apt-get download -qq $packages)
	for deb in "$cache"/debs/*.deb; do
		dpkg-deb -x "$deb" "$into.new"
	done
	rm -rf "$cache/debs" "$into"
	mv "$into.new" "$into"
}

# programs are what the tests use beside the tools.
programs="acl attr bash bindfs btrfs-progs coreutils dash diffutils dmsetup e2fsprogs findutils iproute2 mount nfs-kernel-server procps samba util-linux xfsprogs"

# fetch_programs makes an image of an ext4 filesystem that has them.
fetch_programs() {
	image=$cache/programs.img
	[ ! -f "$image" ] || [ "$(cat "$image.list" 2>/dev/null)" != "$programs" ] || return 0
	echo "fetching programs" >&2
	debian bookworm true
	# shellcheck disable=SC2086 # one word a package
	debian bookworm apt-get install -qq --download-only -y $programs >&2
	tree=$cache/programs
	rm -rf "$tree" "$image"
	for dir in bin sbin lib lib64; do
		mkdir -p "$tree/usr/$dir"
		ln -s "usr/$dir" "$tree/$dir"
	done
	for deb in "$cache"/apt/bookworm/archives/*.deb; do
		dpkg-deb -x "$deb" "$tree"
	done
	rm -rf "$cache"/apt/bookworm/archives/*.deb "$tree"/usr/share/doc "$tree"/usr/share/man "$tree"/usr/share/locale
	mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$tree" "$image.new" 1G
	rm -rf "$tree"
	mv "$image.new" "$image"
	echo "$programs" >"$image.list"
}

for program in apt-get dpkg-deb qemu-system-x86_64 mke2fs xz go; do
	command -v "$program" >/dev/null 2>&1 || fail "$program is not installed"
done
mkdir -p "$cache"
(
	flock 9
	for kernel in $kernels; do
		fetch_kernel "$kernel"
	done
	fetch_programs
) 9>"$cache/lock"

# The runner removes the directory, and no virtual machine survives it.
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
export GOFLAGS="${GOFLAGS-} -tags=urfave_cli_no_docs"
"$root/scripts/build.sh" "$built/tools"
(cd "$root" && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$built/" ./scripts/kernels ./scripts/kernels/guest)
trap - EXIT
# shellcheck disable=SC2086 # one word an option
exec "$built/kernels" -root "$root" -cache "$cache" -built "$built" -kernels "$kernels" -tests "$tests" $options -- "$@"
