/* speaker_answers.c: what a model client may be told: each answer is compared with the committed tree of its
 * zxid, and events come in front of what shows the change. */
#include "sim/chain.h"
#include "sim/speaker_parts.h"

#include <inttypes.h>
#include <stdio.h>

static void check_watches(struct speaker *speaker, int64_t zxid)
{
    if (speaker->strayed)
        return;
    for (size_t i = 0; i < speaker->armed_count; i++) {
        const struct armed *armed = &speaker->armed[i];
        int64_t change = model_next_change(chain_model(speaker->world->chain),
                                           slice_text(armed->path), armed->zxid);
        if (change <= zxid)
            world_fail(speaker->world, NULL,
                       "client %d sees %" PRIx64
                       " before the event of %s, which changed at %" PRIx64,
                       speaker->index, (uint64_t)zxid, armed->path, (uint64_t)change);
    }
}

/* The events of what changed meanwhile are in front of this answer. A node that came and went again is
 * missed. */
static void on_armed_anew(struct speaker *speaker, int64_t zxid)
{
    struct world *world = speaker->world;

    for (size_t i = 0; i < speaker->armed_count && !speaker->strayed; i++) {
        struct armed *armed = &speaker->armed[i];
        struct slice path = slice_text(armed->path);
        bool missed = armed->absent
                          ? model_look(chain_model(world->chain), path, zxid).exists
                          : model_next_change(chain_model(world->chain), path, armed->zxid) <= zxid;
        if (missed)
            world_fail(world, NULL,
                       "client %d armed its watches anew at %" PRIx64
                       " and did not hear of the change of %s",
                       speaker->index, (uint64_t)zxid, armed->path);
        if (armed->absent)
            armed->zxid = zxid;
    }
}

void speaker_event(struct speaker *speaker, struct slice path)
{
    if (speaker->strayed)
        return;
    for (size_t i = 0; i < speaker->armed_count; i++) {
        struct armed *armed = &speaker->armed[i];
        if (!slice_equal(slice_text(armed->path), path))
            continue;
        bool none =
            model_next_change(chain_model(speaker->world->chain), path, armed->zxid) == INT64_MAX;
        if (none &&
            speaker->read_only) /* it is in what this server's log has, and nobody else agreed to */
            speaker->strayed = true;
        else if (none)
            world_fail(speaker->world, NULL, "client %d hears of a change of %s that was none",
                       speaker->index, armed->path);
        *armed = speaker->armed[--speaker->armed_count];
        return;
    }
    world_fail(speaker->world, NULL, "client %d gets an event that it did not ask for",
               speaker->index);
}

static void check_read(struct speaker *speaker, const struct asked *asked,
                       const struct reply_header *reply, struct reader *reader)
{
    struct world *world = speaker->world;
    struct model_node want =
        model_look(chain_model(world->chain), slice_text(asked->path), reply->zxid);
    struct slice data = SLICE_NULL;

    if (reply->zxid > chain_committed_zxid(world->chain))
        world_fail(world, NULL, "client %d reads %" PRIx64 ", which is not committed",
                   speaker->index, (uint64_t)reply->zxid);
    if (reply->zxid < speaker->synced_zxid)
        world_fail(world, NULL, "client %d reads at %" PRIx64 " behind a sync of %" PRIx64,
                   speaker->index, (uint64_t)reply->zxid, (uint64_t)speaker->synced_zxid);
    if (want.exists != (reply->err == ZK_OK) || (!want.exists && reply->err != ZK_NO_NODE)) {
        world_fail(world, NULL, "client %d reads %s at %" PRIx64 ": error %d, and it %s",
                   speaker->index, asked->path, (uint64_t)reply->zxid, reply->err,
                   want.exists ? "exists" : "does not exist");
        return;
    }
    if (want.exists && asked->op == OP_GET_DATA)
        data = reader_buffer(reader);
    if (want.exists) {
        (void)reader_i64(reader);
        int64_t mzxid = reader_i64(reader);
        (void)reader_i64(reader), (void)reader_i64(reader);
        int32_t version = reader_i32(reader);
        if (mzxid != want.mzxid || version != want.version ||
            (asked->op == OP_GET_DATA && !slice_equal(data, want.data)))
            world_fail(world, NULL,
                       "client %d reads %s at %" PRIx64 " as of %" PRIx64
                       ", version %d; it is of %" PRIx64 ", version %d",
                       speaker->index, asked->path, (uint64_t)reply->zxid, (uint64_t)mzxid, version,
                       (uint64_t)want.mzxid, want.version);
    }
    world->verdict.reads++;
    if (asked->watch && !speaker->strayed && (want.exists || asked->op == OP_EXISTS)) {
        struct armed *armed = NULL;
        for (size_t i = 0; i < speaker->armed_count; i++) {
            if (strcmp(speaker->armed[i].path, asked->path) == 0)
                armed = &speaker->armed[i];
        }
        if (armed == NULL) {
            ASSERT(speaker->armed_count < WATCHES_MAX);
            armed = &speaker->armed[speaker->armed_count++];
        }
        snprintf(armed->path, sizeof(armed->path), "%s", asked->path);
        armed->zxid = reply->zxid;
        armed->absent = !want.exists;
    }
}

