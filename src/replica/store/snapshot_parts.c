/* snapshot_parts.c: sessions, ACL lists and nodes into a tree that is being loaded. Their bytes come from
 * disks and from other servers: whatever they contain gives a status, never a failed assertion. */
#include "replica/store/snapshot_parts.h"

#include "replica/store/snapshot.h"

enum status snapshot_part_session(struct snapshot_parts *parts, struct reader *reader)
{
    int64_t id = reader_i64(reader);
    int32_t timeout_ms = reader_i32(reader);

    if (reader->status == STATUS_OK && parts->tree != NULL)
        tree_session_add(parts->tree, id, timeout_ms);
    if (reader->status == STATUS_OK && parts->visitor != NULL && parts->visitor->session != NULL)
        parts->visitor->session(parts->visitor->context, id, timeout_ms);
    return reader->status;
}

enum status snapshot_part_acl(struct snapshot_parts *parts, struct reader *reader)
{
    int64_t id = reader_i64(reader);
    struct jute_vector acl = reader_acls(reader);

    if (reader->status == STATUS_OK && parts->tree != NULL)
        tree_load_acl(parts->tree, id, acl);
    if (reader->status == STATUS_OK && parts->visitor != NULL && parts->visitor->acl != NULL)
        parts->visitor->acl(parts->visitor->context, id, acl);
    return reader->status;
}

static enum status problem(struct snapshot_parts *parts, const char *text)
{
    parts->problem = text;
    return STATUS_CORRUPT;
}

enum status snapshot_part_node(struct snapshot_parts *parts, struct reader *reader)
{
    struct stat_persisted stat;

    struct slice path = reader_text(reader);
    if (reader->status == STATUS_OK && slice_equal(path, SLICE("/")))
        return STATUS_END;
    struct slice data = reader_buffer(reader);
    int64_t acl = reader_i64(reader);
    enum status status = stat_persisted_read(reader, &stat);
    if (status != STATUS_OK)
        return status;
    if (path.data == NULL)
        return problem(parts, "a node without a path");
    if (stat.mzxid > parts->node_zxid_max)
        parts->node_zxid_max = stat.mzxid;
    if (stat.pzxid > parts->node_zxid_max)
        parts->node_zxid_max = stat.pzxid;
    parts->nodes++;
    if (parts->visitor != NULL && parts->visitor->node != NULL)
        parts->visitor->node(parts->visitor->context, path, data, acl, &stat);
    if (parts->tree == NULL)
        return STATUS_OK;
    status = tree_load_node(parts->tree, path, data, acl, &stat);
    return status == STATUS_OK ? STATUS_OK : problem(parts, "a node without its parent");
}
