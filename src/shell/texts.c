/* texts.c: paths, ACL lists, stats and errors to the byte as ZooKeeper's shell prints them: scripts read
 * these lines. */
#include "shell/texts.h"

#include "io/java_text.h"
#include "wire/zk.h"

#include <openssl/evp.h>
#include <stdio.h>

static bool put_problem(char *ret_problem, size_t size, struct slice path, const char *what,
                        size_t at)
{
    snprintf(ret_problem, size, "Invalid path string \"%.*s\" caused by %s @%zu", (int)path.size,
             (const char *)path.data, what, at);
    return false;
}

/* A character of UTF-8; *ret_size 1 for what is none. */
static uint32_t character(struct slice text, size_t at, size_t *ret_size)
{
    uint8_t first = text.data[at];
    size_t size = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    uint32_t point = size == 1 ? first : first & (0x7fU >> size);

    if (at + size > text.size)
        size = 1;
    for (size_t i = 1; i < size; i++)
        point = point << 6 | (text.data[at + i] & 0x3fU);
    *ret_size = size;
    return point;
}

static bool is_invalid(uint32_t point)
{
    return (point > 0 && point <= 0x1f) || (point >= 0x7f && point <= 0x9f) ||
           (point >= 0xd800 && point <= 0xf8ff) || (point >= 0xfff0 && point <= 0xffff) ||
           point > 0xffff;
}

/* Is the part that ends before `end` (a slash or the end of the path) "." or ".."? */
static bool is_relative(struct slice path, size_t end)
{
    size_t start = end;

    while (start > 0 && path.data[start - 1] == '.')
        start--;
    return end - start >= 1 && end - start <= 2 && start > 0 && path.data[start - 1] == '/';
}

bool path_check(struct slice path, char *ret_problem, size_t size)
{
    if (path.size == 0 || path.data[0] != '/') {
        snprintf(ret_problem, size, "%s",
                 path.size == 0 ? "Path length must be > 0" : "Path must start with / character");
        return false;
    }
    if (path.size == 1)
        return true;
    if (path.data[path.size - 1] == '/') {
        snprintf(ret_problem, size, "Path must not end with / character");
        return false;
    }
    size_t units = 1, bytes;
    for (size_t i = 1; i < path.size; i += bytes) {
        uint32_t point = character(path, i, &bytes);
        bool ends = i + 1 == path.size || path.data[i + 1] == '/';
        if (point == 0)
            return put_problem(ret_problem, size, path, "null character not allowed", units);
        if (point == '/' && path.data[i - 1] == '/')
            return put_problem(ret_problem, size, path, "empty node name specified", units);
        if (point == '.' && ends && is_relative(path, i + 1))
            return put_problem(ret_problem, size, path, "relative paths not allowed", units);
        if (is_invalid(point))
            return put_problem(ret_problem, size, path, "invalid character", units);
        units++;
    }
    return true;
}

/* --- stats --- */

void stat_print(const struct zk_stat *stat)
{
    struct buffer out;

    buffer_init(&out);
    buffer_printf(&out, "cZxid = 0x%llx\nctime = ", (unsigned long long)stat->czxid);
    java_put_date(&out, stat->ctime);
    buffer_printf(&out, "\nmZxid = 0x%llx\nmtime = ", (unsigned long long)stat->mzxid);
    java_put_date(&out, stat->mtime);
    buffer_printf(&out, "\npZxid = 0x%llx\ncversion = %d\ndataVersion = %d\naclVersion = %d\n",
                  (unsigned long long)stat->pzxid, stat->cversion, stat->version, stat->aversion);
    buffer_printf(&out, "ephemeralOwner = 0x%llx\ndataLength = %d\nnumChildren = %d\n",
                  (unsigned long long)stat->ephemeral_owner, stat->data_length, stat->num_children);
    fwrite(out.data, 1, out.size, stdout);
    buffer_deinit(&out);
}

/* --- ACL lists --- */

static const struct {
    char letter;
    int32_t perm;
} perms[] = {
    {'c', PERM_CREATE}, {'d', PERM_DELETE}, {'r', PERM_READ}, {'w', PERM_WRITE}, {'a', PERM_ADMIN}};

static int32_t find_perm(char letter)
{
    for (size_t i = 0; i < ARRAY_LEN(perms); i++) {
        if (perms[i].letter == letter)
            return perms[i].perm;
    }
    return 0;
}

const char *perms_put(int32_t given, char ret_letters[PERM_LETTERS_MAX + 1])
{
    size_t size = 0;

    for (size_t i = 0; i < ARRAY_LEN(perms); i++) {
        if ((given & perms[i].perm) != 0)
            ret_letters[size++] = perms[i].letter;
    }
    ret_letters[size] = '\0';
    return ret_letters;
}

bool perms_read(struct slice text, int32_t *ret_perms)
{
    int32_t found = 0;

    for (size_t i = 0; i < text.size; i++) {
        int32_t perm = find_perm((char)text.data[i]);
        if (perm == 0)
            return false;
        found |= perm;
    }
    *ret_perms = found;
    return true;
}

