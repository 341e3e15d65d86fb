/* forwarded.c: a queue for each session that waits for transactions, and one for all syncs. */
#include "replica/proposals/forwarded.h"

#include "base/array.h"
#include "wire/quorum.h"

enum { SYNCS_FIRST = 16, QUESTIONS_FIRST = 16 };

struct forwarded_item {
    struct forwarded_item *next;
    struct proposal proposal;
    int64_t received_zxid; /* its transaction is above this */
    size_t bytes;
    uint8_t *with_stat; /* NULL: none */
};

struct forwarded_queue {
    struct forwarded_item *first, *last;
};

static void free_item(struct forwarded *forwarded, struct forwarded_item *item)
{
    forwarded->count--;
    forwarded->bytes -= item->bytes;
    mem_free(item->with_stat);
    item->with_stat = NULL;
    item->next = forwarded->spare;
    forwarded->spare = item;
}

void forwarded_clear(struct forwarded *forwarded)
{
    size_t cursor = 0;
    struct forwarded_queue *queue;

    while ((queue = map_next(&forwarded->sessions, &cursor, NULL)) != NULL) {
        while (queue->first != NULL) {
            struct forwarded_item *item = queue->first;
            queue->first = item->next;
            free_item(forwarded, item);
        }
        mem_free(queue);
    }
    map_deinit(&forwarded->sessions);
    map_init(&forwarded->sessions);
    forwarded->sync_first = forwarded->sync_count = 0;
    forwarded->question_first = forwarded->question_end = forwarded->open_questions = 0;
    forwarded->to_leader.size = 0;
    ASSERT(forwarded->count == 0 && forwarded->bytes == 0);
}

void forwarded_deinit(struct forwarded *forwarded)
{
    forwarded_clear(forwarded);
    while (forwarded->spare != NULL) {
        struct forwarded_item *item = forwarded->spare;
        forwarded->spare = item->next;
        mem_free(item);
    }
    map_deinit(&forwarded->sessions);
    mem_free(forwarded->syncs);
    mem_free(forwarded->questions);
    buffer_deinit(&forwarded->to_leader);
    *forwarded = (struct forwarded){0};
}

/* --- packets --- */

/* A multi's create2 is sent as a create: a leader of release 3.8.0 makes a transaction of it that
 * others of its release skip. The learner answers with the stat all the same. The record of both is
 * the same, so only the number in its header changes. */
static uint8_t *without_create2(struct slice body, const struct write_request *multi)
{
    uint8_t *copy = mem_alloc(body.size);

    memcpy(copy, body.data, body.size);
    for (int32_t i = 0; i < multi->op_count; i++) {
        uint8_t *type = copy + multi->ops[i].offset;
        if (load_be32(type) == OP_CREATE2)
            store_be32(type, OP_CREATE);
    }
    return copy;
}

static void put_packet(struct forwarded *forwarded, const struct proposal *request,
                       const struct identities *identities, struct slice body,
                       const struct write_request *multi)
{
    struct forwarded_request packet = {
        .header = {.session_id = request->session_id, .cxid = request->xid, .type = request->op},
        .body = body};
    struct buffer ids = {0};
    struct jute_vector auth = {.count = -1};
    uint8_t *copy = NULL;

    if (identities != NULL) {
        for (uint32_t i = 0; i < identities->count; i++)
            jute_put_id(&ids, &(struct jute_id){.scheme = identities->items[i].scheme,
                                                .id = identities->items[i].id});
        auth =
            (struct jute_vector){.bytes = buffer_slice(&ids), .count = (int32_t)identities->count};
    }
    if (multi != NULL) {
        copy = without_create2(body, multi);
        packet.body.data = copy;
    }
    quorum_request_put(&forwarded->to_leader, &packet, auth);
    buffer_deinit(&ids);
    mem_free(copy);
}

/* --- requests --- */

static struct forwarded_item *new_item(struct forwarded *forwarded)
{
    struct forwarded_item *item = forwarded->spare;

    if (item == NULL)
        return mem_zalloc(sizeof(*item));
    forwarded->spare = item->next;
    *item = (struct forwarded_item){0};
    return item;
}

static struct forwarded_queue *queue_of(struct forwarded *forwarded, int64_t session_id)
{
    struct forwarded_queue *queue = map_get(&forwarded->sessions, (uint64_t)session_id);

    if (queue == NULL) {
        queue = mem_zalloc(sizeof(*queue));
        map_set(&forwarded->sessions, (uint64_t)session_id, queue);
    }
    return queue;
}

static uint8_t *stats_wanted(const struct write_request *multi)
{
    uint8_t *with_stat = mem_alloc((size_t)multi->op_count + 1);

    for (int32_t i = 0; i < multi->op_count; i++)
        with_stat[i] = multi->ops[i].type == OP_CREATE2;
    return with_stat;
}

void forwarded_add(struct forwarded *forwarded, const struct proposal *request,
                   const struct identities *identities, struct slice body,
                   const struct write_request *multi, int64_t received_zxid)
{
    struct forwarded_queue *queue = queue_of(forwarded, request->session_id);
    struct forwarded_item *item = new_item(forwarded);

    item->proposal = *request;
    item->received_zxid = received_zxid;
    item->bytes = body.size;
    if (multi != NULL)
        item->proposal.with_stat = item->with_stat = stats_wanted(multi);
    if (queue->last == NULL)
        queue->first = item;
    else
        queue->last->next = item;
    queue->last = item;
    forwarded->count++;
    forwarded->bytes += item->bytes;
    put_packet(forwarded, request, identities, body, multi);
}

