/* candidate.c: the rules that make it a lock. The znode's name begins with a random number of our own, so
 * that after a lost answer it is found and not made twice. Each watches only the one before it, so that
 * a lock that becomes free wakes one client. What is seen is trusted only as long as the session lives. */
#include "shell/candidate.h"

#include "base/number.h"
#include "shell/calls.h"
#include "shell/texts.h"

#include <stdio.h>
#include <sys/random.h>

/* What stands before the number in the names of Curator's and kazoo's locks. */
static const char *const marks[] = {"lock-",    "__lock__", "__rlock__",
                                    "__READ__", "__WRIT__", "latch-"};
enum { NUMBER_DIGITS = 10 };

bool candidate_init(struct candidate *candidate, struct service *connection, const char *parent,
                    struct slice data)
{
    uint8_t bytes[CANDIDATE_GUID_CHARS / 2];

    *candidate = (struct candidate){.connection = connection, .parent = parent, .data = data};
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return false;
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(candidate->guid + 2 * i, 3, "%02x", bytes[i]);
    return true;
}

void candidate_deinit(struct candidate *candidate)
{
    mem_free(candidate->own);
    candidate->own = NULL;
}

/* The next name: the servers may delete the znode of the earlier session some time after they said that
 * the session is over. */
void candidate_forget(struct candidate *candidate)
{
    static const char digits[] = "0123456789abcdef";

    mem_free(candidate->own);
    candidate->own = NULL;
    candidate->asked = false;
    for (size_t i = CANDIDATE_GUID_CHARS; i-- > 0;) {
        size_t digit = (size_t)(strchr(digits, candidate->guid[i]) - digits);
        candidate->guid[i] = digits[(digit + 1) % 16];
        if (digit != 15)
            break;
    }
}

static enum candidate_place failed(struct candidate *candidate, int32_t err)
{
    candidate->failed = err;
    if (err == CALL_CONNECTION_LOSS || err == CALL_INTERRUPTED || err == ZK_SESSION_EXPIRED)
        return CANDIDATE_AGAIN;
    return CANDIDATE_FAILED;
}

static char *path_of(const struct candidate *candidate, struct slice name)
{
    struct slice parent = slice_text(candidate->parent);

    if (parent.size == 1)
        parent.size = 0;
    char *path = mem_alloc(parent.size + name.size + 2);
    memcpy(path, parent.data, parent.size);
    path[parent.size] = '/';
    memcpy(path + parent.size + 1, name.data, name.size);
    path[parent.size + 1 + name.size] = '\0';
    return path;
}

static bool ends_with_mark(struct slice text)
{
    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        struct slice mark = slice_text(marks[i]);
        if (text.size >= mark.size &&
            memcmp(text.data + text.size - mark.size, mark.data, mark.size) == 0)
            return true;
    }
    return false;
}

/* False: it is no candidate. The number of a parent with more than 2^31 creates is negative. */
static bool number_of(struct slice name, int32_t *ret_number)
{
    for (size_t size = NUMBER_DIGITS; size <= NUMBER_DIGITS + 1 && size <= name.size; size++) {
        struct slice head = slice_of(name.data, name.size - size);
        int64_t value;
        if (ends_with_mark(head) &&
            number_parse(slice_of(name.data + head.size, size), 10, &value) && value >= INT32_MIN &&
            value <= INT32_MAX) {
            *ret_number = (int32_t)value;
            return true;
        }
    }
    return false;
}

static bool is_own(const struct candidate *candidate, struct slice name)
{
    return memmem(name.data, name.size, candidate->guid, CANDIDATE_GUID_CHARS) != NULL;
}

/* Each missing ancestor, with the parent itself, as a znode that stays. */
static int32_t make_parents(struct candidate *candidate)
{
    struct slice path = slice_text(candidate->parent), made;
    struct buffer acl;
    int32_t err = ZK_OK;

    buffer_init(&acl);
    acl_put_open(&acl);
    for (size_t size = 1; size <= path.size && err == ZK_OK; size++) {
        if (size < path.size && path.data[size] != '/')
            continue;
        const struct call_create create = {.path = slice_of(path.data, size),
                                           .data = SLICE(""),
                                           .acl = buffer_slice(&acl),
                                           .mode = MODE_PERSISTENT};
        err = call_create(candidate->connection, &create, &made);
        if (err == ZK_NODE_EXISTS || (err == ZK_NO_AUTH && size < path.size))
            err = ZK_OK; /* an ancestor that others own may be there */
    }
    buffer_deinit(&acl);
    return err;
}

