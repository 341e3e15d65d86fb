/* story.c: what a script may do to the ensemble, and what it may wait for. A line of the trace is the
 * smallest step: between two of them a script may do what it likes. */
#include "sim/story.h"

#include "base/array.h"
#include "replica/store/snapshot.h"
#include "sim/checker.h"
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

static bool is_guest(const struct story *story, int server)
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
        if (is_guest(story, server) || !story_is_up(story, server))
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

/* --- faults --- */

bool story_is_up(const struct story *story, int server)
{
    return story_node(story, server)->up;
}

void story_crash(struct story *story, int server, enum sim_disk_loss loss)
{
    if (!story_failed(story) && story_is_up(story, server))
        node_crash(story_node(story, server), loss, "killed by the story");
}

void story_power_off(struct story *story, enum sim_disk_loss loss)
{
    for (int server = 1; server <= story->world->node_count; server++)
        story_crash(story, server, loss);
}

static void start(struct story *story, int server)
{
    if (!story_failed(story) && !story_is_up(story, server))
        cluster_start(story->world, server - 1);
}

void story_start(struct story *story, int server)
{
    size_t refused = story_count(story, server, "it does not start");

    start(story, server);
    if (story_count(story, server, "it does not start") > refused)
        story_fail(story, "a server does not start");
}

void story_refuses(struct story *story, int server, const char *text)
{
    start(story, server);
    story_check(story, story_failed(story) || !story_is_up(story, server), "it starts");
    story_check(story, story_failed(story) || story_said(story, server, text),
                "it gives another reason");
}

void story_start_all(struct story *story)
{
    for (int server = 1; server <= story->world->node_count; server++) {
        if (!is_guest(story, server))
            story_start(story, server);
    }
}

static void block(struct story *story, int from, int to, bool blocked)
{
    network_block(story->world->network, from - 1, to - 1, blocked);
}

void story_cut_way(struct story *story, int from, int to)
{
    world_note(story->world, NULL, "the way from %d to %d is cut", from, to);
    block(story, from, to, true);
}

void story_cut(struct story *story, int one, int other)
{
    story_cut_way(story, one, other);
    story_cut_way(story, other, one);
}

void story_join(struct story *story, int one, int other)
{
    world_note(story->world, NULL, "the ways between %d and %d are open", one, other);
    block(story, one, other, false);
    block(story, other, one, false);
}

void story_isolate(struct story *story, int server)
{
    for (int other = 1; other <= story->world->node_count; other++) {
        if (other != server)
            story_cut(story, server, other);
    }
}

void story_rejoin(struct story *story, int server)
{
    for (int other = 1; other <= story->world->node_count; other++) {
        if (other != server)
            story_join(story, server, other);
    }
}

void story_pause(struct story *story, int server, int64_t ms)
{
    world_note(story->world, story_node(story, server), "stands still");
    node_pause(story_node(story, server), ms * 1000);
}

void story_hold_disk(struct story *story, int server)
{
    world_note(story->world, story_node(story, server), "its disk stands still");
    node_hold_disk(story_node(story, server), true);
}

void story_free_disk(struct story *story, int server)
{
    world_note(story->world, story_node(story, server), "its disk works, and has space");
    node_hold_disk(story_node(story, server), false);
    sim_disk_set_space(story_node(story, server)->sim, UINT64_MAX);
}

void story_fill_disk(struct story *story, int server, uint64_t blocks)
{
    world_note(story->world, story_node(story, server), "its disk is full");
    sim_disk_set_space(story_node(story, server)->sim, blocks);
}

void story_hold_image(struct story *story, int server, bool held)
{
    node_hold_image(story_node(story, server), held);
}

void story_fail_call(struct story *story, int server, enum sim_disk_op op, uint64_t n)
{
    world_note(story->world, story_node(story, server), "its disk will fail");
    sim_disk_fail_at(story_node(story, server)->sim, op, n, STATUS_IO);
}

