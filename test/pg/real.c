/* SPDX-License-Identifier: MIT */
/* Texts of floating point numbers. */
#include "pg/real.h"

#include <errno.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "harness.h"

/* As PostgreSQL 15 writes them. */
static const struct {
    double value;
    const char *text;
} doubles[] = {
    {0, "0"},
    {-0.0, "-0"},
    {1.1, "1.1"},
    {100, "100"},
    {1e14, "100000000000000"},
    {1e15, "1e+15"},
    {123456789012345, "123456789012345"},
    {1e-4, "0.0001"},
    {1e-5, "1e-05"},
    {0.1 + 0.2, "0.30000000000000004"},
    {5e-324, "5e-324"},
    {DBL_MIN, "2.2250738585072014e-308"},
    {DBL_MAX, "1.7976931348623157e+308"},
    {5.684341886080802e-14, "5.684341886080802e-14"}, /* a power of two */
    {9007199254740992, "9.007199254740992e+15"},
    {1e23, "9.999999999999999e+22"}, /* 1e23 lies between two numbers */
    {6.5294498705027984e16, "6.5294498705027984e+16"},
};

RAW_TEST(real_text_is_the_shortest_that_comes_back)
{
    char text[PG_REAL_SIZE];

    for (size_t i = 0; i < ED_ARRAY_LENGTH(doubles); i++) {
        double back = 7;

        CHECK_EQ(pg_real_format(doubles[i].value, false, text), strlen(doubles[i].text));
        CHECK_STR(text, doubles[i].text);
        CHECK_OK(pg_real_parse(text, strlen(text), &back));
        CHECK(back == doubles[i].value && signbit(back) == signbit(doubles[i].value));
    }
}

/* P-TYPE table, float4: written as what it is, not as the double next to it. */
RAW_TEST(real_text_of_a_float_is_its_own)
{
    static const struct {
        float value;
        const char *text;
    } floats[] = {
        {1.1f, "1.1"},
        {999999, "999999"},
        {1e6f, "1e+06"},
        {1e-4f, "0.0001"},
        {1e-5f, "1e-05"},
        {FLT_MAX, "3.4028235e+38"},
        {1e-45f, "1e-45"},
        {0.1f, "0.1"},
        {8388608, "8.388608e+06"},
        {16777216, "1.6777216e+07"},
        {35325808, "3.5325808e+07"},
    };
    char text[PG_REAL_SIZE];

    for (size_t i = 0; i < ED_ARRAY_LENGTH(floats); i++) {
        (void)pg_real_format((double)floats[i].value, true, text);
        CHECK_STR(text, floats[i].text);
    }
}

RAW_TEST(real_text_knows_nan_and_infinities)
{
    char text[PG_REAL_SIZE];
    double value;

    (void)pg_real_format(NAN, false, text);
    CHECK_STR(text, "NaN");
    (void)pg_real_format(-(double)INFINITY, false, text);
    CHECK_STR(text, "-Infinity");
    CHECK_OK(pg_real_parse("nan", 3, &value));
    CHECK(isnan(value));
    CHECK_OK(pg_real_parse("-infinity", 9, &value));
    CHECK(isinf(value) && value < 0);
    CHECK_OK(pg_real_parse("1e999", 5, &value));
    CHECK(isinf(value));
}

RAW_TEST(real_text_that_is_no_number_is_refused)
{
    static const char *const none[] = {"",  " ",  "1 ", "1,5", "0x10", "1e",      "e5",
                                       ".", "-.", "1f", "inf", "--1",  "infinit", "nanx"};
    double value = 7;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(none); i++)
        CHECK_EQ(pg_real_parse(none[i], strlen(none[i]), &value), -EINVAL);
}

/* Random numbers of all sizes come back. */
RAW_TEST(real_text_of_random_numbers_comes_back)
{
    int count = test_is_slow() ? 2000 : 20000;
    uint64_t state = 88172645463325252u;
    char text[PG_REAL_SIZE];

    for (int i = 0; i < count; i++) {
        double value, back;
        float single;
        uint32_t bits;

        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        memcpy(&value, &state, sizeof value);
        bits = (uint32_t)state;
        memcpy(&single, &bits, sizeof single);
        CHECK(pg_real_format(value, false, text) < 26);
        CHECK_OK(pg_real_parse(text, strlen(text), &back));
        CHECK(back == value || isnan(value));
        (void)pg_real_format((double)single, true, text);
        CHECK_OK(pg_real_parse(text, strlen(text), &back));
        CHECK((float)back == single || isnan(single));
    }
}

RAW_TEST(real_text_has_a_point_in_every_locale)
{
    char text[PG_REAL_SIZE];
    double value;

    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8"))
        test_skip("no locale with a comma is installed");
    (void)pg_real_format(1.5, false, text);
    CHECK_STR(text, "1.5");
    CHECK_OK(pg_real_parse("2.5", 3, &value));
    CHECK(value == 2.5);
}
