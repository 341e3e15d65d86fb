/* What servers say to each other, against what real servers said. */
#include "test/lib/capture.h"
#include "test/lib/check.h"
#include "wire/quorum.h"

enum { PACKET_BYTES_MAX = 1 << 20 };

/* --- every message of every capture --- */

static bool is_packet(const struct capture_message *message)
{
    return !message->election && message->bytes.size > 0 && !capture_is(message, "SNAPSHOT-STREAM");
}

static void for_each_message(void (*look)(const struct capture_message *message))
{
    for (const char *const *name = capture_names; *name != NULL; name++) {
        struct capture capture = capture_read(*name);
        for (size_t i = 0; i < capture.count; i++)
            look(&capture.messages[i]);
        capture_free(&capture);
    }
}

static struct quorum_packet read_packet(const struct capture_message *message)
{
    struct quorum_packet packet;
    size_t size;

    CHECK_STATUS(quorum_packet_read(message->bytes, PACKET_BYTES_MAX, &packet, &size), STATUS_OK);
    CHECK_U64(message->said, size, message->bytes.size);
    return packet;
}

static void packet_is_read_and_written(const struct capture_message *message)
{
    struct buffer again = {0};

    if (!is_packet(message))
        return;
    struct quorum_packet packet = read_packet(message);
    CHECK(capture_is(message, quorum_packet_name(packet.type)));
    CHECK_I64(message->said, packet.type, capture_number(message, "("));
    CHECK_I64(message->said, packet.zxid, capture_number(message, "zxid="));
    quorum_packet_write(&again, &packet);
    CHECK_SLICE(message->said, buffer_slice(&again), message->bytes);
    buffer_deinit(&again);
}

TEST(every_packet_of_real_servers_is_read_and_written_byte_for_byte)
{
    for_each_message(packet_is_read_and_written);
}

/* `read` gives the status for the first `size` bytes and how many it wants. */
static void cut_everywhere(const struct capture_message *message,
                           enum status (*read)(struct slice bytes, size_t *ret_size))
{
    size_t wanted;

    for (size_t size = 0; size < message->bytes.size; size++) {
        wanted = 0;
        uint8_t *exact = mem_alloc(size); /* so that a sanitizer sees a read behind the end */
        memcpy(exact, message->bytes.data, size);
        CHECK_STATUS(read(slice_of(exact, size), &wanted), STATUS_END);
        CHECK(wanted > size && wanted <= message->bytes.size);
        mem_free(exact);
    }
    CHECK_STATUS(read(message->bytes, &wanted), STATUS_OK);
    CHECK_U64(message->said, wanted, message->bytes.size);
}

static enum status read_some_packet(struct slice bytes, size_t *ret_size)
{
    struct quorum_packet packet;

    return quorum_packet_read(bytes, PACKET_BYTES_MAX, &packet, ret_size);
}

static enum status read_some_hello(struct slice bytes, size_t *ret_size)
{
    struct election_hello hello;

    return election_hello_read(bytes, &hello, ret_size);
}

static enum status read_some_frame(struct slice bytes, size_t *ret_size)
{
    struct slice message;

    return election_frame_read(bytes, &message, ret_size);
}

static void message_cut_asks_for_more(const struct capture_message *message)
{
    if (is_packet(message))
        cut_everywhere(message, read_some_packet);
    else if (capture_is(message, "INITIAL"))
        cut_everywhere(message, read_some_hello);
    else if (capture_is(message, "NOTIFICATION"))
        cut_everywhere(message, read_some_frame);
}

TEST(a_message_cut_at_any_byte_asks_for_more_and_for_no_more_than_it_has)
{
    for_each_message(message_cut_asks_for_more);
}

