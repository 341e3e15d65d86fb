/* story_parts.h: what the files of a story share. Not for others: their door is story.h. */
#ifndef SIM_STORY_PARTS_H
#define SIM_STORY_PARTS_H

#include "sim/story.h"
#include "sim/world.h"

enum { STORY_ASKED = 512 };

struct story_asked {
    int32_t xid, op;
    char path[48];
    struct story_answer answer;
};

struct story_client {
    struct story *story;
    int host;
    uint64_t number; /* of its connection; 0: none */
    bool open, shaken, refused, silent;
    int64_t session_id, last_zxid;
    int32_t timeout_ms;
    int32_t next_xid;
    struct buffer input;
    struct story_asked asked[STORY_ASKED];
    size_t asked_count, answered_count;
    size_t events;
    uint64_t life;
};

struct story {
    struct cluster_run run;
    struct cluster_hand hand;
    struct world *world;
    char **lines;
    size_t line_count, line_capacity;
    uint64_t next_number; /* of a guest's ends of connections */
    struct story_client clients[STORY_CLIENTS + 1];
};

struct node *story_node(const struct story *story, int server);
/* False: it fails, or the time is over; nothing to wait for is a failure, too. */
bool story_step(struct story *story, int64_t end_us);
enum { STORY_PATIENCE_US = 30000000 };

void story_clients_init(struct story *story);
void story_clients_deinit(struct story *story);
struct story_client *story_client_at(struct story *story, int host);
void story_client_opened(struct story_client *client, uint64_t number);
void story_client_bytes(struct story_client *client, uint64_t number, struct slice bytes);
void story_client_closed(struct story_client *client, uint64_t number);

#endif
