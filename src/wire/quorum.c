/* quorum.c: bytes between servers to records and back.
 *
 * A stream is untrusted: every length is compared with what may follow before anything waits for
 * it, so that a peer can make us wait for no more than the stated limits. */
#include "wire/quorum.h"

#include "wire/zk.h"

/* First long of a hello: an id, or one of these. */
#define HELLO_ONE_ADDRESS INT64_C(-65536)
#define HELLO_MANY_ADDRESSES INT64_C(-65535)
enum { HELLO_HEAD_BYTES = 20, NOTIFICATION_28_BYTES = 28, NOTIFICATION_40_BYTES = 40 };

static const char *const packet_names[] = {
    [QUORUM_REQUEST] = "REQUEST",
    [QUORUM_PROPOSAL] = "PROPOSAL",
    [QUORUM_ACK] = "ACK",
    [QUORUM_COMMIT] = "COMMIT",
    [QUORUM_PING] = "PING",
    [QUORUM_REVALIDATE] = "REVALIDATE",
    [QUORUM_SYNC] = "SYNC",
    [QUORUM_INFORM] = "INFORM",
    [QUORUM_COMMIT_AND_ACTIVATE] = "COMMITANDACTIVATE",
    [QUORUM_NEW_LEADER] = "NEWLEADER",
    [QUORUM_FOLLOWER_INFO] = "FOLLOWERINFO",
    [QUORUM_UP_TO_DATE] = "UPTODATE",
    [QUORUM_DIFF] = "DIFF",
    [QUORUM_TRUNC] = "TRUNC",
    [QUORUM_SNAP] = "SNAP",
    [QUORUM_OBSERVER_INFO] = "OBSERVERINFO",
    [QUORUM_LEADER_INFO] = "LEADERINFO",
    [QUORUM_ACK_EPOCH] = "ACKEPOCH",
    [QUORUM_INFORM_AND_ACTIVATE] = "INFORMANDACTIVATE",
};

const char *quorum_packet_name(int32_t type)
{
    if (type < 1 || type >= (int32_t)ARRAY_LEN(packet_names))
        return "unknown packet";
    return packet_names[type];
}

/* ---- Packets ---- */

/* A walk along bytes of which some may not have come yet. */
struct front {
    struct slice bytes;
    size_t pos, bytes_max;
};

/* May `size` more bytes be read? STATUS_END: not yet. */
static enum status require_bytes(const struct front *front, size_t size, size_t *ret_size)
{
    if (size > front->bytes_max - front->pos)
        return STATUS_MALFORMED;
    if (front->bytes.size >= front->pos + size)
        return STATUS_OK;
    *ret_size = front->pos + size;
    return STATUS_END;
}

/* A buffer or text with its length; `behind`: so many bytes at least follow it. */
static enum status front_bytes(struct front *front, size_t behind, struct slice *ret_bytes,
                               size_t *ret_size)
{
    enum status status = require_bytes(front, 4 + behind, ret_size);

    if (status == STATUS_END && front->bytes.size >= front->pos + 4)
        status = STATUS_OK; /* the length is there and says more precisely what is needed */
    if (status != STATUS_OK)
        return status;
    int32_t size = (int32_t)load_be32(front->bytes.data + front->pos);
    if (size < -1)
        return STATUS_MALFORMED;
    size_t more = size == -1 ? 0 : (size_t)size;
    status = require_bytes(front, 4 + more + behind, ret_size);
    if (status != STATUS_OK)
        return status;
    *ret_bytes = size == -1 ? SLICE_NULL : slice_of(front->bytes.data + front->pos + 4, more);
    front->pos += 4 + more;
    return STATUS_OK;
}

/* As in every jute vector, a count below -1 is an empty one. */
static enum status front_auth(struct front *front, struct jute_vector *ret_auth, size_t *ret_size)
{
    enum status status = require_bytes(front, 4, ret_size);

