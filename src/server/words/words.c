/* words.c: the shorter answers, and the table of all words. The texts are exactly those of the real server,
 * because scripts parse them. */
#include "server/words/words_internal.h"

#include "io/java_text.h"
#include "replica/membership/membership.h"
#include "wire/version.h"

static void put_session(const struct client_info *info, struct buffer *out)
{
    const struct summary *latency = &info->latency_ms;
    int64_t average_ms = latency->count > 0 ? latency->sum / latency->count : 0;

    buffer_printf(out, ",sid=0x%llx,lop=%s,est=%lld,to=%d", (unsigned long long)info->session_id,
                  op_cons_name(info->last_op), (long long)info->established_wall_ms,
                  info->session_timeout_ms);
    if (info->last_cxid >= 0)
        buffer_printf(out, ",lcxid=0x%x", (unsigned)info->last_cxid);
    buffer_printf(out, ",lzxid=0x%llx,lresp=%lld,llat=%lld,minlat=%lld,avglat=%lld,maxlat=%lld",
                  (unsigned long long)info->last_zxid, (long long)info->last_response_ms,
                  (long long)info->last_latency_ms, (long long)latency->min, (long long)average_ms,
                  (long long)latency->max);
}

static void put_connection(const struct connection_facts *facts, uint32_t asker, bool full,
                           struct buffer *out)
{
    const struct client_info *info = &facts->client;
    int interest = (facts->reads && facts->id != asker ? 1 : 0) | /* SelectionKey.OP_READ */
                   (facts->writes ? 4 : 0);                       /* SelectionKey.OP_WRITE */
    int64_t received = !facts->is_client && facts->asks_word ? 1 : info->received;

    buffer_printf(out, " %s[%d](queued=%lld,recved=%lld,sent=%lld", facts->peer, interest,
                  (long long)info->queued, (long long)received, (long long)info->sent);
    if (full && info->session_id != 0)
        put_session(info, out);
    buffer_printf(out, ")\n");
}

static void put_connections(const struct words *words, uint32_t asker, bool full,
                            struct buffer *out)
{
    struct connection_facts facts;

    for (uint32_t cursor = 0; front_next_connection(words->front, &cursor, &facts);)
        put_connection(&facts, asker, full, out);
    buffer_printf(out, "\n");
}

static void put_stats(const struct words *words, uint32_t asker, bool clients, struct buffer *out)
{
    struct metrics all = {0};

    words_collect_metrics(words, &all);
    buffer_printf(out, "Zookeeper version: %s\n", VERSION_LINE);
    if (words_read_only(words))
        buffer_printf(out, "READ-ONLY mode; serving only read-only clients\n");
    if (clients) {
        buffer_printf(out, "Clients:\n");
        put_connections(words, asker, /* full= */ false, out);
    }
    buffer_printf(out, "Latency min/avg/max: %lld/",
                  (long long)metrics_number(&all, METRIC_LATENCY_MIN));
    java_put_double(out, all.values[METRIC_LATENCY_AVERAGE].real);
    buffer_printf(out, "/%lld\nReceived: %lld\nSent: %lld\nConnections: %lld\nOutstanding: %lld\n",
                  (long long)metrics_number(&all, METRIC_LATENCY_MAX),
                  (long long)metrics_number(&all, METRIC_PACKETS_RECEIVED),
                  (long long)metrics_number(&all, METRIC_PACKETS_SENT),
                  (long long)metrics_number(&all, METRIC_CONNECTIONS),
                  (long long)metrics_number(&all, METRIC_OUTSTANDING));
    buffer_printf(out, "Zxid: 0x%llx\nMode: %s\nNode count: %lld\n",
                  (unsigned long long)tree_last_zxid(replica_tree(words->replica)),
                  words_mode(words), (long long)metrics_number(&all, METRIC_ZNODES));
    if (words_leads(words))
        buffer_printf(out, "Proposal sizes last/min/max: %lld/%lld/%lld\n",
                      (long long)metrics_number(&all, METRIC_PROPOSAL_SIZE_LAST),
                      (long long)metrics_number(&all, METRIC_PROPOSAL_SIZE_MIN),
                      (long long)metrics_number(&all, METRIC_PROPOSAL_SIZE_MAX));
    metrics_deinit(&all);
}

static bool add_file_size(void *context, const char *name, uint64_t size_bytes)
{
    (void)name;
    *(int64_t *)context += (int64_t)size_bytes;
    return true;
}

