/* shrink.c: each setting goes to its smallest value, or half way there; then ever smaller parts of the list
 * of faults are left out; all of it again until nothing gets smaller. Every try is a whole run. */
#include "test/lib/shrink.h"

#include "test/lib/guard.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cluster_run shrunk_run(const struct shrunk *shrunk)
{
    return (struct cluster_run){.seed = shrunk->seed,
                                .settings = &shrunk->settings,
                                .mutant = shrunk->mutant,
                                .bug = shrunk->bug,
                                .only = shrunk->has_only ? shrunk->only : NULL,
                                .only_count = shrunk->only_count};
}

/* An assertion has no check: its sentence says which it is. */
static bool is_same_failure(const struct cluster_verdict *left, const struct cluster_verdict *right)
{
    if (!left->failed || !right->failed || (left->check == NULL) != (right->check == NULL))
        return false;
    return left->check != NULL ? left->check == right->check
                               : strcmp(left->problem, right->problem) == 0;
}

static bool try(struct shrunk *shrunk, const struct shrunk *smaller)
{
    struct cluster_run run = shrunk_run(smaller);
    struct cluster_verdict verdict = simulate_guarded(&run);
    uint64_t tries = ++shrunk->tries;

    if (!is_same_failure(&shrunk->verdict, &verdict))
        return false;
    *shrunk = *smaller;
    shrunk->verdict = verdict;
    shrunk->tries = tries;
    return true;
}

static bool shrink_setting(struct shrunk *shrunk, const struct setting *setting)
{
    struct shrunk smaller = *shrunk;
    int64_t *value = settings_value(&smaller.settings, setting);
    bool any = false;

    if (*value == setting->smallest)
        return false;
    *value = setting->smallest;
    if (try(shrunk, &smaller))
        return true;
    for (;;) { /* half of the way, and again */
        smaller = *shrunk;
        *value -= (*value - setting->smallest) / 2;
        if (*value == *settings_value(&shrunk->settings, setting) || !try(shrunk, &smaller))
            return any;
        any = true;
    }
}

static void leave_out(struct shrunk *shrunk, size_t from, size_t count)
{
    memmove(shrunk->only + from, shrunk->only + from + count,
            (shrunk->only_count - from - count) * sizeof(*shrunk->only));
    shrunk->only_count -= count;
}

static bool shrink_faults(struct shrunk *shrunk)
{
    bool any = false;

    for (size_t part = shrunk->only_count; part > 0; part /= 2) {
        for (size_t from = 0; from < shrunk->only_count;) {
            struct shrunk smaller = *shrunk;
            size_t left = shrunk->only_count - from;
            leave_out(&smaller, from, part < left ? part : left);
            if (try(shrunk, &smaller))
                any = true;
            else
                from += part;
        }
    }
    return any;
}

void shrink(struct shrunk *shrunk)
{
    struct shrunk listed = *shrunk;
    bool any;

    if (!listed.has_only && listed.verdict.fault_count < CLUSTER_FAULTS_MAX) {
        listed.has_only = true;
        listed.only_count = listed.verdict.fault_count;
        memcpy(listed.only, listed.verdict.faults, sizeof(listed.only));
        (void)try(shrunk, &listed);
    }
    do {
        any = shrunk->has_only && shrink_faults(shrunk);
        for (size_t i = 0; i < settings_count(); i++) {
            bool by_list = settings_at(i)->of_faults ||
                           settings_at(i)->offset == offsetof(struct settings, fault_every_us);
            if (!by_list || !shrunk->has_only) /* the list's numbers are of steps of this length */
                any = shrink_setting(shrunk, settings_at(i)) || any;
        }
    } while (any);
}

bool shrunk_read(struct shrunk *shrunk, const char *word)
{
    const char *is = strchr(word, '=');

    if (is == NULL)
        return false;
    if (strncmp(word, "only=", 5) == 0) {
        shrunk->has_only = true;
        shrunk->only_count = 0;
        for (char *at = (char *)(uintptr_t)(is + 1); *at != '\0'; at += *at == ',') {
            char *end;
            unsigned long number = strtoul(at, &end, 10);
            if (end == at || shrunk->only_count == CLUSTER_FAULTS_MAX)
                return false;
            shrunk->only[shrunk->only_count++] = (uint32_t)number;
            at = end;
        }
        return true;
    }
    for (size_t i = 0; i < settings_count(); i++) {
        const struct setting *setting = settings_at(i);
        if (strlen(setting->name) == (size_t)(is - word) &&
            strncmp(setting->name, word, (size_t)(is - word)) == 0) {
            *settings_value(&shrunk->settings, setting) = strtoll(is + 1, NULL, 10);
            return true;
        }
    }
    return false;
}

void shrunk_write(const struct shrunk *shrunk, char *text, size_t size)
{
    struct settings as_drawn = settings_of_seed(shrunk->seed), settings = shrunk->settings;
    size_t at = 0;

    text[0] = '\0';
    for (size_t i = 0; i < settings_count() && at < size; i++) {
        int64_t value = *settings_value(&settings, settings_at(i));
        if (value != *settings_value(&as_drawn, settings_at(i)))
            at += (size_t)snprintf(text + at, size - at, "%s%s=%" PRId64, at > 0 ? " " : "",
                                   settings_at(i)->name, value);
    }
    if (shrunk->has_only && at < size)
        at += (size_t)snprintf(text + at, size - at, "%sonly=", at > 0 ? " " : "");
    for (size_t i = 0; shrunk->has_only && i < shrunk->only_count && at < size; i++)
        at +=
            (size_t)snprintf(text + at, size - at, "%s%" PRIu32, i > 0 ? "," : "", shrunk->only[i]);
}
