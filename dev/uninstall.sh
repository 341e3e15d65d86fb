#!/bin/sh
# Removes what an installation has put there, and the directories of ours that are empty then:
# dev/uninstall.sh MANIFEST [DESTDIR]. Configuration, logs and data that others made stay.
set -eu
manifest=$1
destdir=${2:-}

if [ ! -f "$manifest" ]; then
    echo "There is no $manifest: nothing was installed from here." >&2
    exit 1
fi
{ cat "$manifest" && echo; } | while IFS= read -r path; do
    [ -n "$path" ] || continue
    rm -f "$destdir$path"
    directory=$(dirname "$path")
    while case "$directory" in */paddock | */paddock/* | */include/zookeeper) true ;; *) false ;; esac; do
        rmdir "$destdir$directory" 2>/dev/null || break
        directory=$(dirname "$directory")
    done
done
rm -f "$manifest"
