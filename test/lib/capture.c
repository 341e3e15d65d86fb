#include "test/lib/capture.h"

#include "test/lib/check.h"
#include "test/lib/json.h"

#include <stdio.h>
#include <stdlib.h>

const char *const capture_names[] = {"wire-election-discovery-broadcast",
                                     "wire-observer-join-inform",
                                     "wire-reconfig",
                                     "wire-sync-diff",
                                     "wire-sync-snap",
                                     "wire-sync-trunc",
                                     NULL};

static struct slice from_hex(const char *hex)
{
    size_t size = strlen(hex) / 2;
    uint8_t *bytes = mem_alloc(size);

    for (size_t i = 0; i < size; i++) {
        const char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return slice_of(bytes, size);
}

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;

    return memcpy(mem_alloc(size), text, size);
}

struct capture capture_read(const char *name)
{
    char path[200];
    struct capture capture = {0};

    (void)snprintf(path, sizeof(path), "test/golden/storage/%s.json", name);
    struct json *json = json_read(path);
    capture.messages = mem_zalloc(json_count(json) * sizeof(*capture.messages));
    for (const struct json *at = json->first; at != NULL; at = at->next) {
        capture.messages[capture.count++] = (struct capture_message){
            .said = copy_text(json_get(at, "decode")->text),
            .election = strcmp(json_get(at, "port")->text, "election") == 0,
            .accepted = strcmp(json_get(at, "dir")->text, "S->C") == 0,
            .connection = json_get(at, "conn")->number,
            .to_server = json_get(at, "to_server")->number,
            .bytes = from_hex(json_get(at, "hex")->text),
        };
    }
    json_free(json);
    CHECK(capture.count > 0);
    return capture;
}

void capture_free(struct capture *capture)
{
    for (size_t i = 0; i < capture->count; i++) {
        mem_free((void *)capture->messages[i].said);
        mem_free((void *)capture->messages[i].bytes.data);
    }
    mem_free(capture->messages);
    *capture = (struct capture){0};
}

int64_t capture_number(const struct capture_message *message, const char *word)
{
    const char *at = strstr(message->said, word);

    if (at == NULL)
        check_failed(__FILE__, __LINE__, "no '%s' in: %s", word, message->said);
    at += strlen(word);
    return *at == '-' ? (int64_t)strtoll(at, NULL, 0) : (int64_t)strtoull(at, NULL, 0);
}

bool capture_is(const struct capture_message *message, const char *first_word)
{
    size_t size = strlen(first_word);

    return strncmp(message->said, first_word, size) == 0 &&
           (message->said[size] == '\0' || message->said[size] == ' ' ||
            message->said[size] == '(');
}
