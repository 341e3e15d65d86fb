/* history_reader.c: open histories by the connection of their learner. A history that ends, however it
 * does, is closed at once. */
#include "replica/store/history_reader.h"

#include "base/list.h"
#include "wire/quorum.h"

enum { PART_BYTES = 256 * 1024 };

struct open_history {
    struct list link;
    uint64_t connection;
    struct history *history;
};

struct history_reader {
    struct disk *data, *log;
    size_t text_bytes_max;
    struct list open;
};

struct history_reader *history_reader_new(struct disk *data, struct disk *log,
                                          size_t text_bytes_max)
{
    struct history_reader *reader = mem_zalloc(sizeof(*reader));

    reader->data = data;
    reader->log = log;
    reader->text_bytes_max = text_bytes_max;
    list_init(&reader->open);
    return reader;
}

static void close_one(struct open_history *open)
{
    list_remove(&open->link);
    history_close(open->history);
    mem_free(open);
}

void history_reader_free(struct history_reader *reader)
{
    if (reader == NULL)
        return;
    while (!list_empty(&reader->open))
        close_one(CONTAINER_OF(reader->open.next, struct open_history, link));
    mem_free(reader);
}

static struct open_history *find(const struct history_reader *reader, uint64_t connection)
{
    for (struct list *at = reader->open.next; at != &reader->open; at = at->next) {
        struct open_history *open = CONTAINER_OF(at, struct open_history, link);
        if (open->connection == connection)
            return open;
    }
    return NULL;
}

/* All of it is agreed: who sends it says so with each. */
static enum status read_part(struct history *history, struct buffer *out)
{
    struct history_record record;
    size_t before = out->size;

    while (out->size - before < PART_BYTES) {
        enum status status = history_next(history, &record);
        if (status != STATUS_OK)
            return status;
        quorum_packet_put(out, QUORUM_PROPOSAL, record.zxid, record.payload);
        quorum_packet_put(out, QUORUM_COMMIT, record.zxid, SLICE_NULL);
    }
    return STATUS_OK;
}

static enum status begin(struct history_reader *reader, const struct history_work *work,
                         struct open_history **ret_open)
{
    struct history *history;

    enum status status = history_open(reader->data, reader->log, work->after_zxid, work->last_zxid,
                                      reader->text_bytes_max, &history);
    if (status != STATUS_OK)
        return status;
    if (work->file_bytes_max != 0 && history_file_bytes(history) > work->file_bytes_max) {
        history_close(history);
        return STATUS_TOO_LARGE;
    }
    struct open_history *open = mem_zalloc(sizeof(*open));
    open->connection = work->connection;
    open->history = history;
    list_add_last(&reader->open, &open->link);
    *ret_open = open;
    return STATUS_OK;
}

enum status history_reader_work(struct history_reader *reader, const struct history_work *work,
                                struct buffer *out)
{
    struct open_history *open = find(reader, work->connection);
    enum status status = STATUS_END;

    if (work->kind == HISTORY_OPEN) {
        ASSERT(open == NULL);
        status = begin(reader, work, &open);
        if (status != STATUS_OK)
            return status;
    }
    if (open == NULL) { /* it ended by itself before it was closed */
        ASSERT(work->kind == HISTORY_CLOSE);
        return STATUS_END;
    }
    if (work->kind != HISTORY_CLOSE)
        status = read_part(open->history, out);
    if (status != STATUS_OK)
        close_one(open);
    return status;
}

int64_t history_reader_oldest_zxid(const struct history_reader *reader)
{
    int64_t oldest = INT64_MAX;

    for (struct list *at = reader->open.next; at != &reader->open; at = at->next) {
        int64_t zxid = history_file_zxid(CONTAINER_OF(at, struct open_history, link)->history);
        if (zxid < oldest)
            oldest = zxid;
    }
    return oldest;
}