const struct proposal *forwarded_match(const struct forwarded *forwarded, int64_t session_id,
                                       int32_t cxid, int32_t op, int64_t zxid)
{
    const struct forwarded_queue *queue = map_get(&forwarded->sessions, (uint64_t)session_id);

    if (queue == NULL)
        return NULL;
    const struct forwarded_item *item = queue->first;
    bool creates = item->proposal.op == OP_CREATE_SESSION;
    if (item->proposal.xid != cxid || zxid <= item->received_zxid ||
        (op == OP_CREATE_SESSION) != creates)
        return NULL;
    return &item->proposal;
}

void forwarded_pop(struct forwarded *forwarded, int64_t session_id)
{
    struct forwarded_queue *queue = map_get(&forwarded->sessions, (uint64_t)session_id);
    struct forwarded_item *item;

    ASSERT(queue != NULL);
    item = queue->first;
    queue->first = item->next;
    if (queue->first == NULL) {
        map_remove(&forwarded->sessions, (uint64_t)session_id);
        mem_free(queue);
    }
    free_item(forwarded, item);
}

/* --- syncs --- */

void forwarded_add_sync(struct forwarded *forwarded, const struct proposal *request,
                        int64_t asked_zxid)
{
    if (forwarded->sync_first > 0 && forwarded->sync_first == forwarded->sync_capacity / 2) {
        memmove(forwarded->syncs, forwarded->syncs + forwarded->sync_first,
                forwarded->sync_count * sizeof(*forwarded->syncs));
        forwarded->sync_first = 0;
    }
    size_t end = forwarded->sync_first + forwarded->sync_count;
    forwarded->syncs =
        ARRAY_RESERVE(forwarded->syncs, forwarded->sync_capacity, end + 1, SYNCS_FIRST);
    forwarded->syncs[end] =
        (struct forwarded_sync){.proposal = *request, .asked_zxid = asked_zxid, .zxid = -1};
    forwarded->sync_count++;
}

void forwarded_ask_sync(struct forwarded *forwarded, const struct proposal *request,
                        const struct identities *identities, struct slice body)
{
    put_packet(forwarded, request, identities, body, /* multi= */ NULL);
}

size_t forwarded_unanswered_syncs(const struct forwarded *forwarded)
{
    size_t count = 0;

    while (count < forwarded->sync_count &&
           forwarded->syncs[forwarded->sync_first + forwarded->sync_count - 1 - count].zxid == -1)
        count++;
    return count;
}

bool forwarded_sync_answered(struct forwarded *forwarded, int64_t agreed_zxid)
{
    for (size_t i = 0; i < forwarded->sync_count; i++) {
        struct forwarded_sync *sync = &forwarded->syncs[forwarded->sync_first + i];
        if (sync->zxid != -1)
            continue;
        sync->zxid = agreed_zxid;
        return true;
    }
    return false;
}

bool forwarded_next_sync(struct forwarded *forwarded, int64_t applied_zxid,
                         struct proposal *ret_request)
{
    const struct forwarded_sync *sync = &forwarded->syncs[forwarded->sync_first];

    if (forwarded->sync_count == 0 || sync->zxid == -1 || sync->zxid > applied_zxid)
        return false;
    *ret_request = sync->proposal;
    forwarded->sync_first++;
    forwarded->sync_count--;
    if (forwarded->sync_count == 0)
        forwarded->sync_first = 0;
    return true;
}

/* --- questions about sessions --- */

static void squeeze_questions(struct forwarded *forwarded)
{
    size_t count = 0;

    for (size_t i = forwarded->question_first; i < forwarded->question_end; i++) {
        if (forwarded->questions[i].session_id != 0)
            forwarded->questions[count++] = forwarded->questions[i];
    }
    ASSERT(count == forwarded->open_questions);
    forwarded->question_first = 0;
    forwarded->question_end = count;
}

uint64_t forwarded_ask(struct forwarded *forwarded, const struct session_question *question)
{
    if (forwarded->question_end == forwarded->question_capacity &&
        forwarded->open_questions <= forwarded->question_capacity / 2)
        squeeze_questions(forwarded);
    forwarded->questions = ARRAY_RESERVE(forwarded->questions, forwarded->question_capacity,
                                         forwarded->question_end + 1, QUESTIONS_FIRST);
    forwarded->questions[forwarded->question_end] = *question;
    forwarded->questions[forwarded->question_end++].number = ++forwarded->last_question;
    forwarded->open_questions++;
    quorum_revalidate_put(&forwarded->to_leader,
                          &(struct session_touch){.session_id = question->session_id,
                                                  .timeout_ms = question->timeout_ms});
    return forwarded->last_question;
}

const struct session_question *forwarded_last_question(const struct forwarded *forwarded,
                                                       int64_t session_id)
{
    for (size_t i = forwarded->question_end; i > forwarded->question_first; i--) {
        if (forwarded->questions[i - 1].session_id == session_id)
            return &forwarded->questions[i - 1];
    }
    return NULL;
}

static void close_question(struct forwarded *forwarded, size_t at)
{
    forwarded->questions[at].session_id = 0;
    forwarded->open_questions--;
    while (forwarded->question_first < forwarded->question_end &&
           forwarded->questions[forwarded->question_first].session_id == 0)
        forwarded->question_first++;
}

bool forwarded_take_question(struct forwarded *forwarded, int64_t session_id, bool in_order,
                             struct session_question *ret_question)
{
    size_t at = forwarded->question_first;

    while (at < forwarded->question_end && forwarded->questions[at].session_id != session_id)
        at++;
    if (at == forwarded->question_end || session_id == 0)
        return false;
    *ret_question = forwarded->questions[at];
    while (in_order && forwarded->question_first < at)
        close_question(forwarded, forwarded->question_first);
    close_question(forwarded, at);
    return true;
}
