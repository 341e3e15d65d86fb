#include "io/address.h"

#include "test/lib/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static void check_written(const char *address, const char *want)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(2181)};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(2181)};
    bool is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
    char got[ADDRESS_TEXT_MAX];

    CHECK(is_v4 || inet_pton(AF_INET6, address, &v6.sin6_addr) == 1);
    const struct sockaddr *any = is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    address_host_text(address_host(any), got);
    CHECK_TEXT(address, got, want);
    CHECK_I64(address, address_port(any), 2181);
}

TEST(an_address_is_written_as_java_writes_it)
{
    check_written("10.1.2.3", "10.1.2.3");
    check_written("::ffff:10.1.2.3", "10.1.2.3");
    check_written("::1", "0:0:0:0:0:0:0:1");
    check_written("2001:DB8::F00D:1", "2001:db8:0:0:0:0:f00d:1");
    check_written("fe80::", "fe80:0:0:0:0:0:0:0");
}

TEST(no_host_is_every_address_and_a_wrong_name_is_not_found)
{
    struct sockaddr_storage address;

    CHECK_STATUS(address_resolve(NULL, 2181, &address), STATUS_OK);
    CHECK_I64("family", address.ss_family, AF_INET6);
    CHECK_STATUS(address_resolve("127.0.0.1", 2181, &address), STATUS_OK);
    CHECK_I64("family", address.ss_family, AF_INET);
    CHECK_I64("port", address_port((struct sockaddr *)&address), 2181);
    CHECK_STATUS(address_resolve("no.such.host.invalid", 1, &address), STATUS_NOT_FOUND);
}
