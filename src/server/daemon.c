/* daemon.c: `paddock server`: arguments, configuration, then serving until a signal comes. Each way out
 * has its exit code (config.h). */
#include "server/daemon.h"

#include "io/disk_posix.h"
#include "io/log.h"
#include "server/server.h"
#include "wire/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char daemon_usage[] =
    "paddock server [options] <zoo.cfg>                serve with this configuration\n"
    "paddock server [options] <port> <dataDir> [tickTime] [maxClientCnxns]\n"
    "paddock server [options] --default <dataDir> [port]\n"
    "                                                  serve with built-in settings, port 2181\n"
    "paddock server --check <zoo.cfg>                  say what is wrong in the file, and where\n"
    "  --log-file <path>     log lines go there instead of stderr; SIGHUP opens it again\n"
    "  --log-level <level>   error, warn, info (default), debug, trace\n";

static const char usage_line[] =
    "Usage: ZooKeeperServerMain configfile | port datadir [ticktime] [maxcnxns]\n";

struct arguments {
    const char *log_file, *default_dir;
    enum log_level log_level;
    bool check;
    char **words;
    int word_count;
};

/* Options stand before the words. False: wrong usage. */
static bool parse_arguments(int argc, char **argv, struct arguments *arguments)
{
    int at = 1;

    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        bool has_value = at + 1 < argc;
        if (strcmp(argv[at], "--check") == 0) {
            arguments->check = true;
        } else if (strcmp(argv[at], "--log-file") == 0 && has_value) {
            arguments->log_file = argv[++at];
        } else if (strcmp(argv[at], "--default") == 0 && has_value) {
            arguments->default_dir = argv[++at];
        } else if (strcmp(argv[at], "--log-level") == 0 && has_value) {
            if (!log_level_parse(argv[++at], &arguments->log_level)) {
                fprintf(stderr, "paddock: no such log level: %s\n", argv[at]);
                return false;
            }
        } else {
            fprintf(stderr, "paddock: unknown option: %s\n%s", argv[at], daemon_usage);
            return false;
        }
    }
    arguments->words = argv + at;
    arguments->word_count = argc - at;
    return true;
}

/* The last sentence of the process belongs into its log. */
static void log_fatal(const char *sentence)
{
    log_error("main", "%s", sentence);
}

static int leave(enum exit_code code)
{
    if (code != EXIT_CODE_OK)
        log_error("main", "Exiting JVM with code %d", code);
    return code;
}

static void put_problem(const struct config *config, const struct config_problem *problem,
                        char *text, size_t size)
{
    const char *path = config->path == NULL ? "" : config->path;

    if (problem->line > 0)
        snprintf(text, size, "%s:%d: %s", path, problem->line, problem->text);
    else if (path[0] != '\0')
        snprintf(text, size, "%s: %s", path, problem->text);
    else
        snprintf(text, size, "%s", problem->text);
}

static int check(const struct config *config)
{
    const struct config_problem *error = config_error(config);
    char text[4096];

    for (size_t i = 0; i < config->problem_count; i++) {
        put_problem(config, &config->problems[i], text, sizeof(text));
        fprintf(stderr, "%s: %s\n", config->problems[i].error ? "error" : "warning", text);
    }
    if (error != NULL)
        return error->code;
    printf("%s: ok\n", config->path);
    return EXIT_CODE_OK;
}

static void log_problems(const struct config *config)
{
    char text[4096];

    for (size_t i = 0; i < config->problem_count; i++) {
        put_problem(config, &config->problems[i], text, sizeof(text));
        log_line(config->problems[i].error ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, "config", "%s",
                 text);
    }
}

static void set_log_id(const struct config *config)
{
    char id[24] = "";

    if (config->ensemble.my_id >= 0 && config->ensemble.voters > 0)
        snprintf(id, sizeof(id), "%lld", (long long)config->ensemble.my_id);
    log_set_myid(id);
}

static int serve(const struct config *config)
{
    struct server server;

    log_info("main", "Server environment:zookeeper.version=%s", VERSION_LINE);
    log_info("main",
             "Starting server tickTime=%d minSessionTimeout=%d maxSessionTimeout=%d "
             "dataDir=%s dataLogDir=%s",
             config->session.tick_ms, config->session.timeout_min_ms,
             config->session.timeout_max_ms, config->directories.data, config->directories.log);
    enum exit_code code = server_open(&server, config);
    if (code == EXIT_CODE_DATA_DIR) {
        log_error("main", "Unable to access datadir, exiting abnormally");
        fputs("Unable to access datadir, exiting abnormally\n", stderr);
    } else if (code != EXIT_CODE_OK) {
        log_error("main", "Unexpected exception, exiting abnormally");
    } else {
        log_info("main", "serving port=%d", config->front.port_set ? config->front.port : -1);
        code = server_run(&server);
    }
    server_close(&server);
    if (code == EXIT_CODE_OK)
        log_info("main", "the server has ended");
    return leave(code);
}

/* The settings of `make run`: what zoo_sample.cfg has, in a directory of one's own. */
static void load_default(struct config *config, const struct arguments *arguments)
{
    const char *port = arguments->word_count > 0 ? arguments->words[0] : "2181";
    const char *text =
        config_text(config,
                    "tickTime=2000\ninitLimit=10\nsyncLimit=5\nclientPort=%s\n"
                    "admin.enableServer=false\n"
                    "4lw.commands.whitelist=srvr,stat,ruok,conf,isro,mntr,cons,wchs\n",
                    port);

    config_parse(config, "built-in", slice_text(text));
    config->directories.data = arguments->default_dir;
    config_complete(config);
}

static int usage(void)
{
    log_error("main", "Invalid arguments, exiting abnormally");
    fputs(usage_line, stderr);
    return leave(EXIT_CODE_INVALID);
}

static int run(struct config *config, const struct arguments *arguments)
{
    config_add_flags(config, getenv("SERVER_JVMFLAGS"));
    config_add_flags(config, getenv("JVMFLAGS"));
    if (arguments->default_dir != NULL && arguments->word_count <= 1) {
        load_default(config, arguments);
    } else if (arguments->word_count == 1) {
        config_load(config, arguments->words[0]);
    } else if (arguments->check || arguments->word_count < 2 || arguments->word_count > 4 ||
               !config_from_words(config, arguments->word_count, arguments->words)) {
        return usage();
    }
    if (arguments->check)
        return check(config);
    set_log_id(config);
    if (config_error(config) == NULL)
        config_resolve(config);
    log_problems(config);
    const struct config_problem *error = config_error(config);
    if (error == NULL)
        return serve(config);
    if (error->code == EXIT_CODE_INVALID) {
        log_error("main", "Invalid config, exiting abnormally");
        fputs("Invalid config, exiting abnormally\n", stderr);
    } else {
        log_error("main", "Unexpected exception, exiting abnormally");
    }
    return leave(error->code);
}

int daemon_main(int argc, char **argv)
{
    struct arguments arguments = {.log_level = LOG_LEVEL_INFO};
    struct config config;

    if (!parse_arguments(argc, argv, &arguments))
        return EXIT_CODE_INVALID;
    if (arguments.check)
        arguments.log_file = NULL; /* it makes no file */
    enum status opened = log_open(arguments.log_file, arguments.log_level);
    if (opened != STATUS_OK) {
        fprintf(stderr, "paddock: cannot open the log file %s: %s\n", arguments.log_file,
                status_text(opened));
        return EXIT_CODE_UNEXPECTED;
    }
    base_on_fatal(log_fatal);
    config_init(&config);
    int status = run(&config, &arguments);
    config_deinit(&config);
    return status;
}
