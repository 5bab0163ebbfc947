/* SPDX-License-Identifier: MIT */
/* Set-Cookie fields. */
#include "http/cookies.h"

/* A cookie as it was read: "name=value domain path expires flags", from what was said. */
static const char *read_of(const char *field)
{
    static char text[400];
    struct ed_cookie_request r;

    if (ed_cookie_read(field, COOKIES_NOW, &r) < 0)
        return "none";
    snprintf(text, sizeof text, "%.*s=%.*s %.*s %.*s %s%s%s%s %s", (int)r.name_size, r.name,
             (int)r.value_size, r.value, r.domain ? (int)r.domain_size : 1,
             r.domain ? r.domain : "-", r.path ? (int)r.path_size : 1, r.path ? r.path : "-",
             r.secure ? "S" : "", r.http_only ? "H" : "", r.partitioned ? "P" : "",
             r.expires == ED_COOKIE_SESSION ? "session"
             : r.expires == INT64_MIN       ? "over"
             : r.expires == ED_COOKIE_LAST  ? "last"
                                            : "timed",
             r.same_site ? r.same_site : "-");
    return text;
}

/* H-COOK-2, -4, -7, -13, -14 */
RAW_TEST(set_cookie_fields_are_read_leniently)
{
    static const struct {
        const char *field, *read;
    } cases[] = {
        {"a=1", "a=1 - - session -"},
        {"a=1; Domain=x.org; Path=/p; Secure; HttpOnly; SameSite=Lax; Partitioned",
         "a=1 x.org /p SHPsession Lax"},
        {"  a\t= b c  ;secure ;HTTPONLY=x", "a=b c - - SHsession -"},
        {"a=\"1;2\"", "a=\"1 - - session -"},
        {"a=\"1\"", "a=\"1\" - - session -"},
        {"a=", "a= - - session -"},
        {"a==b=c", "a==b=c - - session -"},
        {"a=1; domain=.X.org", "a=1 X.org - session -"},
        {"a=1; domain=x.org; domain=", "a=1 - - session -"},
        {"a=1; domain=x.org.", "a=1 - - session -"},
        {"a=1; path=p", "a=1 - - session -"},
        {"a=1; path=/a; path=/b", "a=1 - /b session -"},
        {"a=1; path=/a; path=", "a=1 - - session -"},
        {"a=1; max-age=10", "a=1 - - timed -"},
        {"a=1; max-age=0", "a=1 - - over -"},
        {"a=1; max-age=-5", "a=1 - - over -"},
        {"a=1; max-age=99999999999999999999999", "a=1 - - last -"},
        {"a=1; max-age=-", "a=1 - - session -"},
        {"a=1; max-age=", "a=1 - - session -"},
        {"a=1; max-age=1x", "a=1 - - session -"},
        {"a=1; max-age=+1", "a=1 - - session -"},
        {"a=1; expires=Sun, 06 Nov 1994 08:49:37 GMT", "a=1 - - timed -"},
        {"a=1; expires=never", "a=1 - - session -"},
        {"a=1; max-age=0; expires=Sun, 06 Nov 2094 08:49:37 GMT", "a=1 - - over -"},
        {"a=1; expires=Sun, 06 Nov 1994 08:49:37 GMT; max-age=5x", "a=1 - - timed -"},
        {"a=1; samesite=odd; unknown; ;;=", "a=1 - - session -"},
        {"a", "none"},
        {"", "none"},
        {"=1", "none"},
        {" = ", "none"},
        {";a=1", "none"},
        {"a=1\r\nSet-Cookie: b=2", "none"},
        {"a=1; path=/\x01", "none"},
        {"a\x7f=1", "none"},
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(cases); i++)
        CHECK_THAT(strcmp(read_of(cases[i].field), cases[i].read) == 0, "%s: %s", cases[i].field,
                   read_of(cases[i].field));
}

RAW_TEST(cookies_and_attributes_that_are_too_long_are_passed_over)
{
    static char field[6000];

    memset(field, 'x', 4096);
    field[1] = '=';
    CHECK(strcmp(read_of(field), "none") != 0); /* 4,095 bytes of name and value */
    memset(field, 'x', 4098);
    field[1] = '=';
    CHECK_STR(read_of(field), "none");
    snprintf(field, sizeof field, "a=1; path=/%01030d", 0);
    CHECK_STR(read_of(field), "a=1 - - session -");
}
