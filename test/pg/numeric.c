/* SPDX-License-Identifier: MIT */
/* numeric. */
#include "pg/numeric.h"

#include <math.h>
#include <stdlib.h>

#include "eddy/stream_class.h"
#include "values.h"

#define NUMERIC EDDY_PG_NUMERIC

/* P-TYPE table, numeric: the scale is kept, 1.50 is not 1.5. */
RAW_TEST(numeric_text_of_the_server_comes_back_as_it_was)
{
    static const char *const texts[] = {
        "0",
        "1.50",
        "-1.5",
        "NaN",
        "Infinity",
        "-Infinity",
        "9999",
        "10000",
        "0.0001",
        "0.0000",
        "123456789.0123456",
        "-0.00000001",
        "1.0000",
        "100000000000000000000000000000.1",
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(texts); i++)
        CHECK_STR(test_text_again(NUMERIC, texts[i]), texts[i]);
}

RAW_TEST(numeric_text_is_read_with_exponents_and_signs)
{
    static const char *const texts[][2] = {
        {"1e4", "10000"},   {"12e3", "12000"},   {"123e-5", "0.00123"}, {"5e-3", "0.005"},
        {"+1", "1"},        {".05", "0.05"},     {"5.", "5"},           {"0012.340", "12.340"},
        {" 1 ", "1"},       {"-0", "0"},         {"-0.0", "0.0"},       {"1.5e1", "15"},
        {"1.55e1", "15.5"}, {"inf", "Infinity"}, {"-inf", "-Infinity"}, {"nan", "NaN"},
        {"0e10", "0"},      {"1E+2", "100"},     {"0.00e2", "0"},       {"12345e-4", "1.2345"},
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(texts); i++)
        CHECK_STR(test_text_again(NUMERIC, texts[i][0]), texts[i][1]);
}

RAW_TEST(numeric_text_that_is_none_or_does_not_fit_is_refused)
{
    static const char *const none[] = {"",     " ",   ".",   "-",   "1e",    "1e+",  "1x",
                                       "0x10", "1 2", "--1", "1,5", "-NaNx", "infi", "1..2"};
    static const char *const large[] = {"1e131072", "1e200001", "1e-16384", "1e9999999999"};

    for (size_t i = 0; i < ED_ARRAY_LENGTH(none); i++)
        CHECK_STR(test_text_again(NUMERIC, none[i]), "EINVAL");
    for (size_t i = 0; i < ED_ARRAY_LENGTH(large); i++)
        CHECK_STR(test_text_again(NUMERIC, large[i]), "ERANGE");
}

/* A thousand digits on both sides of the point, and the longest that there are. */
RAW_TEST(numeric_text_of_thousands_of_digits_comes_back_as_it_was)
{
    static const int sizes[][2] = {{1000, 1000}, {131072, 16383}, {1, 16383}, {131072, 1}};

    for (size_t i = 0; i < ED_ARRAY_LENGTH(sizes); i++) {
        size_t size = (size_t)sizes[i][0] + (size_t)sizes[i][1] + 1;
        struct eddy_buffer_ binary = {.data = NULL}, again = {.data = NULL};
        char *text = eddy_alloc_(size + 1);
        struct pg_numeric numeric;

        for (size_t j = 0; j < size; j++)
            text[j] = (char)('1' + j % 9);
        text[sizes[i][0]] = '.';
        CHECK_OK(pg_numeric_parse(text, size, &binary));
        CHECK_OK(pg_numeric_read(ed_buffer_bytes(&binary), ed_buffer_size(&binary), &numeric));
        CHECK_OK(pg_numeric_format(&numeric, &again));
        CHECK_EQ(ed_buffer_size(&again), size);
        CHECK(memcmp(ed_buffer_bytes(&again), text, size) == 0);
        CHECK_EQ(pg_numeric_scaled(&numeric, 100, &(__int128){0}), -ERANGE);
        ed_buffer_release(&binary);
        ed_buffer_release(&again);
        eddy_free(text);
    }
}

static int scaled(const char *text, unsigned scale, long long *out)
{
    struct eddy_buffer_ binary = {.data = NULL};
    struct pg_numeric numeric;
    __int128 value = 0;
    int rc = pg_numeric_parse(text, strlen(text), &binary);

    if (rc == 0)
        rc = pg_numeric_read(ed_buffer_bytes(&binary), ed_buffer_size(&binary), &numeric);
    if (rc == 0)
        rc = pg_numeric_scaled(&numeric, scale, &value);
    ed_buffer_release(&binary);
    *out = (long long)value;
    return rc;
}

