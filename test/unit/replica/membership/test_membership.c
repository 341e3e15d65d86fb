/* Who the servers are, as text and as quorums. */
#include "replica/membership/membership.h"
#include "test/lib/capture.h"
#include "test/lib/check.h"
#include "wire/quorum.h"

static struct membership *parse(const char *text)
{
    struct buffer problem = {0};
    struct membership *membership = membership_parse(slice_text(text), &problem);

    if (membership == NULL)
        check_failed(__FILE__, __LINE__, "%.*s", (int)problem.size, (char *)problem.data);
    buffer_deinit(&problem);
    return membership;
}

static void check_written(const char *name, struct slice text, struct slice want)
{
    struct buffer problem = {0}, written = {0};
    struct membership *membership = membership_parse(text, &problem);

    if (membership == NULL)
        check_failed(__FILE__, __LINE__, "%s: %.*s", name, (int)problem.size, (char *)problem.data);
    membership_write(&written, membership);
    CHECK_SLICE(name, buffer_slice(&written), want);
    membership_free(membership);
    buffer_deinit(&written);
    buffer_deinit(&problem);
}

TEST(every_configuration_that_real_servers_sent_is_read_and_written_byte_for_byte)
{
    size_t seen = 0;

    for (const char *const *name = capture_names; *name != NULL; name++) {
        struct capture capture = capture_read(*name);
        for (size_t i = 0; i < capture.count; i++) {
            const struct capture_message *message = &capture.messages[i];
            struct quorum_packet packet;
            struct notification notification;
            struct slice bytes;
            size_t size;
            if (capture_is(message, "NEWLEADER")) {
                CHECK_STATUS(quorum_packet_read(message->bytes, 1 << 20, &packet, &size),
                             STATUS_OK);
                check_written(message->said, packet.data, packet.data);
                seen++;
            } else if (capture_is(message, "NOTIFICATION")) {
                CHECK_STATUS(election_frame_read(message->bytes, &bytes, &size), STATUS_OK);
                CHECK_STATUS(notification_read(bytes, &notification), STATUS_OK);
                check_written(message->said, notification.config, notification.config);
                seen++;
            }
        }
        capture_free(&capture);
    }
    CHECK(seen > 30);
}

TEST(a_server_line_is_written_with_all_that_was_left_out)
{
    static const struct {
        const char *name;
        struct slice text, want;
    } rows[] = {
        {"a role", SLICE("server.1=a:1:2"), SLICE("server.1=a:1:2:participant\nversion=0")},
        {"an observer in any case", SLICE("server.1=a:1:2:OBServer"),
         SLICE("server.1=a:1:2:observer\nversion=0")},
        {"a port alone", SLICE("server.1=a:1:2;2181"),
         SLICE("server.1=a:1:2:participant;0.0.0.0:2181\nversion=0")},
        {"IPv6", SLICE("server.1=[::1]:1:2;[fe80::2]:2181"),
         SLICE("server.1=[::1]:1:2:participant;[fe80::2]:2181\nversion=0")},
        {"several addresses, by host", SLICE("server.1=b:1:2|[::1]:5:6|a:3:4:observer"),
         SLICE("server.1=[::1]:5:6|a:3:4|b:1:2:observer\nversion=0")},
        {"an address that is there twice", SLICE("server.1=a:1:2|a:1:2"),
         SLICE("server.1=a:1:2:participant\nversion=0")},
        {"a version", SLICE("version=1000000AB\nserver.1=a:1:2"),
         SLICE("server.1=a:1:2:participant\nversion=1000000ab")},
        {"servers in order", SLICE("server.3=c:1:2\nserver.1=a:1:2\nserver.2=b:1:2"),
         SLICE("server.1=a:1:2:participant\nserver.2=b:1:2:participant\n"
               "server.3=c:1:2:participant\nversion=0")},
        {"the last line of a name", SLICE("server.1=a:1:2\nserver.1=b:1:2:observer"),
         SLICE("server.1=b:1:2:observer\nversion=0")},
        {"blanks, comments, CRLF", SLICE("# who\r\n  server.1 = a:1:2 \r\n\r\n!x\nversion : 5"),
         SLICE("server.1=a:1:2:participant\nversion=5")},
        {"large ids in the order of Java's buckets",
         SLICE("server.1=a:1:2\nserver.18=b:1:2\nserver.3=c:1:2\nserver.254=d:1:2"),
         SLICE("server.1=a:1:2:participant\nserver.18=b:1:2:participant\n"
               "server.3=c:1:2:participant\nserver.254=d:1:2:participant\nversion=0")},
        {"groups and weights, the default one too",
         SLICE("server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\n"
               "weight.3=0\ngroup.2=3\ngroup.1=2:1"),
         SLICE("server.1=a:1:2:participant\nserver.2=b:1:2:participant\n"
               "server.3=c:1:2:participant\ngroup.1=1:2\ngroup.2=3\n"
               "weight.1=1\nweight.2=1\nweight.3=0\nversion=0")},
        {"nobody", SLICE(""), SLICE("version=0")},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        check_written(rows[i].name, rows[i].text, rows[i].want);
        check_written(rows[i].name, rows[i].want, rows[i].want);
    }
}

