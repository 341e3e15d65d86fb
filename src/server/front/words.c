#include "server/front/words.h"

#include "server/front/java_text.h"
#include "server/version.h"

#include <pwd.h>
#include <stdlib.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The real server sends an answer in pieces of this size, and counts each as a packet. */
enum { PIECE_BYTES = 8192 };

bool four_letter_try(struct connection *connection, const uint8_t *bytes, size_t size)
{
    struct front *front = connection->front;
    const struct config *config = front->server->config;
    enum four_letter_word word = four_letter_find(bytes);
    struct buffer answer;

    if (word == WORD_NONE)
        return false;
    buffer_init(&answer);
    connection->four_letter = true;
    front->metrics.four_letter_received++;
    front->metrics.bytes_received += 4;
    if (four_letter_allowed(word, config->four_letter_whitelist, config->read_only_mode))
        words_answer(connection, word, slice_of(bytes + 4, size - 4), &answer);
    else
        buffer_printf(&answer, "%s is not executed because it is not in the whitelist.\n",
                      four_letter_name(word));
    front->metrics.four_letter_sent += (int64_t)((answer.size + PIECE_BYTES - 1) / PIECE_BYTES);
    if (connection_send(connection, buffer_slice(&answer)))
        connection_close(connection);
    else
        connection_close_now(connection);
    buffer_deinit(&answer);
    return true;
}

static void put_connection(struct connection *connection, const struct connection *asking,
                           bool full, struct buffer *out)
{
    struct client_info info = {0};
    char peer[PEER_TEXT_MAX];
    bool known =
        connection->known &&
        clients_info(replica_clients(connection->front->server->replica), connection->id, &info);
    int interest = (connection->reading && connection != asking ? 1 : 0) |
                   (connection->writing != NULL ? 4 : 0); /* SelectionKey.OP_READ, OP_WRITE */

    if (!known && connection->four_letter)
        info.received = 1;
    connection_address(connection, peer);
    buffer_printf(out, " %s[%d](queued=%lld,recved=%lld,sent=%lld", peer, interest,
                  (long long)info.queued, (long long)info.received, (long long)info.sent);
    if (full && info.session_id != 0) {
        buffer_printf(out, ",sid=0x%llx,lop=%s,est=%lld,to=%d", (unsigned long long)info.session_id,
                      op_cons_name(info.last_op), (long long)info.established_wall_ms,
                      info.session_timeout_ms);
        if (info.last_cxid >= 0)
            buffer_printf(out, ",lcxid=0x%x", (unsigned)info.last_cxid);
        buffer_printf(
            out, ",lzxid=0x%llx,lresp=%lld,llat=%lld,minlat=%lld,avglat=%lld,maxlat=%lld",
            (unsigned long long)info.last_zxid, (long long)info.last_response_ms,
            (long long)info.last_latency_ms, (long long)info.latency_min_ms,
            (long long)(info.latency_count > 0 ? info.latency_sum_ms / info.latency_count : 0),
            (long long)info.latency_max_ms);
    }
    buffer_printf(out, ")\n");
}

static void put_connections(struct connection *asking, bool full, struct buffer *out)
{
    struct front *front = asking->front;

    for (uint32_t id = 0; id < front->connection_capacity; id++) {
        if (front->connections[id] != NULL && !front->connections[id]->closed)
            put_connection(front->connections[id], asking, full, out);
    }
    buffer_printf(out, "\n");
}

static void put_stats(struct connection *asking, bool clients, struct buffer *out)
{
    struct front *front = asking->front;
    struct replica_counts counts;

    replica_counts(front->server->replica, &counts);
    buffer_printf(out, "Zookeeper version: %s\n", VERSION_LINE);
    if (clients) {
        buffer_printf(out, "Clients:\n");
        put_connections(asking, /* full= */ false, out);
    }
    buffer_printf(out, "Latency min/avg/max: %lld/", (long long)counts.latency_min_ms);
    java_put_average(out, counts.latency_sum_ms, counts.latency_count);
    buffer_printf(out, "/%lld\n", (long long)counts.latency_max_ms);
    buffer_printf(
        out, "Received: %lld\nSent: %lld\nConnections: %u\nOutstanding: %lld\n",
        (long long)(counts.clients.packets_received + front->metrics.four_letter_received),
        (long long)(counts.clients.packets_sent + front->metrics.four_letter_sent),
        front->connection_count, (long long)counts.outstanding);
    buffer_printf(out, "Zxid: 0x%llx\nMode: standalone\nNode count: %u\n",
                  (unsigned long long)counts.last_zxid, counts.znodes + ROOT_COUNTED_AGAIN);
}