static void check_children(struct speaker *speaker, const struct asked *asked,
                           const struct reply_header *reply, struct reader *reader)
{
    struct world *world = speaker->world;
    struct slice path = slice_text(asked->path), name;
    bool exists = model_look(chain_model(world->chain), path, reply->zxid).exists;
    int32_t want = exists ? model_child_count(chain_model(world->chain), path, reply->zxid) : 0;
    int32_t got = reply->err == ZK_OK ? reader_i32(reader) : 0;
    bool right = exists == (reply->err == ZK_OK) && got == want;

    for (int32_t i = 0; i < got && right; i++) {
        name = reader_text(reader);
        right = model_has_child(chain_model(world->chain), path, name, reply->zxid);
    }
    if (!right)
        world_fail(world, NULL,
                   "client %d reads %d children of %s at %" PRIx64 ", error %d, and it has %d",
                   speaker->index, got, asked->path, (uint64_t)reply->zxid, reply->err, want);
    world->verdict.reads++;
}

static void check_acl(struct speaker *speaker, const struct asked *asked,
                      const struct reply_header *reply, struct reader *reader)
{
    struct model_node want =
        model_look(chain_model(speaker->world->chain), slice_text(asked->path), reply->zxid);
    bool right = want.exists == (reply->err == ZK_OK);

    if (right && want.exists)
        right = reader_i32(reader) == want.acl.count && reader_left(reader) > want.acl.bytes.size &&
                slice_equal(slice_of(reader->pos, want.acl.bytes.size), want.acl.bytes);
    if (!right)
        world_fail(speaker->world, NULL,
                   "client %d reads another ACL of %s at %" PRIx64 " than the committed one",
                   speaker->index, asked->path, (uint64_t)reply->zxid);
    speaker->world->verdict.reads++;
}

static void check_write(struct speaker *speaker, const struct asked *asked,
                        const struct reply_header *reply)
{
    struct world *world = speaker->world;

    if (asked->op == OP_CLOSE_SESSION && world->options.local_sessions &&
        !chain_knows_session(world->chain, speaker->session_id))
        return;
    chain_write_answered(world->chain, speaker->session_id, asked->xid, reply->zxid, reply->err);
    if (reply->zxid <= asked->returned_before)
        world_fail(world, NULL,
                   "client %d's write has %" PRIx64 ", and %" PRIx64
                   " was answered before it was asked",
                   speaker->index, (uint64_t)reply->zxid, (uint64_t)asked->returned_before);
    if (reply->zxid > world->highest_answered)
        world->highest_answered = reply->zxid;
    world->verdict.writes++;
    speaker->writes += reply->err == ZK_OK;
}

void speaker_sees(struct speaker *speaker, int64_t zxid)
{
    if (zxid < speaker->last_zxid)
        world_fail(speaker->world, NULL, "client %d goes back from %" PRIx64 " to %" PRIx64,
                   speaker->index, (uint64_t)speaker->last_zxid, (uint64_t)zxid);
    speaker->last_zxid = zxid;
    if (speaker->read_only && !chain_is_committed(speaker->world->chain, zxid))
        speaker->strayed = true;
}

