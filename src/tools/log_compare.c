/* log_compare.c: `paddock log compare A B`: both sides are read at once, in the order of zxids, and nothing is
 * kept but a run of transactions that only one side has. */
#include "tools/log_command.h"
#include "tools/log_walk.h"
#include "tools/tool_words.h"
#include "tools/txn_line.h"
#include "wire/ops.h"

#include <inttypes.h>
#include <stdio.h>

static const struct tool_syntax syntax = {
    "log compare",
    "usage: paddock log compare [OPTION]... A B    files, or directories\n"
    "  --path PATH      only what changed this znode\n"
    "  --prefix PATH    only what changed this znode or one below it\n"
    "  --session ID     only of this session\n"
    "  --zxid RANGE     only these: 0x10..0x20, 0x10.., ..0x20, 0x10\n"
    "What is compared is the transaction, not what a server writes behind it for itself.\n"
    "exit code: 0: the same; 1: they differ; 2: usage; 3: damaged, or a file cannot be read\n",
    TOOL_FILTERS,
    2,
    2,
};

struct side {
    const char *name;
    struct tool_files files;
    struct log_walk walk;
    struct log_record record;
    bool at_end;
    uint64_t only;
    /* a run of transactions that only this side has: */
    uint64_t run;
    int64_t run_first, run_last;
};

static enum status advance(struct side *side, const struct tool_filter *filter)
{
    enum status status;

    do {
        status = log_walk_next(&side->walk, &side->record);
    } while (status == STATUS_OK && !tool_filter_txn(filter, &side->record.txn) &&
             !tool_interrupted());
    side->at_end = status == STATUS_END;
    return side->at_end ? STATUS_OK : status;
}

static struct slice body_of(const struct log_record *record)
{
    return slice_of(record->payload.data, record->txn.body_end);
}

static bool same_header(const struct txn_header *a, const struct txn_header *b)
{
    return a->client_id == b->client_id && a->cxid == b->cxid && a->zxid == b->zxid &&
           a->time_ms == b->time_ms && a->type == b->type;
}

static bool failed(const struct txn *txn)
{
    for (int32_t i = 0; i < txn->op_count; i++) {
        if (txn->ops[i].type == OP_ERROR)
            return true;
    }
    return false;
}

/* A leader of Java's may write the parts of a multi that failed in another form than it sends them. */
static bool same(const struct log_record *a, const struct log_record *b)
{
    if (slice_equal(body_of(a), body_of(b)))
        return true;
    return same_header(&a->txn.header, &b->txn.header) && a->txn.op.type == OP_MULTI &&
           a->txn.op_count == b->txn.op_count && (failed(&a->txn) || failed(&b->txn));
}

static void end_run(struct side *side)
{
    if (side->run == 1)
        printf("only in %s: 0x%" PRIx64 "\n", side->name, (uint64_t)side->run_first);
    else if (side->run > 1)
        printf("only in %s: 0x%" PRIx64 " to 0x%" PRIx64 ", %" PRIu64 " transactions\n", side->name,
               (uint64_t)side->run_first, (uint64_t)side->run_last, side->run);
    side->run = 0;
}

static enum status take_one(struct side *side, struct side *other, const struct tool_filter *filter)
{
    int64_t zxid = side->record.txn.header.zxid;

    end_run(other);
    if (side->run++ == 0)
        side->run_first = zxid;
    side->run_last = zxid;
    side->only++;
    return advance(side, filter);
}

static void print_difference(const struct side *left, const struct side *right)
{
    struct buffer out;

    buffer_init(&out);
    buffer_printf(&out, "differs:\n  %s: ", left->name);
    txn_line_put(&out, &left->record, true);
    buffer_printf(&out, "  %s: ", right->name);
    txn_line_put(&out, &right->record, true);
    fwrite(out.data, 1, out.size, stdout);
    buffer_deinit(&out);
}

static int compare(struct side *left, struct side *right, const struct tool_filter *filter)
{
    uint64_t both = 0, different = 0;
    enum status status = advance(left, filter);

    if (status == STATUS_OK)
        status = advance(right, filter);
    while (status == STATUS_OK && !(left->at_end && right->at_end) && !tool_interrupted()) {
        int64_t a = left->at_end ? INT64_MAX : left->record.txn.header.zxid;
        int64_t b = right->at_end ? INT64_MAX : right->record.txn.header.zxid;
        if (right->at_end || (!left->at_end && a < b)) {
            status = take_one(left, right, filter);
        } else if (left->at_end || b < a) {
            status = take_one(right, left, filter);
        } else {
            end_run(left);
            end_run(right);
            both++;
            if (!same(&left->record, &right->record)) {
                different++;
                print_difference(left, right);
            }
            status = advance(left, filter);
            if (status == STATUS_OK)
                status = advance(right, filter);
        }
    }
    end_run(left);
    end_run(right);
    if (tool_interrupted())
        return TOOL_INTERRUPTED;
    printf("%" PRIu64 " transactions in both, %" PRIu64 " of them differ; %" PRIu64
           " only in %s, %" PRIu64 " only in %s\n",
           both, different, left->only, left->name, right->only, right->name);
    if (!tool_flush() || status != STATUS_OK || left->walk.damages + right->walk.damages > 0)
        return TOOL_FAILED;
    return different + left->only + right->only > 0 ? TOOL_FOUND : TOOL_DONE;
}

int log_compare_main(int argc, char **argv)
{
    struct tool_words words;
    int code;

    if (!tool_words_parse(&syntax, argc, argv, &words, &code))
        return code;
    struct side left = {.name = words.words[0]}, right = {.name = words.words[1]};
    bool found = tool_files_find(&left.files, STORE_FILE_LOG, &words.words[0], 1);
    found = tool_files_find(&right.files, STORE_FILE_LOG, &words.words[1], 1) && found;
    code = TOOL_FAILED;
    if (found) {
        tool_interrupt_watch();
        log_walk_begin(&left.walk, &left.files, "comparing");
        log_walk_begin(&right.walk, &right.files, "comparing");
        right.walk.progress.on = false; /* one line is enough */
        code = compare(&left, &right, &words.filter);
        log_walk_end(&right.walk);
        log_walk_end(&left.walk);
    }
    tool_files_deinit(&left.files);
    tool_files_deinit(&right.files);
    tool_words_deinit(&words);
    return code;
}