static bool add_file_size(void *context, const char *name, uint64_t size_bytes)
{
    (void)name;
    *(int64_t *)context += (int64_t)size_bytes;
    return true;
}

int64_t words_directory_bytes(struct disk *disk)
{
    int64_t bytes = 0;

    if (disk->ops->list(disk, add_file_size, &bytes) != STATUS_OK)
        return 0;
    return bytes;
}

static void put_conf(struct front *front, struct buffer *out)
{
    const struct server *server = front->server;
    const struct config *config = server->config;

    buffer_printf(out, "clientPort=%d\nsecureClientPort=-1\n", front->bound_port);
    buffer_printf(out, "dataDir=%s\ndataDirSize=%lld\n", server->data_path,
                  (long long)words_directory_bytes(server->data_disk));
    buffer_printf(out, "dataLogDir=%s\ndataLogSize=%lld\n", server->log_path,
                  (long long)words_directory_bytes(server->log_disk));
    buffer_printf(out,
                  "tickTime=%d\nmaxClientCnxns=%d\nminSessionTimeout=%d\nmaxSessionTimeout=%d\n"
                  "clientPortListenBacklog=%d\nserverId=%lld\n",
                  config->tick_ms, config->client_cnxns_max, config->session_timeout_min_ms,
                  config->session_timeout_max_ms, config->client_port_listen_backlog,
                  (long long)(config->server_id < 0 ? 0 : config->server_id));
}

/* --- dump --- */

struct bucket_lines { /* sessions or connections grouped by when they end */
    struct front *front;
    struct buffer lines, ids; /* ids: of the bucket that is open */
    int64_t expires_ms;
    uint32_t buckets, total, in_bucket;
};

static void close_bucket(struct bucket_lines *bucket)
{
    struct server *server = bucket->front->server;

    if (bucket->in_bucket == 0)
        return;
    buffer_printf(&bucket->lines, "%u expire at ", bucket->in_bucket);
    java_put_date(&bucket->lines,
                  server_wall_ms(server) + bucket->expires_ms - server_now_ms(server));
    buffer_printf(&bucket->lines, ":\n");
    buffer_append(&bucket->lines, buffer_slice(&bucket->ids));
    bucket->ids.size = 0;
    bucket->in_bucket = 0;
    bucket->buckets++;
}

static void open_bucket(struct bucket_lines *bucket, int64_t expires_ms)
{
    if (bucket->expires_ms != expires_ms)
        close_bucket(bucket);
    bucket->expires_ms = expires_ms;
    bucket->in_bucket++;
    bucket->total++;
}

static void put_buckets(struct bucket_lines *bucket, const char *title, struct buffer *out)
{
    close_bucket(bucket);
    buffer_printf(out, "%s Sets (%u)/(%u):\n", title, bucket->buckets, bucket->total);
    buffer_append(out, buffer_slice(&bucket->lines));
    buffer_deinit(&bucket->lines);
    buffer_deinit(&bucket->ids);
}

static void add_session(void *context, int64_t expires_at_ms, int64_t session_id)
{
    struct bucket_lines *bucket = context;

    open_bucket(bucket, expires_at_ms);
    buffer_printf(&bucket->ids, "\t0x%llx\n", (unsigned long long)session_id);
}

static void put_ephemerals(struct front *front, struct buffer *out)
{
    const struct tree *tree = replica_tree(front->server->replica);
    const struct tree_session *session;
    struct buffer lines;
    uint32_t owners = 0;

    buffer_init(&lines);
    for (size_t cursor = 0; (session = tree_session_next(tree, &cursor)) != NULL;) {
        if (session->ephemeral_count == 0)
            continue;
        owners++;
        buffer_printf(&lines, "0x%llx:\n", (unsigned long long)session->id);
        for (uint32_t i = 0; i < session->ephemeral_count; i++) {
            buffer_u8(&lines, '\t');
            tree_path_append(tree, session->ephemerals[i], &lines);
            buffer_u8(&lines, '\n');
        }
    }
    buffer_printf(out, "ephemeral nodes dump:\nSessions with Ephemerals (%u):\n", owners);
    buffer_append(out, buffer_slice(&lines));
    buffer_deinit(&lines);
}