static int32_t create(struct candidate *candidate)
{
    char name[CANDIDATE_GUID_CHARS + 16];
    struct buffer acl;
    struct slice made;

    snprintf(name, sizeof(name), "_c_%s-lock-", candidate->guid);
    char *path = path_of(candidate, slice_text(name));
    buffer_init(&acl);
    acl_put_open(&acl);
    const struct call_create create = {.path = slice_text(path),
                                       .data = candidate->data,
                                       .acl = buffer_slice(&acl),
                                       .mode = MODE_EPHEMERAL_SEQUENTIAL};
    candidate->asked = true;
    int32_t err = call_create(candidate->connection, &create, &made);
    if (err == ZK_OK) {
        candidate->own = mem_alloc(made.size + 1);
        memcpy(candidate->own, made.data, made.size);
        candidate->own[made.size] = '\0';
    }
    if (err != CALL_CONNECTION_LOSS && err != CALL_INTERRUPTED)
        candidate->asked = false;
    buffer_deinit(&acl);
    mem_free(path);
    return err;
}

/* Where the own znode stands: its path, how many are before it, and the last of them (mem_free(); NULL:
 * it is the first). *ret_own NULL: it is not there. */
static int32_t find_own(struct candidate *candidate, char **ret_own, char **ret_before)
{
    struct jute_vector names, again;
    struct zk_stat stat;
    struct slice name, before = SLICE_NULL, own = SLICE_NULL;
    int32_t number, own_number = 0, before_number = 0;
    int32_t err =
        call_children(candidate->connection, slice_text(candidate->parent), false, &names, &stat);

    *ret_own = *ret_before = NULL;
    if (err != ZK_OK)
        return err;
    again = names;
    while (jute_next_text(&again, &name)) {
        if (is_own(candidate, name) && number_of(name, &number) &&
            (own.data == NULL || number < own_number)) {
            own = name;
            own_number = number;
        }
    }
    candidate->ahead = 0;
    while (own.data != NULL && jute_next_text(&names, &name)) {
        if (!number_of(name, &number) || number >= own_number)
            continue;
        candidate->ahead++;
        if (before.data == NULL || number > before_number) {
            before = name;
            before_number = number;
        }
    }
    if (own.data != NULL)
        *ret_own = path_of(candidate, own);
    if (before.data != NULL)
        *ret_before = path_of(candidate, before);
    return ZK_OK;
}

/* A create whose answer was lost may be on its way to the server that is asked now: sync waits for it. */
static int32_t take_place(struct candidate *candidate)
{
    char *before;
    int32_t err = ZK_OK;

    if (candidate->asked) {
        err = call_sync(candidate->connection, slice_text(candidate->parent));
        if (err == ZK_OK)
            err = find_own(candidate, &candidate->own, &before);
        if (err == ZK_OK)
            mem_free(before);
        if (err == ZK_NO_NODE)
            err = ZK_OK;
        if (err != ZK_OK || candidate->own != NULL)
            return err;
    }
    err = create(candidate);
    if (err != ZK_NO_NODE)
        return err;
    err = make_parents(candidate);
    return err == ZK_OK ? create(candidate) : err;
}

enum candidate_place candidate_check(struct candidate *candidate)
{
    struct zk_stat stat;
    struct slice data;
    int32_t err = call_get(candidate->connection, slice_text(candidate->own), true, &data, &stat);

    if (err == ZK_OK) {
        candidate->czxid = stat.czxid;
        return CANDIDATE_FIRST;
    }
    return err == ZK_NO_NODE ? CANDIDATE_BEHIND : failed(candidate, err);
}

/* A read leaves no watch on a znode that is gone, which exists() would. */
static int32_t watch(struct candidate *candidate, const char *path)
{
    struct zk_stat stat;
    struct slice data;

    return call_get(candidate->connection, slice_text(path), true, &data, &stat);
}

enum candidate_place candidate_look(struct candidate *candidate)
{
    for (;;) {
        char *own, *before;
        int32_t err = candidate->own == NULL ? take_place(candidate) : (int32_t)ZK_OK;
        if (err == ZK_OK)
            err = find_own(candidate, &own, &before);
        if (err != ZK_OK)
            return failed(candidate, err);
        mem_free(candidate->own);
        candidate->own = own; /* NULL: somebody has deleted it */
        if (own == NULL)
            continue;
        if (before == NULL) {
            enum candidate_place place = candidate_check(candidate);
            if (place != CANDIDATE_BEHIND)
                return place;
            continue;
        }
        err = watch(candidate, before);
        mem_free(before);
        if (err == ZK_OK)
            return CANDIDATE_BEHIND;
        if (err != ZK_NO_NODE)
            return failed(candidate, err);
    }
}

bool candidate_leave(struct candidate *candidate)
{
    int32_t err = ZK_OK;

    if (candidate->own == NULL && candidate->asked) {
        char *before;
        err = call_sync(candidate->connection, slice_text(candidate->parent));
        if (err == ZK_OK)
            err = find_own(candidate, &candidate->own, &before);
        if (err == ZK_OK)
            mem_free(before);
    }
    if (err == ZK_OK && candidate->own != NULL)
        err = call_delete(candidate->connection, slice_text(candidate->own), -1);
    if (err != ZK_OK && err != ZK_NO_NODE)
        return false;
    candidate_forget(candidate);
    return true;
}