static void data_is_understood(const struct capture_message *message)
{
    struct quorum_packet packet;
    struct learner_info info;
    bool has_id;
    struct leader_info leader_info;
    struct epoch_ack epoch_ack;

    if (!is_packet(message))
        return;
    packet = read_packet(message);
    CHECK(packet.auth.count == -1 || packet.type == QUORUM_REQUEST);
    if (packet.type == QUORUM_FOLLOWER_INFO || packet.type == QUORUM_OBSERVER_INFO) {
        CHECK_STATUS(quorum_learner_info_read(packet.data, &info, &has_id), STATUS_OK);
        CHECK(has_id);
        CHECK_I64("id", info.server_id, capture_number(message, "serverid="));
        CHECK_I64("version", info.protocol_version, LEARNER_PROTOCOL_VERSION);
        CHECK_I64("config", info.config_version, capture_number(message, "configVersion="));
    } else if (packet.type == QUORUM_LEADER_INFO) {
        CHECK_STATUS(quorum_leader_info_read(packet.data, &leader_info), STATUS_OK);
        CHECK_I64("version", leader_info.protocol_version, LEARNER_PROTOCOL_VERSION);
        CHECK(!leader_info.paddock);
    } else if (packet.type == QUORUM_ACK_EPOCH) {
        CHECK_STATUS(quorum_epoch_ack_read(packet.data, &epoch_ack), STATUS_OK);
        CHECK_I64("epoch", epoch_ack.epoch, capture_number(message, "currentEpoch="));
        CHECK(!epoch_ack.wants_all);
    }
}

TEST(the_data_of_discovery_and_of_activation_is_what_real_servers_meant)
{
    for_each_message(data_is_understood);
}

static void request_is_the_same_again(const struct capture_message *message)
{
    struct forwarded_request request;
    struct buffer again = {0};

    if (!is_packet(message) || !capture_is(message, "REQUEST"))
        return;
    struct quorum_packet packet = read_packet(message);
    CHECK_STATUS(quorum_request_read(packet.data, &request), STATUS_OK);
    CHECK_I64("session", request.header.session_id, capture_number(message, "session="));
    CHECK_I64("cxid", request.header.cxid, capture_number(message, "cxid="));
    CHECK_I64("type", request.header.type, capture_number(message, "type="));
    quorum_request_put(&again, &request, packet.auth);
    CHECK_SLICE(message->said, buffer_slice(&again), message->bytes);
    buffer_deinit(&again);
}

TEST(a_forwarded_request_is_taken_apart_and_put_together_byte_for_byte)
{
    for_each_message(request_is_the_same_again);
}

TEST(a_forwarded_request_says_who_its_client_is)
{
    struct capture capture = capture_read("wire-reconfig");
    struct jute_id id;
    size_t seen = 0;

    for (size_t i = 0; i < capture.count; i++) {
        if (!is_packet(&capture.messages[i]) || !capture_is(&capture.messages[i], "REQUEST"))
            continue;
        struct quorum_packet packet = read_packet(&capture.messages[i]);
        CHECK_I64("count", packet.auth.count, 1);
        CHECK(jute_next_id(&packet.auth, &id));
        CHECK_SLICE("scheme", id.scheme, SLICE("ip"));
        CHECK_SLICE("id", id.id, SLICE("127.0.0.1"));
        CHECK(!jute_next_id(&packet.auth, &id));
        seen++;
    }
    CHECK(seen > 0);
    capture_free(&capture);
}

TEST(an_answer_to_a_ping_names_the_sessions_that_were_heard)
{
    struct capture capture = capture_read("wire-reconfig");
    struct session_touch touch;
    size_t seen = 0;

    for (size_t i = 0; i < capture.count; i++) {
        if (!is_packet(&capture.messages[i]) || !capture_is(&capture.messages[i], "PING"))
            continue;
        struct quorum_packet packet = read_packet(&capture.messages[i]);
        CHECK(quorum_touches_valid(packet.data));
        CHECK(quorum_next_touch(&packet.data, &touch));
        CHECK_I64("session", touch.session_id, capture_number(&capture.messages[i], "('"));
        CHECK_I64("timeout", touch.timeout_ms, 40000);
        CHECK(!quorum_next_touch(&packet.data, &touch));
        seen++;
    }
    CHECK(seen > 0);
    CHECK(quorum_touches_valid(SLICE("")) && quorum_touches_valid(SLICE_NULL));
    CHECK(!quorum_touches_valid(SLICE("\0\0\0\0\0\0\0\1\0\0\0")));
    capture_free(&capture);
}

/* --- packets that no capture has --- */

TEST(null_data_and_empty_data_are_two_things)
{
    struct buffer bytes = {0};
    struct quorum_packet packet;
    size_t size;

    quorum_packet_put(&bytes, QUORUM_PING, 7, SLICE_NULL);
    size_t first = bytes.size;
    quorum_packet_put(&bytes, QUORUM_PING, 7, SLICE(""));
    struct slice left = buffer_slice(&bytes);
    CHECK_STATUS(quorum_packet_read(left, PACKET_BYTES_MAX, &packet, &size), STATUS_OK);
    CHECK(packet.data.data == NULL);
    CHECK_U64("first", size, first);
    left = slice_of(left.data + size, left.size - size);
    CHECK_STATUS(quorum_packet_read(left, PACKET_BYTES_MAX, &packet, &size), STATUS_OK);
    CHECK(packet.data.data != NULL && packet.data.size == 0);
    buffer_deinit(&bytes);
}