struct connection_end {
    int64_t expires_ms, session_id;
    const struct connection *connection;
};

static int by_end(const void *left, const void *right)
{
    const struct connection_end *a = left, *b = right;

    return a->expires_ms < b->expires_ms ? -1 : a->expires_ms > b->expires_ms;
}

static void put_connection_ends(struct front *front, struct buffer *out)
{
    struct connection_end *ends = mem_alloc(sizeof(*ends) * front->connection_count);
    struct bucket_lines bucket = {.front = front};
    int64_t interval_ms = front->server->config->sessionless_timeout_ms;
    size_t count = 0;

    for (uint32_t id = 0; id < front->connection_capacity; id++) {
        const struct connection *connection = front->connections[id];
        struct client_info info = {0};
        if (connection == NULL || connection->closed)
            continue;
        bool session = connection->known &&
                       clients_info(replica_clients(front->server->replica), id, &info) &&
                       info.session_id != 0;
        int64_t timeout_ms = session ? info.session_timeout_ms : interval_ms;
        ends[count++] = (struct connection_end){
            .expires_ms = ((connection->heard_ms + timeout_ms) / interval_ms + 1) * interval_ms,
            .session_id = info.session_id,
            .connection = connection,
        };
    }
    qsort(ends, count, sizeof(*ends), by_end);
    for (size_t i = 0; i < count; i++) {
        char peer[PEER_TEXT_MAX];
        connection_address(ends[i].connection, peer);
        open_bucket(&bucket, ends[i].expires_ms);
        buffer_printf(&bucket.ids, "\tip: %s sessionId: 0x%llx\n", peer,
                      (unsigned long long)ends[i].session_id);
    }
    buffer_printf(out, "Connections dump:\n");
    put_buckets(&bucket, "Connections", out);
    mem_free(ends);
}

static void put_dump(struct front *front, struct buffer *out)
{
    struct bucket_lines bucket = {.front = front};

    buffer_printf(out, "SessionTracker dump:\n");
    replica_visit_sessions(front->server->replica, add_session, &bucket);
    put_buckets(&bucket, "Session", out);
    put_ephemerals(front, out);
    put_connection_ends(front, out);
}

/* --- watches --- */

struct watch_lines {
    struct buffer *out;
    bool by_path, any;
    int64_t session_id;
    struct buffer path;
};

static void add_watch(void *context, struct slice path, int64_t session_id)
{
    struct watch_lines *lines = context;
    bool same = lines->any && (lines->by_path ? slice_equal(buffer_slice(&lines->path), path)
                                              : lines->session_id == session_id);

    if (!same && lines->by_path)
        buffer_printf(lines->out, "%.*s\n", (int)path.size, (const char *)path.data);
    else if (!same)
        buffer_printf(lines->out, "0x%llx\n", (unsigned long long)session_id);
    if (lines->by_path)
        buffer_printf(lines->out, "\t0x%llx\n", (unsigned long long)session_id);
    else
        buffer_printf(lines->out, "\t%.*s\n", (int)path.size, (const char *)path.data);
    lines->any = true;
    lines->session_id = session_id;
    lines->path.size = 0;
    buffer_append(&lines->path, path);
}

static void put_watches(struct front *front, bool by_path, struct buffer *out)
{
    struct watch_lines lines = {.out = out, .by_path = by_path};

    if (by_path)
        clients_visit_watches_by_path(replica_clients(front->server->replica), add_watch, &lines);
    else
        clients_visit_watches_by_session(replica_clients(front->server->replica), add_watch,
                                         &lines);
    buffer_printf(out, "\n");
    buffer_deinit(&lines.path);
}

static void put_watch_summary(struct front *front, struct buffer *out)
{
    struct replica_counts counts;

    replica_counts(front->server->replica, &counts);
    buffer_printf(out, "%u connections watching %u paths\nTotal watches:%u\n",
                  counts.clients.watch_connections, counts.clients.watch_paths,
                  counts.clients.watches);
}

/* --- the rest --- */