static int64_t directory_bytes(struct disk *disk)
{
    int64_t bytes = 0;

    if (disk->ops->list(disk, add_file_size, &bytes) != STATUS_OK)
        return 0;
    return bytes;
}

static void put_ports(const struct member *own, bool election, struct buffer *out)
{
    buffer_printf(out, "%s", election ? "electionPort=" : "quorumPort=");
    for (uint32_t i = 0; i < own->address_count; i++)
        buffer_printf(out, i == 0 ? "%u" : "|%u",
                      election ? own->addresses[i].election_port : own->addresses[i].quorum_port);
    buffer_printf(out, "\n");
}

/* The answer ends with the version, without a newline. */
static void put_ensemble_conf(const struct words *words, struct buffer *out)
{
    const struct word_settings *settings = &words->settings;
    struct ensemble_info info;
    const struct member *own = membership_find(settings->membership, settings->server_id);

    ASSERT(own != NULL); /* the configuration was checked */
    buffer_printf(out, "initLimit=%d\nsyncLimit=%d\nelectionAlg=3\n", settings->init_limit,
                  settings->sync_limit);
    put_ports(own, /* election= */ true, out);
    put_ports(own, /* election= */ false, out);
    buffer_printf(out, "peerType=%d\n", own->role == MEMBER_OBSERVER ? 1 : 0);
    if (!replica_ensemble(words->replica, &info) || info.read_only)
        return;
    buffer_printf(out, "membership: \n");
    membership_write(out, info.membership);
}

