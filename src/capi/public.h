/* public.h: the public headers, as this room sees them. Their struct buffer is not the one of base; here
 * it is called jute_buffer, which changes nothing in a program. */
#ifndef CAPI_PUBLIC_H
#define CAPI_PUBLIC_H

#define buffer jute_buffer
#include <zookeeper/zookeeper.h>
#include <zookeeper/zookeeper_log.h>
#undef buffer

#endif
