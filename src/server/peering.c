/* peering.c: from the configuration of an ensemble to this server's connections with the others. A
 * server that serves alone has none. */
#include "server/server.h"

#include "io/log.h"
#include "replica/membership/membership.h"
#include "server/config/ensemble.h"
#include "server/peer/peer.h"

#include <fcntl.h>
#include <unistd.h>

enum { BIND_RETRY_DEFAULT = 3, FINALIZE_MS = 200 };

static void on_cannot_listen(void *context)
{
    struct server *server = context;

    server->exit_code = EXIT_CODE_ELECTION_PORT;
    uv_stop(&server->loop);
}

/* This server's own addresses; they live as long as the server. */
static void read_addresses(struct server *server, const struct member *member,
                           struct peer_options *options)
{
    uint32_t count = member->address_count;
    int32_t master_port = server->config->ensemble.observer_master_port;
    struct peer_address *addresses = mem_alloc(3 * count * sizeof(*addresses));

    for (uint32_t i = 0; i < count; i++) {
        const struct member_address *from = &member->addresses[i];
        char *host = mem_zalloc(from->host.size + 1);
        memcpy(host, from->host.data, from->host.size);
        addresses[i] = (struct peer_address){host, from->election_port};
        addresses[count + i] = (struct peer_address){host, from->quorum_port};
        addresses[2 * count + i] = (struct peer_address){host, (uint16_t)master_port};
    }
    server->own_addresses = addresses;
    server->own_address_count = count;
    options->election = addresses;
    options->quorum = addresses + count;
    options->master = addresses + 2 * count;
    options->election_count = options->quorum_count = options->master_count = count;
}

static int32_t at_least(int32_t least, int32_t value)
{
    return value > least ? value : least;
}

void peering_options(struct server *server)
{
    const struct config *config = server->config;

    server->ensemble = (struct ensemble_options){
        .my_id = config->ensemble.my_id,
        .membership = config->ensemble.members,
        .init_limit = config->ensemble.init_limit,
        .sync_limit = config->ensemble.sync_limit,
        .snapshot_size_factor = config->ensemble.snapshot_size_factor,
        .first_try_ms =
            config->ensemble.checks_reach ? at_least(0, config->ensemble.reach_timeout_ms) : 0,
        .redial_ms = config->ensemble.redial_ms < 0 ? 0 : at_least(1, config->ensemble.redial_ms),
        .epoch_wait_max_ms = config->ensemble.epoch_wait_max_ms,
        .hello_timeout_ms = config->ensemble.hello_timeout_ms,
        .force_snapshot = config->ensemble.force_snapshot,
        .snap_syncs_max = at_least(1, config->ensemble.snap_syncs_max),
        .diff_syncs_max = at_least(1, config->ensemble.diff_syncs_max),
        .connect_limit = config->ensemble.connect_limit,
        .finalize_ms = FINALIZE_MS,
        .observer_master_port = (uint16_t)config->ensemble.observer_master_port,
        .observer_reconnect_ms = config->ensemble.observer_reconnect_ms,
        .unlogged_observer = !ensemble_observer_logs(config),
        .observer_election_ms = config->ensemble.observer_election_ms,
        .resend_min_ms = at_least(1, config->ensemble.resend_min_ms),
        .resend_max_ms =
            at_least(at_least(1, config->ensemble.resend_min_ms), config->ensemble.resend_max_ms),
        .many_addresses = config->ensemble.multi_address,
        .leader_serves = config->ensemble.leader_serves,
        .read_only = config->words.read_only_mode,
        .accepted_epoch = server->epochs.accepted,
        .current_epoch = server->epochs.current,
        .quarantined = server->quarantine.on,
        .promises_lost = server->quarantine.promises_lost,
        .tree_differs = server->tree_differs,
    };
}

void peering_open(struct server *server)
{
    const struct config *config = server->config;
    const struct peers_config *peers = &config->peers;
    struct peer_options options = {
        .listen_on_all = peers->listen_on_all,
        .bind_attempts_max = peers->bind_retry < 0 ? BIND_RETRY_DEFAULT : peers->bind_retry,
        .connect_timeout_ms = peers->connect_timeout_ms,
        .tcp_keep_alive = peers->tcp_keep_alive,
        .queue_bytes_max = PEER_QUEUE_BYTES_MAX,
        .cannot_listen = on_cannot_listen,
        .context = server,
    };

    if (!ensemble_distributed(config))
        return;
    const struct member *own = membership_find(config->ensemble.members, config->ensemble.my_id);
    ASSERT(own != NULL); /* the configuration was checked */
    read_addresses(server, own, &options);
    server->peers = peers_new(&server->host, &options);
}

/* --- the oracle --- */

