/* problems.c: what is wrong in a configuration, in the order in which it was found, and the texts that
 * live as long as the configuration. */
#include "base/array.h"
#include "server/config/config.h"

#include <stdarg.h>
#include <stdio.h>

enum { PROBLEMS_FIRST = 8 };

__attribute__((format(printf, 2, 0))) static const char *text_v(struct config *config,
                                                                const char *format,
                                                                va_list arguments)
{
    va_list again;

    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    ASSERT(size >= 0);
    char *text = arena_alloc(&config->arena, (size_t)size + 1);
    (void)vsnprintf(text, (size_t)size + 1, format, arguments);
    return text;
}

const char *config_text(struct config *config, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    const char *text = text_v(config, format, arguments);
    va_end(arguments);
    return text;
}

void config_problem(struct config *config, bool error, enum exit_code code, int line,
                    const char *format, ...)
{
    va_list arguments;

    config->problems = ARRAY_RESERVE(config->problems, config->problem_capacity,
                                     config->problem_count + 1, PROBLEMS_FIRST);
    va_start(arguments, format);
    const char *text = text_v(config, format, arguments);
    va_end(arguments);
    config->problems[config->problem_count++] =
        (struct config_problem){.error = error, .code = code, .line = line, .text = text};
}

const struct config_problem *config_error(const struct config *config)
{
    const struct config_problem *first = NULL;

    /* What Java calls invalid comes before what only we refuse. */
    for (size_t i = 0; i < config->problem_count; i++) {
        const struct config_problem *problem = &config->problems[i];
        if (problem->error && problem->code == EXIT_CODE_INVALID)
            return problem;
        if (problem->error && first == NULL)
            first = problem;
    }
    return first;
}
