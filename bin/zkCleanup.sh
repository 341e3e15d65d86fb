#!/usr/bin/env bash
# zkCleanup.sh: removes old snapshots and logs of the directories that the configuration names; words
# that come after are handed on: -n COUNT. Without a configuration file all words are: LOGS [SNAPSHOTS] -n COUNT.

ZOOBIN="$(dirname "${BASH_SOURCE-$0}")"
ZOOBINDIR="$(cd "$ZOOBIN" && pwd)"
if [ ! -e "$ZOOBINDIR/zkEnv.sh" ]; then # a link to the script
    ZOOBINDIR="$(dirname "$(readlink -f "${BASH_SOURCE-$0}")")"
fi
. "$ZOOBINDIR/zkEnv.sh"

if [ ! -f "$ZOOCFG" ]; then
    exec "$PADDOCK" cleanup "$@"
fi
data_dir="$(zoo_value "$ZOOCFG" dataDir)"
log_dir="$(zoo_value "$ZOOCFG" dataLogDir)"
if [ -n "$log_dir" ]; then
    exec "$PADDOCK" cleanup "$log_dir" "$data_dir" "$@"
fi
exec "$PADDOCK" cleanup "$data_dir" "$@"
