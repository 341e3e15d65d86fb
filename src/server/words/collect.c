/* collect.c: the metrics of all their owners, brought together to be shown. */
#include "server/words/words_internal.h"

#include <dirent.h>
#include <sys/resource.h>

static int64_t open_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int64_t count = -4; /* ".", "..", this one, and the first step */

    if (directory == NULL)
        return 0;
    do {
        count++;
    } while (readdir(directory) != NULL);
    closedir(directory);
    return count;
}

void words_collect_metrics(const struct words *words, struct metrics *all)
{
    struct rlimit limit = {0};
    struct ensemble_info info;
    int64_t since_ms = words->started_ms;

    replica_collect_metrics(words->replica, all);
    front_collect_metrics(words->front, all);
    log_thread_collect_metrics(words->log, all);
    snapshot_thread_collect_metrics(words->snapshots, all);
    metrics_collect(all, words->metrics, METRICS_OF_SERVER);
    if (replica_ensemble(words->replica, &info))
        since_ms = info.role_since_ms; /* as in Java: each role is a server of its own */
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    metrics_set(all, METRIC_DESCRIPTORS_MAX, (int64_t)limit.rlim_cur);
    metrics_set(all, METRIC_DESCRIPTORS, open_descriptors());
    metrics_set(all, METRIC_UPTIME, host_now_ms(words->host) - since_ms);
}

void words_reset_metrics(struct words *words)
{
    replica_reset_stats(words->replica);
    front_reset_metrics(words->front);
    log_thread_reset_metrics(words->log);
    snapshot_thread_reset_metrics(words->snapshots);
    metrics_reset(words->metrics);
}
