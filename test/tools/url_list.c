/* SPDX-License-Identifier: MIT */
/* The URLs that a command is to fetch. */
#include "tools/url_list.h"

#include <eddy/tempfile.h>

#include "harness.h"

TEST(url_list_of_operands_and_lines)
{
    static const char text[] = "# pages\n\n  http://a/ \t\r\nhttp://b/#top\nhttp://c/";
    char *operands[] = {"http://first/", "http://second/", NULL};
    EDDY_TEMPORARY(file);
    struct ed_url_list list = {0};
    EDDY_DEFER(ed_url_list_free, &list);

    CHECK_OK(eddy_named_temporary_file(&file, NULL));
    CHECK_OK(eddy_write(file.stream, text, sizeof text - 1));
    CHECK_OK(ed_url_list_read(&list, operands, file.path));
    CHECK_EQ(list.count, 5);
    CHECK_STR(list.urls[0], "http://first/");
    CHECK_STR(list.urls[1], "http://second/");
    CHECK_STR(list.urls[2], "http://a/");
    CHECK_STR(list.urls[3], "http://b/#top");
    CHECK_STR(list.urls[4], "http://c/");
}

TEST(url_list_of_what_is_no_list)
{
    char *none[] = {NULL};
    EDDY_TEMPORARY(file);
    struct ed_url_list list = {0};
    EDDY_DEFER(ed_url_list_free, &list);

    CHECK_FAILS(ed_url_list_read(&list, none, "/nowhere/list"), -ENOENT, "/nowhere/list");
    CHECK_OK(ed_url_list_read(&list, none, NULL));
    CHECK_EQ(list.count, 0);
    ed_url_list_free(&list);
    CHECK_OK(eddy_named_temporary_file(&file, NULL));
    CHECK_OK(eddy_write(file.stream, "a\0b", 3));
    CHECK_FAILS(ed_url_list_read(&list, none, file.path), -EINVAL, "it has a NUL");
}
