/* turn.c: the wall clock is read twice a turn. The clock of the thread's processor time costs a system
 * call: it tells work from waiting for a processor, and is read only where a turn may have been long. */
#include "server/turn.h"

#include "io/log.h"

#include <sys/resource.h>
#include <time.h>

enum { CPU_EVERY_NS = 1000000, NS_PER_MS = 1000000 };

static int64_t read_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static long read_page_faults(void)
{
    struct rusage usage = {0};

    (void)getrusage(RUSAGE_THREAD, &usage); /* cannot fail: both arguments are valid */
    return usage.ru_minflt + usage.ru_majflt;
}

void turn_begin(struct turn *turn, const struct metrics *replica)
{
    turn->began_ns = read_ns(CLOCK_MONOTONIC);
    turn->changes_before = metrics_number(replica, METRIC_CHANGES_APPLIED);
    if (turn->began_ns - turn->cpu_read_ns >= CPU_EVERY_NS) {
        turn->cpu_ns = read_ns(CLOCK_THREAD_CPUTIME_ID);
        turn->page_faults = read_page_faults();
        turn->cpu_read_ns = turn->began_ns;
        turn->since_ns = 0;
    }
}

/* At least this much: the turns since the last reading are taken for work from end to end. */
static int64_t cpu_time_ns(const struct turn *turn, int64_t wall_ns)
{
    int64_t cpu_ns = read_ns(CLOCK_THREAD_CPUTIME_ID) - turn->cpu_ns - turn->since_ns;

    return cpu_ns < 0 ? 0 : cpu_ns > wall_ns ? wall_ns : cpu_ns;
}

static void tell(const struct turn *turn, int64_t wall_ns, int64_t cpu_ns, int64_t changes)
{
    const uint32_t *events = turn->events;

    log_warn("main",
             "a turn of the event loop took %lld ms, in which no request was read cpu_ms=%lld "
             "frames=%u opened=%u closed=%u ready=%u syncs=%u ticks=%u changes=%lld records=%llu "
             "sent_bytes=%llu snapshot_bytes=%llu page_faults=%ld",
             (long long)(wall_ns / NS_PER_MS), (long long)(cpu_ns / NS_PER_MS),
             events[REPLICA_CLIENT_FRAME], events[REPLICA_CLIENT_OPENED],
             events[REPLICA_CLIENT_CLOSED], events[REPLICA_CLIENT_READY],
             events[REPLICA_LOG_SYNCED], events[REPLICA_TICK], (long long)changes,
             (unsigned long long)turn->records, (unsigned long long)turn->sent_bytes,
             (unsigned long long)turn->snapshot_bytes, read_page_faults() - turn->page_faults);
}

void turn_end(struct turn *turn, const struct metrics *replica, struct metrics *metrics)
{
    ASSERT(turn_has_begun(turn));
    int64_t wall_ns = read_ns(CLOCK_MONOTONIC) - turn->began_ns;

    metrics_observe(metrics, METRIC_TURN_TIME, wall_ns / 1000);
    if (wall_ns >= CPU_EVERY_NS) {
        int64_t cpu_ns = cpu_time_ns(turn, wall_ns);
        int64_t changes = metrics_number(replica, METRIC_CHANGES_APPLIED) - turn->changes_before;
        metrics_observe(metrics, METRIC_TURN_CPU_TIME, cpu_ns / 1000);
        if (wall_ns > TURN_TOLD_MS * INT64_C(1000000) ||
            cpu_ns > TURN_TOLD_CPU_MS * INT64_C(1000000))
            tell(turn, wall_ns, cpu_ns, changes < 0 ? 0 : changes); /* srst came in between */
    }
    *turn = (struct turn){.cpu_ns = turn->cpu_ns,
                          .cpu_read_ns = turn->cpu_read_ns,
                          .page_faults = turn->page_faults,
                          .since_ns = turn->since_ns + wall_ns};
}
