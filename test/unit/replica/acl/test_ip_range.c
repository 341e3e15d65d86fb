#include "test/lib/check.h"

#include "replica/acl/ip_range.h"

TEST(a_range_is_an_address_with_or_without_a_number_of_bits)
{
    static const struct {
        const char *range;
        bool valid;
    } rows[] = {
        {"1.2.3.4", true},
        {"0.0.0.0", true},
        {"255.255.255.255", true},
        {"1.2.3.4/0", true},
        {"1.2.3.4/32", true},
        {"010.0.0.1", true},
        {"1.2.3.4/33", false},
        {"1.2.3.4/", false},
        {"1.2.3.4/-1", false},
        {"1.2.3.4/8x", false},
        {"1.2.3.4/8/8", false},
        {"1.2.3.4/1000", false},
        {"1.2.3", false},
        {"1.2.3.4.5", false},
        {"1.2.3.256", false},
        {"1.2.3.", false},
        {".1.2.3", false},
        {"1..2.3", false},
        {"1.2.3.4 ", false},
        {"a.b.c.d", false},
        {"foo", false},
        {"", false},
        {"/8", false},
        {"1234.1.1.1", false},
        {"::", true},
        {"::1", true},
        {"1::", true},
        {"::/0", true},
        {"::1/128", true},
        {"::1/129", false},
        {"1:2:3:4:5:6:7:8", true},
        {"1:2:3:4:5:6:7", false},
        {"1:2:3:4:5:6:7:8:9", false},
        {"1:2:3::5:6:7:8", true},
        {"1:2:3:4::5:6:7:8", false},
        {"1:2:3:4:5:6:7::", true},
        {"::2:3:4:5:6:7:8", true},
        {"1::2::3", false},
        {":::", false},
        {":1", false},
        {"1:", false},
        {"::1:", false},
        {"fe80::A", true},
        {"fe80::g", false},
        {"12345::", false},
        {"::1.2.3.4", false},
        {"fe80::1%eth0", false},
        {"::1/", false},
        {"ffff:FFFF:ffff:FFFF:ffff:FFFF:ffff:FFFF/64", true},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_I64(rows[i].range, ip_range_valid(slice_text(rows[i].range)), rows[i].valid);
}

TEST(an_address_is_in_a_range_when_the_leading_bits_agree)
{
    static const struct {
        const char *range, *address;
        bool inside;
    } rows[] = {
        {"127.0.0.1", "127.0.0.1", true},
        {"127.0.0.1", "127.0.0.2", false},
        {"127.0.0.0/8", "127.255.255.255", true},
        {"127.0.0.0/8", "128.0.0.0", false},
        {"127.9.9.9/8", "127.0.0.1", true}, /* both sides are masked */
        {"10.0.0.0/9", "10.127.0.1", true},
        {"10.0.0.0/9", "10.128.0.1", false},
        {"192.168.1.0/31", "192.168.1.1", true},
        {"192.168.1.0/31", "192.168.1.2", false},
        {"0.0.0.0/0", "255.1.2.3", true},
        {"::1", "0:0:0:0:0:0:0:1", true},
        {"0:0:0:0:0:0:0:1", "::1", true},
        {"2001:db8::/32", "2001:db8:1:2:3:4:5:6", true},
        {"2001:db8::/32", "2001:db9:0:0:0:0:0:1", false},
        {"2001:db8::/33", "2001:db8:8000:0:0:0:0:1", false},
        {"2001:DB8::/127", "2001:db8:0:0:0:0:0:1", true},
        {"::/0", "1:2:3:4:5:6:7:8", true},
        {"fe80::1", "fe80:0:0:0:0:0:0:1%eth0", true}, /* a peer's scope does not count */
        {"0.0.0.0/0", "::1", false},
        {"::/0", "127.0.0.1", false},
        {"nonsense", "127.0.0.1", false},
        {"127.0.0.1", "nonsense", false},
        {"127.0.0.1", "", false},
        {"", "127.0.0.1", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_I64(rows[i].range,
                  ip_range_contains(slice_text(rows[i].range), slice_text(rows[i].address)),
                  rows[i].inside);
}
