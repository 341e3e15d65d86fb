/* fuzz_config.c: any bytes as a zoo.cfg, and any text as JVM flags.
 *
 * The input up to its first zero byte is the flags, the rest is the file. Checked: reading it twice
 * gives the same; what is accepted lies in the ranges that the server relies on; every problem has
 * a text and a line of the file. */
#include "server/config/config.h"
#include "server/config/ensemble.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read(struct config *config, const char *flags, struct slice file)
{
    config_init(config);
    config_add_flags(config, flags);
    config_parse(config, "zoo.cfg", file);
    ensemble_read(config, NULL); /* config_complete() would read files */
}

static int count_lines(struct slice file)
{
    int lines = 1;

    for (size_t i = 0; i < file.size; i++)
        lines += file.data[i] == '\n' || file.data[i] == '\r';
    return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size == 0 ? NULL : memchr(data, 0, size);
    size_t flags_size = zero == NULL ? 0 : (size_t)(zero - data);
    char *flags = calloc(1, flags_size + 1);
    struct config one, two;
    struct slice file = slice_of(data, size);

    if (zero != NULL) {
        memcpy(flags, data, flags_size);
        file = slice_of(zero + 1, size - flags_size - 1);
    }
    read(&one, flags, file);
    read(&two, flags, file);
    ASSERT(one.problem_count == two.problem_count && one.file.count == two.file.count);
    ASSERT(one.front.port >= 0 && one.front.port <= 65535);
    ASSERT(one.log.prealloc_bytes >= -1 && one.ensemble.voters >= 0 && one.ensemble.observers >= 0);
    int lines = count_lines(file);
    for (size_t i = 0; i < one.problem_count; i++) {
        ASSERT(strcmp(one.problems[i].text, two.problems[i].text) == 0);
        ASSERT(one.problems[i].line >= 0 && one.problems[i].line <= lines);
        ASSERT(one.problems[i].text[0] != '\0');
    }
    for (size_t i = 0; i < one.file.count; i++) {
        ASSERT(one.file.items[i].line >= 1 && one.file.items[i].line <= lines);
        ASSERT(strcmp(one.file.items[i].value, two.file.items[i].value) == 0);
    }
    config_deinit(&one);
    config_deinit(&two);
    free(flags);
    return 0;
}