#define FORM                                                                                       \
    " does not have the form server_config or server_config;client_config where server_config "    \
    "is the pipe separated list of host:port:port or host:port:port:type and client_config is "    \
    "port or host:port"

TEST(a_wrong_line_is_refused_with_the_sentence_that_operators_know)
{
    static const struct {
        struct slice name, value;
        const char *problem;
    } rows[] = {
        {SLICE("server.1"), SLICE("a:1"), "a:1" FORM},
        {SLICE("server.1"), SLICE("a:1:2:observer:3"), "a:1:2:observer:3" FORM},
        {SLICE("server.1"), SLICE("a:1:2;b:c:d"), "a:1:2;b:c:d" FORM},
        {SLICE("server.1"), SLICE(""), FORM},
        {SLICE("server.x"), SLICE("a:1:2"), "For input string: \"x\", expected server.<number>"},
        {SLICE("server.1"), SLICE("a:b:2"), "Address unresolved: a:b, expected a port number"},
        {SLICE("server.1"), SLICE("a:1:"), "Address unresolved: a:, expected a port number"},
        {SLICE("server.1"), SLICE("a:1:70000"), "port out of range:70000"},
        {SLICE("server.1"), SLICE("a:1:2;x"), "Address unresolved: 0.0.0.0:x"},
        {SLICE("server.7"), SLICE("a:1:1"),
         "Client and election port must be different! Please update the configuration file on "
         "server.7"},
        {SLICE("server.1"), SLICE("a:1:2:leader"), "Unrecognised peertype: leader"},
        {SLICE("server.1"), SLICE("a:1:2:observer|b:1:2:participant"),
         "Multiple addresses should have similar type"},
        {SLICE("group.1"), SLICE("1:x"),
         "For input string: \"x\", expected the numbers of servers, joined by ':'"},
        {SLICE("group.1"), SLICE("1::2"),
         "For input string: \"\", expected the numbers of servers, joined by ':'"},
        {SLICE("group"), SLICE("1"), "For input string: \"group\", expected group.<number>"},
        {SLICE("weight.1"), SLICE("x"), "For input string: \"x\", expected a weight"},
        {SLICE("weight.a"), SLICE("1"), "For input string: \"a\", expected weight.<number>"},
        {SLICE("version"), SLICE("0x5"),
         "For input string: \"0x5\", expected a version in hexadecimal"},
        {SLICE("foo"), SLICE("1"),
         "Unrecognised parameter: foo, expected server.N, group.N, weight.N or version"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct membership *membership = membership_new();
        struct buffer problem = {0};
        CHECK_STATUS(membership_add(membership, rows[i].name, rows[i].value, true, &problem),
                     STATUS_INVALID);
        CHECK_SLICE(rows[i].problem, buffer_slice(&problem), slice_text(rows[i].problem));
        CHECK_U64("members", membership->member_count, 0);
        membership_free(membership);
        buffer_deinit(&problem);
    }
}

TEST(several_addresses_want_the_switch)
{
    struct membership *membership = membership_new();
    struct buffer problem = {0};

    CHECK_STATUS(
        membership_add(membership, SLICE("server.2"), SLICE("a:1:2|b:1:2"), false, &problem),
        STATUS_INVALID);
    CHECK_SLICE("problem", buffer_slice(&problem),
                SLICE("Multiple address feature is disabled, but multiple addresses were "
                      "specified for sid 2"));
    membership_free(membership);
    buffer_deinit(&problem);
}

TEST(groups_that_do_not_fit_the_servers_are_refused)
{
    static const struct {
        const char *text, *problem;
        int64_t server;
    } rows[] = {
        {"server.1=a:1:2\nserver.3=a:1:2\ngroup.1=1", "Server 3is not in a group", 3},
        {"server.1=a:1:2\nweight.1=2", "Server 1is not in a group", 1},
        {"server.3=a:1:2\ngroup.1=3\ngroup.2=3", "Server 3is in multiple groups", 3},
        {"server.3=a:1:2\ngroup.1=3:3", "Server 3is in multiple groups", 3},
        {"server.3=a:1:2\ngroup.1=3:9",
         "group.1 names server 9, which is no participant and has no weight", 9},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buffer problem = {0};
        CHECK(membership_parse(slice_text(rows[i].text), &problem) == NULL);
        CHECK_SLICE(rows[i].text, buffer_slice(&problem), slice_text(rows[i].problem));
        buffer_deinit(&problem);
    }
}

/* --- quorums --- */

static bool in_list(const void *context, int64_t id)
{
    return strchr(context, (char)('0' + id)) != NULL;
}

#define FIVE                                                                                       \
    "server.1=a:1:2\nserver.2=a:1:2\nserver.3=a:1:2\nserver.4=a:1:2:observer\nserver.5=a:1:2\n"

TEST(a_quorum_is_more_than_half_of_the_voters_or_of_the_weight_in_more_than_half_of_the_groups)
{
    static const struct {
        const char *text, *who;
        bool quorum;
    } rows[] = {
        {FIVE, "", false},
        {FIVE, "12", false},
        {FIVE, "123", true},
        {FIVE, "1235", true},
        {FIVE, "124", false},  /* an observer does not count */
        {FIVE, "1279", false}, /* nor do strangers */
        {"server.1=a:1:2", "1", true},
        {"server.1=a:1:2\nserver.2=a:1:2", "2", false},
        {"server.4=a:1:2:observer", "4", false},
        /* three groups of which two are needed; 9 is nobody */
        {"server.1=a:1:2\nserver.2=a:1:2\nserver.3=a:1:2\nserver.4=a:1:2\nserver.5=a:1:2\n"
         "server.6=a:1:2\ngroup.1=1:2\ngroup.2=3:4\ngroup.3=5:6",
         "1234", true},
        {"server.1=a:1:2\nserver.2=a:1:2\nserver.3=a:1:2\nserver.4=a:1:2\nserver.5=a:1:2\n"
         "server.6=a:1:2\ngroup.1=1:2\ngroup.2=3:4\ngroup.3=5:6",
         "1356", false},
        {"server.1=a:1:2\nserver.2=a:1:2\nserver.3=a:1:2\nserver.4=a:1:2\nserver.5=a:1:2\n"
         "server.6=a:1:2\ngroup.1=1:2\ngroup.2=3:4\ngroup.3=5:6\nweight.1=2\nweight.5=2",
         "159", true},
        /* weights: 1 alone is 3 of 5 */
        {"server.1=a:1:2\nserver.2=a:1:2\nserver.3=a:1:2\ngroup.1=1:2:3\nweight.1=3", "1", true},
        {"server.1=a:1:2\nserver.2=a:1:2\nserver.3=a:1:2\ngroup.1=1:2:3\nweight.1=3", "23", false},
        /* a group of weight 0 is no group */
        {"server.1=a:1:2\nserver.2=a:1:2\nserver.3=a:1:2\ngroup.1=1\ngroup.2=2\ngroup.3=3\n"
         "weight.2=0\nweight.3=0",
         "1", true},
        {"server.1=a:1:2\nserver.2=a:1:2\nserver.3=a:1:2\ngroup.1=1\ngroup.2=2\ngroup.3=3\n"
         "weight.2=0\nweight.3=0",
         "23", false},
        /* half of an odd weight is rounded down: 2 of 5 is not more than 2 */
        {"server.1=a:1:2\nserver.2=a:1:2\ngroup.1=1:2\nweight.1=2\nweight.2=3", "1", false},
        {"server.1=a:1:2\nserver.2=a:1:2\ngroup.1=1:2\nweight.1=2\nweight.2=3", "2", true},
        /* an observer in a group makes it heavier and is never counted */
        {"server.1=a:1:2\nserver.4=a:1:2:observer\ngroup.1=1:4\nweight.4=5", "14", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct membership *membership = parse(rows[i].text);
        bool quorum = membership_quorum(membership, in_list, rows[i].who);
        if (quorum != rows[i].quorum)
            check_failed(__FILE__, __LINE__, "row %zu: %s of\n%s", i, rows[i].who, rows[i].text);
        membership_free(membership);
    }
}

TEST(only_a_voter_weighs_anything)
{
    struct membership *majority = parse(FIVE);
    struct membership *groups = parse("server.1=a:1:2\nserver.2=a:1:2\nserver.4=a:1:2:observer\n"
                                      "group.1=1:2\nweight.2=0\nweight.4=7");

    CHECK_I64("a voter", membership_weight(majority, 1), 1);
    CHECK_I64("an observer", membership_weight(majority, 4), 0);
    CHECK_I64("a stranger", membership_weight(majority, 9), 0);
    CHECK_I64("the default", membership_weight(groups, 1), 1);
    CHECK_I64("none", membership_weight(groups, 2), 0);
    CHECK_I64("an observer with a weight", membership_weight(groups, 4), 0);
    CHECK(membership_is_voter(groups, 2) && !membership_is_voter(groups, 4));
    CHECK_U64("voters", groups->voter_count, 2);
    membership_free(majority);
    membership_free(groups);
}

/* A set of members by bits, for the two tests below. */
static bool in_bits(const void *context, int64_t id)
{
    return (*(const uint32_t *)context >> id & 1) != 0;
}

PROPERTY(two_quorums_of_one_membership_have_a_server_in_common)
{
    struct buffer text = {0}, problem = {0};
    int32_t servers = 1 + random_below(&seed, 7), groups = random_below(&seed, 4);
    uint32_t all = (2u << servers) - 2;

    for (int32_t id = 1; id <= servers; id++) {
        buffer_printf(&text, "server.%d=a:1:2:%s\n", id,
                      random_below(&seed, 5) == 0 ? "observer" : "participant");
        if (groups > 0 && random_below(&seed, 2) == 0)
            buffer_printf(&text, "weight.%d=%d\n", id, random_below(&seed, 4));
    }
    for (int32_t group = 1; group <= groups; group++) { /* server N is in group N mod groups */
        int32_t first = group % groups == 0 ? groups : group % groups;
        if (first > servers)
            continue;
        buffer_printf(&text, "group.%d=%d", group, first);
        for (int32_t id = first + groups; id <= servers; id += groups)
            buffer_printf(&text, ":%d", id);
        buffer_u8(&text, '\n');
    }
    struct membership *membership = membership_parse(buffer_slice(&text), &problem);
    if (membership != NULL) { /* an observer in a group without a weight is refused */
        for (uint32_t one = 0; one <= all; one += 2) {
            uint32_t others = all & ~one;
            CHECK(!membership_quorum(membership, in_bits, &one) ||
                  !membership_quorum(membership, in_bits, &others));
        }
    }
    membership_free(membership);
    buffer_deinit(&text);
    buffer_deinit(&problem);
}

PROPERTY(what_is_written_is_read_as_the_same)
{
    struct buffer text = {0}, problem = {0}, again = {0};

    for (int32_t left = random_below(&seed, 40); left > 0; left--)
        buffer_printf(&text, "server.%d=h%d:%d:%d%s%s\n", random_below(&seed, 300),
                      random_below(&seed, 9), random_below(&seed, 30000),
                      30000 + random_below(&seed, 30000),
                      random_below(&seed, 2) == 0 ? ":observer" : "",
                      random_below(&seed, 2) == 0 ? ";2181" : "");
    buffer_printf(&text, "version=%x", random_below(&seed, 100000));
    struct membership *one = membership_parse(buffer_slice(&text), &problem);
    CHECK(one != NULL);
    text.size = 0;
    membership_write(&text, one);
    struct membership *other = membership_parse(buffer_slice(&text), &problem);
    CHECK(other != NULL);
    membership_write(&again, other);
    CHECK_SLICE("text", buffer_slice(&again), buffer_slice(&text));
    membership_free(one);
    membership_free(other);
    buffer_deinit(&text);
    buffer_deinit(&problem);
    buffer_deinit(&again);
}

PROPERTY(noise_is_read_or_refused_with_a_sentence)
{
    static const char alphabet[] =
        "server.group.weight.version=0123456789::;;||[]\n\n \tparticipant";
    struct buffer text = {0}, problem = {0};

    for (int32_t left = random_below(&seed, 300); left > 0; left--) {
        if (random_below(&seed, 8) == 0)
            buffer_append(&text, SLICE("server.1=a:1:2"));
        buffer_u8(&text, (uint8_t)alphabet[random_below(&seed, (int32_t)sizeof(alphabet) - 1)]);
    }
    struct membership *membership = membership_parse(buffer_slice(&text), &problem);
    CHECK((membership == NULL) == (problem.size > 0));
    membership_free(membership);
    buffer_deinit(&text);
    buffer_deinit(&problem);
}

/* --- addresses --- */

TEST(addresses_are_taken_from_a_list_one_by_one)
{
    struct slice list = SLICE("a:1|[::1]:65535|:3|b:65536|b|b:1:2"), host;
    uint16_t port;
    bool valid;

    CHECK(membership_next_address(&list, &host, &port, &valid) && valid);
    CHECK_SLICE("first", host, SLICE("a"));
    CHECK_U64("first", port, 1);
    CHECK(membership_next_address(&list, &host, &port, &valid) && valid);
    CHECK_SLICE("second", host, SLICE("::1"));
    CHECK_U64("second", port, 65535);
    for (int i = 0; i < 4; i++)
        CHECK(membership_next_address(&list, &host, &port, &valid) && !valid);
    CHECK(!membership_next_address(&list, &host, &port, &valid));
}
