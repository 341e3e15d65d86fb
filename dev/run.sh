#!/bin/sh
# A standalone server with built-in settings; data in ./data, port 2181 (DATA=..., PORT=...).
set -eu
cd "$(dirname "$0")/.."
data=${DATA:-$PWD/data}
port=${PORT:-2181}
cat <<END

  A ZooKeeper server on port $port, data in $data. Ctrl-C ends it.

  From another terminal:
    bin/zkCli.sh -server 127.0.0.1:$port               the shell; any ZooKeeper client works
    build/paddock four-letter 127.0.0.1:$port srvr     the server's status (or: mntr, stat, ...)
    build/paddock bench --servers 127.0.0.1:$port      how fast it is
    python3 -c "from kazoo.client import KazooClient as K; z = K('127.0.0.1:$port'); \\
                z.start(); print(z.get_children('/'))"

END
mkdir -p "$data"
exec build/paddock server --default "$data" "$port"
