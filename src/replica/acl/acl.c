/* acl.c: identities, what an ACL allows them, and the form in which a client's ACL is stored. Nothing is
 * allowed that no entry allows. */
#include "replica/acl/acl.h"

#include "replica/acl/ip_range.h"

#include <openssl/evp.h>
#include <stdlib.h>

#define WORLD SLICE("world")
#define ANYONE SLICE("anyone")
#define DIGEST SLICE("digest")
#define IP SLICE("ip")
#define SUPER SLICE("super")

/* --- identities --- */

static struct identities *new_list(uint32_t count, size_t text_bytes, uint8_t **ret_text)
{
    size_t head = sizeof(struct identities) + count * sizeof(struct identity);

    ASSERT(text_bytes <= PTRDIFF_MAX - head);
    struct identities *list = mem_alloc(head + text_bytes);

    *list = (struct identities){.references = 1, .count = count};
    *ret_text = (uint8_t *)list + head;
    return list;
}

static struct slice put_text(uint8_t **text, struct slice bytes)
{
    struct slice copy = slice_of(*text, bytes.size);

    if (bytes.size > 0)
        memcpy(*text, bytes.data, bytes.size);
    *text += bytes.size;
    return copy;
}

struct identities *identities_new(struct slice address)
{
    uint8_t *text;
    struct identities *list = new_list(1, IP.size + address.size, &text);

    list->items[0].scheme = put_text(&text, IP);
    list->items[0].id = put_text(&text, address);
    return list;
}

struct identities *identities_from(struct jute_vector ids)
{
    struct jute_vector walk = ids;
    struct jute_id id;
    uint32_t count = 0;
    size_t text_bytes = 0;
    uint8_t *text;

    for (; jute_next_id(&walk, &id); count++)
        text_bytes += id.scheme.size + id.id.size;
    struct identities *list = new_list(count, text_bytes, &text);
    for (uint32_t i = 0; jute_next_id(&ids, &id); i++) {
        list->items[i].scheme = put_text(&text, id.scheme);
        list->items[i].id = put_text(&text, id.id);
    }
    return list;
}

struct identities *identities_hold(struct identities *identities)
{
    ASSERT(identities->references > 0);
    identities->references++;
    return identities;
}

void identities_release(struct identities *identities)
{
    if (identities == NULL)
        return;
    ASSERT(identities->references > 0);
    if (--identities->references == 0)
        mem_free(identities);
}

bool identities_have_scheme(const struct identities *identities, struct slice scheme)
{
    for (uint32_t i = 0; i < identities->count; i++) {
        if (slice_equal(identities->items[i].scheme, scheme))
            return true;
    }
    return false;
}

static enum auth_answer add_identity(struct identities **identities, struct slice scheme,
                                     struct slice id)
{
    struct identities *old = *identities;
    size_t text_bytes = scheme.size + id.size;

    for (uint32_t i = 0; i < old->count; i++) {
        if (slice_equal(old->items[i].scheme, scheme) && slice_equal(old->items[i].id, id))
            return AUTH_OK;
        text_bytes += old->items[i].scheme.size + old->items[i].id.size;
    }
    if (old->count >= IDENTITIES_MAX)
        return AUTH_FAILED;
    uint8_t *text;
    struct identities *list = new_list(old->count + 1, text_bytes, &text);
    for (uint32_t i = 0; i < old->count; i++) {
        list->items[i].scheme = put_text(&text, old->items[i].scheme);
        list->items[i].id = put_text(&text, old->items[i].id);
    }
    list->items[old->count].scheme = put_text(&text, scheme);
    list->items[old->count].id = put_text(&text, id);
    ASSERT(list->count <= IDENTITIES_MAX);
    identities_release(old);
    *identities = list;
    return AUTH_OK;
}

struct slice identity_user(const struct identity *identity)
{
    const uint8_t *colon;

    if (!slice_equal(identity->scheme, DIGEST))
        return identity->id;
    colon = memchr(identity->id.data, ':', identity->id.size);
    return colon == NULL ? identity->id
                         : slice_of(identity->id.data, (size_t)(colon - identity->id.data));
}

/* --- the auth operation --- */