TEST(a_packet_written_in_pieces_is_the_packet_written_at_once)
{
    struct buffer once = {0}, pieces = {0};

    quorum_packet_put(&once, QUORUM_PROPOSAL, 0x100000001, SLICE("payload"));
    size_t offset = quorum_packet_begin(&pieces, QUORUM_PROPOSAL, 0x100000001);
    buffer_append(&pieces, SLICE("pay"));
    buffer_append(&pieces, SLICE("load"));
    quorum_packet_end(&pieces, offset);
    CHECK_SLICE("packet", buffer_slice(&pieces), buffer_slice(&once));
    CHECK_U64("size", once.size, QUORUM_HEAD_BYTES + strlen("payload") + QUORUM_TAIL_BYTES);
    buffer_deinit(&once);
    buffer_deinit(&pieces);
}

#define HEAD "\0\0\0\3\0\0\0\0\0\0\0\1" /* ACK of zxid 1 */

TEST(a_packet_that_cannot_become_right_is_malformed_as_soon_as_that_shows)
{
    static const struct {
        const char *name;
        struct slice bytes;
        enum status status;
    } rows[] = {
        {"data of -2 bytes", SLICE(HEAD "\xff\xff\xff\xfe"), STATUS_MALFORMED},
        {"data over the limit", SLICE(HEAD "\0\0\x03\xf0"), STATUS_MALFORMED},
        {"data at the limit", SLICE(HEAD "\0\0\x03\xd4"), STATUS_END},
        {"2 GB of data", SLICE(HEAD "\x7f\xff\xff\xff"), STATUS_MALFORMED},
        {"too many ids", SLICE(HEAD "\xff\xff\xff\xff\0\0\4\1"), STATUS_MALFORMED},
        {"ids that cannot fit", SLICE(HEAD "\xff\xff\xff\xff\0\0\4\0"), STATUS_MALFORMED},
        {"ids that may come", SLICE(HEAD "\xff\xff\xff\xff\0\0\0\2"), STATUS_END},
        {"an id's scheme of -2", SLICE(HEAD "\xff\xff\xff\xff\0\0\0\1\xff\xff\xff\xfe"),
         STATUS_MALFORMED},
        {"an id over the limit", SLICE(HEAD "\xff\xff\xff\xff\0\0\0\1\0\0\0\2ip\0\0\4\0"),
         STATUS_MALFORMED},
        {"ids of null", SLICE(HEAD "\xff\xff\xff\xff\0\0\0\1\xff\xff\xff\xff\xff\xff\xff\xff"),
         STATUS_OK},
        {"no ids", SLICE(HEAD "\xff\xff\xff\xff\0\0\0\0"), STATUS_OK},
        {"-2 ids are none, as in Java", SLICE(HEAD "\xff\xff\xff\xff\xff\xff\xff\xfe"), STATUS_OK},
        {"an unknown type", SLICE("\0\0\0\xff\0\0\0\0\0\0\0\1\xff\xff\xff\xff\xff\xff\xff\xff"),
         STATUS_OK},
    };
    struct quorum_packet packet;
    size_t size;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum status status = quorum_packet_read(rows[i].bytes, 1000, &packet, &size);
        if (status != rows[i].status)
            check_failed(__FILE__, __LINE__, "%s: %s", rows[i].name, status_text(status));
        if (status == STATUS_OK)
            CHECK_U64(rows[i].name, size, rows[i].bytes.size);
    }
}

