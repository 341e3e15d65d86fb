#!/usr/bin/env bash
# zkServer.sh: starts, stops and asks the server of one configuration.
# What it prints is read by other scripts: it stays as ZooKeeper's.

if [ "x${JMXDISABLE-}" = "x" ] || [ "$JMXDISABLE" = "false" ]; then
    echo "ZooKeeper JMX enabled by default" >&2
    if [ -n "${JMXPORT-}" ]; then # there is no JMX: only the lines are kept
        echo "ZooKeeper remote JMX Port set to $JMXPORT" >&2
        echo "ZooKeeper remote JMX authenticate set to ${JMXAUTH:-false}" >&2
        echo "ZooKeeper remote JMX ssl set to ${JMXSSL:-false}" >&2
        echo "ZooKeeper remote JMX log4j set to ${JMXLOG4J:-true}" >&2
        [ -n "${JMXHOSTNAME-}" ] && echo "ZooKeeper remote JMX Hostname set to $JMXHOSTNAME" >&2
    fi
else
    echo "JMX disabled by user request" >&2
fi

ZOOBIN="$(dirname "${BASH_SOURCE-$0}")"
ZOOBINDIR="$(cd "$ZOOBIN" && pwd)"
if [ ! -e "$ZOOBINDIR/zkEnv.sh" ]; then # a link to the script
    ZOOBINDIR="$(dirname "$(readlink -f "${BASH_SOURCE-$0}")")"
fi
. "$ZOOBINDIR/zkEnv.sh"