    if (status != STATUS_OK)
        return status;
    int32_t count = (int32_t)load_be32(front->bytes.data + front->pos);
    front->pos += 4;
    if (count > QUORUM_AUTH_IDS_MAX)
        return STATUS_MALFORMED;
    size_t start = front->pos;
    for (int32_t left = count; left > 0; left--) {
        struct slice text;
        size_t behind = 8 * (size_t)(left - 1);
        status = front_bytes(front, behind + 4, &text, ret_size);
        if (status == STATUS_OK)
            status = front_bytes(front, behind, &text, ret_size);
        if (status != STATUS_OK)
            return status;
    }
    if (count == -1) {
        *ret_auth = (struct jute_vector){SLICE_NULL, -1};
        return STATUS_OK;
    }
    ret_auth->count = count < 0 ? 0 : count;
    ret_auth->bytes = slice_of(front->bytes.data + start, front->pos - start);
    return STATUS_OK;
}

enum status quorum_packet_read(struct slice bytes, size_t bytes_max,
                               struct quorum_packet *ret_packet, size_t *ret_size)
{
    struct front front = {bytes, .pos = QUORUM_HEAD_BYTES - 4, .bytes_max = bytes_max};
    struct quorum_packet packet;

    ASSERT(bytes_max >= QUORUM_HEAD_BYTES + QUORUM_TAIL_BYTES);
    enum status status = front_bytes(&front, QUORUM_TAIL_BYTES, &packet.data, ret_size);
    if (status == STATUS_OK)
        status = front_auth(&front, &packet.auth, ret_size);
    if (status != STATUS_OK)
        return status;
    packet.type = (int32_t)load_be32(bytes.data);
    packet.zxid = (int64_t)load_be64(bytes.data + 4);
    *ret_packet = packet;
    *ret_size = front.pos;
    return STATUS_OK;
}

void quorum_packet_write(struct buffer *buffer, const struct quorum_packet *packet)
{
    buffer_i32(buffer, packet->type);
    buffer_i64(buffer, packet->zxid);
    jute_put_bytes(buffer, packet->data);
    jute_put_vector(buffer, packet->auth);
}

void quorum_packet_put(struct buffer *buffer, int32_t type, int64_t zxid, struct slice data)
{
    quorum_packet_write(buffer, &(struct quorum_packet){type, zxid, data, {SLICE_NULL, -1}});
}

size_t quorum_packet_begin(struct buffer *buffer, int32_t type, int64_t zxid)
{
    size_t offset = buffer->size;

    buffer_i32(buffer, type);
    buffer_i64(buffer, zxid);
    buffer_i32(buffer, 0);
    return offset;
}

void quorum_packet_end(struct buffer *buffer, size_t offset)
{
    ASSERT(buffer->size - offset >= QUORUM_HEAD_BYTES);
    size_t size = buffer->size - offset - QUORUM_HEAD_BYTES;

    ASSERT(size <= INT32_MAX);
    store_be32(buffer->data + offset + QUORUM_HEAD_BYTES - 4, (uint32_t)size);
    buffer_i32(buffer, -1);
}

/* ---- The data of packets ---- */

static struct reader data_reader(struct slice data)
{
    struct reader reader;

    reader_init(&reader, data, NULL, 0); /* no texts in these records */
    return reader;
}

enum status quorum_learner_info_read(struct slice data, struct learner_info *ret_info,
                                     bool *ret_has_id)
{
    struct learner_info info = {.protocol_version = 1};
    struct reader reader = data_reader(data);

    if (data.data != NULL && data.size != 8 && data.size != 12 && data.size < 20)
        return STATUS_MALFORMED;
    if (data.size >= 8)
        info.server_id = reader_i64(&reader);
    if (data.size >= 12)
        info.protocol_version = reader_i32(&reader);
    if (data.size >= 20)
        info.config_version = reader_i64(&reader);
    *ret_info = info;
    *ret_has_id = data.data != NULL;
    return STATUS_OK;
}

enum { PADDOCK_MARK = 0x5061646b, WANTS_ALL_MARK = 0x616c6c21 };

/* A number, and behind it, if it is there, this mark. */
static enum status read_marked(struct slice data, uint32_t mark, int32_t *ret_value,
                               bool *ret_marked)
{
    if (data.size < 4)
        return STATUS_MALFORMED;
    *ret_value = (int32_t)load_be32(data.data);
    *ret_marked = data.size >= 8 && load_be32(data.data + 4) == mark;
    return STATUS_OK;
}

enum status quorum_leader_info_read(struct slice data, struct leader_info *ret_info)
{
    return read_marked(data, PADDOCK_MARK, &ret_info->protocol_version, &ret_info->paddock);
}

