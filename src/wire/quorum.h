/* quorum.h: what servers say to each other: packets of the quorum port, messages of the election port.
 *
 * Everything is read from the front of a stream of bytes. STATUS_OK: it is complete, and
 * `*ret_size` bytes were used. STATUS_END: more bytes are needed; call again when there are
 * `*ret_size` in all. STATUS_MALFORMED: it cannot become valid; close the connection. What is read
 * is borrowed from the input; texts are as the peer wrote them. */
#ifndef WIRE_QUORUM_H
#define WIRE_QUORUM_H

#include "wire/records.h"

/* ---- The quorum port: learner and leader ---- */

enum quorum_packet_type {
    QUORUM_REQUEST = 1,
    QUORUM_PROPOSAL = 2,
    QUORUM_ACK = 3,
    QUORUM_COMMIT = 4,
    QUORUM_PING = 5,
    QUORUM_REVALIDATE = 6,
    QUORUM_SYNC = 7,
    QUORUM_INFORM = 8,
    QUORUM_COMMIT_AND_ACTIVATE = 9,
    QUORUM_NEW_LEADER = 10,
    QUORUM_FOLLOWER_INFO = 11,
    QUORUM_UP_TO_DATE = 12,
    QUORUM_DIFF = 13,
    QUORUM_TRUNC = 14,
    QUORUM_SNAP = 15,
    QUORUM_OBSERVER_INFO = 16,
    QUORUM_LEADER_INFO = 17,
    QUORUM_ACK_EPOCH = 18,
    QUORUM_INFORM_AND_ACTIVATE = 19
};
/* "PROPOSAL", for logs; "unknown packet" for any other number. */
const char *quorum_packet_name(int32_t type);

enum {
    QUORUM_HEAD_BYTES = 16, /* type, zxid and the length of data: the bytes before the data */
    QUORUM_TAIL_BYTES = 4,  /* authinfo that is null: the bytes after it */
    QUORUM_AUTH_IDS_MAX = 1024,
    LEARNER_PROTOCOL_VERSION = 0x10000
};
#define QUORUM_NO_ZXID                                                                             \
    INT64_C(-1) /* in packets that are about none: REQUEST, REVALIDATE, UPTODATE */

struct quorum_packet {
    int32_t type; /* may be a number that nobody knows */
    int64_t zxid;
    struct slice data;       /* null for most types, which differs from empty */
    struct jute_vector auth; /* of jute_id; count -1: null, as everywhere but in REQUEST */
};

/* The packet at the front of `bytes`. One larger than `bytes_max` is malformed. */
MUST_USE enum status quorum_packet_read(struct slice bytes, size_t bytes_max,
                                        struct quorum_packet *ret_packet, size_t *ret_size);
void quorum_packet_write(struct buffer *buffer, const struct quorum_packet *packet);
/* A packet with this data (or null) and no authinfo. */
void quorum_packet_put(struct buffer *buffer, int32_t type, int64_t zxid, struct slice data);
/* The same with data that is written in between: begin returns the offset that end needs. */
MUST_USE size_t quorum_packet_begin(struct buffer *buffer, int32_t type, int64_t zxid);
void quorum_packet_end(struct buffer *buffer, size_t offset);

/* ---- The data of packets. STATUS_MALFORMED: not as the type requires ---- */

/* FOLLOWERINFO, OBSERVERINFO: 8 bytes are the id alone, 12 lack the version of the configuration, 20
 * or more have all. `*ret_has_id` is false for null data: the leader makes up an id. */
MUST_USE enum status quorum_learner_info_read(struct slice data, struct learner_info *ret_info,
                                              bool *ret_has_id);
/* LEADERINFO. After the protocol version, where Java does not look, a Paddock leader identifies
 * itself: its digests are right, and it understands what follows the epoch in our ACKEPOCH. */
