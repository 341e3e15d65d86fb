/* requests.h: bodies of client requests, written and made up. All append to `body`. */
#ifndef TEST_LIB_REQUESTS_H
#define TEST_LIB_REQUESTS_H

#include "wire/records.h"
#include "wire/zk.h"

extern const struct jute_vector OPEN_ACL; /* world:anyone:31 */
/* A list of one entry, valid for the next 255 calls. */
struct jute_vector one_acl(struct slice scheme, struct slice id, int32_t perms);

void put_create(struct buffer *body, const char *path, struct slice data, int32_t flags);
void put_create_acl(struct buffer *body, const char *path, struct jute_vector acl, int32_t flags);
void put_create_ttl(struct buffer *body, const char *path, int32_t flags, int64_t ttl_ms);
void put_path_version(struct buffer *body, const char *path, int32_t version); /* delete, check */
void put_set_data(struct buffer *body, const char *path, struct slice data, int32_t version);
void put_set_acl(struct buffer *body, const char *path, struct jute_vector acl, int32_t version);
void put_path_watch(struct buffer *body, const char *path, bool watch);
void put_path_type(struct buffer *body, const char *path, int32_t type);
void put_text(struct buffer *body, const char *text); /* NULL: null */
void put_texts(struct buffer *body, int32_t count, const char *const *texts);
void put_multi_op(struct buffer *body, int32_t type); /* then the operation's own body */
void put_multi_end(struct buffer *body);

/* A write of any kind over a small world of paths, sometimes wrong. Returns the opcode. */
int32_t random_write(uint64_t *seed, struct buffer *body);
/* A read or a watch request over the same world. */
int32_t random_read(uint64_t *seed, struct buffer *body);

#endif
