/* paths.h: which paths a client accepts, and paths under a chroot. */
#ifndef CLIENT_PATHS_H
#define CLIENT_PATHS_H

#include "base/slice.h"

/* Checks a path before it is sent. This is less strict than the server (wire/zk.h). A sequential
 * create may end with '/', "." or "..", since a number follows. */
bool client_path_valid(struct slice path, bool sequential);

/* The path as a client under `chroot` sees it: "/" for the chroot itself. A path outside of it stays as
 * it is. */
struct slice client_path_without_chroot(struct slice chroot, struct slice path);

#endif
