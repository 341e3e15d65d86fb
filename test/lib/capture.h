/* capture.h: what real servers said to each other: test/golden/storage/wire-*.json. */
#ifndef TEST_LIB_CAPTURE_H
#define TEST_LIB_CAPTURE_H

#include "base/slice.h"

struct capture_message {
    const char *said; /* what it is, in words: "ACK(3) zxid=0x100000007 ..." */
    bool election;    /* on the election port; else on the quorum port */
    bool accepted;    /* sent by the side that had accepted the connection */
    int64_t connection, to_server;
    struct slice bytes; /* empty for CONNECT and FIN */
};

struct capture {
    struct capture_message *messages;
    size_t count;
};

/* "wire-sync-diff". Fails the test where the file is not there or is wrong. */
struct capture capture_read(const char *name);
void capture_free(struct capture *capture);
/* The number after `word` in what was said: ("sid=", "sid=3 addr=..."); with 0x: hex. */
int64_t capture_number(const struct capture_message *message, const char *word);
bool capture_is(const struct capture_message *message, const char *first_word);
/* Every capture there is; NULL ends. */
extern const char *const capture_names[];

#endif
