/* SPDX-License-Identifier: MIT */
/* Percent-encoding, and the encoding of forms. */
#include <eddy.h>
#include <eddy/url.h>

#include "seeds.h"

static void check_encoded(const char *text, const char *safe, const char *want)
{
    char *encoded = eddy_percent_encode(text, safe), *decoded = NULL;

    CHECK_STR(encoded, want);
    CHECK_OK(eddy_percent_decode(encoded, false, &decoded, NULL));
    CHECK_STR(decoded, text);
    eddy_free(encoded);
    eddy_free(decoded);
}

TEST(percent_encoding_leaves_what_is_unreserved_and_safe)
{
    check_encoded("", NULL, "");
    check_encoded("aZ09-._~", NULL, "aZ09-._~");
    check_encoded("a b/c?d", NULL, "a%20b%2Fc%3Fd");
    check_encoded("a b/c?d", "/?", "a%20b/c?d");
    check_encoded("100%\xc3\xa9\x7f\x01+", "", "100%25%C3%A9%7F%01%2B");
}

TEST(percent_decoding_leaves_what_is_no_escape)
{
    static const char *const table[][2] = {
        {"%41%6a%6A", "Ajj"}, {"%", "%"},     {"%4", "%4"},     {"%4g", "%4g"}, {"%%41", "%A"},
        {"%zz%41", "%zzA"},   {"a+b", "a+b"}, {"%2541", "%41"}, {"", ""},
    };
    char *data = NULL;
    size_t size = 99;

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        CHECK_OK(eddy_percent_decode(table[i][0], false, &data, NULL));
        CHECK_STR(data, table[i][1]);
        eddy_free(data);
    }
    CHECK_OK(eddy_percent_decode("a+b%2B", true, &data, &size));
    CHECK_EQ(size, 4);
    CHECK_STR(data, "a b+");
    eddy_free(data);
    CHECK_OK(eddy_percent_decode("a%00b", false, &data, &size));
    CHECK_EQ(size, 3);
    CHECK_EQ(memcmp(data, "a\0b", 4), 0);
    eddy_free(data);
    CHECK_FAILS(eddy_percent_decode("a%00b", false, &data, NULL), EDDY_EURL, "NUL");
}

TEST(form_is_what_browsers_send)
{
    char *text = eddy_form_encode(
        EDDY_PAIRS({"q", "a b&c=d"}, {"", ""}, {"*-._~", "\xc3\xa9\r\n"}, {"none", NULL}));

    CHECK_STR(text, "q=a+b%26c%3Dd&=&*-._%7E=%C3%A9%0D%0A&none=");
    eddy_free(text);
    text = eddy_form_encode(NULL);
    CHECK_STR(text, "");
    eddy_free(text);
}

TEST(form_is_read_into_pairs)
{
    eddy_pair *pairs = NULL;

    CHECK_EQ(eddy_form_decode("q=a+b%26c&&=x&y&z=&a=b=c&%zz=%4&q=2&", 0, &pairs), 7);
    CHECK_STR(pairs[0].name, "q");
    CHECK_STR(pairs[0].value, "a b&c");
    CHECK_STR(pairs[1].name, "");
    CHECK_STR(pairs[1].value, "x");
    CHECK_STR(pairs[2].name, "y");
    CHECK_STR(pairs[2].value, "");
    CHECK_STR(pairs[3].value, "");
    CHECK_STR(pairs[4].value, "b=c");
    CHECK_STR(pairs[5].name, "%zz");
    CHECK_STR(pairs[5].value, "%4");
    CHECK(!pairs[7].name && !pairs[7].value);
    CHECK_STR(eddy_pair_get(pairs, "q"), "a b&c");
    CHECK(!eddy_pair_get(pairs, "Q"));
    CHECK(!eddy_pair_get(NULL, "q"));
    eddy_free(pairs);
    CHECK_EQ(eddy_form_decode("", 0, &pairs), 0);
    CHECK(!pairs[0].name);
    eddy_free(pairs);
    pairs = NULL;
    CHECK_EQ(eddy_form_decode("a&b&c", 3, &pairs), 3);
    eddy_free(pairs);
    pairs = NULL;
    CHECK_FAILS((int)eddy_form_decode("a&b&c", 2, &pairs), EDDY_ELIMIT, "3 fields");
    CHECK_FAILS((int)eddy_form_decode("a=%00", 0, &pairs), EDDY_EURL, "NUL");
    CHECK_FAILS((int)eddy_form_decode("%00", 0, &pairs), EDDY_EURL, "NUL");
    CHECK(!pairs);
}

/* What is encoded is decoded again. */
static void form_random(uint64_t seed)
{
    char texts[6][20];
    eddy_pair given[4] = {{NULL, NULL}}, *got = NULL;
    char *text;
    int count;

    random_begin(seed);
    count = random_below(4);
    for (int i = 0; i < 6; i++) {
        int size = random_below(20);

        for (int k = 0; k < size; k++)
            texts[i][k] = (char)(1 + random_below(255));
        texts[i][size] = '\0';
    }
    for (int i = 0; i < count; i++)
        given[i] = (eddy_pair){texts[2 * i], texts[2 * i + 1]};
    text = eddy_form_encode(given);
    CHECK_EQ(eddy_form_decode(text, 0, &got), count);
    for (int i = 0; i < count; i++) {
        CHECK_STR(got[i].name, given[i].name);
        CHECK_STR(got[i].value, given[i].value);
    }
    eddy_free(text);
    eddy_free(got);
}

TEST(form_of_any_pairs_comes_back)
{
    seeds_run(form_random, 1000);
}

static int percent_each_allocation(void)
{
    char *text = eddy_form_encode(EDDY_PAIRS({"a", "b c"})), *data = NULL;
    eddy_pair *pairs = NULL;
    ssize_t rc = text ? eddy_percent_decode(text, true, &data, NULL) : -ENOMEM;

    if (rc == 0)
        rc = eddy_form_decode(text, 0, &pairs);
    eddy_free(text);
    eddy_free(data);
    eddy_free(pairs);
    return rc < 0 ? (int)rc : 0;
}
EDDY_ASYNC(percent_each_allocation);

RAW_TEST(percent_encoding_survives_the_failure_of_each_allocation)
{
    CHECK_OK(eddy_test_allocations(percent_each_allocation));
}
