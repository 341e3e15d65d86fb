/* delete_tree.c: all paths are listed first; then they are deleted from the end of the list, where children
 * stand behind their parents, some batches at a time. A batch that fails does not hold up the others. */
#include "shell/delete_tree.h"

#include "shell/calls.h"
#include "shell/interrupt.h"
#include "shell/progress.h"

enum { BATCHES_ON_THEIR_WAY = 4 };

struct work {
    struct service *connection;
    char **paths;
    size_t count;
    size_t deleted, on_their_way;
    int32_t err; /* of the last batch that failed */
    bool lost;
    struct progress progress;
};

struct batch {
    struct work *work;
    size_t size;
};

static void on_deleted(void *context, int32_t err, struct slice answer)
{
    struct batch *batch = context;
    struct work *work = batch->work;

    work->on_their_way--;
    if (err == ZK_OK)
        err = call_read_delete_all(answer);
    if (err == ZK_OK)
        work->deleted += batch->size;
    else if (!work->lost)
        work->err = err;
    work->lost = work->lost || err == CALL_CONNECTION_LOSS || err == ZK_SESSION_EXPIRED;
    progress_add(&work->progress, (int64_t)batch->size);
    mem_free(batch);
}

static void send_batch(struct work *work, size_t end, size_t size)
{
    struct batch *batch = mem_zalloc(sizeof(*batch));
    struct buffer request;

    batch->work = work;
    batch->size = size;
    buffer_init(&request);
    call_put_delete_all(&request, work->connection, work->paths + end, size);
    work->on_their_way++;
    service_send(work->connection, OP_MULTI, buffer_slice(&request), on_deleted, batch);
    buffer_deinit(&request);
    if (work->on_their_way == BATCHES_ON_THEIR_WAY)
        service_settle(work->connection, BATCHES_ON_THEIR_WAY - 1);
}

static void delete_all(struct work *work, size_t batch)
{
    size_t left = work->count;

    progress_start(&work->progress, "deleteall", "znodes", (int64_t)work->count);
    while (left > 0 && !work->lost && !interrupt_seen()) {
        size_t size = left < batch ? left : batch;
        left -= size;
        send_batch(work, left, size);
    }
    service_settle(work->connection, 0);
    progress_end(&work->progress);
}

static int judge(const struct work *work, const char *path)
{
    if (answer_is_json()) {
        json_int(answer_json(), "total", (int64_t)work->count);
        json_int(answer_json(), "deleted", (int64_t)work->deleted);
    }
    if (work->lost) {
        if (work->deleted > 0)
            answer_note("%zu of %zu znodes are deleted", work->deleted, work->count);
        return answer_fail_call(work->err, path);
    }
    if (interrupt_seen() && work->deleted < work->count) {
        (void)answer_fail(EXIT_INTERRUPTED, "interrupted: %zu of %zu znodes are deleted",
                          work->deleted, work->count);
        return EXIT_INTERRUPTED;
    }
    if (work->err != ZK_OK)
        (void)answer_fail(EXIT_PARTLY, "Failed to delete some node(s) in the subtree!");
    return 0;
}

int delete_tree(struct shell *shell, const char *path, size_t batch)
{
    struct work work = {.connection = shell->connection};

    if (!shell_check_path(path))
        return EXIT_FAILED;
    answer_path(path);
    interrupt_begin();
    int32_t err = shell_subtree(shell, path, &work.paths, &work.count);
    int code = 0;
    if (err == ZK_OK) {
        delete_all(&work, batch);
        code = judge(&work, path);
    }
    interrupt_end();
    for (size_t i = 0; i < work.count; i++)
        mem_free(work.paths[i]);
    mem_free(work.paths);
    return err == ZK_OK ? code : answer_fail_call(err, path);
}
