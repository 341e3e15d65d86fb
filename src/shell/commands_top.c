/* commands_top.c: top: all servers of an ensemble in one table, again each second. It asks them srvr, which
 * every server answers, and mntr, where it is allowed; what a server does not say is shown as "-".
 * A server that does not answer has its line too, with the reason. */
#include "shell/ask.h"
#include "shell/calls.h"
#include "shell/commands.h"
#include "shell/lasting.h"

#include "base/array.h"
#include "base/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum {
    CELL_BYTES = 24,
    SERVER_TEXT_BYTES = SERVER_HOST_BYTES_MAX + 16,
    ASK_MS = 1000,
    SESSION_MS = 1000,
    WORDS_ASKED = 2,
    INTERVAL_MIN_MS = 100,
    WIDTH_DEFAULT = 200
};

struct row {
    struct server_name name;
    bool answered, leads;
    const char *problem;
    char version[CELL_BYTES], mode[CELL_BYTES], zxid[CELL_BYTES], connections[CELL_BYTES],
        watches[CELL_BYTES], outstanding[CELL_BYTES], latency[CELL_BYTES], nodes[CELL_BYTES];
    int64_t received, received_at_ms; /* -1: not known */
    double rate;                      /* requests a second; < 0: not known */
};

struct top {
    struct lasting lasting;
    struct row *rows;
    size_t count, capacity;
    int64_t interval_ms;
    bool screen; /* a terminal: each view takes the place of the one before */
    struct termios old_mode;
};

/* --- which servers --- */

static void add_server(struct top *top, const struct server_name *name)
{
    top->rows = ARRAY_RESERVE(top->rows, top->capacity, top->count + 1, ARRAY_FIRST);
    top->rows[top->count++] = (struct row){.name = *name, .received = -1, .rate = -1};
}

static void add_servers(struct top *top, const char *text)
{
    char problem[SERVICE_PROBLEM_BYTES];
    struct servers servers;

    if (servers_parse(text, &servers, problem, sizeof(problem))) {
        for (size_t i = 0; i < servers.count; i++)
            add_server(top, &servers.names[i]);
    }
    servers_deinit(&servers);
}

/* Of "server.1=host:2888:3888:participant;address:2181" the address for clients; of one that means all
 * addresses of the machine, and of a port alone, the host of the server. */
static void add_from_line(struct top *top, struct slice line)
{
    char text[SERVER_TEXT_BYTES];
    const uint8_t *end = line.data + line.size;
    const uint8_t *equals = memchr(line.data, '=', line.size);
    const uint8_t *semicolon = memchr(line.data, ';', line.size);

    if (equals == NULL || semicolon == NULL || semicolon < equals)
        return;
    struct slice host = slice_of(equals + 1, (size_t)(semicolon - equals - 1));
    struct slice client = slice_of(semicolon + 1, (size_t)(end - semicolon - 1));
    const uint8_t *next = memchr(client.data, ';', client.size);
    if (next != NULL)
        client.size = (size_t)(next - client.data);
    const uint8_t *colon = memrchr(client.data, ':', client.size);
    struct slice port = colon == NULL
                            ? client
                            : slice_of(colon + 1, (size_t)(client.data + client.size - colon - 1));
    bool any = colon == NULL || slice_starts_with(client, SLICE("0.0.0.0:")) ||
               slice_starts_with(client, SLICE("[::]:")) ||
               slice_starts_with(client, SLICE("[0:0:0:0:0:0:0:0]:"));
    if (any) {
        bool bracket = host.size > 0 && host.data[0] == '[';
        const uint8_t *host_end =
            host.size == 0 ? NULL : memchr(host.data, bracket ? ']' : ':', host.size);
        if (host_end == NULL)
            return;
        snprintf(text, sizeof(text), "%.*s:%.*s", (int)(host_end - host.data) + bracket,
                 (const char *)host.data, (int)port.size, (const char *)port.data);
    } else {
        snprintf(text, sizeof(text), "%.*s", (int)client.size, (const char *)client.data);
    }
    add_servers(top, text);
}

/* The members of the ensemble as the service knows them. Nothing, when no server gives it, or when it
 * names no addresses for clients. */
