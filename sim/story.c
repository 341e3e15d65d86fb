/* story.c: begins and ends a story; what a script may wait for, and what it may look at. A line of the trace is
 * the smallest step: between two of them a script may do what it likes. */
#include "sim/story.h"

#include "base/array.h"
#include "sim/chain.h"
#include "sim/story_parts.h"

#include <inttypes.h>
#include <stdio.h>

static void keep_line(void *context, const char *line)
{
    struct story *story = context;
    size_t size = strlen(line) + 1;

    story->lines =
        ARRAY_RESERVE(story->lines, story->line_capacity, story->line_count + 1, ARRAY_FIRST);
    char *copy = mem_alloc(size);
    memcpy(copy, line, size);
    story->lines[story->line_count++] = copy;
}

/* --- hosts that are played --- */

static bool on_accept(void *context, int host, enum network_port port, int from,
                      uint64_t *ret_number)
{
    return story_guest_accept(context, host, port, from, ret_number);
}

static void on_opened(void *context, int host, uint64_t number, enum network_port port)
{
    struct story_client *client = story_client_at(context, host);

    (void)port;
    if (client != NULL)
        story_client_opened(client, number);
    else if (!story_library_opened(context, host, number))
        story_guest_opened(context, host, number);
}

static void on_bytes(void *context, int host, uint64_t number, struct slice bytes)
{
    struct story_client *client = story_client_at(context, host);

    if (client != NULL)
        story_client_bytes(client, number, bytes);
    else if (!story_library_bytes(context, host, number, bytes))
        story_guest_bytes(context, host, number, bytes);
}

static void on_closed(void *context, int host, uint64_t number)
{
    struct story_client *client = story_client_at(context, host);

    if (client != NULL)
        story_client_closed(client, number);
    else if (!story_library_closed(context, host, number))
        story_guest_closed(context, host, number);
}

static void on_ready(void *context, int host, uint64_t number)
{
    (void)context, (void)host, (void)number;
}

/* --- begin and end --- */

struct story *story_open(const struct story_options *options)
{
    struct story *story = mem_zalloc(sizeof(*story));

    story->run = (struct cluster_run){.seed = options->seed + 1,
                                      .trace = keep_line,
                                      .context = story,
                                      .mutant = options->mutant,
                                      .bug = options->bug};
    story->hand = (struct cluster_hand){.voters = options->voters,
                                        .observers = options->observers,
                                        .speakers = options->speakers,
                                        .guests = options->guests,
                                        .local_sessions = options->local_sessions,
                                        .read_only = options->read_only,
                                        .observer_masters = options->observer_masters,
                                        .unlogged_observers = options->unlogged_observers,
                                        .snap_count = options->snap_count,
                                        .history_bytes_max = options->history_bytes_max,
                                        .log_files_are_read = options->log_files_are_read};
    story->world = cluster_open(&story->run, &story->hand);
    story->world->guests = (struct network_hooks){.accept = on_accept,
                                                  .opened = on_opened,
                                                  .bytes = on_bytes,
                                                  .closed = on_closed,
                                                  .ready = on_ready,
                                                  .context = story};
    story_clients_init(story);
    if (!options->sleeping)
        story_start_all(story);
    return story;
}

struct cluster_verdict story_close(struct story *story)
{
    struct cluster_verdict verdict = story->world->verdict;

    verdict.simulated_ms = story->world->events.now_us / 1000;
    story_clients_deinit(story);
    story_library_free(story);
    story_guests_deinit(story);
    cluster_close(story->world);
    for (size_t i = 0; i < story->line_count; i++)
        mem_free(story->lines[i]);
    mem_free(story->lines);
    mem_free(story);
    return verdict;
}

void story_fail(struct story *story, const char *sentence)
{
    world_fail(story->world, NULL, "%s", sentence);
}

void story_check(struct story *story, bool right, const char *sentence)
{
    if (!right)
        story_fail(story, sentence);
}

bool story_failed(const struct story *story)
{
    return story->world->verdict.failed;
}

void story_print(const struct story *story, size_t lines, void (*print)(const char *line))
{
    size_t first = story->line_count > lines ? story->line_count - lines : 0;

    for (size_t i = first; i < story->line_count; i++)
        print(story->lines[i]);
}

struct node *story_node(const struct story *story, int server)
{
    ASSERT(server >= 1 && server <= story->world->node_count);
    return &story->world->nodes[server - 1];
}

bool story_is_guest(const struct story *story, int server)
{
    return (story->hand.guests >> (server - 1) & 1) != 0;
}

/* --- time --- */

bool story_step(struct story *story, int64_t end_us)
{
    return !story_failed(story) && events_step(&story->world->events, end_us);
}

void story_run(struct story *story, int64_t ms)
{
    int64_t end_us = story->world->events.now_us + ms * 1000;

    while (story_step(story, end_us)) {
    }
}

void story_run_one(struct story *story)
{
    if (!story_step(story, story->world->events.now_us + STORY_PATIENCE_US))
        story_fail(story, "nothing happens any more");
}

/* A line is "      12.345 n2 ...". */
static bool line_is(const char *line, int server, const char *text)
{
    char name[16];
    size_t size = (size_t)snprintf(name, sizeof(name), " n%d ", server);
    const char *at = strchr(line + strspn(line, " "), ' ');

    if (at == NULL || (server != 0 && strncmp(at, name, size) != 0))
        return false;
    return strstr(at, text) != NULL;
}