# The second word is the name of a file in ZOOCFGDIR, or a path.
if [ -n "${2-}" ]; then
    ZOOCFG="$ZOOCFGDIR/$2"
    case "$2" in
    */*) ZOOCFG="$2" ;;
    esac
fi
echo "Using config: $ZOOCFG" >&2

ZOO_DATADIR="$(zoo_value "$ZOOCFG" dataDir)"
ZOO_DATALOGDIR="$(zoo_value "$ZOOCFG" dataLogDir)"
command_word="${1-}"

if [ -n "${ZOO_DATADIR_AUTOCREATE_DISABLE-}" ]; then
    if [ ! -d "$ZOO_DATADIR/version-2" ]; then
        echo "ZooKeeper data directory is missing at $ZOO_DATADIR fix the path or run initialize"
        exit 1
    fi
    if [ -n "$ZOO_DATALOGDIR" ] && [ ! -d "$ZOO_DATALOGDIR/version-2" ]; then
        echo "ZooKeeper txnlog directory is missing at $ZOO_DATALOGDIR fix the path or run initialize"
        exit 1
    fi
    SERVER_JVMFLAGS="${SERVER_JVMFLAGS-} -Dzookeeper.datadir.autocreate=false"
fi

ZOOPIDFILE="${ZOOPIDFILE:-$ZOO_DATADIR/zookeeper_server.pid}"
USER="${USER:-$(id -un)}"
OUT_FILE="$ZOO_LOG_DIR/zookeeper-$USER-server-${HOSTNAME:-$(uname -n)}.out"

alive() { # pid
    kill -0 "$1" 2>/dev/null && ! grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null
}

# --- the client port, from the configuration: sets client_port, client_address, client_ssl ---

is_number() {
    case "$1" in
    '' | *[!0-9]*) return 1 ;;
    esac
}

# The part after ";" of this server's line in a file.
port_of_server_line() { # file
    local line part
    line="$(zoo_value "$1" "server.$myid")"
    case "$line" in
    *';'*) part="${line#*;}" && part="${part%%;*}" ;;
    *) return 1 ;;
    esac
    client_port="${part##*:}"
    if [ "$client_port" != "$part" ]; then
        client_address="${part%:*}"
    fi
    is_number "$client_port"
}

find_port_by_id() {
    local dynamic
    myid=""
    [ -r "$ZOO_DATADIR/myid" ] && myid="$(head -n 1 "$ZOO_DATADIR/myid" | tr -d '\r')"
    if ! is_number "$myid"; then
        echo "myid could not be determined, will not able to locate clientPort in the server configs."
        return
    fi
    if ! port_of_server_line "$ZOOCFG"; then
        echo "Client port not found in static config file. Looking in dynamic config file."
        dynamic="$(zoo_value "$ZOOCFG" dynamicConfigFile)"
        if [ -z "$dynamic" ] || ! port_of_server_line "$dynamic"; then
            echo "Client port not found in the server configs"
        fi
    fi
}

find_client_port() {
    client_port="$(zoo_value "$ZOOCFG" clientPort)"
    client_address="$(zoo_value "$ZOOCFG" clientPortAddress)"
    client_ssl=false
    if ! is_number "$client_port"; then
        local raw="$client_port"
        client_port=""
        find_port_by_id
        is_number "$client_port" || client_port="$raw"
    fi
    if [ -z "$client_port" ]; then
        echo "Client port not found. Looking for secureClientPort in the static config."
        client_port="$(zoo_value "$ZOOCFG" secureClientPort)"
        client_address="$(zoo_value "$ZOOCFG" secureClientPortAddress)"
        client_ssl=true
        if [ -z "$client_port" ]; then
            echo "Unable to find either secure or unsecure client port in any configs. Terminating."
            return 1
        fi
    fi
    client_address="${client_address:-localhost}"
}

print_secure_note() {
    cat <<END
 
Note: We used secureClientPort ($client_port) to establish connection, but we failed. The 'status'
  command establishes a client connection to the server to execute diagnostic commands. Please make sure you
  provided all the Client SSL connection related parameters in the CLIENT_JVMFLAGS environment variable! E.g.:
  CLIENT_JVMFLAGS="-Dzookeeper.clientCnxnSocket=org.apache.zookeeper.ClientCnxnSocketNetty
  -Dzookeeper.ssl.trustStore.location=/tmp/clienttrust.jks -Dzookeeper.ssl.trustStore.password=password
  -Dzookeeper.ssl.keyStore.location=/tmp/client.jks -Dzookeeper.ssl.keyStore.password=password
  -Dzookeeper.client.secure=true" ./zkServer.sh status
 
END
}

print_status() {
    local answer mode host
    find_client_port || exit 1
    echo "Client port found: $client_port. Client address: $client_address. Client SSL: $client_ssl."
    host="$client_address"
    case "$host" in
    \[*) ;;
    *:*) host="[$host]" ;;
    esac
    if [ "$client_ssl" = false ]; then
        answer="$("$PADDOCK" four-letter "$host:$client_port" srvr 2>/dev/null)"
        mode="$(printf '%s\n' "$answer" | grep '^Mode')"
    fi
    if [ -n "${mode-}" ]; then
        echo "$mode"
        exit 0
    fi
    if [ "$client_ssl" = true ]; then
        print_secure_note
    fi
    echo "Error contacting service. It is probably not running."
    exit 1
}

# --- start and stop ---

# Does process $1 listen on port $2? Answered by the kernel, so that a stranger on the port does not count.
listens() { # pid port
    local hex inode
    hex="$(printf '%04X' "$2")"
    for inode in $(awk -v port="$hex" '$4 == "0A" && $2 ~ (":" port "$") { print $10 }' \
        /proc/net/tcp /proc/net/tcp6 2>/dev/null); do
        if ls -l "/proc/$1/fd" 2>/dev/null | grep -qF "socket:[$inode]"; then
            return 0
        fi
    done
    return 1
}

# Until the server takes connections, at most ZOO_START_WAIT seconds: a server that has to recover much,
# or a machine that is slow, is no failure. Without a client port: for a second.
wait_until_started() { # pid
    local tenths=$((${ZOO_START_WAIT:-30} * 10))
    find_client_port >/dev/null
    is_number "${client_port-}" && [ "$client_port" != 0 ] && [ -r /proc/net/tcp ] || tenths=10
    while [ "$tenths" -gt 0 ]; do
        alive "$1" || return 1
        if is_number "${client_port-}" && listens "$1" "$client_port"; then
            return 0
        fi
        sleep 0.1
        tenths=$((tenths - 1))
    done
    alive "$1"
}

make_directories() {
    mkdir -p "$ZOO_LOG_DIR" && mkdir -p "$(dirname "$ZOOPIDFILE")" &&
        { [ -z "$ZOO_DATADIR" ] || mkdir -p "$ZOO_DATADIR"; }
}

start() {
    local pid
    printf 'Starting zookeeper ... '
    if [ -f "$ZOOPIDFILE" ] && pid="$(cat "$ZOOPIDFILE")" && [ -n "$pid" ] && alive "$pid"; then
        echo "already running as process $pid."
        exit 1
    fi
    if ! [ -r "$ZOOCFG" ]; then
        echo "FAILED TO START"
        echo "There is no configuration file at $ZOOCFG" >&2
        exit 1
    fi
    if ! make_directories; then
        echo "FAILED TO START"
        exit 1
    fi
    nohup "$PADDOCK" server "$ZOOCFG" >"$OUT_FILE" 2>&1 </dev/null &
    pid=$!
    if ! printf '%s' "$pid" >"$ZOOPIDFILE"; then
        echo "FAILED TO WRITE PID"
        kill "$pid"
        exit 1
    fi
    if wait_until_started "$pid"; then
        echo STARTED
        exit 0
    fi
    echo "FAILED TO START"
    rm -f "$ZOOPIDFILE"
    grep ' - ERROR' "$OUT_FILE" | head -n 5 >&2
    exit 1
}

# Waits for the end of the process, at most ZOO_STOP_WAIT seconds: what is on its way to the disk is
# written before.
stop() {
    local pid tenths
    printf 'Stopping zookeeper ... '
    if [ ! -f "$ZOOPIDFILE" ]; then
        echo "no zookeeper to stop (could not find file $ZOOPIDFILE)"
        exit 0
    fi
    pid="$(cat "$ZOOPIDFILE")"
    tenths=$((${ZOO_STOP_WAIT:-30} * 10))
    kill "$pid"
    while alive "$pid"; do
        if [ "$tenths" -eq 0 ]; then
            echo "FAILED TO STOP"
            echo "Process $pid has not ended within ${ZOO_STOP_WAIT:-30} seconds." >&2
            exit 1
        fi
        sleep 0.1
        tenths=$((tenths - 1))
    done
    rm -f "$ZOOPIDFILE"
    echo STOPPED
    exit 0
}

case "$command_word" in
start)
    start
    ;;
start-foreground)
    make_directories || exit 1
    if [ -n "${ZOO_NOEXEC-}" ]; then
        "$PADDOCK" server "$ZOOCFG"
    else
        exec "$PADDOCK" server "$ZOOCFG"
    fi
    ;;
print-cmd)
    echo "\"$PADDOCK\" server \"$ZOOCFG\" > \"$OUT_FILE\" 2>&1 < /dev/null"
    ;;
stop)
    stop
    ;;
version)
    "$PADDOCK" version |
        sed -n 's/^Zookeeper version: \([^-]*\)-.*, built on \(.*\)/Apache ZooKeeper, version \1 \2/p'
    ;;
restart)
    shift
    "$0" stop "$@"
    "$0" start "$@"
    ;;
status)
    print_status
    ;;
*)
    echo "Usage: $0 [--config <conf-dir>] {start|start-foreground|stop|version|restart|status|print-cmd}" >&2
    ;;
esac