PROPERTY(packets_are_read_one_by_one_however_the_stream_is_cut)
{
    struct buffer stream = {0};
    uint8_t data[64];
    int64_t sent = 1 + random_below(&seed, 20), got = 0;

    for (int64_t i = 0; i < sent; i++) {
        struct buffer ids = {0};
        struct jute_vector auth = {SLICE_NULL, random_below(&seed, 4) - 1};
        for (int32_t id = 0; id < auth.count; id++)
            jute_put_id(&ids, &(struct jute_id){SLICE("digest"), SLICE("user:hash")});
        auth.bytes = buffer_slice(&ids);
        random_fill(&seed, data, sizeof(data));
        struct quorum_packet packet = {random_below(&seed, 20), i,
                                       slice_of(random_below(&seed, 4) == 0 ? NULL : data,
                                                (size_t)random_below(&seed, sizeof(data))),
                                       auth};
        if (packet.data.data == NULL)
            packet.data = SLICE_NULL;
        quorum_packet_write(&stream, &packet);
        buffer_deinit(&ids);
    }
    size_t taken = 0, come = 0;
    while (taken < stream.size) {
        struct quorum_packet packet;
        size_t size;
        if (quorum_packet_read(slice_of(stream.data + taken, come - taken), PACKET_BYTES_MAX,
                               &packet, &size) == STATUS_OK) {
            CHECK_I64("zxid", packet.zxid, got++);
            taken += size;
            continue;
        }
        CHECK(size > come - taken && taken + size <= stream.size);
        come += 1 + (size_t)random_below(&seed, 30);
        if (come > stream.size)
            come = stream.size;
    }
    CHECK_I64("packets", got, sent);
    buffer_deinit(&stream);
}

PROPERTY(noise_is_read_or_refused_within_its_bytes)
{
    size_t size = (size_t)random_below(&seed, 80), used = 0;
    uint8_t *bytes = mem_alloc(size);
    struct quorum_packet packet;
    struct notification notification;

    random_fill(&seed, bytes, size);
    for (size_t i = 0; i < size; i++) { /* small lengths are the interesting ones */
        if (random_below(&seed, 3) > 0)
            bytes[i] = 0;
    }
    struct slice noise = slice_of(bytes, size);
    if (quorum_packet_read(noise, PACKET_BYTES_MAX, &packet, &used) == STATUS_OK)
        CHECK(used <= size);
    if (read_some_hello(noise, &used) == STATUS_OK)
        CHECK(used <= size);
    if (read_some_frame(noise, &used) == STATUS_OK)
        CHECK(used <= size);
    if (notification_read(noise, &notification) == STATUS_OK)
        CHECK(notification.config.size <= size);
    mem_free(bytes);
}

TEST(a_learner_may_say_less_about_itself)
{
    static const struct {
        const char *name;
        struct slice data;
        struct learner_info info;
        bool has_id;
        enum status status;
    } rows[] = {
        {"null", {NULL, 0}, {0, 1, 0}, false, STATUS_OK},
        {"8 bytes", SLICE("\0\0\0\0\0\0\0\3"), {3, 1, 0}, true, STATUS_OK},
        {"12 bytes", SLICE("\0\0\0\0\0\0\0\3\0\1\0\0"), {3, 0x10000, 0}, true, STATUS_OK},
        {"20 bytes",
         SLICE("\0\0\0\0\0\0\0\3\0\1\0\0\0\0\0\1\0\0\0\2"),
         {3, 0x10000, 0x100000002},
         true,
         STATUS_OK},
        {"more, of a later release",
         SLICE("\0\0\0\0\0\0\0\3\0\1\0\0\0\0\0\0\0\0\0\2more"),
         {3, 0x10000, 2},
         true,
         STATUS_OK},
        {"empty", SLICE(""), {0}, true, STATUS_MALFORMED},
        {"7 bytes", SLICE("\0\0\0\0\0\0\0"), {0}, true, STATUS_MALFORMED},
        {"11 bytes", SLICE("\0\0\0\0\0\0\0\3\0\1\0"), {0}, true, STATUS_MALFORMED},
        {"19 bytes", SLICE("\0\0\0\0\0\0\0\3\0\1\0\0\0\0\0\1\0\0\0"), {0}, true, STATUS_MALFORMED},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct learner_info info = {0};
        bool has_id = true;
        enum status status = quorum_learner_info_read(rows[i].data, &info, &has_id);
        CHECK_I64(rows[i].name, status, rows[i].status);
        CHECK_I64(rows[i].name, info.server_id, rows[i].info.server_id);
        CHECK_I64(rows[i].name, info.protocol_version, rows[i].info.protocol_version);
        CHECK_I64(rows[i].name, info.config_version, rows[i].info.config_version);
        CHECK_I64(rows[i].name, has_id, rows[i].has_id);
    }
}

