/* reply.h: the bodies of replies as public records. Bytes are checked; memory may be missing. */
#ifndef CAPI_REPLY_H
#define CAPI_REPLY_H

#include "capi/handle.h"
#include "wire/jute.h"

void reply_reader(struct reader *reader, const struct call *call);
/* Each: ZOK, ZMARSHALLINGERROR, or where it copies ZSYSTEMERROR. */
int reply_stat(struct reader *reader, struct Stat *ret_stat);
/* For client_options.on_reply: makes the memory for the names of a call that sets a watch, so that a call
 * whose watch is set cannot fail for lack of it. */
bool reply_keep_names(struct client_request *request);
/* Names that stay in the reply, which is changed: a zero byte behind each. Read them last but a stat. The
 * array of pointers is the call's own, or else the caller's to free(). */
int reply_names_in_place(struct reader *reader, const struct call *call,
                         struct String_vector *ret_names, struct Stat *ret_stat);
/* Copies, for deallocate_String_vector(). */
int reply_names(struct reader *reader, struct String_vector *ret_names);
int reply_acl(struct reader *reader, struct ACL_vector *ret_acl);
/* "/a/b" without the chroot; borrowed. */
int reply_path(const zhandle_t *zh, struct reader *reader, struct slice *ret_path);
/* Cut to `size` bytes with the zero byte. */
void reply_copy_text(struct slice text, char *to, int size);
/* The results of a multi, into what the caller has given. */
int reply_multi(const zhandle_t *zh, const struct call *call);

#endif
