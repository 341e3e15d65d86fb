/* version.h: the version of Paddock, and of the ZooKeeper release that it behaves as. */
#ifndef WIRE_VERSION_H
#define WIRE_VERSION_H

#define PADDOCK_VERSION "0.1.0"
#define ZOOKEEPER_VERSION "3.9.5" /* whose behaviour this is */
/* The form that clients and monitors parse: x.y.z-<commit>, built on yyyy-mm-dd HH:MM UTC. A fixed
 * date, so that the same source gives the same program. */
#define VERSION_LINE ZOOKEEPER_VERSION "-paddock-" PADDOCK_VERSION ", built on 2026-11-21 00:00 UTC"

#endif