TEST(a_session_is_asked_about_and_answered_in_12_and_9_bytes)
{
    struct buffer bytes = {0};
    struct quorum_packet packet;
    struct session_touch question;
    struct session_valid answer;
    size_t size;

    quorum_revalidate_put(&bytes, &(struct session_touch){0x1000000000000001, 30000});
    CHECK_SLICE("question", buffer_slice(&bytes),
                SLICE("\0\0\0\6\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\x0c"
                      "\x10\0\0\0\0\0\0\1\0\0\x75\x30\xff\xff\xff\xff"));
    CHECK_STATUS(quorum_packet_read(buffer_slice(&bytes), 1000, &packet, &size), STATUS_OK);
    CHECK_STATUS(quorum_revalidate_read(packet.data, &question), STATUS_OK);
    CHECK_I64("session", question.session_id, 0x1000000000000001);
    CHECK_I64("timeout", question.timeout_ms, 30000);
    CHECK_STATUS(quorum_revalidated_read(packet.data, &answer), STATUS_MALFORMED);

    bytes.size = 0;
    quorum_revalidated_put(&bytes, &(struct session_valid){0x1000000000000001, true});
    CHECK_SLICE("answer", buffer_slice(&bytes),
                SLICE("\0\0\0\6\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\x09"
                      "\x10\0\0\0\0\0\0\1\1\xff\xff\xff\xff"));
    CHECK_STATUS(quorum_packet_read(buffer_slice(&bytes), 1000, &packet, &size), STATUS_OK);
    CHECK_STATUS(quorum_revalidated_read(packet.data, &answer), STATUS_OK);
    CHECK(answer.session_id == 0x1000000000000001 && answer.valid);
    CHECK_STATUS(quorum_revalidate_read(packet.data, &question), STATUS_MALFORMED);
    buffer_deinit(&bytes);
}

TEST(what_is_ours_stands_behind_what_java_reads)
{
    uint8_t info_bytes[LEADER_INFO_BYTES], ack_bytes[ACK_EPOCH_BYTES_MAX];
    struct leader_info info;
    struct epoch_ack ack;

    quorum_leader_info_write(info_bytes);
    CHECK_I64("version", load_be32(info_bytes), LEARNER_PROTOCOL_VERSION);
    CHECK_STATUS(quorum_leader_info_read(slice_of(info_bytes, LEADER_INFO_BYTES), &info),
                 STATUS_OK);
    CHECK(info.paddock && info.protocol_version == LEARNER_PROTOCOL_VERSION);
    for (int wants = 0; wants < 2; wants++) {
        size_t size = quorum_epoch_ack_write(
            ack_bytes, &(struct epoch_ack){.epoch = -1, .wants_all = wants != 0});
        CHECK_U64("as Java's, where nothing is asked for", size, wants != 0 ? 8 : 4);
        CHECK_I64("epoch", (int32_t)load_be32(ack_bytes), -1);
        CHECK_STATUS(quorum_epoch_ack_read(slice_of(ack_bytes, size), &ack), STATUS_OK);
        CHECK(ack.epoch == -1 && ack.wants_all == (wants != 0));
    }
}

TEST(data_that_is_too_short_for_its_type_is_malformed)
{
    struct forwarded_request request;
    struct leader_info leader_info;
    struct epoch_ack epoch_ack;

    CHECK_STATUS(quorum_leader_info_read(SLICE("\0\0\0"), &leader_info), STATUS_MALFORMED);
    CHECK_STATUS(quorum_epoch_ack_read(SLICE_NULL, &epoch_ack), STATUS_MALFORMED);
    CHECK_STATUS(quorum_request_read(SLICE("\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0"), &request),
                 STATUS_MALFORMED);
    CHECK_STATUS(quorum_request_read(SLICE_NULL, &request), STATUS_MALFORMED);
    CHECK_STATUS(quorum_request_read(SLICE("\0\0\0\0\0\0\0\1\0\0\0\1\xff\xff\xff\xf5"), &request),
                 STATUS_OK);
    CHECK_I64("type", request.header.type, -11);
    CHECK_U64("body", request.body.size, 0);
}

TEST(a_type_of_packet_has_a_name_and_an_unknown_one_too)
{
    CHECK_TEXT("2", quorum_packet_name(QUORUM_PROPOSAL), "PROPOSAL");
    CHECK_TEXT("19", quorum_packet_name(19), "INFORMANDACTIVATE");
    CHECK_TEXT("0", quorum_packet_name(0), "unknown packet");
    CHECK_TEXT("20", quorum_packet_name(20), "unknown packet");
    CHECK_TEXT("-1", quorum_packet_name(-1), "unknown packet");
}