uint64_t story_changes(const struct story *story, int server)
{
    return sim_disk_changes(story_node(story, server)->sim);
}

static const char *newest_file(const struct sim_disk *sim, const char *prefix)
{
    const char *found = NULL;

    for (size_t i = 0; i < sim_disk_file_count(sim); i++) {
        const char *name = sim_disk_file_name(sim, i);
        if (strncmp(name, prefix, strlen(prefix)) == 0 &&
            (found == NULL || strlen(name) > strlen(found) ||
             (strlen(name) == strlen(found) && strcmp(name, found) > 0)))
            found = name;
    }
    return found;
}

void story_rot(struct story *story, int server, const char *prefix, int64_t offset)
{
    struct sim_disk *sim = story_node(story, server)->sim;
    const char *name = newest_file(sim, prefix);
    struct buffer bytes = {0};

    if (name == NULL) {
        story_fail(story, "there is no such file to damage");
        return;
    }
    buffer_append(&bytes, sim_disk_bytes(sim, name));
    size_t at = offset < 0 ? bytes.size - (size_t)-offset : (size_t)offset;
    ASSERT(at < bytes.size);
    bytes.data[at] ^= 1;
    sim_disk_put(sim, name, buffer_slice(&bytes));
    story_node(story, server)->harmed = true;
    buffer_deinit(&bytes);
}

void story_remove_files(struct story *story, int server, const char *prefix)
{
    struct sim_disk *sim = story_node(story, server)->sim;
    const char *name;

    while ((name = newest_file(sim, prefix)) != NULL)
        sim_disk_delete(sim, name);
    story_node(story, server)->harmed = true;
}

void story_write_snapshot(struct story *story, int server)
{
    struct node *node = story_node(story, server);
    struct snapshot_image_options options = {.digest_enabled = true};

    if (story_failed(story))
        return;
    ASSERT(node->up && !node->image_running);
    struct tree *tree = (struct tree *)replica_tree(node->replica); /* the walk is over soon */
    enum status status = snapshot_write(sim_disk(node->sim), tree, &options, STORE_PLAIN);
    story_check(story, status == STATUS_OK, "a snapshot cannot be written");
}

void story_wipe(struct story *story, int server)
{
    struct node *node = story_node(story, server);

    ASSERT(!node->up);
    sim_disk_free(node->sim);
    node->sim = sim_disk_new(story->run.seed);
    checker_wiped(story->world->checker, node);
}

void story_crash_at_change(struct story *story, int server, uint64_t n)
{
    sim_disk_crash_at(story_node(story, server)->sim, n);
}

void story_set_oracle(struct story *story, int server, bool grants)
{
    world_note(story->world, story_node(story, server), "its oracle says %d", grants);
    node_set_oracle(story_node(story, server), grants);
}

void story_set_clock(struct story *story, int server, int64_t offset_ms)
{
    world_note(story->world, story_node(story, server), "its clock shows another time");
    node_set_wall(story_node(story, server), offset_ms);
}

void story_heal(struct story *story)
{
    struct world *world = story->world;

    world_note(world, NULL, "--- no more faults ---");
    network_heal(world->network);
    for (int server = 1; server <= world->node_count; server++) {
        struct node *node = story_node(story, server);
        if (is_guest(story, server))
            continue;
        node_hold_disk(node, false);
        sim_disk_set_space(node->sim, UINT64_MAX);
        sim_disk_crash_at(node->sim, 0);
        if (node->paused_until_us > world->events.now_us)
            node->paused_until_us = world->events.now_us;
        story_start(story, server);
    }
    story_settle(story);
    story_connect(story, STORY_CLIENTS, story_leader(story) == 0 ? 1 : story_leader(story));
    (void)story_create(story, STORY_CLIENTS, "/healed-", MODE_PERSISTENT_SEQUENTIAL);
    story_run(story, 2000);
    if (!story_failed(story) && story->hand.guests == 0)
        checker_compare_all(world->checker);
}

/* --- looking in --- */

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
    return checker_committed_zxid(story->world->checker);
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
