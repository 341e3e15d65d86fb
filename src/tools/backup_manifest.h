/* backup_manifest.h: writes the list of what is in a backup (backup.h), before its checksums. */
#ifndef TOOLS_BACKUP_MANIFEST_H
#define TOOLS_BACKUP_MANIFEST_H

#include "base/buffer.h"
#include "tools/backup.h"

void backup_manifest_begin(struct buffer *out, const char *from, const struct backup_state *state);
void backup_manifest_add(struct buffer *out, const char *name, const char *sum);

#endif
