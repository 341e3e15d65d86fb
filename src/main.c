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
    {"server", daemon_main, "runs a ZooKeeper server"},
    {"cli", shell_main, "the shell of ZooKeeper: zkCli.sh"},
    {"four-letter", four_letter_tool_main, "sends srvr, stat, ruok, mntr, ... to a server"},
    {"txnlog-toolkit", txnlog_toolkit_main, "prints, repairs, cuts transaction logs"},
    {"snapshot-toolkit", snapshot_toolkit_main, "prints a snapshot"},
    {"snapshot-comparer", snapshot_comparer_main, "shows how two snapshots differ"},
    {"snapshot-summary", snapshot_summary_main, "counts children and data below a znode"},
    {"log", log_command_main, "dump, verify, stats, compare, repair of transaction logs"},
    {"snapshot", snapshot_command_main, "dump, verify, stats, compare of snapshots"},
    {"backup", backup_command_main, "copies a running server's data into a file, and checks it"},
    {"restore", restore_command_main,
     "makes a data directory from a backup, also as of an earlier zxid"},
    {"cleanup", cleanup_tool_main, "removes old snapshots and logs"},
    {"bench", bench_main, "measures any ZooKeeper-compatible server under load"},
    {"version", version, "prints the version (also --version)"},
    {"help", help, "prints this text (also --help)"},
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
