#!/bin/sh
# Try this commit on a fresh Debian 12: `fresh-machine.sh DIRECTORY [MAKE-ARGUMENT...]`.
#
# Makes DIRECTORY/root with debootstrap (git, python3, make and CA certificates, nothing else),
# clones HEAD into it and runs `make MAKE-ARGUMENT...` there (`make test` when none is given),
# as root, with an empty environment. Once made, the bare system is kept as DIRECTORY/base.tar
# and unpacked anew for every run, so that each run starts fresh.
#
#   MIRROR   where debootstrap fetches from (default: its own)
#   SEED     a folder laid over the new root: certificates, apt, pip and npm settings
#   CLONE=1  keeps the root of the last run and clones anew into it (empty clone, warm system)
set -eu

[ $# -ge 1 ] && [ "$(id -u)" -eq 0 ] || {
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
    exit 2
}
repository=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
place=$(cd "$1" && pwd)
root=$place/root
shift
[ $# -gt 0 ] || set -- test

began=$(date +%s)
say() { printf '[%4d s] %s\n' $(($(date +%s) - began)) "$*"; }
unmount() {
    for mount in dev/shm dev proc; do
        if mountpoint -q "$root/$mount"; then umount "$root/$mount"; fi
    done
}
trap unmount EXIT
trap 'exit 130' INT TERM
unmount

if [ ! -f "$place/base.tar" ]; then
    say "debootstrap"
    rm -rf "$root"
    debootstrap --variant=minbase --include=git,python3,make,ca-certificates \
        bookworm "$root" ${MIRROR:+"$MIRROR"} >"$place/debootstrap.log"
    tar -C "$root" --exclude './proc/*' -cf "$place/base.tar" .
fi
if [ -z "${CLONE:-}" ] || [ ! -d "$root/etc" ]; then
    say "unpack"
    rm -rf --one-file-system "$root"
    mkdir -p "$root"
    tar -C "$root" -xf "$place/base.tar"
fi
cp /etc/resolv.conf "$root/etc/resolv.conf"
# An installed Debian has this line; a bare root does not.
grep -qs localhost "$root/etc/hosts" || echo "127.0.0.1 localhost" >>"$root/etc/hosts"
[ -z "${SEED:-}" ] || cp -a "$SEED/." "$root/"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mountpoint -q "$root/dev/shm" || mount -t tmpfs -o mode=1777 shm "$root/dev/shm"

inside() {
    chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 TERM=dumb \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}
inside update-ca-certificates >/dev/null 2>&1
say "clone"
rm -rf "$root/srv/vitrine"
git clone -q --no-local "$repository" "$root/srv/vitrine"
say "make $*"
status=0
inside make -C /srv/vitrine "$@" || status=$?
say "make $* ended with status $status"
exit "$status"
