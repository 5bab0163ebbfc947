/* SPDX-License-Identifier: MIT */
/* Names for the files that pages are kept in. */
#include "tools/file_name.h"

#include "harness.h"

static struct ed_file_names names;

static const char *name_of(const char *url)
{
    static char name[ED_FILE_NAME];

    return ed_file_name(&names, url, name) == 0 ? name : "";
}

RAW_TEST(file_name_is_the_last_segment)
{
    CHECK_STR(name_of("http://a/b/c/page.html"), "page.html");
    CHECK_STR(name_of("http://a/"), "index.html");
    CHECK_STR(name_of("http://b/x/"), "index-2.html");
    CHECK_STR(name_of("http://a/find?q=1&r=2"), "find_q=1_r=2");
    CHECK_STR(name_of("http://a/page.html"), "page-2.html");
    CHECK_STR(name_of("http://b/page.html"), "page-3.html");
    CHECK_STR(name_of("http://a/plain"), "plain");
    CHECK_STR(name_of("http://a/plain#part"), "plain-2");
    ed_file_names_free(&names);
}

/* Whatever a URL says, its file is one plain name. */
RAW_TEST(file_name_is_harmless)
{
    static const char *const urls[] = {
        "http://a/..",           "http://a/%2e%2e",    "http://a/..%2f..%2fetc%2fpasswd",
        "http://a/%2e%2e%5cx",   "http://a/.bashrc",   "http://a/-rf",
        "http://a/x?../../y",    "http://a/a%00b",     "http://a/a%0ab",
        "http://a/?/etc/passwd", "http://a/%c3%bcber", "http://a/con:aux|?*<>\"",
    };

    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        const char *name = name_of(urls[i]);

        CHECK(*name && *name != '.' && *name != '-');
        CHECK(strpbrk(name, "/\\:|?*<>\" \n") == NULL);
    }
    ed_file_names_free(&names);
}

RAW_TEST(file_name_is_cut)
{
    char url[4096] = "http://a/", one[ED_FILE_NAME];

    memset(url + 9, 'x', 4000);
    snprintf(one, sizeof one, "%s", name_of(url));
    CHECK(strlen(one) < ED_FILE_NAME);
    url[4008] = 'y';
    CHECK(strcmp(name_of(url), one) != 0);
    ed_file_names_free(&names);
}

RAW_TEST(file_name_of_no_url)
{
    char name[ED_FILE_NAME] = "";

    CHECK_EQ(ed_file_name(&names, "http://a b\\c@/", name), EDDY_EURL);
    ed_file_names_free(&names);
}
