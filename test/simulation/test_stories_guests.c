/* Stories of servers of another make, or of ill will: the story itself plays server 3. */
#include "replica/txn/txn.h"
#include "sim/story.h"
#include "test/lib/tell.h"
#include "wire/zk.h"

enum { GUEST = 3, TO_ALL = 0, ELECTION_PORT = 0, QUORUM_PORT = 1 };

static int64_t zxid_of(int64_t counter)
{
    return zxid_make(1, counter);
}

/* Without a digest, as releases before 3.6 write all of them. */
static void put_txn(struct buffer *out, int64_t counter, int32_t type, const char *path)
{
    struct txn txn = {.header = {.zxid = zxid_of(counter), .time_ms = 1000, .type = type},
                      .op = {.type = type,
                             .path = slice_text(path),
                             .data = SLICE("of another make"),
                             .acl = {.count = 0},
                             .parent_cversion = (int32_t)counter,
                             .err = ZK_NO_NODE}};

    out->size = 0;
    txn_write(out, &txn);
}

static void propose(struct story *story, int64_t counter, int32_t type, const char *path)
{
    struct buffer payload = {0};

    put_txn(&payload, counter, type, path);
    story_guest_propose(story, GUEST, zxid_of(counter), buffer_slice(&payload));
    buffer_deinit(&payload);
}

static void send_raw(struct story *story, int64_t counter, int32_t type, const char *path)
{
    struct buffer payload = {0};

    put_txn(&payload, counter, type, path);
    story_guest_send(story, GUEST, TO_ALL, QUORUM_PROPOSAL, zxid_of(counter),
                     buffer_slice(&payload));
    buffer_deinit(&payload);
}

static void agree(struct story *story, int64_t counter, int32_t type, const char *path)
{
    propose(story, counter, type, path);
    story_run(story, 20);
    story_guest_commit(story, GUEST, zxid_of(counter));
    story_run(story, 20);
}

static void begin(struct story *story)
{
    story_guest_lead(story, GUEST, &(struct story_guest_plan){.epoch = 1, .way = QUORUM_DIFF});
    story_until_serves(story, 1);
    story_until_serves(story, 2);
}

STORY(a_leader_of_another_make_is_followed, .voters = 3, .guests = 1 << (GUEST - 1))
{
    begin(story);
    agree(story, 1, OP_CREATE, "/a");
    story_check(story, story_has_node(story, 1, "/a"), "server 1 has it");
    story_check(story, story_has_node(story, 2, "/a"), "server 2 has it");
}

STORY(an_error_without_a_digest_in_the_log_is_read_at_the_next_start, .voters = 3,
      .guests = 1 << (GUEST - 1))
{
    begin(story);
    agree(story, 1, OP_CREATE, "/a");
    agree(story, 2, OP_ERROR, "");
    agree(story, 3, OP_CREATE, "/b");
    agree(story, 4, OP_ERROR, "");
    story_guest_keep_silent(story, GUEST);
    for (int loss = SIM_LOSE_SOME; loss <= SIM_LOSE_NOTHING; loss++) {
        story_power_off(story, (enum sim_disk_loss)loss);
        story_start_all(story);
        story_check(story, story_durable_zxid(story, 1) == zxid_of(4), "server 1 has all");
        story_run(story, 1500);
    }
    story_settle(story); /* now servers 1 and 2 alone */
    story_connect(story, 1, 1);
    story_create(story, 1, "/c", MODE_PERSISTENT);
    story_check(story, story_has_node(story, 1, "/b"), "the tree is whole");
}

STORY(an_oversized_PROPOSAL_is_not_logged_and_ends_the_connection, .voters = 3,
      .guests = 1 << (GUEST - 1))
{
    struct buffer payload = {0};

    begin(story);
    agree(story, 1, OP_CREATE, "/a");
    put_txn(&payload, 2, OP_CREATE, "/b");
    (void)memset(buffer_extend(&payload, 3 << 20), 0, 3 << 20);
    payload.size = 3 << 20;
    story_guest_send(story, GUEST, 1, QUORUM_PROPOSAL, zxid_of(2), buffer_slice(&payload));
    buffer_deinit(&payload);
    story_until(story, 1, "it closes: the leader sent bytes that are no packet");
    story_check(story, story_durable_zxid(story, 1) == zxid_of(1), "it is not in the log");
    story_crash(story, 1, SIM_LOSE_NOTHING);
    story_start(story, 1);
}

STORY(a_PROPOSAL_that_does_not_decode_is_not_logged, .voters = 3, .guests = 1 << (GUEST - 1))
{
    begin(story);
    agree(story, 1, OP_CREATE, "/a");
    story_guest_send(story, GUEST, 1, QUORUM_PROPOSAL, zxid_of(2), SLICE("these are no 32 bytes"));
    story_until(story, 1, "it closes: ");
    story_check(story, story_durable_zxid(story, 1) == zxid_of(1), "it is not in the log");
    story_crash(story, 1, SIM_LOSE_NOTHING);
    story_start(story, 1);
}

