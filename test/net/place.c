/* SPDX-License-Identifier: MIT */
/* Places as texts. */
#include "net/place.h"

#include "net/peer.h"

static int parse(const char *text, struct ed_place *place)
{
    *place = (struct ed_place){.port = 9};
    return ed_place_parse(text, strlen(text), place);
}

TEST(place_is_a_scheme_a_host_and_a_port)
{
    static const struct {
        const char *text, *scheme, *host;
        uint16_t port;
    } places[] = {
        {"tcp://example.org:80", "tcp", "example.org", 80},
        {"tcp://127.0.0.1:0", "tcp", "127.0.0.1", 0},
        {"tcp://[::1]:65535", "tcp", "::1", 65535},
        {"tcp://[fe80::1%eth0]:00080", "tcp", "fe80::1%eth0", 80},
        {"tcp://:8080", "tcp", "", 8080},
        {"tls://localhost:443", "tls", "localhost", 443},
        {"a+b://x:1", "a+b", "x", 1},
        {"unix:/tmp/a:b", "unix", "/tmp/a:b", 0},
        {"unix:@name", "unix", "@name", 0},
        {"unix:relative", "unix", "relative", 0},
    };
    struct ed_place place;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(places); i++) {
        CHECK_OK(parse(places[i].text, &place));
        CHECK_STR(place.scheme, places[i].scheme);
        CHECK_STR(place.host, places[i].host);
        CHECK_EQ(place.port, places[i].port);
    }
}

TEST(place_that_is_none_is_refused_with_the_reason)
{
    static const struct {
        const char *text, *why;
    } places[] = {
        {"", "it begins with tcp://, unix: or another scheme"},
        {"example.org:80", "it begins with"},
        {"://x:1", "it begins with"},
        {"tcp", "it begins with"},
        {"seventeen-letters://x:1", "it begins with"},
        {"aVeryLongSchemeOfMany://x:1", "it begins with"},
        {"tcp:x:1", "\"://\" must stand behind the scheme"},
        {"tcp:/", "\"://\" must stand"},
        {"tcp://", "a port from 0 to 65535 must stand behind the host"},
        {"tcp://x", "a port"},
        {"tcp://x:", "a port"},
        {"tcp://x:65536", "a port"},
        {"tcp://x:99999", "a port"},
        {"tcp://x:000080", "a port"},
        {"tcp://x:-1", "a port"},
        {"tcp://x:+1", "a port"},
        {"tcp://x: 1", "a port"},
        {"tcp://x:1 ", "a port"},
        {"tcp://x:80/path", "a port"},
        {"tcp://::1:80", "an IPv6 address stands in brackets"},
        {"tcp://[::1]", "a port"},
        {"tcp://[::1:80", "the brackets do not hold an IPv6 address"},
        {"tcp://[]:80", "the brackets"},
        {"tcp://[:80", "the brackets"},
        {"tcp://[name]:80", "the brackets"},
        {"tcp://a/b:80", "the host is not a name"},
        {"unix:", "the path is missing"},
    };
    struct ed_place place;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(places); i++) {
        CHECK_EQ(parse(places[i].text, &place), -EINVAL);
        CHECK_HAS(eddy_error_message(-EINVAL), places[i].why);
    }
}

/* No byte behind `size` is read, a NUL within is refused, and what is too long as well. */
TEST(place_is_as_long_as_it_is_told)
{
    static const char list[] = "tcp://a:1,tcp://b:2", with_nul[] = "tcp://a\0b:1",
                      path[] = "unix:a\0b";
    char text[400];
    struct ed_place place;

    CHECK_OK(ed_place_parse(list, 9, &place));
    CHECK_STR(place.host, "a");
    CHECK_EQ(place.port, 1);
    CHECK_EQ(ed_place_parse(with_nul, sizeof with_nul - 1, &place), -EINVAL);
    CHECK_EQ(ed_place_parse(path, sizeof path - 1, &place), -EINVAL);
    for (size_t length = 1; length < 300; length++) {
        int rc;

        memcpy(text, "unix:", 5);
        memset(text + 5, 'x', length);
        rc = ed_place_parse(text, 5 + length, &place);
        CHECK_EQ(rc, length < ED_PLACE_HOST ? 0 : -EINVAL);
        memcpy(text, "tcp://", 6);
        memset(text + 6, 'x', length);
        memcpy(text + 6 + length, ":1", 3);
        rc = ed_place_parse(text, 8 + length, &place);
        CHECK_EQ(rc, length < ED_PLACE_HOST ? 0 : -EINVAL);
    }
}

/* Whatever the bytes are, the answer is a place or a refusal, and never a byte beyond them. */
TEST(place_of_any_bytes_is_read_or_refused)
{
    static const char letters[] = "tcpunix:/[]%@,.0189 \n\377";
    unsigned random = 1;

    for (int round = 0; round < 20000; round++) {
        struct ed_place place;
        char *text;
        size_t size;

        random = random * 1103515245 + 12345;
        size = random / 65536 % 24;
        text = malloc(size ? size : 1); /* its end is guarded by the sanitizer */
        CHECK(text != NULL);
        for (size_t i = 0; i < size; i++) {
            random = random * 1103515245 + 12345;
            text[i] =
                i < 6 && round % 2 ? "tcp://"[i] : letters[random / 65536 % (sizeof letters - 1)];
        }
        if (ed_place_parse(text, size, &place) == 0)
            CHECK(strlen(place.scheme) < sizeof place.scheme && strlen(place.host) <= size);
        free(text);
    }
}
