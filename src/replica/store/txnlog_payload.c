/* txnlog_payload.c: a proposal, checked before it is logged. Otherwise a record that a start cannot
 * read could be acknowledged, and would then prevent this server from starting. */
#include "replica/store/txnlog_payload.h"

#include "replica/store/txnlog_format.h"
#include "replica/txn/txn.h"

static enum status bad(enum status status, const char *problem, const char **ret_problem)
{
    *ret_problem = problem;
    return status;
}

static enum status check_order(const struct txn *txn, int64_t zxid, int64_t last_zxid,
                               const char **ret_problem)
{
    if (txn->header.zxid != zxid)
        return bad(STATUS_MALFORMED, "a proposal whose transaction has another zxid", ret_problem);
    if (zxid > last_zxid)
        return STATUS_OK;
    if (zxid == last_zxid && txn->header.type == OP_ERROR)
        return STATUS_EXISTS;
    return bad(STATUS_INVALID, "a proposal whose zxid is not above the one before", ret_problem);
}

/* After the body there is nothing or a digest. A create of before 3.4 ends earlier: what the log puts
 * after it would be read as the rest. */
static bool ends_right(const struct txn *txn, size_t rest)
{
    bool creates = txn->header.type == OP_CREATE || txn->header.type == OP_CREATE2;

    if (creates && txn->op.parent_cversion == -1 && rest == 0)
        return false;
    return rest == 0 || rest >= DIGEST_BYTES;
}

enum status txnlog_payload_check(struct slice payload, int64_t zxid, int64_t last_zxid,
                                 size_t text_bytes_max, struct arena *arena,
                                 struct txnlog_append *ret_append, const char **ret_problem)
{
    struct txn txn;

    if (payload.size > txnlog_payload_bytes_max(text_bytes_max))
        return bad(STATUS_TOO_LARGE, "a proposal larger than jute.maxbuffer allows", ret_problem);
    enum status status = txn_read(payload, arena, &txn);
    if (status == STATUS_UNSUPPORTED)
        return bad(status, "a proposal of an unknown type", ret_problem);
    if (status != STATUS_OK)
        return bad(STATUS_MALFORMED, "a proposal that is no transaction", ret_problem);
    size_t rest = payload.size - txn.body_end;
    if (!ends_right(&txn, rest))
        return bad(STATUS_MALFORMED, "a proposal whose transaction is cut off", ret_problem);
    status = check_order(&txn, zxid, last_zxid, ret_problem);
    if (status == STATUS_OK)
        *ret_append =
            (struct txnlog_append){.payload = payload, .zxid = zxid, .lacks_digest = rest == 0};
    return status;
}
