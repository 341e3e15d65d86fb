/* main.c: `paddock COMMAND`: finds the command and runs it. Each command is a room of its own. */
#include "bench/bench.h"
#include "server/daemon.h"
#include "shell/shell_main.h"
#include "tools/four_letter_tool.h"
#include "tools/tools.h"
#include "wire/version.h"

#include <stdio.h>
#include <string.h>

static int help(int argc, char **argv);

static int version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("paddock %s, serves as ZooKeeper %s\nZookeeper version: %s\n", PADDOCK_VERSION,
           ZOOKEEPER_VERSION, VERSION_LINE);
    return 0;
}

static const struct command {
    const char *name;
    int (*main)(int argc, char **argv);
    const char *purpose;
} commands[] = {
    {"server", daemon_main, "a ZooKeeper server"},
    {"cli", shell_main, "the shell: zkCli.sh"},
    {"four-letter", four_letter_tool_main, "asks a server srvr, stat, ruok, mntr, ..."},
    {"txnlog-toolkit", txnlog_toolkit_main, "prints, repairs, cuts transaction logs"},
    {"snapshot-toolkit", snapshot_toolkit_main, "prints a snapshot"},
    {"snapshot-comparer", snapshot_comparer_main, "how two snapshots differ"},
    {"snapshot-summary", snapshot_summary_main, "children and data below a znode"},
    {"log", log_command_main, "dump, verify, stats, compare, repair of transaction logs"},
    {"snapshot", snapshot_command_main, "dump, verify, stats, compare of snapshots"},
    {"backup", backup_command_main, "a running server's data into a file, checked"},
    {"restore", restore_command_main, "a backup into an empty directory, also of an earlier zxid"},
    {"cleanup", cleanup_tool_main, "removes old snapshots and logs"},
    {"bench", bench_main, "load for any ZooKeeper-compatible address, with latencies"},
    {"version", version, "which version this is (also --version)"},
    {"help", help, "this text (also --help)"},
};

static int help(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("paddock: a replacement for Apache ZooKeeper\n\n");
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        printf("paddock %-17s %s\n", commands[i].name, commands[i].purpose);
    printf("\n%s", daemon_usage);
    return 0;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";

    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
        return version(argc, argv);
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help(argc, argv);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].main(argc - 1, argv + 1);
    }
    fprintf(stderr, "paddock: %s %s\n`paddock help` lists the commands.\n",
            name[0] == '\0' ? "a command is missing" : "no such command", name);
    return 2;
}
