/* answer.c: one answer at a time, as lines or as an object. stdout is flushed before stderr is
 * used, so that on a terminal both appear in order. An event is written at once, unless a part of
 * an object is already out: then it waits for the end of the object. */
#include "shell/answer.h"

#include "shell/service.h"
#include "shell/texts.h"

#include <stdarg.h>
#include <stdio.h>

enum { FLUSH_BYTES = 1 << 16 };

static struct {
    bool as_json, codes;
    int depth;         /* of commands that are under way */
    bool out;          /* a part of the object has been written */
    int code;          /* why it failed; 0: it did not */
    int32_t err;       /* of the call that failed; ZK_OK: it was no call */
    char *path;        /* of that call; NULL: none */
    char *message;     /* the last complaint */
    struct json json;  /* the object */
    struct json notes; /* the array of notes */
    struct buffer events;
} answer;

void answer_use_json(bool json)
{
    answer.as_json = json;
}

bool answer_is_json(void)
{
    return answer.as_json;
}

void answer_use_codes(bool codes)
{
    answer.codes = codes;
}

static void forget_failure(void)
{
    mem_free(answer.message);
    mem_free(answer.path);
    answer.message = answer.path = NULL;
    answer.code = 0;
    answer.err = ZK_OK;
}

void answer_begin(const char *command)
{
    if (answer.depth++ > 0)
        return;
    forget_failure();
    json_init(&answer.json);
    json_init(&answer.notes);
    answer.out = false;
    if (!answer.as_json)
        return;
    json_open(&answer.json, NULL, '{');
    json_text(&answer.json, "command", slice_text(command));
    json_open(&answer.notes, "notes", '[');
}

bool answer_is_under_way(void)
{
    return answer.depth > 0;
}

struct json *answer_json(void)
{
    ASSERT(answer.as_json && answer.depth > 0);
    return &answer.json;
}

static void write_out(struct buffer *bytes)
{
    fwrite(bytes->data, 1, bytes->size, stdout);
    bytes->size = 0;
}

void answer_flush(void)
{
    if (answer.json.out.size < FLUSH_BYTES)
        return;
    answer.out = true;
    write_out(&answer.json.out);
}

static void put_error(struct json *json)
{
    json_open(json, "error", '{');
    if (answer.err != ZK_OK) {
        json_text(json, "name", slice_text(error_name(answer.err)));
        json_int(json, "code", answer.err);
    }
    if (answer.path != NULL)
        json_text(json, "path", slice_text(answer.path));
    json_text(json, "message",
              answer.message == NULL ? SLICE("failed") : slice_text(answer.message));
    json_close(json, '}');
}

static void finish_object(int code)
{
    struct json *json = &answer.json;

    if (answer.notes.out.data[answer.notes.out.size - 1] != '[') {
        json_close(&answer.notes, ']');
        buffer_u8(&json->out, ',');
        buffer_append(&json->out, buffer_slice(&answer.notes.out));
    }
    if (code != 0)
        put_error(json);
    json_int(json, "exitCode", code);
    json_close(json, '}');
    buffer_u8(&json->out, '\n');
    write_out(&json->out);
    answer.out = false;
    if (answer.events.size > 0)
        write_out(&answer.events);
    fflush(stdout);
}

void answer_keep_code(void)
{
    answer.code = 0;
}

int answer_end(int code, bool own)
{
    bool codes = answer.codes || answer.as_json || own;

    /* Some commands of Java's shell fail with 0. */
    if (codes && answer.code != 0)
        code = answer.code;
    if (--answer.depth > 0)
        return code;
    if (answer.as_json)
        finish_object(code);
    json_deinit(&answer.json);
    json_deinit(&answer.notes);
    forget_failure();
    return code;
}

/* --- notes and complaints --- */

