/* SPDX-License-Identifier: MIT */
/* URLs that were read before. */
#include "http/url_cache.h"

#include "harness.h"

TEST(url_cache_reads_a_url_once)
{
    struct ed_url_cache cache = {{NULL}};
    struct ed_cached_url *one = NULL, *other = NULL;
    EDDY_DEFER(ed_url_cache_clear, &cache);

    CHECK_EQ(ed_url_cache_get(&cache, "http://a.test/x", &one), 1);
    CHECK_EQ(ed_url_cache_get(&cache, "http://a.test/x", &other), 1);
    CHECK(one == other);
    CHECK_STR(one->url->host, "a.test");
    ed_url_cache_put(other);
    ed_url_cache_put(one);
    CHECK_EQ(ed_url_cache_get(&cache, "http://[x/", &one), EDDY_EURL);
}

TEST(url_cache_leaves_a_url_to_its_users_when_another_takes_its_place)
{
    struct ed_url_cache cache = {{NULL}};
    struct ed_cached_url *first = NULL, *next = NULL;
    char text[64];
    EDDY_DEFER(ed_url_cache_clear, &cache);

    CHECK_EQ(ed_url_cache_get(&cache, "http://a.test/", &first), 1);
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof text, "http://a.test/%d", i);
        CHECK_EQ(ed_url_cache_get(&cache, text, &next), 1);
        CHECK_STR(next->url->text, text);
        ed_url_cache_put(next);
    }
    ed_url_cache_clear(&cache);
    CHECK_STR(first->url->text, "http://a.test/");
    ed_url_cache_put(first);
}

TEST(url_cache_does_not_keep_what_is_too_long)
{
    struct ed_url_cache cache = {{NULL}};
    struct ed_cached_url *cached = NULL;
    char text[ED_URL_CACHE_TEXT + 2] = "http://a.test/";

    memset(text + 14, 'x', sizeof text - 15);
    text[sizeof text - 1] = '\0';
    CHECK_EQ(ed_url_cache_get(&cache, text, &cached), 0);
    text[sizeof text - 2] = '\0';
    CHECK_EQ(ed_url_cache_get(&cache, text, &cached), 1);
    ed_url_cache_put(cached);
    ed_url_cache_clear(&cache);
}