static void read_configuration(struct top *top)
{
    struct service *connection = top->lasting.shell->connection;
    struct slice data;
    struct zk_stat stat;

    if (!service_wait_connected(connection, SESSION_MS) ||
        call_get(connection, SLICE("/zookeeper/config"), false, &data, &stat) != ZK_OK)
        return;
    while (data.size > 0) {
        const uint8_t *end = memchr(data.data, '\n', data.size);
        size_t size = end == NULL ? data.size : (size_t)(end - data.data);
        struct slice line = slice_trim(slice_of(data.data, size));
        if (slice_starts_with(line, SLICE("server.")))
            add_from_line(top, line);
        size_t used = size + (end != NULL);
        data = slice_of(data.data + used, data.size - used);
    }
}

/* --- what they say --- */

/* The rest of the line that begins with `name`; false: there is none. */
static bool find_line(struct slice text, const char *name, struct slice *ret_value)
{
    struct slice start = slice_text(name);

    while (text.size > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t size = end == NULL ? text.size : (size_t)(end - text.data);
        struct slice line = slice_of(text.data, size);
        if (slice_starts_with(line, start)) {
            *ret_value = slice_trim(slice_of(line.data + start.size, size - start.size));
            return true;
        }
        size_t used = size + (end != NULL);
        text = slice_of(text.data + used, text.size - used);
    }
    return false;
}

static void fill_cell(char cell[CELL_BYTES], struct slice text, const char *name)
{
    struct slice value;

    if (!find_line(text, name, &value)) {
        snprintf(cell, CELL_BYTES, "-");
        return;
    }
    snprintf(cell, CELL_BYTES, "%.*s", (int)value.size, (const char *)value.data);
    for (char *at = cell; *at != '\0'; at++) {
        if (*at < ' ' || *at > '~')
            *at = '?'; /* a server's bytes do not reach the terminal as they are */
    }
}

/* "min/avg/max": without the first. */
static void shorten_latency(struct row *row)
{
    char *slash = strchr(row->latency, '/');

    if (slash != NULL)
        memmove(row->latency, slash + 1, strlen(slash));
}

/* The words themselves are counted as packets: they are none of the clients'. */
static void count_requests(struct row *row, struct slice text, int64_t now_ms)
{
    struct slice value;
    int64_t received = -1;

    row->rate = -1;
    if (find_line(text, "Received:", &value) && !number_parse(value, 10, &received))
        received = -1;
    if (received >= 0 && row->received >= 0 && now_ms > row->received_at_ms) {
        int64_t more = received - row->received - WORDS_ASKED;
        if (received >= row->received) /* else it was reset */
            row->rate =
                (double)(more > 0 ? more : 0) * 1000 / (double)(now_ms - row->received_at_ms);
    }
    row->received = received;
    row->received_at_ms = now_ms;
}

static void read_answers(struct row *row, const struct ask *srvr, const struct ask *mntr,
                         int64_t now_ms)
{
    struct slice text = buffer_slice(&srvr->text), more = buffer_slice(&mntr->text);
    struct slice value;

    row->answered = srvr->answered && find_line(text, "Mode:", &value);
    row->problem = srvr->answered ? "does not serve" : srvr->problem;
    if (!row->answered) {
        row->received = -1;
        row->leads = false;
        return;
    }
    fill_cell(row->mode, text, "Mode:");
    fill_cell(row->zxid, text, "Zxid:");
    fill_cell(row->connections, text, "Connections:");
    fill_cell(row->outstanding, text, "Outstanding:");
    fill_cell(row->latency, text, "Latency min/avg/max:");
    fill_cell(row->nodes, text, "Node count:");
    fill_cell(row->watches, mntr->answered ? more : SLICE_NULL, "zk_watch_count\t");
    shorten_latency(row);
    row->leads = strcmp(row->mode, "leader") == 0;
    count_requests(row, text, now_ms);
}

static void ask_servers(struct top *top)
{
    struct ask *asks = mem_alloc(top->count * WORDS_ASKED * sizeof(*asks));

    for (size_t i = 0; i < top->count; i++) {
        ask_init(&asks[2 * i], &top->rows[i].name, "srvr");
        ask_init(&asks[2 * i + 1], &top->rows[i].name, "mntr");
    }
    ask_all(asks, top->count * WORDS_ASKED, ASK_MS, top->lasting.signal_fd);
    int64_t now_ms = service_now_ms();
    for (size_t i = 0; i < top->count; i++) {
        read_answers(&top->rows[i], &asks[2 * i], &asks[2 * i + 1], now_ms);
        ask_deinit(&asks[2 * i]);
        ask_deinit(&asks[2 * i + 1]);
    }
    mem_free(asks);
}