/* A text of its own, without the end of the line. */
__attribute__((format(printf, 1, 0))) static char *make_text(const char *format, va_list arguments)
{
    char *text = NULL;
    va_list again;

    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    ASSERT(size >= 0);
    text = mem_alloc((size_t)size + 1);
    vsnprintf(text, (size_t)size + 1, format, arguments);
    return text;
}

static void say(FILE *file, const char *text)
{
    fflush(stdout);
    fprintf(file, "%s\n", text);
}

void answer_note(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *text = make_text(format, arguments);
    va_end(arguments);
    if (answer.as_json && answer.depth > 0)
        json_text(&answer.notes, NULL, slice_text(text));
    else
        say(stderr, text);
    mem_free(text);
}

/* An earlier complaint becomes a note: the last one is why it failed. */
static void keep_failure(int code, FILE *file, char *text)
{
    bool in_object = answer.as_json && answer.depth > 0;

    if (!in_object)
        say(file, text);
    else if (answer.message != NULL)
        json_text(&answer.notes, NULL, slice_text(answer.message));
    forget_failure();
    answer.code = code;
    answer.message = text;
}

int answer_fail(int code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *text = make_text(format, arguments);
    va_end(arguments);
    keep_failure(code, stderr, text);
    return EXIT_FAILED;
}

int answer_fail_on_stdout(int code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *text = make_text(format, arguments);
    va_end(arguments);
    keep_failure(code, stdout, text);
    return EXIT_FAILED;
}

int answer_code(int32_t err)
{
    switch (err) {
    case ZK_OK:
        return 0;
    case ZK_NO_NODE:
        return EXIT_NO_NODE;
    case ZK_NODE_EXISTS:
        return EXIT_NODE_EXISTS;
    case ZK_BAD_VERSION:
        return EXIT_BAD_VERSION;
    case ZK_NOT_EMPTY:
        return EXIT_NOT_EMPTY;
    case ZK_NO_AUTH:
    case ZK_AUTH_FAILED:
    case ZK_INVALID_ACL:
        return EXIT_NOT_PERMITTED;
    case ZK_SESSION_EXPIRED:
        return EXIT_SESSION_OVER;
    case ZK_QUOTA_EXCEEDED:
        return EXIT_QUOTA;
    case CALL_CONNECTION_LOSS:
        return EXIT_NO_CONNECTION;
    default:
        return EXIT_FAILED;
    }
}

int answer_fail_call(int32_t err, const char *path)
{
    struct buffer line;

    buffer_init(&line);
    error_put(&line, err, path);
    buffer_u8(&line, '\0');
    keep_failure(answer_code(err), stderr, (char *)line.data);
    answer.err = err;
    if (path != NULL && path[0] != '\0') {
        answer.path = mem_alloc(strlen(path) + 1);
        memcpy(answer.path, path, strlen(path) + 1);
    }
    return EXIT_FAILED;
}

/* --- what many commands say --- */

void answer_path(const char *path)
{
    if (answer.as_json)
        json_text(&answer.json, "path", slice_text(path));
}

void answer_stat(const struct zk_stat *stat, bool asked)
{
    if (answer.as_json)
        json_stat(&answer.json, stat);
    else if (asked)
        stat_print(stat);
}

/* --- events --- */

void answer_event(int32_t state, int32_t type, struct slice path)
{
    struct json json;

    json_init(&json);
    json_open(&json, NULL, '{');
    json_open(&json, "event", '{');
    json_text(&json, "type", slice_text(event_type_name(type)));
    json_text(&json, "state", slice_text(event_state_name(state)));
    if (path.data != NULL && type != 0)
        json_text(&json, "path", path);
    else
        json_null(&json, "path");
    json_close(&json, '}');
    json_close(&json, '}');
    buffer_u8(&json.out, '\n');
    if (answer.out) {
        buffer_append(&answer.events, buffer_slice(&json.out));
    } else {
        write_out(&json.out);
        fflush(stdout);
    }
    json_deinit(&json);
}
