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
    bool may_be_read_only, read_only; /* its server is, as it said */
    int64_t session_id, last_zxid;
    int32_t timeout_ms;
    int32_t next_xid;
    struct buffer input;
    struct story_asked asked[STORY_ASKED];
    size_t asked_count, answered_count;
    size_t events;
    uint64_t life;
};

enum { GUEST_ENDS = 64 };
struct guest_end { /* of a connection of a server that the story plays */
    uint64_t number;
    int peer;
    enum network_port port;
    bool open, accepted, greeted, answered;
    struct buffer input;
};
struct story_guest {
    struct story *story;
    int server;
    bool leads, silent;
    struct story_guest_plan plan; /* epoch 0: it does not lead */
    struct guest_end ends[GUEST_ENDS];
    size_t end_count;
};

struct story_library;
struct story {
    struct cluster_run run;
    struct cluster_hand hand;
    struct world *world;
    char **lines;
    size_t line_count, line_capacity;
    uint64_t next_number; /* of a guest's ends of connections */
    struct story_client clients[STORY_CLIENTS + 1];
    struct story_guest guests[WORLD_NODES_MAX + 1];
    struct story_library *library; /* NULL: none was begun */
};

struct node *story_node(const struct story *story, int server);
bool story_is_guest(const struct story *story, int server);
/* False: it fails, or the time is over; nothing to wait for is a failure, too. */
bool story_step(struct story *story, int64_t end_us);
enum { STORY_PATIENCE_US = 30000000 };

void story_clients_init(struct story *story);
void story_clients_deinit(struct story *story);
struct story_client *story_client_at(struct story *story, int host);
void story_client_opened(struct story_client *client, uint64_t number);
void story_client_bytes(struct story_client *client, uint64_t number, struct slice bytes);
void story_client_closed(struct story_client *client, uint64_t number);

/* False: it is not the library's host. */
bool story_library_opened(struct story *story, int host, uint64_t number);
bool story_library_bytes(struct story *story, int host, uint64_t number, struct slice bytes);
bool story_library_closed(struct story *story, int host, uint64_t number);
void story_library_free(struct story *story);

bool story_guest_accept(struct story *story, int host, enum network_port port, int from,
                        uint64_t *ret_number);
void story_guest_opened(struct story *story, int host, uint64_t number);
void story_guest_bytes(struct story *story, int host, uint64_t number, struct slice bytes);
void story_guest_closed(struct story *story, int host, uint64_t number);
void story_guests_deinit(struct story *story);

#endif
