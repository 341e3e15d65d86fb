#!/usr/bin/env bash
# zkTxnLogToolkit.sh: prints, repairs and cuts transaction logs.

ZOOBIN="$(dirname "${BASH_SOURCE-$0}")"
ZOOBINDIR="$(cd "$ZOOBIN" && pwd)"
if [ ! -e "$ZOOBINDIR/zkEnv.sh" ]; then # a link to the script
    ZOOBINDIR="$(dirname "$(readlink -f "${BASH_SOURCE-$0}")")"
fi
. "$ZOOBINDIR/zkEnv.sh"

exec "$PADDOCK" txnlog-toolkit "$@"
