#include "metrics/traffic.h"

#include "test/lib/check.h"

#include <stdio.h>
#include <string.h>

static const struct traffic_namespace *named(const struct traffic *traffic, const char *name)
{
    const struct traffic_namespace *at = traffic_newest(traffic);

    while (at != NULL && !slice_equal(at->name, slice_text(name)))
        at = at->older;
    return at;
}

TEST(what_is_read_counts_for_the_first_element_of_its_path)
{
    struct traffic *traffic = traffic_new(1);

    traffic_read(traffic, SLICE("/app/x"), 10);
    traffic_read(traffic, SLICE("/app"), 0);
    traffic_read(traffic, SLICE("/application"), 0); /* begins like the one before */
    traffic_read(traffic, SLICE("/ap"), 0);
    traffic_read(traffic, SLICE("/app/y"), 1);
    traffic_read(traffic, SLICE("/"), 5);
    traffic_read(traffic, SLICE(""), 5);
    const struct summary *app = &named(traffic, "app")->read.bytes;
    CHECK_I64("count", app->count, 3);
    CHECK_I64("sum", app->sum, 84 + 72 + 75);
    CHECK_I64("min", app->min, 72);
    CHECK_I64("max", app->max, 84);
    CHECK_I64("application", named(traffic, "application")->read.bytes.count, 1);
    CHECK_I64("ap", named(traffic, "ap")->read.bytes.count, 1);
    CHECK(named(traffic, "") == NULL);
    CHECK(!named(traffic, "app")->write.known);
    traffic_free(traffic);
}

TEST(a_reset_leaves_the_names)
{
    struct traffic *traffic = traffic_new(1);

    traffic_read(traffic, SLICE("/a"), 10);
    traffic_quota_exceeded(traffic, SLICE("/q/x"));
    traffic_reset(traffic);
    CHECK_I64("count", named(traffic, "a")->read.bytes.count, 0);
    CHECK_I64("max", named(traffic, "a")->read.bytes.max, 0);
    CHECK(named(traffic, "a")->read.known && !named(traffic, "a")->write.known);
    CHECK(named(traffic, "q")->quota_known && named(traffic, "q")->quota_exceeded == 0);
    traffic_read(traffic, SLICE("/a"), 30);
    CHECK_I64("min", named(traffic, "a")->read.bytes.min, 100);
    traffic_free(traffic);
}

TEST(namespaces_beyond_a_thousand_are_not_counted)
{
    struct traffic *traffic = traffic_new(1);
    char path[32];
    int count = 0;

    for (int i = 0; i < 3000; i++) {
        snprintf(path, sizeof(path), "/n%d", i);
        traffic_read(traffic, slice_text(path), 0);
    }
    for (const struct traffic_namespace *at = traffic_newest(traffic); at != NULL; at = at->older)
        count++;
    CHECK_I64("namespaces", count, 1000);
    traffic_read(traffic, SLICE("/n0"), 0);
    traffic_read(traffic, SLICE("/n2999"), 0);
    CHECK_I64("an early one", named(traffic, "n0")->read.bytes.count, 2);
    CHECK(named(traffic, "n2999") == NULL);
    traffic_free(traffic);
}

TEST(a_namespace_with_a_long_name_is_not_counted)
{
    struct traffic *traffic = traffic_new(1);
    char path[1 + 1025];

    memset(path, 'x', sizeof(path));
    path[0] = '/';
    traffic_read(traffic, slice_of(path, sizeof(path)), 0);
    CHECK(traffic_newest(traffic) == NULL);
    traffic_read(traffic, slice_of(path, sizeof(path) - 1), 0);
    CHECK_U64("name", traffic_newest(traffic)->name.size, 1024);
    traffic_free(traffic);
}
