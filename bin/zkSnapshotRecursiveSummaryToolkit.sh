#!/usr/bin/env bash
# zkSnapshotRecursiveSummaryToolkit.sh: children and data below a znode of a snapshot.

ZOOBIN="$(dirname "${BASH_SOURCE-$0}")"
ZOOBINDIR="$(cd "$ZOOBIN" && pwd)"
if [ ! -e "$ZOOBINDIR/zkEnv.sh" ]; then # a link to the script
    ZOOBINDIR="$(dirname "$(readlink -f "${BASH_SOURCE-$0}")")"
fi
. "$ZOOBINDIR/zkEnv.sh"

exec "$PADDOCK" snapshot-summary "$@"
