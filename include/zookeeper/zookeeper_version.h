/* zookeeper_version.h: the release of ZooKeeper whose C API this is. */
#ifndef ZOOKEEPER_VERSION_H
#define ZOOKEEPER_VERSION_H

#define ZOO_VERSION "3.9.5"

#endif
