/* speaker_parts.h: what the files of the model clients share. Not for others: their door is speaker.h. */
#ifndef SIM_SPEAKER_PARTS_H
#define SIM_SPEAKER_PARTS_H

#include "sim/speaker.h"
#include "wire/records.h"

enum { PIPELINE_MAX = 8, WATCHES_MAX = 8, PATH_BYTES = 40 };

struct asked { /* a request without its answer yet */
    int32_t xid, op;
    char path[PATH_BYTES];
    bool watch;
    int64_t returned_before; /* the highest zxid of an answered write when it was asked */
};

struct armed {
    char path[PATH_BYTES];
    bool absent;  /* for a node that was not there */
    int64_t zxid; /* armed with what this zxid showed */
};

enum speaker_state { SPEAKER_AWAY, SPEAKER_DIALS, SPEAKER_SHAKES, SPEAKER_SPEAKS };

struct speaker {
    struct world *world;
    int index, host;
    uint64_t chance;
    enum speaker_state state;
    uint64_t number; /* of the connection */
    uint64_t life;
    int server;
    struct buffer input, unread;
    bool ended, turn_set, resting;
    bool closing; /* with the library: it has asked for the end of the session */
    int64_t session_id, last_zxid;
    bool may_be_read_only, read_only; /* its server is, as it said */
    bool
        strayed; /* a read-only server showed what is not agreed upon: its watches may miss changes */
    bool asked_to_close; /* the session: over some way, however slow, it may still end */
    int32_t timeout_ms, next_xid;
    int64_t heard_us, sent_us;
    int64_t
        synced_zxid; /* no read may show less: a sync came back, and that was answered before it */
    struct asked asked[PIPELINE_MAX];
    size_t asked_count;
    struct armed armed[WATCHES_MAX];
    size_t armed_count;
    uint64_t values, writes;
    struct library
        *library; /* its connections are those of the client library; NULL: made by hand */
    struct reply_header reply; /* with it: of the frame that is being taken */
};

/* --- speaker_requests.c --- */
/* By chance: fills in all of `asked` but its xid. */
void speaker_choose(struct speaker *speaker, struct asked *asked, struct buffer *body);

/* --- speaker_answers.c: what it hears is checked --- */
/* It has seen the tree of this zxid: it may not go back, here or at another server. */
void speaker_sees(struct speaker *speaker, int64_t zxid);
/* To the oldest request. Gives its operation; 0: it was none of speaker_choose()'s. */
int32_t speaker_reply(struct speaker *speaker, const struct reply_header *reply,
                      struct reader *reader);
void speaker_event(struct speaker *speaker, struct slice path);
/* The handshake has given it this session, */
void speaker_has_session(struct speaker *speaker, int64_t session_id, int32_t timeout_ms);
void speaker_session_over(struct speaker *speaker); /* or has refused the one that it had */
void speaker_forget_session(struct speaker *speaker);

/* --- speaker_library.c --- */
void speaker_library_begin(struct speaker *speaker);
void speaker_library_free(struct speaker *speaker);
void speaker_library_opened(struct speaker *speaker, uint64_t number);
void speaker_library_bytes(struct speaker *speaker, uint64_t number, struct slice bytes);
void speaker_library_closed(struct speaker *speaker, uint64_t number);

#endif