void acl_put_open(struct buffer *out)
{
    const struct jute_acl open = {SLICE("world"), SLICE("anyone"), PERM_ALL};

    buffer_i32(out, 1);
    jute_put_acl(out, &open);
}

void acl_print(struct jute_vector acl)
{
    struct jute_acl one;
    struct buffer out;

    buffer_init(&out);
    while (jute_next_acl(&acl, &one)) {
        buffer_u8(&out, '\'');
        java_put_text(&out, one.scheme);
        buffer_printf(&out, ",'");
        java_put_text(&out, one.id);
        char letters[PERM_LETTERS_MAX + 1];
        buffer_printf(&out, "\n: %s\n", perms_put(one.perms, letters));
    }
    fwrite(out.data, 1, out.size, stdout);
    buffer_deinit(&out);
}

bool base64_read(struct slice text, struct buffer *out)
{
    size_t end = text.size, before = out->size;

    while (end > 0 && text.data[end - 1] == '=')
        end--;
    if (text.size % 4 != 0 || text.size - end > 2 || text.size > INT32_MAX)
        return false;
    uint8_t *at = buffer_extend(out, text.size / 4 * 3 + 1);
    int size = EVP_DecodeBlock(at, text.data, (int)text.size);
    if (size < 0)
        return false;
    out->size = before + (size_t)size - (text.size - end);
    return true;
}

/* --- errors and events --- */

static const struct {
    int32_t err;
    const char *name;
    const char *line; /* before the path, when a command prints it in words of its own */
} errors[] = {
    {-1, "SystemError", NULL},
    {-2, "RuntimeInconsistency", NULL},
    {-3, "DataInconsistency", NULL},
    {-4, "ConnectionLoss", NULL},
    {-5, "MarshallingError", NULL},
    {-6, "Unimplemented", NULL},
    {-7, "OperationTimeout", NULL},
    {-8, "BadArguments", "Arguments are not valid : "},
    {-12, "UnknownSession", NULL},
    {-13, "NewConfigNoQuorum", NULL},
    {-14, "ReconfigInProgress", NULL},
    {-100, "APIError", NULL},
    {-101, "NoNode", "Node does not exist: "},
    {-102, "NoAuth", "Insufficient permission : "},
    {-103, "BadVersion", "version No is not valid : "},
    {-108, "NoChildrenForEphemerals", "Ephemerals cannot have children: "},
    {-110, "NodeExists", "Node already exists: "},
    {-111, "Directory not empty", "Node not empty: "},
    {-112, "Session expired", NULL},
    {-113, "Invalid callback", NULL},
    {-114, "InvalidACL", "Acl is not valid : "},
    {-115, "AuthFailed", NULL},
    {-118, "Session moved", NULL},
    {-119, "Not a read-only call", "Not a read-only call: "},
    {-120, "Ephemeral node on local session", NULL},
    {-121, "No such watcher", NULL},
    {-122, "RequestTimeout", NULL},
    {-123, "Reconfig is disabled", NULL},
    {-124, "Session closed because client failed to authenticate", NULL},
    {-125, "Quota has exceeded", "Quota has exceeded : "},
    {-127, "Op throttled due to high load", NULL},
};

const char *error_name(int32_t err)
{
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        if (errors[i].err == err)
            return errors[i].name;
    }
    return "Unknown error";
}

void error_put(struct buffer *out, int32_t err, const char *path)
{
    if (err == -14) {
        buffer_append(out, SLICE("Another reconfiguration is in progress -- concurrent reconfigs "
                                 "not supported (yet)"));
        return;
    }
    if (err == -13) {
        buffer_append(
            out, SLICE("No quorum of new config is connected and up-to-date with the leader of "
                       "last committed config - try invoking reconfiguration after new servers "
                       "are connected and synced"));
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        if (errors[i].err == err && errors[i].line != NULL) {
            buffer_append(out, slice_text(errors[i].line));
            buffer_append(out, slice_text(path == NULL ? "null" : path));
            return;
        }
    }
    buffer_append(out, SLICE("KeeperErrorCode = "));
    buffer_append(out, slice_text(error_name(err)));
    if (path != NULL && path[0] != '\0') {
        buffer_append(out, SLICE(" for "));
        buffer_append(out, slice_text(path));
    }
}

const char *event_state_name(int32_t state)
{
    switch (state) {
    case 0:
        return "Disconnected";
    case 3:
        return "SyncConnected";
    case 4:
        return "AuthFailed";
    case 5:
        return "ConnectedReadOnly";
    case 6:
        return "SaslAuthenticated";
    case -112:
        return "Expired";
    default:
        return "Closed";
    }
}

const char *event_type_name(int32_t type)
{
    static const char *const names[] = {
        "NodeCreated",      "NodeDeleted",       "NodeDataChanged",       "NodeChildrenChanged",
        "DataWatchRemoved", "ChildWatchRemoved", "PersistentWatchRemoved"};

    return type >= 1 && type <= (int32_t)ARRAY_LEN(names) ? names[type - 1] : "None";
}
