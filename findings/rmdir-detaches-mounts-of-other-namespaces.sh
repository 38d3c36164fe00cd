#!/usr/bin/env bash
# Linux (seen on the kernel printed below; since 3.18) with util-linux' unshare, as root: in one mount
# namespace a folder that something is mounted on cannot be removed (EBUSY), but from another mount
# namespace, where nothing is mounted on it, `rmdir` succeeds and takes the mount away from the first:
# no error, no message, the files below are just gone from sight there. One would guess EBUSY both
# times. Whoever tidies the folders of a host can so detach a disk inside a container.
# Source: rmdir(2) names EBUSY for the caller's own namespace only; the kernel's change "vfs: Lazily
# remove mounts on unlinked files and directories" (Linux 3.18) says why.
set -euo pipefail
[ "$(id -u)" = 0 ] || { echo "run it as root: it mounts a tmpfs in a namespace of its own" >&2; exit 2; }
place=$(mktemp -d) && trap 'rm -rf "$place"' EXIT
mkdir "$place/disk"
mkfifo "$place/mounted" "$place/removed"
uname -sr

unshare --mount --propagation private bash -euo pipefail -c '
    mount -t tmpfs tmpfs "$0/disk"
    echo bytes > "$0/disk/file"
    rmdir "$0/disk" 2> "$0/own" && exit 1
    echo > "$0/mounted"
    read -r < "$0/removed"
    grep -c " $0/disk" /proc/self/mountinfo > "$0/left" || true
' "$place" &
read -r < "$place/mounted"
echo "in its own namespace:  $(sed "s#$place##" "$place/own")"
rmdir "$place/disk"
echo "from another one:      rmdir succeeded"
echo > "$place/removed"
wait
echo "mounts left of it:     $(cat "$place/left")"
grep -q "busy" "$place/own"
[ "$(cat "$place/left")" = 0 ]
[ ! -e "$place/disk" ]