/* user ":" base64(hash("user:password")), the hash over all of it. */
static enum auth_answer authenticate_digest(const struct acl_rules *rules, struct slice auth,
                                            struct arena *arena, struct identities **identities)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    uint8_t base64[(EVP_MAX_MD_SIZE + 2) / 3 * 4 + 1];
    unsigned hash_bytes;
    char name[32];
    struct buffer id = {0};

    if (auth.data == NULL || rules->digest_algorithm.size >= sizeof(name))
        return AUTH_FAILED;
    auth = jute_text_as_java_holds_it(arena, auth);
    memcpy(name, rules->digest_algorithm.data, rules->digest_algorithm.size);
    name[rules->digest_algorithm.size] = '\0';
    EVP_MD *algorithm = EVP_MD_fetch(NULL, name, NULL);
    if (algorithm == NULL)
        return AUTH_FAILED;
    int done = EVP_Digest(auth.data, auth.size, hash, &hash_bytes, algorithm, NULL);
    EVP_MD_free(algorithm);
    if (done != 1)
        return AUTH_FAILED;
    ASSERT(hash_bytes <= sizeof(hash));
    int base64_bytes = EVP_EncodeBlock(base64, hash, (int)hash_bytes);
    const uint8_t *colon = auth.size == 0 ? NULL : memchr(auth.data, ':', auth.size);
    buffer_append(&id,
                  slice_of(auth.data, colon == NULL ? auth.size : (size_t)(colon - auth.data)));
    buffer_append(&id, SLICE(":"));
    buffer_append(&id, slice_of(base64, (size_t)base64_bytes));
    enum auth_answer answer = AUTH_OK;
    if (rules->super_digest.data != NULL && slice_equal(buffer_slice(&id), rules->super_digest))
        answer = add_identity(identities, SUPER, SLICE(""));
    if (answer == AUTH_OK)
        answer = add_identity(identities, DIGEST, buffer_slice(&id));
    buffer_deinit(&id);
    return answer;
}

static struct slice address_of(const struct identities *identities)
{
    ASSERT(identities->count > 0);
    return identities->items[0].id; /* the first identity is always the address */
}

static bool is_listed(struct slice list, struct slice name)
{
    for (size_t start = 0; start <= list.size;) {
        const uint8_t *comma =
            start == list.size ? NULL : memchr(list.data + start, ',', list.size - start);
        size_t end = comma == NULL ? list.size : (size_t)(comma - list.data);
        if (slice_equal(slice_of(list.data + start, end - start), name))
            return true;
        start = end + 1;
    }
    return false;
}

enum auth_answer acl_authenticate(const struct acl_rules *rules, struct slice scheme,
                                  struct slice auth, struct arena *arena,
                                  struct identities **identities)
{
    if (slice_equal(scheme, DIGEST) && rules->digest_enabled)
        return authenticate_digest(rules, auth, arena, identities);
    if (slice_equal(scheme, IP))
        return add_identity(identities, IP, address_of(*identities));
    if (slice_equal(scheme, SLICE("ensemble")) && rules->ensemble_enabled) {
        if (auth.size == 0 || rules->ensemble_names.size == 0 ||
            is_listed(rules->ensemble_names, auth))
            return AUTH_OK;
        return AUTH_CLOSE_SILENTLY;
    }
    return AUTH_FAILED;
}

/* --- checking --- */

static bool matches(const struct acl_rules *rules, const struct jute_acl *entry,
                    const struct identity *identity)
{
    if (!slice_equal(entry->scheme, identity->scheme))
        return false;
    if (slice_equal(entry->scheme, DIGEST))
        return rules->digest_enabled && slice_equal(entry->id, identity->id);
    if (slice_equal(entry->scheme, IP))
        return ip_range_contains(entry->id, identity->id);
    return false;
}

bool acl_allows(const struct acl_rules *rules, struct jute_vector acl, int32_t permissions,
                const struct identities *identities)
{
    struct jute_acl entry;

    if (rules->skip_acl || acl.count <= 0 || identities_have_scheme(identities, SUPER))
        return true;
    while (jute_next_acl(&acl, &entry)) {
        if ((entry.perms & permissions) == 0)
            continue;
        if (slice_equal(entry.scheme, WORLD) && slice_equal(entry.id, ANYONE))
            return true;
        for (uint32_t i = 0; i < identities->count; i++) {
            if (matches(rules, &entry, &identities->items[i]))
                return true;
        }
    }
    return false;
}

/* --- fixing up --- */

/* Each `auth` entry expands to all identities of the client; the result must fit a log record. */
enum { ACL_BYTES_MAX = 512 * 1024 };

/* Java splits at ':' and drops empty parts at the end: exactly two parts must be left. */
static bool is_digest_id(struct slice id)
{
    size_t parts = 1;

    while (id.size > 0 && id.data[id.size - 1] == ':')
        id.size--;
    for (size_t i = 0; i < id.size; i++)
        parts += id.data[i] == ':';
    return parts == 2;
}

/* An entry's bytes: equal entries have equal bytes. */
struct indexed_entry {
    struct slice bytes;
    int32_t index;
};

