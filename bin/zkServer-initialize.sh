#!/usr/bin/env bash
# zkServer-initialize.sh: makes the data directories of a new server, and with --myid its number.

ZOOBIN="$(dirname "${BASH_SOURCE-$0}")"
ZOOBINDIR="$(cd "$ZOOBIN" && pwd)"
if [ ! -e "$ZOOBINDIR/zkEnv.sh" ]; then # a link to the script
    ZOOBINDIR="$(dirname "$(readlink -f "${BASH_SOURCE-$0}")")"
fi
. "$ZOOBINDIR/zkEnv.sh"

usage() {
    cat <<END
usage: $0 <parameters>
  Optional parameters:
     -h                                                    Display this message
     --help                                                Display this message
     --configfile=$ZOOCFG              ZooKeeper config file
     --myid=#                                              Set the myid to be used, if any (1-255)
     --force                                               Force creation of the data/txnlog dirs
END
    exit 1
}

fail() {
    echo "$1"
    exit 1
}

myid=""
force=""
while [ -n "${1-}" ]; do
    case "$1" in
    --configfile=*) ZOOCFG="${1#*=}" ;;
    --configfile) ZOOCFG="${2-}" && shift ;;
    --myid=*) myid="${1#*=}" ;;
    --myid) myid="${2-}" && shift ;;
    --force) force=1 ;;
    -h | --help) usage ;;
    *)
        echo "Unknown option: $1"
        usage
        ;;
    esac
    shift
done

[ -f "$ZOOCFG" ] || fail "Unable to find config file at $ZOOCFG"
data_dir="$(zoo_value "$ZOOCFG" dataDir)"
log_dir="$(zoo_value "$ZOOCFG" dataLogDir)"
[ -n "$data_dir" ] || fail "Unable to determine dataDir from $ZOOCFG"
[ -n "$log_dir" ] || log_dir="$data_dir"

if [ -n "$force" ]; then
    echo "Force enabled, data/txnlog directories will be re-initialized"
else
    [ ! -e "$data_dir/version-2" ] ||
        fail "ZooKeeper data directory already exists at $data_dir (or use --force to force re-initialization)"
    [ ! -e "$log_dir/version-2" ] ||
        fail "ZooKeeper txnlog directory already exists at $log_dir (or use --force to force re-initialization)"
fi

rm -rf "$data_dir/myid" "$data_dir/version-2" || exit 1
mkdir -p "$data_dir/version-2" || exit 1
rm -rf "$log_dir/myid" "$log_dir/version-2" || exit 1
mkdir -p "$log_dir/version-2" "$data_dir/version-2" || exit 1
if [ -n "$myid" ]; then
    echo "Using myid of $myid"
    echo "$myid" >"$data_dir/myid" || exit 1
else
    echo "No myid provided, be sure to specify it in $data_dir/myid if using non-standalone"
fi
touch "$data_dir/initialize"