static void put_conf(const struct words *words, struct buffer *out)
{
    const struct word_settings *settings = &words->settings;

    buffer_printf(out, "clientPort=%d\nsecureClientPort=-1\n", front_port(words->front));
    buffer_printf(out, "dataDir=%s\ndataDirSize=%lld\n", words->data_path,
                  (long long)directory_bytes(words->data_disk));
    buffer_printf(out, "dataLogDir=%s\ndataLogSize=%lld\n", words->log_path,
                  (long long)directory_bytes(words->log_disk));
    buffer_printf(out,
                  "tickTime=%d\nmaxClientCnxns=%d\nminSessionTimeout=%d\nmaxSessionTimeout=%d\n"
                  "clientPortListenBacklog=%d\nserverId=%lld\n",
                  settings->tick_ms, settings->connections_per_host_max,
                  settings->session_timeout_min_ms, settings->session_timeout_max_ms,
                  settings->listen_backlog, (long long)settings->server_id);
    if (settings->membership != NULL)
        put_ensemble_conf(words, out);
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

static void put_watches(const struct words *words, bool by_path, struct buffer *out)
{
    struct watch_lines lines = {.out = out, .by_path = by_path};

    if (by_path)
        clients_visit_watches_by_path(replica_clients(words->replica), add_watch, &lines);
    else
        clients_visit_watches_by_session(replica_clients(words->replica), add_watch, &lines);
    buffer_printf(out, "\n");
    buffer_deinit(&lines.path);
}

static void put_watch_summary(const struct words *words, struct buffer *out)
{
    struct replica_counts counts;

    replica_counts(words->replica, &counts);
    buffer_printf(out, "%u connections watching %u paths\nTotal watches:%u\n",
                  counts.clients.watch_connections, counts.clients.watch_paths,
                  counts.clients.watches);
}

/* --- the rest --- */

static void put_digest(void *context, int64_t zxid, uint64_t digest)
{
    buffer_printf(context, "%llx: %lld\n", (unsigned long long)zxid, (long long)digest);
}

/* --- one function for each word --- */

static void answer_ruok(struct words *words, const struct word_question *question,
                        struct buffer *out)
{
    (void)words;
    (void)question;
    buffer_printf(out, "imok");
}

static void answer_srvr(struct words *words, const struct word_question *question,
                        struct buffer *out)
{
    put_stats(words, question->asker, /* clients= */ false, out);
}

static void answer_stat(struct words *words, const struct word_question *question,
                        struct buffer *out)
{
    put_stats(words, question->asker, /* clients= */ true, out);
}

static void answer_cons(struct words *words, const struct word_question *question,
                        struct buffer *out)
{
    put_connections(words, question->asker, /* full= */ true, out);
}

static void answer_conf(struct words *words, const struct word_question *question,
                        struct buffer *out)
{
    (void)question;
    put_conf(words, out);
}

static void answer_crst(struct words *words, const struct word_question *question,
                        struct buffer *out)
{
    (void)question;
    replica_reset_client_stats(words->replica);
    buffer_printf(out, "Connection stats reset.\n");
}

static void answer_srst(struct words *words, const struct word_question *question,
                        struct buffer *out)
{
    (void)question;
    words_reset_metrics(words);
    buffer_printf(out, "Server stats reset.\n");
}

static void answer_dirs(struct words *words, const struct word_question *question,
                        struct buffer *out)
{
    (void)question;
    buffer_printf(out, "datadir_size: %lld\nlogdir_size: %lld\n",
                  (long long)directory_bytes(words->data_disk),
                  (long long)directory_bytes(words->log_disk));
}

static void answer_dump(struct words *words, const struct word_question *question,
                        struct buffer *out)
{
    (void)question;
    words_put_dump(words, out);
}

static void answer_envi(struct words *words, const struct word_question *question,
                        struct buffer *out)
{
    (void)words;
    (void)question;
    words_put_environment(out);
}

static void answer_mntr(struct words *words, const struct word_question *question,
                        struct buffer *out)
{
    (void)question;
    words_put_metrics(words, out);
}

static void answer_isro(struct words *words, const struct word_question *question,
                        struct buffer *out)
{
    (void)question;
    buffer_printf(out, words_read_only(words) ? "ro" : "rw");
}

static void answer_stmk(struct words *words, const struct word_question *question,
                        struct buffer *out)
{
    if (question->rest.size < 8)
        return; /* the mask is not there: closed without a byte */
    words->trace_mask = load_be64(question->rest.data);
    buffer_printf(out, "%lld", (long long)words->trace_mask);
}

static void answer_gtmk(struct words *words, const struct word_question *question,
                        struct buffer *out)
{
    (void)question;
    buffer_printf(out, "%lld", (long long)words->trace_mask);
}

static void answer_wchs(struct words *words, const struct word_question *question,
                        struct buffer *out)
{
    (void)question;
    put_watch_summary(words, out);
}

static void answer_wchc(struct words *words, const struct word_question *question,
                        struct buffer *out)
{
    (void)question;
    put_watches(words, /* by_path= */ false, out);
}

static void answer_wchp(struct words *words, const struct word_question *question,
                        struct buffer *out)
{
    (void)question;
    put_watches(words, /* by_path= */ true, out);
}

static void answer_hash(struct words *words, const struct word_question *question,
                        struct buffer *out)
{
    (void)question;
    replica_visit_digests(words->replica, put_digest, out);
}

typedef void answer_function(struct words *words, const struct word_question *question,
                             struct buffer *out);
static answer_function *const answers[] = {
    [WORD_CONF] = answer_conf, [WORD_CONS] = answer_cons, [WORD_CRST] = answer_crst,
    [WORD_DIRS] = answer_dirs, [WORD_DUMP] = answer_dump, [WORD_ENVI] = answer_envi,
    [WORD_GTMK] = answer_gtmk, [WORD_HASH] = answer_hash, [WORD_ISRO] = answer_isro,
    [WORD_MNTR] = answer_mntr, [WORD_RUOK] = answer_ruok, [WORD_SRST] = answer_srst,
    [WORD_SRVR] = answer_srvr, [WORD_STAT] = answer_stat, [WORD_STMK] = answer_stmk,
    [WORD_WCHC] = answer_wchc, [WORD_WCHP] = answer_wchp, [WORD_WCHS] = answer_wchs,
    [WORD_TELNET_CLOSE] = NULL};

static bool answers_without_serving(enum four_letter_word word)
{
    return word == WORD_RUOK || word == WORD_ENVI || word == WORD_GTMK || word == WORD_STMK ||
           word == WORD_TELNET_CLOSE;
}

static void put_not_serving(enum four_letter_word word, struct buffer *answer)
{
    if (word == WORD_ISRO)
        buffer_printf(answer, "null");
    else
        buffer_printf(answer, "This ZooKeeper instance is not currently serving requests%s",
                      word == WORD_HASH ? "" : "\n"); /* Java's HashCommand ends without one */
}

void words_answer(struct words *words, const struct word_question *question, struct buffer *answer)
{
    ASSERT(question->word < ARRAY_LEN(answers));
    if (words_mode(words) == NULL && !answers_without_serving(question->word)) {
        put_not_serving(question->word, answer);
        return;
    }
    if (answers[question->word] != NULL)
        answers[question->word](words, question, answer);
}