/* A read-only server: it writes nothing, and says so. What it shows is its log, whose last part may never be
 * agreed upon; then there is nothing here to compare it with. True: all is said about this answer. */
static bool check_read_only(struct speaker *speaker, const struct asked *asked,
                            const struct reply_header *reply)
{
    bool reads = asked->op == OP_GET_DATA || asked->op == OP_EXISTS ||
                 asked->op == OP_GET_CHILDREN || asked->op == OP_GET_ACL;

    if (!speaker->read_only) {
        if (reply->err == ZK_NOT_READ_ONLY)
            world_fail(speaker->world, NULL, "client %d is told that its server is read-only",
                       speaker->index);
        return false;
    }
    if (asked->op == OP_CLOSE_SESSION)
        return true; /* its server forgets it, the session goes on until its timeout */
    if (!reads && reply->err != ZK_NOT_READ_ONLY)
        world_fail(speaker->world, NULL,
                   "client %d's request %d: a read-only server says %d to a write", speaker->index,
                   asked->xid, reply->err);
    speaker->world->verdict.read_only++;
    return !reads || !chain_is_committed(speaker->world->chain, reply->zxid);
}

static void check_reply(struct speaker *speaker, const struct asked *asked,
                        const struct reply_header *reply, struct reader *reader)
{
    if (check_read_only(speaker, asked, reply))
        return;
    switch (asked->op) {
    case OP_SYNC:
        if (asked->returned_before > speaker->synced_zxid)
            speaker->synced_zxid = asked->returned_before;
        break;
    case OP_GET_DATA:
    case OP_EXISTS:
        check_read(speaker, asked, reply, reader);
        break;
    case OP_GET_CHILDREN:
        check_children(speaker, asked, reply, reader);
        break;
    case OP_GET_ACL:
        check_acl(speaker, asked, reply, reader);
        break;
    default:
        check_write(speaker, asked, reply);
    }
}

int32_t speaker_reply(struct speaker *speaker, const struct reply_header *reply,
                      struct reader *reader)
{
    struct world *world = speaker->world;

    if (reply->xid == XID_PING)
        return 0;
    if (reply->xid == XID_SET_WATCHES) {
        speaker_sees(speaker, reply->zxid);
        on_armed_anew(speaker, reply->zxid);
        return 0;
    }
    if (speaker->asked_count == 0 || speaker->asked[0].xid != reply->xid) {
        world_fail(world, NULL, "client %d gets an answer to %d out of order", speaker->index,
                   reply->xid);
        return 0;
    }
    struct asked asked = speaker->asked[0];
    speaker->asked_count--;
    memmove(speaker->asked, speaker->asked + 1, speaker->asked_count * sizeof(asked));
    speaker_sees(speaker, reply->zxid);
    check_watches(speaker, reply->zxid);
    check_reply(speaker, &asked, reply, reader);
    return asked.op;
}

/* --- sessions --- */

void speaker_forget_session(struct speaker *speaker)
{
    speaker->session_id = 0;
    speaker->last_zxid = speaker->synced_zxid = 0;
    speaker->strayed = speaker->read_only = false;
}

void speaker_session_over(struct speaker *speaker)
{
    struct world *world = speaker->world;

    world_note(world, NULL, "client %d: session %" PRIx64 " is over", speaker->index,
               (uint64_t)speaker->session_id);
    if (world->settled && !world->options.local_sessions && !speaker->asked_to_close &&
        !chain_session_ended_before(world->chain, speaker->session_id, world->settled_us))
        world_fail(world, NULL,
                   "client %d's session is over although all is healed and it was connected",
                   speaker->index);
    speaker_forget_session(speaker);
}

void speaker_has_session(struct speaker *speaker, int64_t session_id, int32_t timeout_ms)
{
    if (speaker->session_id == 0)
        speaker->asked_to_close = false;
    speaker->session_id = session_id;
    speaker->timeout_ms = timeout_ms;
}
