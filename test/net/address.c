/* SPDX-License-Identifier: MIT */
/* Addresses as texts, and back. */
#include "eddy/address.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/compat.h"
#include "harness.h"

static bool is_refused(const char *text)
{
    eddy_address address;

    memset(&address, 0x5a, sizeof address);
    return eddy_address_parse(text, &address) == -EINVAL && address.size == 0x5a5a5a5a;
}

RAW_TEST(address_is_read_back_as_it_was_written)
{
    static const char *const texts[] = {
        "127.0.0.1:80",
        "0.0.0.0:0",
        "255.255.255.255:65535",
        "[::1]:80",
        "[::]:0",
        "[2001:db8::1]:443",
        "[::ffff:1.2.3.4]:1",
        "[fe80::1%4294967]:9",
        "/run/a socket:80",
        "@name",
        "unix:relative",
        "@a:b",
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(texts); i++) {
        char text[EDDY_ADDRESS_TEXT];
        eddy_address address, again;

        CHECK_OK(eddy_address_parse(texts[i], &address));
        CHECK_STR(eddy_address_text(&address, text, sizeof text), texts[i]);
        CHECK_OK(eddy_address_parse(text, &again));
        CHECK(eddy_address_equal(&address, &again));
    }
}

RAW_TEST(text_that_is_no_address_is_refused)
{
    static const char *const texts[] = {
        "",
        ":",
        ":80",
        "127.0.0.1",
        "127.0.0.1:",
        "1.2.3:80",
        "1.2.3.4.5:1",
        "256.0.0.1:1",
        "01.2.3.4:1",
        "1.2.3.4:65536",
        "1.2.3.4:x",
        "1.2.3.4:-1",
        "1.2.3.4:+1",
        "1.2.3.4: 1",
        "1.2.3.4:1 ",
        "::1",
        "[::1]",
        "[::1]:",
        "[::1]80",
        "[::1:80",
        "::1:80",
        "[1.2.3.4]:1",
        "[]:1",
        "[::g]:1",
        "[:::]:1",
        "[::1%]:1",
        "[::1%0]:1",
        "[::1%nil0]:1",
        "localhost:80",
        "unix:",
        "@",
        "unix:@",
        "0x7f.1:1",
        "1.2.3.4:000000001x",
        "[1:2:3:4:5:6:7:8:9]:1",
        "1.2.3.4:4294967376",
        "1.2.3.4:18446744073709551696",
        "[::1%4294967297]:1",
        "[::1%aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]:1",
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(texts); i++)
        CHECK_THAT(is_refused(texts[i]), "\"%s\" is taken", texts[i]);
}

RAW_TEST(address_of_an_ip_has_the_port)
{
    eddy_address four, six, bad = {.size = 7};

    CHECK_OK(eddy_address_from_ip("192.0.2.7", 8080, &four));
    CHECK_EQ(four.size, sizeof(struct sockaddr_in));
    CHECK_EQ(four.as.any.sa_family, AF_INET);
    CHECK_EQ(eddy_address_port(&four), 8080);
    CHECK_OK(eddy_address_from_ip("2001:db8::7", 8080, &six));
    CHECK_EQ(six.size, sizeof(struct sockaddr_in6));
    CHECK_EQ(eddy_address_port(&six), 8080);
    CHECK_OK(eddy_address_set_port(&six, 1));
    CHECK_EQ(eddy_address_port(&six), 1);
    CHECK_EQ(eddy_address_from_ip("[::1]", 1, &bad), -EINVAL);
    CHECK_EQ(eddy_address_from_ip("", 1, &bad), -EINVAL);
    CHECK_EQ(eddy_address_from_ip("name", 1, &bad), -EINVAL);
    CHECK_EQ(bad.size, 7);
}

/* RFC 4007: a scope is an interface's name or number. */
RAW_TEST(scope_is_the_name_of_an_interface_or_a_number)
{
    char name[IF_NAMESIZE], ip[64], text[EDDY_ADDRESS_TEXT];
    eddy_address address;

    CHECK_OK(eddy_address_from_ip("fe80::1%77777", 1, &address));
    CHECK_EQ(address.as.in6.sin6_scope_id, 77777);
    if (!if_indextoname(1, name))
        test_skip("there is no interface 1");
    snprintf(ip, sizeof ip, "fe80::1%%%s", name);
    CHECK_OK(eddy_address_from_ip(ip, 1, &address));
    CHECK_EQ(address.as.in6.sin6_scope_id, 1);
    CHECK_HAS(eddy_address_text(&address, text, sizeof text), name);
}

