/* SPDX-License-Identifier: MIT */
/* The types of files by their names. */
#include "http/media_type.h"

#include "harness.h"

RAW_TEST(the_type_of_a_file_is_known_by_its_ending)
{
    CHECK_STR(ed_media_type("index.html"), "text/html; charset=utf-8");
    CHECK_STR(ed_media_type("/a/b.c/photo.JPG"), "image/jpeg");
    CHECK_STR(ed_media_type("a.tar.gz"), "application/gzip");
    CHECK_STR(ed_media_type("x.7z"), "application/x-7z-compressed");
    CHECK_STR(ed_media_type("x.zst"), "application/zstd");
    CHECK_STR(ed_media_type("x.unknown"), "application/octet-stream");
    CHECK_STR(ed_media_type("html"), "application/octet-stream");
    CHECK_STR(ed_media_type(".html"), "application/octet-stream");
    CHECK_STR(ed_media_type("a.html/b"), "application/octet-stream");
    CHECK_STR(ed_media_type("a."), "application/octet-stream");
    CHECK_STR(ed_media_type(""), "application/octet-stream");
}

/* The table is sorted: every ending is found. */
RAW_TEST(every_ending_of_the_table_is_found)
{
    static const char *const endings[] = {
        "aac",  "avif", "c",      "css",   "csv", "doc",  "docx", "h",    "htm",  "ico",
        "js",   "json", "jsonld", "m4a",   "map", "md",   "mjs",  "mp3",  "odp",  "ogg",
        "png",  "svg",  "tif",    "tiff",  "ttf", "txt",  "wasm", "weba", "webm", "webmanifest",
        "webp", "woff", "woff2",  "xhtml", "xls", "xlsx", "xml",  "xz",   "zip"};

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        char name[40];

        snprintf(name, sizeof name, "a.%s", endings[i]);
        CHECK_THAT(strcmp(ed_media_type(name), "application/octet-stream") != 0, "%s", name);
    }
}