size_t story_count(const struct story *story, int server, const char *text)
{
    size_t count = 0;

    for (size_t i = 0; i < story->line_count; i++)
        count += line_is(story->lines[i], server, text);
    return count;
}

bool story_said(const struct story *story, int server, const char *text)
{
    return story_count(story, server, text) > 0;
}

void story_until(struct story *story, int server, const char *text)
{
    int64_t end_us = story->world->events.now_us + STORY_PATIENCE_US;
    size_t looked_at = story->line_count;

    for (;;) {
        for (; looked_at < story->line_count; looked_at++) {
            if (line_is(story->lines[looked_at], server, text))
                return;
        }
        if (!story_step(story, end_us))
            break;
    }
    world_fail(story->world, NULL, "it never came to \"%s\" of server %d", text, server);
}

bool story_until_line(struct story *story, int server, int n)
{
    int64_t end_us = story->world->events.now_us + STORY_PATIENCE_US;
    size_t looked_at = story->line_count;

    while (!story_serves(story, server)) {
        if (!story_step(story, end_us)) {
            story_fail(story, "the steps do not end");
            return false;
        }
        for (; looked_at < story->line_count; looked_at++)
            n -= line_is(story->lines[looked_at], server, "");
        if (n <= 0)
            return true;
    }
    return false;
}

static bool info_of(struct story *story, int server, struct ensemble_info *ret_info)
{
    struct node *node = story_node(story, server);

    return node->up && replica_ensemble(node->replica, ret_info) && ret_info->serves;
}

bool story_serves(struct story *story, int server)
{
    struct ensemble_info info;

    return info_of(story, server, &info);
}

bool story_is_read_only(const struct story *story, int server)
{
    const struct node *node = story_node(story, server);
    struct ensemble_info info;

    return node->up && replica_ensemble(node->replica, &info) && info.read_only;
}

int story_leader(struct story *story)
{
    struct ensemble_info info;
    int leader = 0;
    int64_t epoch = -1;

    for (int server = 1; server <= story->world->node_count; server++) {
        if (!info_of(story, server, &info) || info.state != PEER_LEADING || info.epoch <= epoch)
            continue;
        leader = server;
        epoch = info.epoch;
    }
    return leader;
}

static bool is_settled(struct story *story)
{
    struct ensemble_info info;
    int64_t epoch = -1;

    for (int server = 1; server <= story->world->node_count; server++) {
        if (story_is_guest(story, server) || !story_is_up(story, server))
            continue;
        if (!info_of(story, server, &info) || (epoch != -1 && info.epoch != epoch))
            return false;
        epoch = info.epoch;
    }
    return epoch != -1;
}

void story_settle(struct story *story)
{
    int64_t end_us = story->world->events.now_us + STORY_PATIENCE_US;

    while (!is_settled(story)) {
        if (!story_step(story, end_us)) {
            story_fail(story, "the servers do not settle");
            return;
        }
    }
}

static void until_it(struct story *story, int server, bool leads)
{
    int64_t end_us = story->world->events.now_us + STORY_PATIENCE_US;

    while (!(leads ? story_leader(story) == server : story_serves(story, server))) {
        if (!story_step(story, end_us)) {
            world_fail(story->world, NULL, "server %d never %s", server,
                       leads ? "leads" : "serves");
            return;
        }
    }
}

void story_until_leads(struct story *story, int server)
{
    until_it(story, server, /* leads= */ true);
}

void story_until_serves(struct story *story, int server)
{
    until_it(story, server, /* leads= */ false);
}

/* --- looking in --- */

bool story_is_up(const struct story *story, int server)
{
    return story_node(story, server)->up;
}

int64_t story_durable_zxid(const struct story *story, int server)
{
    return story_node(story, server)->durable_zxid;
}

int64_t story_applied_zxid(const struct story *story, int server)
{
    const struct node *node = story_node(story, server);

    return node->up ? tree_last_zxid(replica_tree(node->replica)) : -1;
}

int64_t story_committed_zxid(const struct story *story)
{
    return chain_committed_zxid(story->world->chain);
}

bool story_has_file(const struct story *story, int server, const char *prefix)
{
    const struct sim_disk *sim = story_node(story, server)->sim;

    for (size_t i = 0; i < sim_disk_file_count(sim); i++) {
        if (strncmp(sim_disk_file_name(sim, i), prefix, strlen(prefix)) == 0)
            return true;
    }
    return false;
}

bool story_in_quarantine(const struct story *story, int server)
{
    return story_node(story, server)->quarantined;
}

size_t story_connections(const struct story *story, int server)
{
    const struct node *node = story_node(story, server);
    size_t count = 0;

    for (size_t i = 0; i < NODE_CLIENTS; i++)
        count += node->clients.items[i].used && !node->clients.items[i].closing;
    return count;
}

uint32_t story_nodes(const struct story *story, int server)
{
    const struct node *node = story_node(story, server);
    struct replica_counts counts = {0};

    if (node->up)
        replica_counts(node->replica, &counts);
    return counts.znodes;
}

void story_request_snapshot(struct story *story, int server)
{
    if (!story_failed(story))
        replica_request_snapshot(story_node(story, server)->replica);
}

bool story_has_node(const struct story *story, int server, const char *path)
{
    const struct node *node = story_node(story, server);

    return node->up && tree_find(replica_tree(node->replica), slice_text(path)) != NODE_NONE;
}
