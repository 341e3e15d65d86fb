# zkEnv.sh: sourced by all scripts beside it: where the configuration is, where logs go, which program
# serves. A first word --config takes the directory of the configuration from the caller's words.
# The caller has set ZOOBINDIR.

ZOOKEEPER_PREFIX="$ZOOBINDIR/.."

if [ $# -gt 1 ] && [ "$1" = "--config" ]; then
    ZOOCFGDIR=$2
    shift 2
fi
if [ -z "${ZOOCFGDIR-}" ]; then
    if [ -e "$ZOOKEEPER_PREFIX/conf" ]; then
        ZOOCFGDIR="$ZOOBINDIR/../conf"
    else
        ZOOCFGDIR="$ZOOBINDIR/../etc/zookeeper"
    fi
fi
if [ -f "$ZOOCFGDIR/zookeeper-env.sh" ]; then
    . "$ZOOCFGDIR/zookeeper-env.sh"
fi
ZOOCFG="$ZOOCFGDIR/${ZOOCFG:-zoo.cfg}"
if [ -f "$ZOOCFGDIR/java.env" ]; then
    . "$ZOOCFGDIR/java.env"
fi
: "${ZOO_LOG_DIR:=$ZOOKEEPER_PREFIX/logs}"

# The -D words in these are options of the server; all else in them is for a JVM and has no effect.
export SERVER_JVMFLAGS JVMFLAGS CLIENT_JVMFLAGS

if [ -z "${PADDOCK-}" ]; then
    for PADDOCK in "$ZOOBINDIR/paddock" "$ZOOKEEPER_PREFIX/build/paddock" "$(command -v paddock)"; do
        [ -x "$PADDOCK" ] && break
    done
fi
if [ ! -x "$PADDOCK" ]; then
    echo "Error: the program paddock is neither in $ZOOBINDIR nor in PATH; PADDOCK can name it." >&2
    exit 1
fi

# The value of a key of a configuration file as the server reads it: the last line wins, blanks around
# the value do not count. Lines that the server would read and this does not: continued and escaped ones.
zoo_value() { # file key
    [ -r "$1" ] || return 0
    awk -v key="$2" '
        { line = $0; sub(/^[ \t]+/, "", line); sub(/\r$/, "", line) }
        index(line, key) == 1 {
            rest = substr(line, length(key) + 1)
            if (rest !~ /^[ \t]*[=: \t]/) next
            sub(/^[ \t]*[=:]?[ \t]*/, "", rest); sub(/[ \t]+$/, "", rest)
            value = rest
        }
        END { print value }' "$1"
}
