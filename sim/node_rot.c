/* node_rot.c: files of a simulated server that are not as it wrote them: those of an earlier life, and those of
 * which one bit is another one.
 *
 * Only while its process does not run. */
#include "sim/node.h"

#include "replica/store/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void node_accepted_before(struct node *node, int64_t epoch)
{
    char text[24];
    struct disk *files = sim_disk(node->sim);
    struct tree_options options = {.extended_types = true, .digest_enabled = true};
    struct snapshot_image_options image = {.digest_enabled = true, .last_zxid_section = true};

    if (epoch == 0)
        return;
    snprintf(text, sizeof(text), "%" PRId64, epoch);
    sim_disk_put(node->sim, "acceptedEpoch", slice_text(text));
    sim_disk_put(node->sim, "currentEpoch", slice_text(text));
    struct tree *tree = tree_new(&options); /* its data: nothing yet */
    enum status status = snapshot_write(files, tree, &image, STORE_PLAIN);
    ASSERT(status == STATUS_OK);
    tree_free(tree);
}

static int64_t zxid_of_log(const char *name)
{
    return strncmp(name, "log.", 4) == 0 ? strtoll(name + 4, NULL, 16) : -1;
}

/* A log only where a later record proves all of it: a lost record that nothing proves was torn, as far as
 * anybody can see. */
static bool may_rot(const struct node *node, const char *name)
{
    if (strncmp(name, "snapshot.", 9) == 0)
        return true;
    int64_t zxid = zxid_of_log(name);
    for (size_t i = 0; i < sim_disk_file_count(node->sim) && zxid >= 0; i++) {
        int64_t newer = zxid_of_log(sim_disk_file_name(node->sim, i));
        if (newer > zxid && newer <= node->proved_zxid)
            return true;
    }
    return false;
}

void node_rot(struct node *node, uint64_t choice)
{
    size_t count = sim_disk_file_count(node->sim);

    if (node->rotten[0] != '\0' || count == 0)
        return;
    const char *name = sim_disk_file_name(node->sim, choice % count);
    size_t size = sim_disk_bytes(node->sim, name).size;
    if (!may_rot(node, name) || size == 0)
        return;
    snprintf(node->rotten, sizeof(node->rotten), "%s", name);
    node->rotten_at = (choice >> 8) % size;
    node->rotten_mask = (uint8_t)(1 << (choice >> 61));
    sim_disk_flip(node->sim, node->rotten, node->rotten_at, node->rotten_mask);
    node->harmed = true;
}

void node_unrot(struct node *node)
{
    sim_disk_flip(node->sim, node->rotten, node->rotten_at, node->rotten_mask);
    node->rotten[0] = '\0';
    node->harmed = false;
}