enum { LEADER_INFO_BYTES = 8, LEADER_INFO_JAVA_BYTES = 4 /* of them, those that Java knows */ };
struct leader_info {
    int32_t protocol_version;
    bool paddock;
};
MUST_USE enum status quorum_leader_info_read(struct slice data, struct leader_info *ret_info);
void quorum_leader_info_write(uint8_t bytes[static LEADER_INFO_BYTES]);

/* ACKEPOCH: the current epoch, -1: it was promised before. After it, for a Paddock leader: send
 * everything, whatever the zxid is. */
enum { ACK_EPOCH_BYTES_MAX = 8 };
struct epoch_ack {
    int32_t epoch;
    bool wants_all;
};
MUST_USE enum status quorum_epoch_ack_read(struct slice data, struct epoch_ack *ret_ack);
/* How many bytes. */
MUST_USE size_t quorum_epoch_ack_write(uint8_t bytes[static ACK_EPOCH_BYTES_MAX],
                                       const struct epoch_ack *ack);

/* REQUEST: a client's request, forwarded. The body is as the client sent it. */
struct forwarded_request {
    struct forwarded_header header;
    struct slice body;
};
MUST_USE enum status quorum_request_read(struct slice data, struct forwarded_request *ret_request);
/* The whole packet. `auth` of count -1: null. */
void quorum_request_put(struct buffer *buffer, const struct forwarded_request *request,
                        struct jute_vector auth);

/* The answer to PING: the sessions that were heard. Check it once, then walk it. */
bool quorum_touches_valid(struct slice data);
bool quorum_next_touch(struct slice *touches, struct session_touch *ret_touch);

/* REVALIDATE: the learner's request is a session_touch, the leader's answer a session_valid. */
MUST_USE enum status quorum_revalidate_read(struct slice data, struct session_touch *ret_question);
MUST_USE enum status quorum_revalidated_read(struct slice data, struct session_valid *ret_answer);
void quorum_revalidate_put(struct buffer *buffer, const struct session_touch *question);
void quorum_revalidated_put(struct buffer *buffer, const struct session_valid *answer);

/* ---- The election port ---- */

enum {
    ELECTION_MESSAGE_BYTES_MAX = 512 * 1024,
    ELECTION_ADDRESS_BYTES_MAX = 2048,
    ELECTION_VERSION = 2 /* of the notifications that Paddock writes */
};

/* The first bytes on a connection, from the side that opened it. A server of release 3.4 sends its
 * id alone. */
struct election_hello {
    int64_t server_id;
    bool many_addresses;    /* the form with "h1:p1|h2:p2" */
    struct slice addresses; /* of its election port; null: not said */
};
MUST_USE enum status election_hello_read(struct slice bytes, struct election_hello *ret_hello,
                                         size_t *ret_size);
/* Addresses of 1 to ELECTION_ADDRESS_BYTES_MAX bytes, or null: then the id alone. */
void election_hello_write(struct buffer *buffer, const struct election_hello *hello);

/* After it, both ways: messages of 1 to ELECTION_MESSAGE_BYTES_MAX bytes after their length. */
MUST_USE enum status election_frame_read(struct slice bytes, struct slice *ret_message,
                                         size_t *ret_size);
void election_frame_write(struct buffer *buffer, struct slice message);

enum peer_state { PEER_LOOKING, PEER_FOLLOWING, PEER_LEADING, PEER_OBSERVING };
/* "LOOKING", for logs and words. */
const char *peer_state_name(enum peer_state state);

struct notification {
    int32_t state; /* of the sender; may be a number that nobody knows */
    int64_t leader, zxid, election_epoch, peer_epoch; /* the sender's vote */
    int32_t version;
    struct slice config; /* the sender's configuration as text; null before version 2 */
};
/* A whole message. The forms of 28 and 40 bytes (before 3.4, before 3.5) are filled up. */
MUST_USE enum status notification_read(struct slice message, struct notification *ret_notification);
/* Without its frame. Writes version 2 whatever `version` says. */
void notification_write(struct buffer *buffer, const struct notification *notification);

#endif