void quorum_leader_info_write(uint8_t bytes[static LEADER_INFO_BYTES])
{
    store_be32(bytes, LEARNER_PROTOCOL_VERSION);
    store_be32(bytes + 4, PADDOCK_MARK);
}

enum status quorum_epoch_ack_read(struct slice data, struct epoch_ack *ret_ack)
{
    return read_marked(data, WANTS_ALL_MARK, &ret_ack->epoch, &ret_ack->wants_all);
}

size_t quorum_epoch_ack_write(uint8_t bytes[static ACK_EPOCH_BYTES_MAX],
                              const struct epoch_ack *ack)
{
    store_be32(bytes, (uint32_t)ack->epoch);
    store_be32(bytes + 4, WANTS_ALL_MARK);
    return ack->wants_all ? 8 : 4;
}

enum status quorum_request_read(struct slice data, struct forwarded_request *ret_request)
{
    struct reader reader = data_reader(data);
    enum status status = forwarded_header_read(&reader, &ret_request->header);

    ret_request->body = slice_of(reader.pos, reader_left(&reader));
    return status;
}

void quorum_request_put(struct buffer *buffer, const struct forwarded_request *request,
                        struct jute_vector auth)
{
    size_t offset = quorum_packet_begin(buffer, QUORUM_REQUEST, QUORUM_NO_ZXID);

    forwarded_header_write(buffer, &request->header);
    buffer_append(buffer, request->body);
    quorum_packet_end(buffer, offset);
    buffer->size -= QUORUM_TAIL_BYTES;
    jute_put_vector(buffer, auth);
}

enum { TOUCH_BYTES = 12, SESSION_VALID_BYTES = 9 };

bool quorum_touches_valid(struct slice data)
{
    return data.size % TOUCH_BYTES == 0;
}

bool quorum_next_touch(struct slice *touches, struct session_touch *ret_touch)
{
    if (touches->size < TOUCH_BYTES)
        return false;
    ret_touch->session_id = (int64_t)load_be64(touches->data);
    ret_touch->timeout_ms = (int32_t)load_be32(touches->data + 8);
    *touches = slice_of(touches->data + TOUCH_BYTES, touches->size - TOUCH_BYTES);
    return true;
}

enum status quorum_revalidate_read(struct slice data, struct session_touch *ret_question)
{
    struct reader reader = data_reader(data);

    return data.size == TOUCH_BYTES ? session_touch_read(&reader, ret_question) : STATUS_MALFORMED;
}

enum status quorum_revalidated_read(struct slice data, struct session_valid *ret_answer)
{
    struct reader reader = data_reader(data);

    return data.size == SESSION_VALID_BYTES ? session_valid_read(&reader, ret_answer)
                                            : STATUS_MALFORMED;
}

void quorum_revalidate_put(struct buffer *buffer, const struct session_touch *question)
{
    size_t offset = quorum_packet_begin(buffer, QUORUM_REVALIDATE, QUORUM_NO_ZXID);

    session_touch_write(buffer, question);
    quorum_packet_end(buffer, offset);
}

void quorum_revalidated_put(struct buffer *buffer, const struct session_valid *answer)
{
    size_t offset = quorum_packet_begin(buffer, QUORUM_REVALIDATE, QUORUM_NO_ZXID);

    session_valid_write(buffer, answer);
    quorum_packet_end(buffer, offset);
}

/* ---- The election port ---- */

enum status election_hello_read(struct slice bytes, struct election_hello *ret_hello,
                                size_t *ret_size)
{
    struct front front = {.bytes = bytes,
                          .bytes_max = HELLO_HEAD_BYTES + ELECTION_ADDRESS_BYTES_MAX};
    enum status status = require_bytes(&front, 8, ret_size);

    if (status != STATUS_OK)
        return status;
    int64_t first = (int64_t)load_be64(bytes.data);
    if (first >= 0) {
        *ret_hello = (struct election_hello){.server_id = first, .addresses = SLICE_NULL};
        *ret_size = 8;
        return STATUS_OK;
    }
    if (first != HELLO_ONE_ADDRESS && first != HELLO_MANY_ADDRESSES)
        return STATUS_MALFORMED;
    status = require_bytes(&front, HELLO_HEAD_BYTES, ret_size);
    if (status != STATUS_OK)
        return status;
    int32_t size = (int32_t)load_be32(bytes.data + HELLO_HEAD_BYTES - 4);
    if (size < 1 || size > ELECTION_ADDRESS_BYTES_MAX)
        return STATUS_MALFORMED;
    status = require_bytes(&front, HELLO_HEAD_BYTES + (size_t)size, ret_size);
    if (status != STATUS_OK)
        return status;
    *ret_hello =
        (struct election_hello){.server_id = (int64_t)load_be64(bytes.data + 8),
                                .many_addresses = first == HELLO_MANY_ADDRESSES,
                                .addresses = slice_of(bytes.data + HELLO_HEAD_BYTES, (size_t)size)};
    *ret_size = HELLO_HEAD_BYTES + (size_t)size;
    return STATUS_OK;
}