/* --- the election port --- */

static void hello_is_read_and_written(const struct capture_message *message)
{
    struct election_hello hello;
    struct buffer again = {0};
    size_t size;

    if (!capture_is(message, "INITIAL"))
        return;
    CHECK_STATUS(election_hello_read(message->bytes, &hello, &size), STATUS_OK);
    CHECK_I64("id", hello.server_id, capture_number(message, "sid="));
    CHECK(!hello.many_addresses);
    election_hello_write(&again, &hello);
    CHECK_SLICE(message->said, buffer_slice(&again), message->bytes);
    buffer_deinit(&again);
}

TEST(a_servers_first_message_is_read_and_written_byte_for_byte)
{
    for_each_message(hello_is_read_and_written);
}

static void notification_is_read_and_written(const struct capture_message *message)
{
    struct notification notification;
    struct slice bytes;
    struct buffer plain = {0}, framed = {0};
    size_t size;

    if (!capture_is(message, "NOTIFICATION"))
        return;
    CHECK_STATUS(election_frame_read(message->bytes, &bytes, &size), STATUS_OK);
    CHECK_I64("length", (int64_t)bytes.size, capture_number(message, "len="));
    CHECK_STATUS(notification_read(bytes, &notification), STATUS_OK);
    CHECK(strstr(message->said, peer_state_name((enum peer_state)notification.state)) != NULL);
    CHECK_I64("leader", notification.leader, capture_number(message, "leader="));
    CHECK_I64("zxid", notification.zxid, capture_number(message, "zxid="));
    CHECK_I64("round", notification.election_epoch, capture_number(message, "electionEpoch="));
    CHECK_I64("epoch", notification.peer_epoch, capture_number(message, "peerEpoch="));
    CHECK_I64("version", notification.version, 2);
    CHECK_I64("config", (int64_t)notification.config.size, capture_number(message, "configLen="));
    notification_write(&plain, &notification);
    election_frame_write(&framed, buffer_slice(&plain));
    CHECK_SLICE(message->said, buffer_slice(&framed), message->bytes);
    buffer_deinit(&plain);
    buffer_deinit(&framed);
}

TEST(a_notification_is_read_and_written_byte_for_byte)
{
    for_each_message(notification_is_read_and_written);
}

#define ONE "\xff\xff\xff\xff\xff\xff\0\0"
#define MANY "\xff\xff\xff\xff\xff\xff\0\1"
#define SID_5 "\0\0\0\0\0\0\0\5"

