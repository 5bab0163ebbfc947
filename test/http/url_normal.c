/* SPDX-License-Identifier: MIT */
/* Parts and normal forms of URLs; as URLs they stand in url.c. */
#include "http/url_normal.h"

#include <eddy.h>

#include "harness.h"

static void check_part(struct ed_url_text part, const char *want)
{
    CHECK_EQ(!part.text, !want);
    if (want)
        CHECK_THAT(part.size == strlen(want) && memcmp(part.text, want, part.size) == 0,
                   "\"%.*s\" is not \"%s\"", (int)part.size, part.text, want);
}

RAW_TEST(url_parts_are_those_between_the_delimiters)
{
    struct ed_url_parts parts;

    ed_url_split("s+1://u:p@h:80/a/b?c?d#e#f", &parts);
    check_part(parts.scheme, "s+1");
    check_part(parts.authority, "u:p@h:80");
    check_part(parts.user, "u:p");
    check_part(parts.host, "h");
    check_part(parts.port, "80");
    check_part(parts.path, "/a/b");
    check_part(parts.query, "c?d");
    check_part(parts.fragment, "e#f");
    ed_url_split("1s:a/b", &parts);
    check_part(parts.scheme, NULL);
    check_part(parts.authority, NULL);
    check_part(parts.path, "1s:a/b");
    check_part(parts.query, NULL);
    ed_url_split("//[::1]:/?#", &parts);
    check_part(parts.host, "[::1]");
    check_part(parts.port, "");
    check_part(parts.user, NULL);
    check_part(parts.path, "/");
    check_part(parts.query, "");
    check_part(parts.fragment, "");
    ed_url_split("//[::1", &parts);
    check_part(parts.host, "[::1");
    ed_url_split("//@", &parts);
    check_part(parts.user, "");
    check_part(parts.host, "");
}

RAW_TEST(url_normal_form_is_appended)
{
    struct eddy_buffer_ out = {.data = NULL};
    struct ed_url_parts parts;

    ed_url_split("../%7e x", &parts);
    CHECK_OK(ed_url_normal("http://h/a/b", "../%7e x", &parts, &out));
    CHECK_STR(ed_buffer_bytes(&out), "http://h/~%20x");
    ed_buffer_release(&out);
}
