#!/bin/sh
# in_chroot.sh DIRECTORY SCRIPT: runs SCRIPT, a file in DIRECTORY, in a copy of this system that is gone
# when it ends: an overlay over /, with an empty /run, and a network of its own. DIRECTORY is /given there.
# Exit code 77: this machine does not allow it.
set -eu
if [ -z "${IN_CHROOT-}" ]; then
    exec env IN_CHROOT=1 unshare --mount --net --pid --fork --kill-child "$0" "$@" || exit 77
fi
given=$1 script=$2 work=$(mktemp -d)
trap 'rmdir "$work" 2>/dev/null || :' EXIT
{
    mount --make-rprivate / &&
        mount -t tmpfs none "$work" && mkdir "$work/up" "$work/tmp" "$work/root" &&
        mount -t overlay none -o "lowerdir=/,upperdir=$work/up,workdir=$work/tmp" "$work/root" &&
        mount -t proc none "$work/root/proc" && mount --rbind /dev "$work/root/dev" &&
        mount -t tmpfs none "$work/root/run" && mkdir "$work/root/given" &&
        mount --bind "$given" "$work/root/given" && ip link set lo up
} || exit 77
status=0
chroot "$work/root" /bin/sh -eu "/given/$script" || status=$?
umount -l "$work"
exit "$status"
