#!/bin/sh
# in_systemd.sh DIRECTORY: boots the systemd of this machine in a copy of its system that is gone when it
# ends: an overlay over /, with /dev, /run, /tmp, network, process ids and cgroups of its own. Of the units
# that this machine has only those run that systemd needs, and its journal. DIRECTORY is /given there;
# systemd reports to the socket `notify` in it when it is up. This process has one child: systemd.
# Exit code 77: this machine does not allow it.
set -eu
if [ -z "${IN_SYSTEMD-}" ]; then
    # What this systemd makes below its cgroup does not meet what another one has there.
    for tree in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
        if [ -e "$tree/cgroup.procs" ]; then
            mkdir "$tree/paddock-test-$$" && echo $$ >"$tree/paddock-test-$$/cgroup.procs" || exit 77
        fi
    done
    exec env IN_SYSTEMD=1 setpriv --pdeathsig KILL unshare --mount --uts --ipc --net --pid --cgroup \
        --fork --kill-child "$0" "$@" || exit 77
fi
given=$1 work=$1/work
device() {
    : >"dev/$1" && mount --bind "/dev/$1" "dev/$1"
}
cgroups() { # one tree, or the older systemd's own with or without the newer beside it
    if [ -e /sys/fs/cgroup/cgroup.procs ]; then
        mount -t cgroup2 none sys/fs/cgroup
        return
    fi
    # With an empty list of controllers systemd leaves those of this machine alone.
    mount -t tmpfs none sys/fs/cgroup && mkdir sys/fs/cgroup/systemd && mount --bind /dev/null proc/cgroups &&
        mount -t cgroup -o none,name=systemd none sys/fs/cgroup/systemd || return
    if [ -e /sys/fs/cgroup/unified/cgroup.procs ]; then
        mkdir sys/fs/cgroup/unified && mount -t cgroup2 none sys/fs/cgroup/unified
    fi
}
{
    mount --make-rprivate / && mkdir "$work" &&
        mount -t tmpfs none "$work" && mkdir "$work/up" "$work/tmp" "$work/root" &&
        mount -t overlay none -o "lowerdir=/,upperdir=$work/up,workdir=$work/tmp" "$work/root" &&
        cd "$work/root" && mount -t proc none proc && mount -t sysfs -o ro none sys &&
        mount -t tmpfs none run && mount -t tmpfs none tmp && mount -t tmpfs none var/tmp &&
        mount -t tmpfs none dev && mkdir dev/pts dev/shm && ln -s pts/ptmx dev/ptmx &&
        mount -t devpts -o newinstance,ptmxmode=0666,mode=620 none dev/pts &&
        device null && device zero && device full && device random && device urandom && device tty &&
        cgroups && mkdir given run/old && mount --bind "$given" given
} || exit 77
rm -rf etc/systemd/system/* usr/local/lib/systemd/system/* lib/systemd/system/*.target.wants/* \
    lib/systemd/system-generators/* usr/sbin/policy-rc.d
echo 00000000000000000000000000000001 >etc/machine-id
mkdir -p etc/systemd/journald.conf.d etc/systemd/system/sysinit.target.wants
ln -s /lib/systemd/system/systemd-journald.service etc/systemd/system/sysinit.target.wants/
printf '[Journal]\nStorage=volatile\nReadKMsg=no\nRateLimitBurst=0\n' >etc/systemd/journald.conf.d/test.conf
pivot_root . run/old && cd / && umount -l run/old
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 container=test NOTIFY_SOCKET=/given/notify \
    /lib/systemd/systemd --system --unit=basic.target