/* --- the table --- */

static void format_address(const struct row *row, char text[SERVER_TEXT_BYTES])
{
    bool colons = strchr(row->name.host, ':') != NULL;

    snprintf(text, SERVER_TEXT_BYTES, "%s%s%s:%d", colons ? "[" : "", row->name.host,
             colons ? "]" : "", row->name.port);
}

static size_t screen_width(const struct top *top)
{
    struct winsize size;

    if (!top->screen)
        return SIZE_MAX;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                           : WIDTH_DEFAULT;
}

static void print_line(const struct top *top, struct buffer *line, bool bold)
{
    size_t width = screen_width(top), size = line->size < width ? line->size : width;

    if (top->screen && bold)
        fputs("\033[1m", stdout);
    fwrite(line->data, 1, size, stdout);
    if (top->screen)
        fputs(bold ? "\033[0m\033[K\r" : "\033[K\r", stdout);
    fputc('\n', stdout);
    line->size = 0;
}

static void print_summary(const struct top *top, struct buffer *line)
{
    size_t answered = 0, known = 0;
    double rate = 0;
    time_t now = time(NULL);
    struct tm parts;
    char clock[16];

    for (size_t i = 0; i < top->count; i++) {
        const struct row *row = &top->rows[i];
        answered += row->answered;
        known += row->answered && row->rate >= 0;
        rate += row->answered && row->rate >= 0 ? row->rate : 0;
    }
    localtime_r(&now, &parts);
    strftime(clock, sizeof(clock), "%H:%M:%S", &parts);
    buffer_printf(line, "%s  %zu of %zu servers answer", clock, answered, top->count);
    if (known > 0)
        buffer_printf(line, "  %.0f requests/s", rate);
    print_line(top, line, false);
}

static void print_table(const struct top *top)
{
    char address[SERVER_TEXT_BYTES], rate[CELL_BYTES];
    int widest = (int)strlen("SERVER");
    struct buffer line;

    buffer_init(&line);
    for (size_t i = 0; i < top->count; i++) {
        format_address(&top->rows[i], address);
        widest = (int)strlen(address) > widest ? (int)strlen(address) : widest;
    }
    print_summary(top, &line);
    buffer_printf(&line, "%-*s %-10s %14s %7s %8s %9s %6s %14s %9s", widest, "SERVER", "MODE",
                  "ZXID", "CONNS", "WATCHES", "REQ/S", "QUEUED", "MS AVG/MAX", "ZNODES");
    print_line(top, &line, false);
    for (size_t i = 0; i < top->count; i++) {
        const struct row *row = &top->rows[i];
        format_address(row, address);
        if (row->rate < 0)
            snprintf(rate, sizeof(rate), "-");
        else
            snprintf(rate, sizeof(rate), "%.0f", row->rate);
        if (row->answered)
            buffer_printf(&line, "%-*s %-10s %14s %7s %8s %9s %6s %14s %9s", widest, address,
                          row->mode, row->zxid, row->connections, row->watches, rate,
                          row->outstanding, row->latency, row->nodes);
        else
            buffer_printf(&line, "%-*s %-10s %s", widest, address, "down", row->problem);
        print_line(top, &line, row->leads);
    }
    buffer_deinit(&line);
}

/* --- the screen --- */

static void begin_screen(struct top *top)
{
    struct epoll_event readable = {.events = EPOLLIN};
    struct termios mode;

    if (tcgetattr(STDIN_FILENO, &top->old_mode) != 0)
        return;
    mode = top->old_mode;
    mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    mode.c_cc[VMIN] = 0;
    mode.c_cc[VTIME] = 0;
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &mode);
    (void)epoll_ctl(top->lasting.wait_fd, EPOLL_CTL_ADD, STDIN_FILENO, &readable);
    fputs("\033[?1049h", stdout); /* the other screen, so that the lines of before come back */
    top->screen = true;
}

static void end_screen(const struct top *top)
{
    if (!top->screen)
        return;
    fputs("\033[?1049l", stdout);
    fflush(stdout);
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &top->old_mode);
}