RAW_TEST(numeric_is_read_as_a_scaled_integer_exactly)
{
    long long value;

    CHECK_OK(scaled("19.99", 2, &value));
    CHECK_EQ(value, 1999);
    CHECK_OK(scaled("19.9900", 2, &value));
    CHECK_EQ(value, 1999);
    CHECK_OK(scaled("-0.00001", 5, &value));
    CHECK_EQ(value, -1);
    CHECK_OK(scaled("123456789012", 0, &value));
    CHECK_EQ(value, 123456789012);
    CHECK_OK(scaled("1", 18, &value));
    CHECK_EQ(value, 1000000000000000000);
    CHECK_OK(scaled("0", 1000000, &value));
    CHECK_EQ(value, 0);
    CHECK_EQ(scaled("19.999", 2, &value), -ERANGE);
    CHECK_EQ(scaled("NaN", 2, &value), -ERANGE);
    CHECK_EQ(scaled("Infinity", 0, &value), -ERANGE);
    CHECK_EQ(scaled("1e40", 0, &value), -ERANGE);
    CHECK_EQ(scaled("1e-16000", 2, &value), -ERANGE);
}

RAW_TEST(numeric_from_a_scaled_integer_keeps_its_scale)
{
    static const struct {
        int64_t unscaled;
        unsigned scale;
        const char *text;
    } numbers[] = {
        {1999, 2, "19.99"},
        {1900, 2, "19.00"},
        {-5, 1, "-0.5"},
        {0, 3, "0.000"},
        {1, 20, "0.00000000000000000001"},
        {12345678, 0, "12345678"},
        {INT64_MIN, 0, "-9223372036854775808"},
        {INT64_MAX, 4, "922337203685477.5807"},
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(numbers); i++) {
        struct eddy_buffer_ binary = {.data = NULL}, text = {.data = NULL};
        struct pg_numeric numeric;

        CHECK_OK(pg_numeric_from_scaled(numbers[i].unscaled, numbers[i].scale, &binary));
        CHECK_OK(pg_numeric_read(ed_buffer_bytes(&binary), ed_buffer_size(&binary), &numeric));
        CHECK_OK(pg_numeric_format(&numeric, &text));
        CHECK_OK(ed_buffer_append(&text, "", 1));
        CHECK_STR(ed_buffer_bytes(&text), numbers[i].text);
        ed_buffer_release(&binary);
        ed_buffer_release(&text);
    }
    CHECK_EQ(pg_numeric_from_scaled(1, 16384, &(struct eddy_buffer_){.data = NULL}), -ERANGE);
}

RAW_TEST(numeric_becomes_the_nearest_double)
{
    static const char *const texts[] = {
        "0",
        "1",
        "0.1",
        "-2.5",
        "1e22",
        "123456789.123456789",
        "9007199254740993",
        "1e23",
        "1e-4",
        "179769313486231570000e288",
        "1e308",
        "4.9e-324",
        "1e-400",
        "2.2250738585072011e-308",
        "9007199254740992.99999999999999999999999999999999999999999999999999999999999999999999999",
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(texts); i++) {
        struct eddy_buffer_ binary = {.data = NULL};
        struct pg_numeric numeric;

        CHECK_OK(pg_numeric_parse(texts[i], strlen(texts[i]), &binary));
        CHECK_OK(pg_numeric_read(ed_buffer_bytes(&binary), ed_buffer_size(&binary), &numeric));
        CHECK(pg_numeric_double(&numeric) == strtod(texts[i], NULL));
        ed_buffer_release(&binary);
    }
}

/* P-TYPE-8: bytes that are no numeric. */
RAW_TEST(numeric_bytes_that_are_none_are_refused)
{
    static const struct {
        const char *data;
        int size;
    } bad[] = {
        {BYTES("")},
        {BYTES("\0\0\0\0\0\0\0")},           /* too short */
        {BYTES("\0\1\0\0\0\0\0\0")},         /* a digit is missing */
        {BYTES("\0\0\0\0\0\0\0\0\0\1")},     /* one too many */
        {BYTES("\0\1\0\0\0\0\0\0\x27\x10")}, /* of 10000 */
        {BYTES("\0\0\0\0\1\0\0\0")},         /* no sign */
        {BYTES("\0\0\0\0\0\0\x40\0")},       /* a scale beyond all */
        {BYTES("\xff\xff\0\0\0\0\0\0")},     /* a huge count */
    };
    struct pg_numeric numeric;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(bad); i++)
        CHECK_EQ(pg_numeric_read(bad[i].data, (size_t)bad[i].size, &numeric), EDDY_EPG_PROTOCOL);
}
