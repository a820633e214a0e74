#!/bin/sh
# Installs the tools with their manual and completions, or removes them.
set -eu
umask 022

usage() {
	cat <<EOF
Usage: $0 [--prefix DIR] [--dry-run] [--force-zcat]
       $0 [--prefix DIR] [--dry-run] --uninstall
Installs zeroutils below DIR (default: \$PREFIX, or /usr/local), and lists each
file. Where the source and Go are at hand it builds the tools first; otherwise
it takes them from bin/.

  --prefix DIR   install below DIR
  --dry-run      list what would be installed or removed, and change nothing
  --force-zcat   install zcat under that name although gzip's zcat, which scripts
                 call to decompress, is on this system
  --uninstall    remove what an earlier run installed below DIR, and nothing else

Without --force-zcat, zcat is called zccat where a usual PATH has another zcat,
and wherever DESTDIR is set. DIR/libexec/zeroutils has the tools under the names
cat, tee, cp, mv and pv: put it in front of PATH to use them in their place.

DESTDIR, if set, is put before every path that is written, for packages.
EOF
}

fail() {
	echo "${0##*/}: $*" >&2
	exit 1
}

prefix=${PREFIX:-/usr/local}
action=install
dry=
force=
while [ $# -gt 0 ]; do
	case $1 in
	-h | --help) usage; exit 0 ;;
	--prefix) [ $# -gt 1 ] || fail "--prefix needs a directory"; prefix=$2; shift ;;
	--prefix=*) prefix=${1#*=} ;;
	--dry-run) dry=1 ;;
	--force-zcat) force=1 ;;
	--uninstall) action=uninstall ;;
	*) usage >&2; exit 1 ;;
	esac
	shift
done
case $prefix in
/*) ;;
*) fail "the prefix must be an absolute path, not '$prefix'" ;;
esac
prefix=${prefix%/}

source=$(cd "$(dirname "$0")/.." && pwd)
root=${DESTDIR-}$prefix
record=share/zeroutils/files # of what is installed: a fingerprint and a path below the prefix on each line
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
: >"$stage/recorded"
[ ! -f "$root/$record" ] || cp "$root/$record" "$stage/recorded"

present() { [ -e "$1" ] || [ -L "$1" ]; }

# fingerprints DIR: reads paths and prints, for those that are below DIR, what
# the file holds or where the symbolic link leads, and the path.
fingerprints() (
	cd "$1" 2>/dev/null || exit 0
	while read -r path; do
		if [ -L "$path" ]; then
			echo "link:$(readlink "$path") $path"
		elif [ -f "$path" ]; then
			echo "$path" >&3
		elif [ -e "$path" ]; then
			echo "neither-file-nor-link $path"
		fi
	done 3>"$stage/files"
	[ ! -s "$stage/files" ] || xargs sha256sum <"$stage/files" | sed 's/  / /'
)

# recorded_paths prints the files that an earlier run has installed.
recorded_paths() { grep -v '^dir ' "$stage/recorded" | cut -d ' ' -f 2 | sort -u; }

# ours and not_ours read fingerprints, and print those that an earlier run has
# installed, or has not.
ours() { grep -Fx -f "$stage/recorded" || :; }
not_ours() { grep -Fvx -f "$stage/recorded" || :; }

# remove reads fingerprints, and removes and lists their files.
remove() {
	cut -d ' ' -f 2 | sort | while read -r path; do
		echo "$root/$path"
		[ -n "$dry" ] || rm -f "$root/$path" || fail "cannot remove $root/$path"
	done
}

# remove_directories reads a record, and removes the directories in it that are
# empty.
remove_directories() {
	grep '^dir ' | cut -d ' ' -f 2 | sort -ru | while read -r path; do
		rmdir "$root/${path#.}" 2>/dev/null || :
	done
}

uninstall() {
	[ -s "$stage/recorded" ] || fail "zeroutils is not installed below $prefix"
	recorded_paths | fingerprints "$root" >"$stage/there"
	ours <"$stage/there" | remove
	not_ours <"$stage/there" | cut -d ' ' -f 2 | while read -r path; do
		echo "${0##*/}: kept $root/$path, which was changed after it was installed" >&2
	done
	[ -z "$dry" ] || return 0
	rm -f "$root/$record"
	remove_directories <"$stage/recorded"
}

# other_zcat prints the first zcat of a usual PATH that we have not installed.
other_zcat() {
	echo "$PATH:$prefix/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" | tr : '\n' | while read -r dir; do
		[ "$dir" != "$prefix/bin" ] || [ -z "$(echo bin/zcat | fingerprints "$root" | ours)" ] || continue
		if present "$dir/zcat"; then
			echo "$dir/zcat"
			break
		fi
	done
}

# renamed FILE: prints a manual page or completion of zcat for the name that zcat gets.
renamed() {
	if [ "$zcat" = zcat ]; then
		cat "$1"
	else
		# gzip's zcat keeps its name.
		sed -e '/gzip/!s/\<zcat\>/zccat/g' -e '/gzip/!s/\<_zcat\>/_zccat/g' \
			-e '/gzip/!s/_zeroutils_zcat/_zeroutils_zccat/g' -e 's/^\.Dt ZCAT /.Dt ZCCAT /' "$1"
	fi
}