/* Anything but a file that begins with '1' is a no. */
static bool oracle_grants(const char *path)
{
    char said = '0';
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return false;
    ssize_t size = read(fd, &said, 1);
    (void)close(fd);
    return size == 1 && said == '1';
}

void peering_ask_oracle(struct server *server)
{
    const char *path = server->config->ensemble.oracle_path;
    struct replica_event event = {.kind = REPLICA_ORACLE};

    if (server->peers == NULL || path == NULL ||
        !membership_heeds_oracle(server->config->ensemble.members))
        return;
    event.granted = oracle_grants(path);
    if (server->oracle_asked && event.granted == server->oracle_granted)
        return;
    server->oracle_asked = true;
    server->oracle_granted = event.granted;
    if (event.granted)
        log_warn("ensemble",
                 "the oracle %s says 1: this server continues alone, without the other voter",
                 path);
    else
        log_info("ensemble", "the oracle %s does not say 1: both voters are needed", path);
    server->host.step(&server->host, &event);
}

/* --- the log --- */

static void log_role(const struct ensemble_info *now)
{
    log_info("election", "%s: server %lld was elected, lastZxid=0x%llx, the election took %lld ms",
             peer_state_name(now->state), (long long)now->leader,
             (unsigned long long)now->leader_zxid, (long long)now->election_ms);
}

/* What belongs to the role that this server has now. */
static void log_steps(const struct ensemble_info *now, const struct ensemble_info *before)
{
    const char *state = peer_state_name(now->state);

    if (now->epoch != -1 && now->epoch != before->epoch)
        log_info("ensemble", "%s: the new epoch is %lld (0x%llx)", state, (long long)now->epoch,
                 (unsigned long long)now->epoch);
    if (now->synchronised_by != NULL && now->synchronised_by != before->synchronised_by)
        log_info("ensemble", "%s: the leader brings this server to its history by %s", state,
                 now->synchronised_by);
    if (now->serves && !before->serves)
        log_info("ensemble",
                 "%s: serving, epoch=%lld lastZxid=0x%llx, after %lld ms without service%s", state,
                 (long long)now->epoch, (unsigned long long)now->own_zxid, (long long)now->down_ms,
                 now->takes_clients ? "" : "; clients are refused (leaderServes=no)");
}

/* How near the end of its epoch's zxids a leader is: 0, 1 or 2. */
static int scarcity(const struct ensemble_info *info)
{
    enum { FEW = 400000000, VERY_FEW = 40000000 }; /* a tenth, a hundredth of all */

    return info->zxids_left < 0 || info->zxids_left >= FEW ? 0
           : info->zxids_left >= VERY_FEW                  ? 1
                                                           : 2;
}

void peering_log(struct server *server)
{
    static const struct ensemble_info nothing = {.epoch = -1};
    struct ensemble_info before = server->logged, now;

    if (!replica_ensemble(server->replica, &now))
        return;
    server->logged = now;
    if (now.roles_lost != before.roles_lost)
        log_warn("ensemble", "%s ends: %s",
                 before.state == PEER_LOOKING ? "the new role" : peer_state_name(before.state),
                 now.lost_because);
    if (now.elections != before.elections) {
        log_info("election", "LOOKING: lastZxid=0x%llx currentEpoch=%lld",
                 (unsigned long long)now.own_zxid, (long long)now.own_epoch);
        supervisor_status(&server->supervisor, now.quarantined ? "in quarantine: no leader yet"
                                                               : "LOOKING: no leader yet");
    }
    if (before.quarantined && !now.quarantined)
        log_info("ensemble", "the quarantine is over: this server has everything, and votes again");
    if (now.read_only && !before.read_only)
        log_warn("ensemble",
                 "LOOKING: there is no quorum; serving read-only clients until there is one, "
                 "lastZxid=0x%llx",
                 (unsigned long long)now.own_zxid);
    if (scarcity(&now) > scarcity(&before))
        log_warn(
            "ensemble",
            "LEADING: %lld transactions are left in epoch %lld, then a new leader is elected and "
            "clients reconnect; to choose the time, restart this server",
            (long long)now.zxids_left, (long long)now.epoch);
    if (now.state == PEER_LOOKING)
        return;
    if (now.roles_begun != before.roles_begun)
        log_role(&now);
    log_steps(&now, now.roles_begun != before.roles_begun ? &nothing : &before);
    if (now.serves && (!before.serves || now.roles_begun != before.roles_begun))
        supervisor_status(&server->supervisor, "%s: serving, epoch %lld",
                          peer_state_name(now.state), (long long)now.epoch);
}

void peering_free(struct server *server)
{
    peers_free(server->peers);
    for (uint32_t i = 0; i < server->own_address_count; i++)
        mem_free((char *)(uintptr_t)server->own_addresses[i].host);
    mem_free(server->own_addresses);
}