static void put_environment(struct buffer *out)
{
    static const char *const java[] = {"java.version",    "java.vendor",       "java.home",
                                       "java.class.path", "java.library.path", "java.io.tmpdir",
                                       "java.compiler"};
    struct utsname system = {0};
    struct sysinfo memory = {0};
    char host[256] = "localhost", directory[4096] = "";
    const struct passwd *user = getpwuid(getuid());

    uname(&system);
    sysinfo(&memory);
    if (gethostname(host, sizeof(host) - 1) != 0)
        strcpy(host, "localhost");
    if (getcwd(directory, sizeof(directory)) == NULL)
        directory[0] = '\0';
    uint64_t unit = memory.mem_unit, mb = 1 << 20;
    buffer_printf(out, "Environment:\nzookeeper.version=%s\nhost.name=%s\n", VERSION_LINE, host);
    for (size_t i = 0; i < ARRAY_LEN(java); i++)
        buffer_printf(out, "%s=<NA>\n", java[i]); /* there is no JVM; scripts look for the names */
    buffer_printf(out, "os.name=%s\nos.arch=%s\nos.version=%s\n", system.sysname,
                  strcmp(system.machine, "x86_64") == 0 ? "amd64" : system.machine, system.release);
    buffer_printf(out, "user.name=%s\nuser.home=%s\nuser.dir=%s\n",
                  user == NULL ? "?" : user->pw_name, user == NULL ? "?" : user->pw_dir, directory);
    buffer_printf(out, "os.memory.free=%lluMB\nos.memory.max=%lluMB\nos.memory.total=%lluMB\n",
                  (unsigned long long)(memory.freeram * unit / mb),
                  (unsigned long long)(memory.totalram * unit / mb),
                  (unsigned long long)(memory.totalram * unit / mb));
}

static void put_digest(void *context, int64_t zxid, uint64_t digest)
{
    buffer_printf(context, "%llx: %lld\n", (unsigned long long)zxid, (long long)digest);
}

static void reset_stats(struct front *front)
{
    replica_reset_stats(front->server->replica);
    front->metrics = (struct front_metrics){0};
    log_thread_reset_stats(front->server->log);
    snapshot_thread_reset_times(front->server->snapshots);
    front->start_forgotten = true;
}

void words_answer(struct connection *connection, enum four_letter_word word, struct slice rest,
                  struct buffer *out)
{
    struct front *front = connection->front;

    switch (word) {
    case WORD_RUOK:
        buffer_printf(out, "imok");
        break;
    case WORD_SRVR:
        put_stats(connection, /* clients= */ false, out);
        break;
    case WORD_STAT:
        put_stats(connection, /* clients= */ true, out);
        break;
    case WORD_CONS:
        put_connections(connection, /* full= */ true, out);
        break;
    case WORD_CONF:
        put_conf(front, out);
        break;
    case WORD_CRST:
        replica_reset_client_stats(front->server->replica);
        buffer_printf(out, "Connection stats reset.\n");
        break;
    case WORD_SRST:
        reset_stats(front);
        buffer_printf(out, "Server stats reset.\n");
        break;
    case WORD_DIRS:
        buffer_printf(out, "datadir_size: %lld\nlogdir_size: %lld\n",
                      (long long)words_directory_bytes(front->server->data_disk),
                      (long long)words_directory_bytes(front->server->log_disk));
        break;
    case WORD_DUMP:
        put_dump(front, out);
        break;
    case WORD_ENVI:
        put_environment(out);
        break;
    case WORD_MNTR:
        words_mntr(front, out);
        break;
    case WORD_ISRO:
        buffer_printf(out, "rw");
        break;
    case WORD_STMK:
        if (rest.size < 8)
            break; /* the mask is not there: closed without a byte */
        front->trace_mask = load_be64(rest.data);
        buffer_printf(out, "%lld", (long long)front->trace_mask);
        break;
    case WORD_GTMK:
        buffer_printf(out, "%lld", (long long)front->trace_mask);
        break;
    case WORD_WCHS:
        put_watch_summary(front, out);
        break;
    case WORD_WCHC:
        put_watches(front, /* by_path= */ false, out);
        break;
    case WORD_WCHP:
        put_watches(front, /* by_path= */ true, out);
        break;
    case WORD_HASH:
        replica_visit_digests(front->server->replica, put_digest, out);
        break;
    case WORD_TELNET_CLOSE:
    case WORD_NONE:
        break;
    }
}