# stage_all makes $stage/tree as it will be below the prefix.
stage_all() {
	tree=$stage/tree
	mkdir -p "$tree/bin" "$tree/libexec/zeroutils" "$tree/share/man/man1" "$tree/share/man/man7" "$tree/share/doc/zeroutils" \
		"$tree/share/bash-completion/completions" "$tree/share/zsh/site-functions" "$tree/share/fish/vendor_completions.d"

	bin=$source/bin
	if [ -f "$source/go.mod" ] && command -v go >/dev/null 2>&1; then
		bin=$stage/bin
		"$source/scripts/build.sh" "$bin" >&2
	fi
	for tool in zcat ztee zcp zpipe; do
		[ -x "$bin/$tool" ] || fail "$bin/$tool is missing: run scripts/build.sh first, as a user who has Go"
		name=$tool
		[ $tool != zcat ] || name=$zcat
		cp "$bin/$tool" "$tree/bin/$name"
	done
	ln -s zpipe "$tree/bin/zpv"
	ln -s zcp "$tree/bin/zmv"
	for name in cat:$zcat tee:ztee cp:zcp mv:zcp pv:zpipe; do
		ln -s "../../bin/${name#*:}" "$tree/libexec/zeroutils/${name%:*}"
	done

	for page in "$source"/man/*.[17]; do
		name=${page##*/}
		[ "$name" != zcat.1 ] || name=$zcat.1
		renamed "$page" >"$tree/share/man/man${page##*.}/$name"
	done
	for file in "$source"/scripts/completions/*/*; do
		name=${file##*/}
		case $name in
		zcat | _zcat | zcat.fish) name=$(echo "$name" | sed "s/zcat/$zcat/") ;;
		esac
		case $file in
		*/bash/*) dir=bash-completion/completions ;;
		*/zsh/*) dir=zsh/site-functions ;;
		*/fish/*) dir=fish/vendor_completions.d ;;
		esac
		renamed "$file" >"$tree/share/$dir/$name"
	done
	for file in README.md CHANGELOG.md LICENSE THIRD_PARTY_LICENSES; do
		cp "$source/$file" "$tree/share/doc/zeroutils/$file"
	done
	chmod 755 "$tree"/bin/*
	find "$tree/share" -type f -exec chmod 644 {} +
}

# check refuses what cannot be done before anything is changed.
check() {
	for dir in $(cd "$stage/tree" && find . -type d) "${record%/*}"; do
		dir=$root/${dir#.}
		while ! present "$dir"; do dir=${dir%/*}; done
		[ -d "${dir:-/}" ] || fail "$dir is in the way: it is not a directory; nothing was installed"
		[ -w "${dir:-/}" ] || fail "cannot write to ${dir:-/}; nothing was installed"
	done
	fingerprints "$root" <"$stage/paths" | not_ours | grep -Fvx -f "$stage/now" | head -n 1 >"$stage/in-the-way"
	read -r _ path <"$stage/in-the-way" || return 0
	fail "$root/$path is in the way: it was not installed by this script, or was changed since; nothing was installed"
}

remove_half_done() {
	while read -r path; do
		rm -f "$root/$path.zeroutils-new"
	done <"$stage/paths"
	remove_directories <"$stage/now"
}

# put_all copies everything beside its place, and then renames, so that a full
# disk leaves what was there.
put_all() {
	cd "$stage/tree"
	{
		grep '^dir ' "$stage/recorded" || :
		for dir in $(find . -type d | sed 's,^\./,,') "${record%/*}"; do
			present "$root/$dir" || echo "dir $dir"
		done
	} | sort -u >>"$stage/now"

	trap 'remove_half_done; rm -rf "$stage"' EXIT
	for dir in $(find . -type d) "${record%/*}"; do
		mkdir -p "$root/$dir"
	done
	while read -r path; do
		cp -P "$path" "$root/$path.zeroutils-new" || fail "nothing was installed"
	done <"$stage/paths"
	# The record comes first, with the earlier run's files: whatever ends this
	# run, the next one knows all of them.
	sort -u "$stage/recorded" "$stage/now" >"$root/$record.zeroutils-new" || fail "nothing was installed"
	mv -f "$root/$record.zeroutils-new" "$root/$record"
	while read -r path; do
		mv -f "$root/$path.zeroutils-new" "$root/$path"
	done <"$stage/paths"
	recorded_paths | grep -Fvx -f "$stage/paths" | fingerprints "$root" | ours | remove >/dev/null # this version lacks these
	cp "$stage/now" "$root/$record.zeroutils-new"
	mv -f "$root/$record.zeroutils-new" "$root/$record"
	trap 'rm -rf "$stage"' EXIT
}

if [ $action = uninstall ]; then
	uninstall
	exit 0
fi

zcat="zcat"
other=
if [ -z "$force" ]; then
	[ -z "${DESTDIR-}" ] || zcat=zccat
	other=$(other_zcat)
	[ -z "$other" ] || zcat=zccat
fi
stage_all
(cd "$stage/tree" && find . -type f -o -type l) | sed 's,^\./,,' | sort >"$stage/paths"
fingerprints "$stage/tree" <"$stage/paths" >"$stage/now"
check
[ -n "$dry" ] || put_all
while read -r path; do
	echo "$root/$path"
done <"$stage/paths"
[ -z "$other" ] || [ -n "${DESTDIR-}" ] || echo "${0##*/}: zcat is installed as zccat, since $other is another program" >&2