RAW_TEST(path_of_a_unix_socket_has_107_bytes_at_most)
{
    char path[120], text[EDDY_ADDRESS_TEXT];
    eddy_address address = {.size = 7};

    memset(path, 'p', sizeof path);
    path[0] = '/';
    path[108] = '\0';
    CHECK_EQ(eddy_address_from_path(path, &address), -ENAMETOOLONG);
    CHECK(is_refused(path));
    CHECK_EQ(address.size, 7);
    path[107] = '\0';
    CHECK_OK(eddy_address_from_path(path, &address));
    CHECK_STR(eddy_address_text(&address, text, sizeof text), path);
    path[0] = '@';
    CHECK_OK(eddy_address_from_path(path, &address));
    CHECK_EQ(address.as.un.sun_path[0], 0);
    CHECK_EQ(address.size, offsetof(struct sockaddr_un, sun_path) + 107);
    CHECK_STR(eddy_address_text(&address, text, sizeof text), path);
    CHECK_EQ(eddy_address_from_path("", &address), -EINVAL);
    CHECK_EQ(eddy_address_from_path("@", &address), -EINVAL);
    CHECK_EQ(eddy_address_port(&address), 0);
    CHECK_EQ(eddy_address_set_port(&address, 1), -EINVAL);
}

/* What the kernel gives: no size, a family alone, a path without NUL, NULs in a name. */
RAW_TEST(address_of_the_kernels_is_written_whatever_it_is)
{
    char text[EDDY_ADDRESS_TEXT] = "?";
    eddy_address address;

    memset(&address, 0, sizeof address);
    CHECK_STR(eddy_address_text(&address, text, sizeof text), "");
    address.as.un.sun_family = AF_UNIX;
    address.size = sizeof(sa_family_t);
    CHECK_STR(eddy_address_text(&address, text, sizeof text), "");
    memset(address.as.un.sun_path, 'p', sizeof address.as.un.sun_path);
    address.size = sizeof address.as.un;
    CHECK_EQ(strlen(eddy_address_text(&address, text, sizeof text)), 108 + strlen("unix:"));
    memcpy(address.as.un.sun_path, "\0a\0b", 4);
    address.size = (socklen_t)offsetof(struct sockaddr_un, sun_path) + 4;
    CHECK_STR(eddy_address_text(&address, text, sizeof text), "@a@b");
    address.as.any.sa_family = 4711;
    CHECK_STR(eddy_address_text(&address, text, sizeof text), "");
}

RAW_TEST(text_of_an_address_is_cut_to_its_room)
{
    char text[EDDY_ADDRESS_TEXT];
    eddy_address address;

    CHECK_OK(eddy_address_parse("[2001:db8::1]:443", &address));
    for (size_t size = 1; size < 30; size++) {
        memset(text, '#', sizeof text);
        CHECK(strlen(eddy_address_text(&address, text, size)) < size);
        CHECK_EQ(text[size], '#');
        CHECK(strncmp(text, "[2001:db8::1]:443", strlen(text)) == 0);
    }
    text[0] = '#';
    CHECK(eddy_address_text(&address, text, 0) == text);
    CHECK_EQ(text[0], '#');
}

RAW_TEST(addresses_are_equal_with_port_and_scope)
{
    static const char *const texts[] = {"1.2.3.4:5", "1.2.3.4:6", "1.2.3.5:5", "[::1]:5",
                                        "[::1%7]:5", "[::1]:6",   "[::2]:5",   "/a",
                                        "/b",        "@a",        "/ab"};
    eddy_address list[ED_ARRAY_LENGTH(texts)], none = {.size = 0};

    for (size_t i = 0; i < ED_ARRAY_LENGTH(texts); i++)
        CHECK_OK(eddy_address_parse(texts[i], &list[i]));
    for (size_t i = 0; i < ED_ARRAY_LENGTH(texts); i++) {
        for (size_t k = 0; k < ED_ARRAY_LENGTH(texts); k++)
            CHECK_EQ(eddy_address_equal(&list[i], &list[k]), i == k);
        CHECK(!eddy_address_equal(&list[i], &none));
    }
    CHECK(eddy_address_equal(&none, &none));
    list[3].as.in6.sin6_flowinfo = 1; /* does not count */
    CHECK_OK(eddy_address_parse("[::1]:5", &list[0]));
    CHECK(eddy_address_equal(&list[0], &list[3]));
}

/* Random texts: refused, or read back as the same address. */
RAW_TEST(random_texts_are_refused_or_are_addresses)
{
    static const char letters[] = "0123456789abf:.[]%@/u 25510:";
    unsigned seed = 4;

    for (int i = 0; i < 200000; i++) {
        char text[40], back[EDDY_ADDRESS_TEXT];
        eddy_address address, again;
        int length = rand_r(&seed) % 30;

        for (int k = 0; k < length; k++)
            text[k] = letters[(size_t)rand_r(&seed) % (sizeof letters - 1)];
        text[length] = '\0';
        if (eddy_address_parse(text, &address) < 0)
            continue;
        CHECK_OK(eddy_address_parse(eddy_address_text(&address, back, sizeof back), &again));
        CHECK_THAT(eddy_address_equal(&address, &again), "\"%s\" becomes \"%s\"", text, back);
    }
}
