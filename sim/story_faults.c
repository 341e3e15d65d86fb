/* story_faults.c: what a script may break, and how all of it is mended. What it breaks stays broken until the script
 * takes it back. */
#include "sim/story.h"

#include "replica/store/snapshot.h"
#include "sim/checker.h"
#include "sim/story_parts.h"

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
        if (!story_is_guest(story, server))
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

void story_spoil_snapshot(struct story *story, int server)
{
    static const struct tree_options tree_options = {.extended_types = true,
                                                     .digest_enabled = true};
    static const struct snapshot_image_options options = {.digest_enabled = true};
    struct node *node = story_node(story, server);
    struct disk *files = sim_disk(node->sim);
    const char *name = newest_file(node->sim, "snapshot.");
    struct snapshot_info info;
    uint32_t id;

    if (story_failed(story))
        return;
    ASSERT(!node->up);
    if (name == NULL) {
        story_fail(story, "there is no snapshot to spoil");
        return;
    }
    struct tree *tree = tree_new_empty(&tree_options);
    enum status status = snapshot_load(files, name, 0, NULL, tree, &info);
    if (status == STATUS_OK) {
        tree_load_finish(tree);
        tree_set_last_zxid(tree, store_name_read(name).zxid);
        (void)tree_set_data(tree, SLICE("/"), SLICE("spoilt"), 0, 0, 0, &id);
        status = snapshot_write(files, tree, &options, STORE_PLAIN);
    }
    tree_free(tree);
    story_check(story, status == STATUS_OK, "the snapshot cannot be spoilt");
    node->harmed = true;
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
        if (story_is_guest(story, server))
            continue;
        node_hold_disk(node, false);
        sim_disk_set_space(node->sim, UINT64_MAX);
        sim_disk_crash_at(node->sim, 0);
        if (node->pauses[0].until_us > world->events.now_us)
            node->pauses[0].until_us = world->events.now_us;
        story_start(story, server);
    }
    story_settle(story);
    story_connect(story, STORY_CLIENTS, story_leader(story) == 0 ? 1 : story_leader(story));
    (void)story_create(story, STORY_CLIENTS, "/healed-", MODE_PERSISTENT_SEQUENTIAL);
    story_run(story, 2000);
    if (!story_failed(story) && story->hand.guests == 0)
        checker_compare_all(world->checker);
}