STORY(a_COMMIT_that_is_not_the_next_one_is_not_applied, .voters = 3, .guests = 1 << (GUEST - 1))
{
    begin(story);
    agree(story, 1, OP_CREATE, "/a");
    propose(story, 2, OP_CREATE, "/b");
    propose(story, 3, OP_CREATE, "/c");
    story_run(story, 20);
    story_guest_send(story, GUEST, 1, QUORUM_COMMIT, zxid_of(3), SLICE_NULL);
    story_until(story, 1, "it closes: the leader committed a transaction that is not the next one");
    story_check(story, story_has_node(story, 1, "/a"), "it goes on");
}

STORY(an_error_that_is_proposed_twice_is_logged_once, .voters = 3, .guests = 1 << (GUEST - 1))
{
    begin(story);
    agree(story, 1, OP_CREATE, "/a");
    agree(story, 2, OP_ERROR, "");
    send_raw(story, 2, OP_ERROR, ""); /* releases 3.9.0 to 3.9.5 do that */
    agree(story, 3, OP_CREATE, "/b");
    story_check(story, story_has_node(story, 1, "/b"), "it goes on");
    story_check(story, story_count(story, 1, "appends 100000002") == 1, "it is in the log once");
}

STORY(the_tail_of_a_server_above_a_SNAP_of_another_make_does_not_come_back, .voters = 3,
      .guests = 1 << (GUEST - 1))
{
    begin(story);
    propose(story, 1, OP_CREATE, "/a");
    propose(story, 2, OP_CREATE, "/b");
    propose(story, 3, OP_CREATE, "/tail");
    story_run(story, 50);
    story_power_off(story, SIM_LOSE_NOTHING);
    story_start(story, 1);
    const struct story_guest_plan plan = {.epoch = 3, .zxid = zxid_of(0), .way = QUORUM_SNAP};
    story_guest_lead(story, GUEST, &plan); /* it lost them, and sends less than they have */
    story_until(story, 1, "restart log done: ok");
    story_until_serves(story, 1);
    story_check(story, !story_has_node(story, 1, "/tail"), "it is gone");
    story_crash(story, 1, SIM_LOSE_SOME);
    story_start(story, 1);
    story_check(story, !story_has_node(story, 1, "/tail"), "and does not come back");
}

STORY(zookeeper_3769_2186_rubbish_at_the_election_port_makes_nobody_deaf, .voters = 3,
      .guests = 1 << (GUEST - 1))
{
    const struct slice rubbish[] = {SLICE("GET / HTTP/1.0\r\n\r\n"),
                                    SLICE("\xff\xff\xff\xff\xff\xff\x00\x00"),
                                    SLICE("\x00\x00\x00\x00\x00\x00\x00\x03\x7f\xff\xff\xff"),
                                    SLICE("\xff\xff\xff\xff\xff\xff\x00\x00\x00")};
    uint64_t connections[2 * ARRAY_LEN(rubbish)];

    for (size_t i = 0; i < ARRAY_LEN(rubbish); i++) {
        for (int server = 1; server <= 2; server++) {
            uint64_t at = story_guest_dial(story, GUEST, server, ELECTION_PORT);
            story_run(story, 5);
            story_guest_send_bytes(story, GUEST, at, rubbish[i]);
            connections[2 * i + (size_t)server - 1] = at;
        }
    }
    story_settle(story);
    story_run(story, 6000);
    for (size_t i = 0; i < ARRAY_LEN(connections); i++)
        story_check(story, !story_guest_is_open(story, GUEST, connections[i]), "it is closed");
    story_crash(story, 2, SIM_LOSE_ALL); /* they hear each other */
    story_start(story, 2);
    story_settle(story);
}

STORY(rubbish_at_the_quorum_port_disturbs_no_leader, .voters = 3, .guests = 1 << (GUEST - 1))
{
    const struct slice rubbish[] = {SLICE("GET / HTTP/1.0\r\n\r\n"),
                                    SLICE("\x7f\xff\xff\xff\x00\x00\x00"),
                                    SLICE("\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x00")};

    story_settle(story);
    for (size_t i = 0; i < ARRAY_LEN(rubbish); i++) {
        uint64_t at = story_guest_dial(story, GUEST, story_leader(story), QUORUM_PORT);
        story_run(story, 5);
        story_guest_send_bytes(story, GUEST, at, rubbish[i]);
    }
    story_run(story, 5000);
    story_check(story, story_leader(story) == 2, "it leads");
    story_check(story, story_count(story, 0, "LEADING of epoch") == 1, "and did all the time");
    story_connect(story, 1, 1);
    story_create(story, 1, "/a", MODE_PERSISTENT);
}