void election_hello_write(struct buffer *buffer, const struct election_hello *hello)
{
    if (hello->addresses.data == NULL) {
        ASSERT(hello->server_id >= 0);
        buffer_i64(buffer, hello->server_id);
        return;
    }
    ASSERT(hello->addresses.size >= 1 && hello->addresses.size <= ELECTION_ADDRESS_BYTES_MAX);
    buffer_i64(buffer, hello->many_addresses ? HELLO_MANY_ADDRESSES : HELLO_ONE_ADDRESS);
    buffer_i64(buffer, hello->server_id);
    jute_put_bytes(buffer, hello->addresses);
}

enum status election_frame_read(struct slice bytes, struct slice *ret_message, size_t *ret_size)
{
    struct front front = {.bytes = bytes, .bytes_max = 4 + ELECTION_MESSAGE_BYTES_MAX};
    enum status status = require_bytes(&front, 4, ret_size);

    if (status != STATUS_OK)
        return status;
    int32_t size = (int32_t)load_be32(bytes.data);
    if (size < 1 || size > ELECTION_MESSAGE_BYTES_MAX)
        return STATUS_MALFORMED;
    status = require_bytes(&front, 4 + (size_t)size, ret_size);
    if (status != STATUS_OK)
        return status;
    *ret_message = slice_of(bytes.data + 4, (size_t)size);
    *ret_size = 4 + (size_t)size;
    return STATUS_OK;
}

void election_frame_write(struct buffer *buffer, struct slice message)
{
    ASSERT(message.size >= 1 && message.size <= ELECTION_MESSAGE_BYTES_MAX);
    jute_put_bytes(buffer, message);
}

const char *peer_state_name(enum peer_state state)
{
    static const char *const names[] = {"LOOKING", "FOLLOWING", "LEADING", "OBSERVING"};

    ASSERT((size_t)state < ARRAY_LEN(names));
    return names[state];
}

/* As Java looks at it: two exact sizes are older forms; of every other size, the version decides
 * whether a configuration follows, and what stands after that is nobody's business. */
enum status notification_read(struct slice message, struct notification *ret_notification)
{
    struct notification got = {.config = SLICE_NULL};
    struct reader reader = data_reader(message);

    got.state = reader_i32(&reader);
    got.leader = reader_i64(&reader);
    got.zxid = reader_i64(&reader);
    got.election_epoch = reader_i64(&reader);
    if (message.size == NOTIFICATION_28_BYTES) {
        got.peer_epoch = (int32_t)zxid_epoch(got.zxid); /* with its sign */
    } else {
        got.peer_epoch = reader_i64(&reader);
        if (message.size != NOTIFICATION_40_BYTES)
            got.version = reader_i32(&reader);
    }
    if (got.version > 1) {
        int32_t size = reader_i32(&reader);
        if (size < 0 || (size_t)size > reader_left(&reader))
            return STATUS_MALFORMED;
        got.config = slice_of(reader.pos, (size_t)size);
    }
    if (reader.status == STATUS_OK)
        *ret_notification = got;
    return reader.status;
}

void notification_write(struct buffer *buffer, const struct notification *notification)
{
    buffer_i32(buffer, notification->state);
    buffer_i64(buffer, notification->leader);
    buffer_i64(buffer, notification->zxid);
    buffer_i64(buffer, notification->election_epoch);
    buffer_i64(buffer, notification->peer_epoch);
    buffer_i32(buffer, ELECTION_VERSION);
    buffer_i32(buffer, (int32_t)notification->config.size);
    buffer_append(buffer, notification->config);
}