static int by_bytes_then_index(const void *left, const void *right)
{
    const struct indexed_entry *a = left, *b = right;
    size_t shorter = a->bytes.size < b->bytes.size ? a->bytes.size : b->bytes.size;
    int order = memcmp(a->bytes.data, b->bytes.data, shorter);

    if (order == 0)
        order = (a->bytes.size > b->bytes.size) - (a->bytes.size < b->bytes.size);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

/* For each entry: was the same one in the list before? The entries are sorted, for one request may have
 * 40,000 of them, and comparing each with each would block the server for ten seconds. */
static bool *find_repeated(struct jute_vector acl, struct arena *arena)
{
    struct indexed_entry *entries = arena_alloc(arena, (size_t)acl.count * sizeof(*entries));
    bool *repeated = arena_alloc(arena, (size_t)acl.count * sizeof(*repeated));
    struct jute_vector rest = acl;
    struct jute_acl entry;
    int32_t count = 0;

    for (const uint8_t *start = rest.bytes.data; jute_next_acl(&rest, &entry);
         start = rest.bytes.data, count++) {
        size_t size = (size_t)(rest.bytes.data - start);
        ASSERT(count < acl.count);
        entries[count] = (struct indexed_entry){slice_of(start, size), count};
        repeated[count] = false;
    }
    qsort(entries, (size_t)count, sizeof(*entries), by_bytes_then_index);
    for (int32_t i = 1; i < count; i++)
        repeated[entries[i].index] = slice_equal(entries[i].bytes, entries[i - 1].bytes);
    return repeated;
}

static int32_t put_own_identities(const struct acl_rules *rules, struct buffer *out, int32_t perms,
                                  const struct identities *identities)
{
    int32_t added = 0;

    for (uint32_t i = 0; i < identities->count; i++) {
        const struct identity *identity = &identities->items[i];
        if (!slice_equal(identity->scheme, DIGEST) || !rules->digest_enabled)
            continue;
        jute_put_acl(out, &(struct jute_acl){identity->scheme, identity->id, perms});
        added++;
    }
    return added;
}

static enum zk_error fix_entry(const struct acl_rules *rules, const struct jute_acl *entry,
                               const struct identities *identities, struct buffer *out,
                               int32_t *count)
{
    if (entry->scheme.data == NULL)
        return ZK_INVALID_ACL;
    if (slice_equal(entry->scheme, SLICE("auth"))) {
        int32_t added = put_own_identities(rules, out, entry->perms, identities);
        *count += added;
        return added == 0 ? ZK_INVALID_ACL : ZK_OK;
    }
    bool world = slice_equal(entry->scheme, WORLD);
    bool digest = slice_equal(entry->scheme, DIGEST) && rules->digest_enabled;
    bool ip = slice_equal(entry->scheme, IP);
    if (!world && !digest && !ip)
        return ZK_INVALID_ACL;
    if (entry->id.data == NULL)
        return ZK_MARSHALLING_ERROR;
    if ((world && !slice_equal(entry->id, ANYONE)) || (digest && !is_digest_id(entry->id)) ||
        (ip && !ip_range_valid(entry->id)))
        return ZK_INVALID_ACL;
    jute_put_acl(out, entry);
    (*count)++;
    return ZK_OK;
}

enum zk_error acl_fix_up(const struct acl_rules *rules, struct jute_vector acl,
                         const struct identities *identities, struct arena *arena,
                         struct jute_vector *ret_acl)
{
    static const uint8_t open_bytes[] = "\0\0\0\x1f\0\0\0\5world\0\0\0\6anyone";
    struct slice open = slice_of(open_bytes, sizeof(open_bytes) - 1);

    if (acl.count <= 0)
        return ZK_INVALID_ACL;
    if (acl.count == 1 && slice_equal(acl.bytes, open)) { /* by far the most frequent list */
        *ret_acl = acl;
        return ZK_OK;
    }
    struct buffer out = {0};
    struct jute_vector rest = acl;
    struct jute_acl entry;
    int32_t count = 0;
    enum zk_error err = ZK_OK;
    const bool *repeated = find_repeated(acl, arena);
    for (int32_t i = 0; err == ZK_OK && jute_next_acl(&rest, &entry); i++) {
        if (!repeated[i])
            err = fix_entry(rules, &entry, identities, &out, &count);
        if (err == ZK_OK && out.size > ACL_BYTES_MAX)
            err = ZK_INVALID_ACL;
    }
    ASSERT(err != ZK_OK || count > 0); /* an empty list would allow everything */
    if (err == ZK_OK)
        *ret_acl = (struct jute_vector){arena_copy(arena, buffer_slice(&out)), count};
    buffer_deinit(&out);
    return err;
}

void acl_write_masked(struct buffer *buffer, struct jute_vector acl)
{
    struct jute_acl entry;

    buffer_i32(buffer, acl.count);
    while (jute_next_acl(&acl, &entry)) {
        const uint8_t *colon = NULL;
        if (slice_equal(entry.scheme, DIGEST) && entry.id.size > 0)
            colon = memchr(entry.id.data, ':', entry.id.size);
        if (colon == NULL) {
            jute_put_acl(buffer, &entry);
            continue;
        }
        size_t user_bytes = (size_t)(colon - entry.id.data);
        buffer_i32(buffer, entry.perms);
        jute_put_bytes(buffer, entry.scheme);
        buffer_i32(buffer, (int32_t)user_bytes + 2);
        buffer_append(buffer, slice_of(entry.id.data, user_bytes));
        buffer_append(buffer, SLICE(":x"));
    }
}
