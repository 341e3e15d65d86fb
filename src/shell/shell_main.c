/* shell_main.c: the arguments of zkCli.sh. They are options as long as they begin with a dash; from
 * the first other one on they are a command, which is run alone. */
#include "shell/shell_main.h"

#include "base/number.h"
#include "shell/commands.h"
#include "shell/shell.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_DEFAULT_MS = 30000 };

struct arguments {
    const char *servers, *configuration, *timeout, *output;
    bool read_only, wait_for_connection, exit_codes;
    char **words;
    int word_count;
};

/* -1: go on; else the exit code. */
static int parse_timeout(const char *text, int32_t *ret_timeout_ms)
{
    int64_t value;

    if (!number_parse(slice_text(text), 10, &value) || value > INT32_MAX || value < INT32_MIN) {
        fprintf(stderr, "-timeout takes milliseconds. For input string: \"%s\"\n", text);
        return EXIT_FAILED;
    }
    *ret_timeout_ms = (int32_t)value;
    return -1;
}

/* Options that are not known are passed over, as ZooKeeper does it. */
static void parse_arguments(int argc, char **argv, struct arguments *arguments)
{
    int at = 1;

    for (; at < argc && argv[at][0] == '-'; at++) {
        bool takes = strcmp(argv[at], "-server") == 0 || strcmp(argv[at], "-timeout") == 0 ||
                     strcmp(argv[at], "-client-configuration") == 0 ||
                     strcmp(argv[at], "--output") == 0;
        if (takes && at + 1 == argc) {
            fprintf(stderr, "Error: no argument found for option %s\n", argv[at]);
            at = argc;
            break;
        }
        if (strcmp(argv[at], "-server") == 0)
            arguments->servers = argv[++at];
        else if (strcmp(argv[at], "-timeout") == 0)
            arguments->timeout = argv[++at];
        else if (strcmp(argv[at], "-client-configuration") == 0)
            arguments->configuration = argv[++at];
        else if (strcmp(argv[at], "--output") == 0)
            arguments->output = argv[++at];
        else if (strncmp(argv[at], "--output=", 9) == 0)
            arguments->output = argv[at] + 9;
        else if (strcmp(argv[at], "--exit-codes") == 0)
            arguments->exit_codes = true;
        else if (strcmp(argv[at], "-r") == 0)
            arguments->read_only = true;
        else if (strcmp(argv[at], "-waitforconnection") == 0)
            arguments->wait_for_connection = true;
    }
    arguments->words = argv + at;
    arguments->word_count = argc - at;
}

/* What stands in it is for TLS and SASL, which this build does not have: it must be readable, and a key
 * that would matter is refused. */
static int check_configuration(const char *path)
{
    char line[4096];
    FILE *file = path == NULL ? NULL : fopen(path, "re");
    bool secure = false;

    if (path == NULL)
        return -1;
    if (file == NULL) {
        fprintf(stderr, "Error while processing %s: %s file is missing\n", path, path);
        return EXIT_BAD_CONFIGURATION;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        const char *at = line + strspn(line, " \t");
        secure = secure ||
                 (strncmp(at, "zookeeper.client.secure", 23) == 0 && strstr(at, "true") != NULL);
    }
    fclose(file);
    if (!secure)
        return -1;
    fprintf(stderr, "%s: zookeeper.client.secure=true is not supported in this build\n", path);
    return EXIT_BAD_CONFIGURATION;
}

static int wait_for_connection(struct shell *shell)
{
    if (service_wait_connected(shell->connection, shell->timeout_ms))
        return -1;
    service_close(shell->connection);
    fflush(stdout);
    fputs("KeeperErrorCode = ConnectionLoss\n", stderr);
    return EXIT_FAILED;
}

static int run(struct shell *shell, const struct arguments *arguments)
{
    char problem[SERVICE_PROBLEM_BYTES];

    if (arguments->output != NULL && !shell_set_output(arguments->output)) {
        fprintf(stderr, "--output takes text or json, not \"%s\"\n", arguments->output);
        return EXIT_USAGE;
    }
    answer_use_codes(arguments->exit_codes);
    bool quiet =
        arguments->word_count > 0
            ? shell_is_quiet(shell, (const char *const *)arguments->words, arguments->word_count)
            : answer_is_json();
    shell->silent_states = quiet && !shell->interactive;
    if (!quiet)
        printf("Connecting to %s\n", arguments->servers);
    fflush(stdout);
    int code =
        arguments->timeout == NULL ? -1 : parse_timeout(arguments->timeout, &shell->timeout_ms);
    if (code < 0)
        code = check_configuration(arguments->configuration);
    if (code >= 0)
        return code;
    if (!shell_connect(shell, arguments->servers, problem)) {
        fprintf(stderr, "%s\n", problem);
        return EXIT_FAILED;
    }
    if (arguments->wait_for_connection)
        code = wait_for_connection(shell);
    if (code < 0 && arguments->word_count > 0) {
        code = shell_run(shell, (const char *const *)arguments->words, arguments->word_count);
        if (fflush(stdout) != 0 && code == 0)
            code = EXIT_FAILED;
    } else if (code < 0) {
        code = shell_interact(shell);
    }
    return code;
}

int shell_main(int argc, char **argv)
{
    struct arguments arguments = {.servers = "localhost:2181"};
    struct shell shell = {.timeout_ms = TIMEOUT_DEFAULT_MS};

    if (setlocale(LC_CTYPE, "") == NULL || MB_CUR_MAX == 1)
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    parse_arguments(argc, argv, &arguments);
    shell.commands = commands_table(&shell.command_count);
    shell.read_only = arguments.read_only;
    shell.interactive = arguments.word_count == 0;
    int code = run(&shell, &arguments);
    service_free(shell.connection);
    for (size_t i = 0; i < shell.history_count; i++)
        mem_free(shell.history[i]);
    mem_free(shell.history);
    mem_free(shell.servers);
    return code;
}
