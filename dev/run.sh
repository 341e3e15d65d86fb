#!/bin/sh
# A standalone server with built-in settings; data in ./data, port 2181 (DATA=..., PORT=...).
set -eu
cd "$(dirname "$0")/.."
data=${DATA:-$PWD/data}
port=${PORT:-2181}
cat <<END

  A ZooKeeper server on port $port, data in $data. Ctrl-C ends it.

  Talk to it from another terminal, with any ZooKeeper client:
    zkCli.sh -server 127.0.0.1:$port             the Java shell (Debian: /usr/share/zookeeper/bin)
    build/paddock four-letter 127.0.0.1:$port srvr  how it is (or: mntr, stat, ...)
    python3 -c "from kazoo.client import KazooClient as K; z = K('127.0.0.1:$port'); \\
                z.start(); print(z.get_children('/'))"
    build/paddock bench --servers 127.0.0.1:$port  how fast it is

END
mkdir -p "$data"
exec build/paddock server --default "$data" "$port"