TEST(a_first_message_of_any_release_is_understood_and_a_wrong_one_is_not)
{
    static const struct {
        const char *name;
        struct slice bytes;
        enum status status;
        struct slice addresses;
        bool many;
    } rows[] = {
        {"release 3.4", SLICE(SID_5), STATUS_OK, {NULL, 0}, false},
        {"one address", SLICE(ONE SID_5 "\0\0\0\3a:1"), STATUS_OK, SLICE("a:1"), false},
        {"many", SLICE(MANY SID_5 "\0\0\0\7a:1|b:2"), STATUS_OK, SLICE("a:1|b:2"), true},
        {"version -7", SLICE("\xff\xff\xff\xff\xff\xff\xff\xf9"), STATUS_MALFORMED, {NULL, 0}, 0},
        {"no address", SLICE(ONE SID_5 "\0\0\0\0"), STATUS_MALFORMED, {NULL, 0}, 0},
        {"-1 bytes", SLICE(ONE SID_5 "\xff\xff\xff\xff"), STATUS_MALFORMED, {NULL, 0}, 0},
        {"2049 bytes", SLICE(ONE SID_5 "\0\0\x08\x01"), STATUS_MALFORMED, {NULL, 0}, 0},
        {"2048 bytes", SLICE(ONE SID_5 "\0\0\x08\0"), STATUS_END, {NULL, 0}, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct election_hello hello = {0};
        size_t size = 0;
        CHECK_I64(rows[i].name, election_hello_read(rows[i].bytes, &hello, &size), rows[i].status);
        if (rows[i].status != STATUS_OK)
            continue;
        CHECK_I64(rows[i].name, hello.server_id, 5);
        CHECK_SLICE(rows[i].name, hello.addresses, rows[i].addresses);
        CHECK_I64(rows[i].name, hello.many_addresses, rows[i].many);
        CHECK_U64(rows[i].name, size, rows[i].bytes.size);
    }
}

TEST(a_server_without_an_address_says_its_id_alone)
{
    struct buffer bytes = {0};

    election_hello_write(&bytes, &(struct election_hello){.server_id = 5});
    CHECK_SLICE("bytes", buffer_slice(&bytes), SLICE(SID_5));
    buffer_deinit(&bytes);
}

TEST(a_frame_of_0_negative_or_524289_bytes_is_malformed)
{
    size_t size;

    CHECK_STATUS(read_some_frame(SLICE("\0\0\0\0"), &size), STATUS_MALFORMED);
    CHECK_STATUS(read_some_frame(SLICE("\xff\xff\xff\xff"), &size), STATUS_MALFORMED);
    CHECK_STATUS(read_some_frame(SLICE("\0\x08\0\1"), &size), STATUS_MALFORMED);
    CHECK_STATUS(read_some_frame(SLICE("\0\x08\0\0"), &size), STATUS_END);
    CHECK_U64("largest", size, 4 + 524288);
}

#define VOTE_28 "\0\0\0\2" SID_5 "\0\0\0\7\0\0\0\x09\0\0\0\0\0\0\0\4"
#define VOTE_36 VOTE_28 "\0\0\0\0\0\0\0\6"

TEST(a_notification_of_28_and_of_40_bytes_is_filled_up_and_a_wrong_one_is_dropped)
{
    static const struct {
        const char *name;
        struct slice bytes;
        enum status status;
        int64_t peer_epoch;
        int32_t version;
        struct slice config;
    } rows[] = {
        {"27",
         SLICE("\0\0\0\2" SID_5 "\0\0\0\7\0\0\0\x09\0\0\0\0\0\0\0"),
         STATUS_MALFORMED,
         0,
         0,
         {NULL, 0}},
        {"28: the epoch of the zxid", SLICE(VOTE_28), STATUS_OK, 7, 0, {NULL, 0}},
        {"29", SLICE(VOTE_28 "\0"), STATUS_MALFORMED, 0, 0, {NULL, 0}},
        {"36", SLICE(VOTE_36), STATUS_MALFORMED, 0, 0, {NULL, 0}},
        {"40: the version is ignored", SLICE(VOTE_36 "\0\0\0\1"), STATUS_OK, 6, 0, {NULL, 0}},
        {"44 of version 1", SLICE(VOTE_36 "\0\0\0\1\0\0\0\2"), STATUS_OK, 6, 1, {NULL, 0}},
        {"41 of version 2", SLICE(VOTE_36 "\0\0\0\2\0"), STATUS_MALFORMED, 0, 0, {NULL, 0}},
        {"44 of version 2", SLICE(VOTE_36 "\0\0\0\2\0\0\0\0"), STATUS_OK, 6, 2, SLICE("")},
        {"46", SLICE(VOTE_36 "\0\0\0\2\0\0\0\2ab"), STATUS_OK, 6, 2, SLICE("ab")},
        {"bytes behind", SLICE(VOTE_36 "\0\0\0\2\0\0\0\2abc"), STATUS_OK, 6, 2, SLICE("ab")},
        {"a length beyond the end",
         SLICE(VOTE_36 "\0\0\0\2\0\0\0\3ab"),
         STATUS_MALFORMED,
         0,
         0,
         {NULL, 0}},
        {"a length of -1",
         SLICE(VOTE_36 "\0\0\0\2\xff\xff\xff\xff"),
         STATUS_MALFORMED,
         0,
         0,
         {NULL, 0}},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct notification got = {0};
        CHECK_I64(rows[i].name, notification_read(rows[i].bytes, &got), rows[i].status);
        if (rows[i].status != STATUS_OK)
            continue;
        CHECK_I64(rows[i].name, got.state, PEER_LEADING);
        CHECK_I64(rows[i].name, got.leader, 5);
        CHECK_I64(rows[i].name, got.zxid, 0x700000009);
        CHECK_I64(rows[i].name, got.election_epoch, 4);
        CHECK_I64(rows[i].name, got.peer_epoch, rows[i].peer_epoch);
        CHECK_I64(rows[i].name, got.version, rows[i].version);
        CHECK_SLICE(rows[i].name, got.config, rows[i].config);
        CHECK((got.config.data == NULL) == (rows[i].config.data == NULL));
    }
}
