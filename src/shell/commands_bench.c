/* commands_bench.c: bench: `paddock bench` against the servers of the shell, as a program of its own: its
 * sessions and its event loop have nothing to do with the shell's session, which lives on meanwhile. */
#include "shell/commands.h"
#include "shell/job.h"
#include "shell/lasting.h"

#include <stdio.h>

enum { BENCH_GRACE_MS = 1000 };

static const int with_child[] = {SIGCHLD, SIGCONT, 0};

static int run_job(struct lasting *lasting, const char *const *words)
{
    const struct job_options options = {
        .words = words, .signals = &lasting->signals, .grace_ms = BENCH_GRACE_MS};
    struct job job;

    if (!job_start(&job, &options))
        return EXIT_FAILED;
    while (job.pid != 0) {
        int signal_number;
        lasting_wait(lasting, -1);
        lasting_drop_events(lasting);
        while ((signal_number = lasting_take_signal(lasting)) != 0) {
            bool paused = false;
            if (signal_number != SIGCHLD)
                job_signal(&job, signal_number);
            else
                job_look(&job, &paused);
            if (paused)
                job_continue(&job);
        }
    }
    return job.code;
}

COMMAND(run_bench)
{
    static const char program[] = "/proc/self/exe";
    struct lasting lasting;
    size_t size = strcspn(shell->servers, "/"); /* without the chroot */

    (void)command;
    char *servers = mem_alloc(size + 1);
    memcpy(servers, shell->servers, size);
    servers[size] = '\0';
    const char **all = mem_zalloc(((size_t)words->word_count + 4) * sizeof(*all));
    all[0] = program;
    all[1] = "bench";
    all[2] = "--servers";
    all[3] = servers;
    for (int i = 1; i < words->word_count; i++)
        all[3 + i] = words->words[i];
    int code = EXIT_FAILED;
    if (lasting_begin(&lasting, shell, with_child)) {
        code = run_job(&lasting, all);
        lasting_end(&lasting);
    }
    mem_free(all);
    mem_free(servers);
    return code;
}
