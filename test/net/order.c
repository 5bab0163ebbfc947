/* SPDX-License-Identifier: MIT */
/* The order of addresses: the examples of RFC 6724, section 10.2, and what the kernel says. */
#include "net/order.h"

#include <errno.h>

#include "base/compat.h"
#include "harness.h"

/* Each example: destinations with their sources, in the order in which they are to come. */
static void check_order(const char *const (*expected)[2], size_t count)
{
    struct ed_route routes[4];

    for (size_t turn = 0; turn < count; turn++) {
        memset(routes, 0, sizeof routes);
        for (size_t i = 0; i < count; i++) { /* begins with another one each time */
            const char *const *pair = expected[(count - i + turn) % count];

            CHECK_OK(eddy_address_from_ip(pair[0], 80, &routes[i].to));
            if (pair[1])
                CHECK_OK(eddy_address_from_ip(pair[1], 80, &routes[i].from));
        }
        ed_order_routes(routes, count);
        for (size_t i = 0; i < count; i++) {
            char text[EDDY_ADDRESS_TEXT];
            eddy_address to;

            CHECK_OK(eddy_address_from_ip(expected[i][0], 80, &to));
            CHECK_THAT(eddy_address_equal(&to, &routes[i].to), "%s is number %zu",
                       eddy_address_text(&routes[i].to, text, sizeof text), i);
        }
    }
}

RAW_TEST(addresses_are_ordered_as_in_the_examples_of_rfc_6724)
{
    static const char *const matching_scope[][2] = {{"2001:db8:1::1", "2001:db8:1::2"},
                                                    {"198.51.100.121", "169.254.13.78"}};
    static const char *const matching_scope_4[][2] = {{"198.51.100.121", "198.51.100.117"},
                                                      {"2001:db8:1::1", "fe80::1"}};
    static const char *const precedence[][2] = {{"2001:db8:1::1", "2001:db8:1::2"},
                                                {"10.1.2.3", "10.1.2.4"}};
    static const char *const smaller_scope[][2] = {{"fe80::1", "fe80::2"},
                                                   {"2001:db8:1::1", "2001:db8:1::2"}};
    static const char *const longer_prefix[][2] = {{"2001:db8:1::1", "2001:db8:1::2"},
                                                   {"2001:db8:3ffe::1", "2001:db8:3f44::2"}};
    static const char *const label[][2] = {{"2002:c633:6401::1", "2002:c633:6401::2"},
                                           {"2001:db8:1::1", "2002:c633:6401::2"}};
    static const char *const precedence_6[][2] = {{"2001:db8:1::1", "2001:db8:1::2"},
                                                  {"2002:c633:6401::1", "2002:c633:6401::2"}};
    static const char *const unreachable[][2] = {{"10.1.2.3", "10.1.2.4"}, {"2001:db8::1", NULL}};
    static const char *const loopback[][2] = {{"::1", "::1"}, {"127.0.0.1", "127.0.0.1"}};
    static const char *const local[][2] = {
        {"2001:db8::1", "2001:db8::2"}, {"10.1.2.3", "10.1.2.4"}, {"fd00::1", "fd00::2"}};

    check_order(matching_scope, 2);
    check_order(matching_scope_4, 2);
    check_order(precedence, 2);
    check_order(smaller_scope, 2);
    check_order(longer_prefix, 2);
    check_order(label, 2);
    check_order(precedence_6, 2);
    check_order(unreachable, 2);
    check_order(loopback, 2);
    check_order(local, 3);
}

/* Rule 10: what nothing tells apart stays as the server gave it. */
RAW_TEST(addresses_that_are_alike_keep_their_order)
{
    eddy_address list[ED_ORDER_MAX];

    for (int i = 0; i < ED_ORDER_MAX; i++) {
        char ip[32];

        snprintf(ip, sizeof ip, "127.0.%d.1", 255 - i);
        CHECK_OK(eddy_address_from_ip(ip, 0, &list[i]));
    }
    CHECK_OK(ed_order_addresses(list, ED_ORDER_MAX));
    for (int i = 0; i < ED_ORDER_MAX; i++) {
        char ip[32];
        eddy_address address;

        snprintf(ip, sizeof ip, "127.0.%d.1", 255 - i);
        CHECK_OK(eddy_address_from_ip(ip, 0, &address));
        CHECK(eddy_address_equal(&address, &list[i]));
    }
}

/* Rule 1: what this machine cannot send to comes last. */
RAW_TEST(address_without_a_route_comes_last)
{
    eddy_address list[2], unreachable;

    CHECK_OK(eddy_address_from_ip("2001:db8::1", 80, &unreachable));
    unreachable.as.in6.sin6_scope_id = 0;
    list[0] = unreachable;
    CHECK_OK(eddy_address_from_ip("127.0.0.1", 80, &list[1]));
    list[0].as.in6.sin6_addr.s6_addr[0] = 0xfe; /* link-local without an interface */
    list[0].as.in6.sin6_addr.s6_addr[1] = 0x80;
    CHECK_OK(ed_order_addresses(list, 2));
    CHECK_EQ(list[0].as.any.sa_family, AF_INET);
}
