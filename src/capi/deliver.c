/* deliver.c: items to callbacks. What a callback is given lives until it returns. */
#include "capi/deliver.h"

#include "capi/reply.h"

#include <stdlib.h>

static void give_stat(const struct call *call, int rc)
{
    struct reader reader;
    struct Stat stat;

    if (rc == ZOK) {
        reply_reader(&reader, call);
        rc = reply_stat(&reader, &stat);
    }
    ((stat_completion_t)call->function)(rc, rc == ZOK ? &stat : NULL, call->data);
}

static void give_data(const struct call *call, int rc)
{
    struct reader reader;
    struct slice value = SLICE_NULL;
    struct Stat stat;

    if (rc == ZOK) {
        reply_reader(&reader, call);
        value = reader_buffer(&reader);
        rc = reply_stat(&reader, &stat);
    }
    int size = rc != ZOK ? 0 : value.data == NULL ? -1 : (int)value.size;
    ((data_completion_t)call->function)(rc, rc == ZOK ? (const char *)value.data : NULL, size,
                                        rc == ZOK ? &stat : NULL, call->data);
}

static void give_strings(const struct call *call, int rc)
{
    struct reader reader;
    struct String_vector names = {0};
    struct Stat stat;
    bool with_stat = call->kind == CALL_STRINGS_STAT;

    if (rc == ZOK) {
        reply_reader(&reader, call);
        rc = reply_names_in_place(&reader, call, &names, with_stat ? &stat : NULL);
    }
    const struct String_vector *given = rc == ZOK ? &names : NULL;
    if (with_stat)
        ((strings_stat_completion_t)call->function)(rc, given, rc == ZOK ? &stat : NULL,
                                                    call->data);
    else
        ((strings_completion_t)call->function)(rc, given, call->data);
    if (names.data != call->names.data)
        free(names.data);
}

/* The path that a create has made. It is followed by a stat or by the reply's last byte, so it can be
 * ended in place. */
static void give_string(const zhandle_t *zh, const struct call *call, int rc)
{
    struct reader reader;
    struct slice path = SLICE_NULL;
    struct Stat stat = {0};
    bool has_stat = false;

    if (rc == ZOK) {
        reply_reader(&reader, call);
        rc = reply_path(zh, &reader, &path);
        has_stat = rc == ZOK && reader_left(&reader) > 0;
        if (has_stat)
            rc = reply_stat(&reader, &stat);
    }
    if (rc == ZOK && path.size > 0 && path.data > call->request.reply &&
        path.data < call->request.reply + call->request.reply_size)
        ((uint8_t *)(uintptr_t)path.data)[path.size] = '\0';
    const char *text = rc == ZOK ? (const char *)path.data : NULL;
    if (call->kind == CALL_STRING_STAT)
        ((string_stat_completion_t)call->function)(rc, text, has_stat ? &stat : NULL, call->data);
    else
        ((string_completion_t)call->function)(rc, text, call->data);
}

static void give_acl(const struct call *call, int rc)
{
    struct reader reader;
    struct ACL_vector acl = {0};
    struct Stat stat = {0};

    if (rc == ZOK) {
        reply_reader(&reader, call);
        rc = reply_acl(&reader, &acl);
        if (rc == ZOK)
            rc = reply_stat(&reader, &stat);
    }
    ((acl_completion_t)call->function)(rc, rc == ZOK ? &acl : NULL, rc == ZOK ? &stat : NULL,
                                       call->data);
    deallocate_ACL_vector(&acl);
}

static void deliver_call(const zhandle_t *zh, struct call *call)
{
    int rc = call->request.err;

    if (call->kind == CALL_MULTI)
        rc = reply_multi(zh, call);
    if (call->function != NULL) {
        switch (call->kind) {
        case CALL_VOID:
        case CALL_MULTI:
            ((void_completion_t)call->function)(rc, call->data);
            break;
        case CALL_STAT:
            give_stat(call, rc);
            break;
        case CALL_DATA:
            give_data(call, rc);
            break;
        case CALL_STRINGS:
        case CALL_STRINGS_STAT:
            give_strings(call, rc);
            break;
        case CALL_STRING:
        case CALL_STRING_STAT:
            give_string(zh, call, rc);
            break;
        case CALL_ACL:
            give_acl(call, rc);
            break;
        case CALL_NOTHING:
        default:
            break;
        }
    }
    free(call->names.data); /* the names themselves are in the reply */
    client_request_deinit(&call->request);
    mem_free(call);
}

/* The watchers of an event whose list found no memory, one after the other. */
static void deliver_unlisted(zhandle_t *zh, const struct client_event *event,
                             const struct client_watcher *global)
{
    struct client_watcher watcher = {NULL, NULL};

    for (;;) {
        handle_lock(zh);
        bool found = client_event_watcher_after(&zh->client, event, &watcher);
        handle_unlock(zh);
        if (!found || watcher.function == NULL)
            return;
        if (watcher.function != global->function || watcher.context != global->context)
            ((watcher_fn)watcher.function)(zh, event->type, event->state, event->path,
                                           watcher.context);
    }
}

static void deliver_event(zhandle_t *zh, struct client_event *event)
{
    if (event->type == CLIENT_EVENT_SESSION) {
        handle_lock(zh);
        struct client_watcher global = {(void (*)(void))zh->watcher, zh->context};
        handle_unlock(zh);
        if (global.function != NULL)
            ((watcher_fn)global.function)(zh, event->type, event->state, event->path,
                                          global.context);
        for (size_t i = 0; i < event->watcher_count; i++) /* it is called once */
            if (event->watchers[i].function == global.function &&
                event->watchers[i].context == global.context)
                event->watchers[i].function = NULL;
        if (event->unlisted != 0)
            deliver_unlisted(zh, event, &global);
    }
    for (size_t i = 0; i < event->watcher_count; i++)
        if (event->watchers[i].function != NULL)
            ((watcher_fn)event->watchers[i].function)(zh, event->type, event->state, event->path,
                                                      event->watchers[i].context);
    mem_free(event);
}

void deliver(zhandle_t *zh, struct client_item *item)
{
    list_remove(&item->link);
    if (item->kind == CLIENT_ITEM_EVENT) {
        deliver_event(zh, CONTAINER_OF(item, struct client_event, item));
    } else if (item->kind == CLIENT_ITEM_AUTH) {
        struct client_auth *auth = CONTAINER_OF(item, struct client_auth, item);
        if (auth->function != NULL)
            ((void_completion_t)auth->function)(auth->err, auth->context);
    } else {
        struct client_item *whole = item;
        struct client_request *request = CONTAINER_OF(whole, struct client_request, item);
        deliver_call(zh, CONTAINER_OF(request, struct call, request));
    }
}