static bool is_quit_typed(const struct top *top)
{
    char key;
    bool quit = false;

    while (top->screen && read(STDIN_FILENO, &key, 1) == 1)
        quit = quit || key == 'q' || key == 'Q' || key == 4;
    return quit;
}

/* Until the time has come; false: the command is to end. */
static bool pause_until(struct top *top, int64_t until_ms)
{
    do {
        lasting_wait(&top->lasting, until_ms);
        lasting_drop_events(&top->lasting);
        if (lasting_stopped(&top->lasting) || is_quit_typed(top))
            return false;
    } while (service_now_ms() < until_ms);
    return true;
}

/* The numbers are what the servers say, as texts. */
static void put_view(const struct top *top)
{
    char address[SERVER_TEXT_BYTES];
    struct json *json = answer_json();

    json_open(json, "servers", '[');
    for (size_t i = 0; i < top->count; i++) {
        const struct row *row = &top->rows[i];
        const struct {
            const char *key, *value;
        } cells[] = {{"mode", row->mode},
                     {"zxid", row->zxid},
                     {"connections", row->connections},
                     {"watches", row->watches},
                     {"outstanding", row->outstanding},
                     {"latency", row->latency},
                     {"znodes", row->nodes}};
        format_address(row, address);
        json_open(json, NULL, '{');
        json_text(json, "server", slice_text(address));
        json_bool(json, "answers", row->answered);
        if (!row->answered)
            json_text(json, "problem", slice_text(row->problem));
        for (size_t j = 0; row->answered && j < ARRAY_LEN(cells); j++) {
            if (strcmp(cells[j].value, "-") != 0)
                json_text(json, cells[j].key, slice_text(cells[j].value));
        }
        if (row->answered && row->rate >= 0)
            json_int(json, "requestsPerSecond", (int64_t)(row->rate + 0.5));
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void show(struct top *top)
{
    if (answer_is_json())
        return;
    if (top->screen)
        fputs("\033[H", stdout);
    print_table(top);
    if (top->screen)
        fputs("\033[J", stdout);
    fflush(stdout);
}

/* A rate needs two looks: what is printed as text begins with the second one. */
static int run_top(struct top *top, int64_t views)
{
    int64_t next_ms = service_now_ms() + top->interval_ms;

    ask_servers(top);
    if (top->screen)
        show(top);
    while (views != 0 && pause_until(top, next_ms)) {
        next_ms += top->interval_ms;
        if (next_ms < service_now_ms())
            next_ms = service_now_ms() + top->interval_ms;
        ask_servers(top);
        if (lasting_stopped(&top->lasting))
            break;
        show(top);
        views -= views > 0;
    }
    if (answer_is_json())
        put_view(top);
    if (top->lasting.stopped_by != 0)
        return EXIT_BY_SIGNAL + top->lasting.stopped_by;
    for (size_t i = 0; i < top->count; i++) {
        if (!top->rows[i].answered)
            return EXIT_FAILED;
    }
    return 0;
}

COMMAND(run_top_command)
{
    const char *number = words->value[TOP_OPTION_COUNT], *interval = words->value[TOP_OPTION_DELAY];
    struct top top = {.interval_ms = 1000};
    int64_t views = -1;

    if (words->word_count != 1)
        return command_usage(command);
    if (number != NULL && (!number_parse(slice_text(number), 10, &views) || views < 1)) {
        return answer_fail(EXIT_USAGE, "top: -n takes a number of views: %s", number);
    }
    if (interval != NULL && !lasting_parse_seconds("top", interval, &top.interval_ms))
        return EXIT_FAILED;
    if (top.interval_ms < INTERVAL_MIN_MS)
        top.interval_ms = INTERVAL_MIN_MS;
    if (answer_is_json() && views < 0)
        views = 1;
    if (!lasting_begin(&top.lasting, shell, NULL))
        return EXIT_FAILED;
    if (!words->given[TOP_OPTION_GIVEN])
        read_configuration(&top);
    if (top.count == 0)
        add_servers(&top, shell->servers);
    if (views < 0 && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
        begin_screen(&top);
    int code = run_top(&top, views);
    end_screen(&top);
    lasting_end(&top.lasting);
    mem_free(top.rows);
    return code;
}
