/* SPDX-License-Identifier: MIT */
/* Conditional requests. */
#include "http/web_conditions.h"

#include "harness.h"

#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define AT "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEHIND "Sun, 06 Nov 1994 08:49:38 GMT"

static const struct ed_validators now = {"\"x\"", 784111777};
static const struct ed_validators weak = {"W/\"x\"", 784111777};

/* The answer for up to two fields. */
static int check_for(const struct ed_validators *validators, const char *name, const char *value,
                     const char *other, const char *other_value)
{
    EDDY_HEADERS headers = eddy_headers_new();

    if (eddy_headers_add(headers, name, value) < 0 ||
        (other && eddy_headers_add(headers, other, other_value) < 0))
        return -1;
    return ed_conditions_check(headers, true, validators);
}

#define CHECK_CONDITION(name, value, status)                                                       \
    CHECK_EQ(check_for(&now, name, value, NULL, NULL), status)

/* H-STATIC-5: If-Match compares strongly; "*" is any. */
TEST(web_conditions_if_match)
{
    CHECK_CONDITION("If-Match", "\"x\"", 0);
    CHECK_CONDITION("If-Match", "\"y\", \"x\"", 0);
    CHECK_CONDITION("If-Match", "*", 0);
    CHECK_CONDITION("If-Match", "\"y\"", 412);
    CHECK_CONDITION("If-Match", "W/\"x\"", 412);
    CHECK_CONDITION("If-Match", "x", 412);
    CHECK_CONDITION("If-Match", "\"x", 412);
    CHECK_EQ(check_for(&weak, "If-Match", "W/\"x\"", NULL, NULL), 412);
    CHECK_EQ(check_for(&now, "If-Match", "\"y\"", "If-Match", "\"x\""), 0);
    CHECK_EQ(check_for(&now, "If-Match", "\"x\"", "If-Unmodified-Since", BEFORE), 0);
}

TEST(web_conditions_if_none_match)
{
    CHECK_CONDITION("If-None-Match", "\"x\"", 304);
    CHECK_CONDITION("If-None-Match", "W/\"x\"", 304);
    CHECK_CONDITION("If-None-Match", "\"a,b\",, \"x\"", 304);
    CHECK_CONDITION("If-None-Match", "*", 304);
    CHECK_CONDITION("If-None-Match", "\"y\"", 0);
    CHECK_EQ(check_for(&now, "If-None-Match", "\"y\"", "If-Modified-Since", BEHIND), 0);
}

TEST(web_conditions_dates)
{
    CHECK_CONDITION("If-Modified-Since", BEFORE, 0);
    CHECK_CONDITION("If-Modified-Since", AT, 304);
    CHECK_CONDITION("If-Modified-Since", BEHIND, 304);
    CHECK_CONDITION("If-Modified-Since", "yesterday", 0);
    CHECK_CONDITION("If-Unmodified-Since", BEFORE, 412);
    CHECK_CONDITION("If-Unmodified-Since", AT, 0);
    CHECK_CONDITION("If-Unmodified-Since", "yesterday", 0);
}

/* Other methods than GET and HEAD get 412 where those get 304. */
TEST(web_conditions_of_writes)
{
    EDDY_HEADERS headers = eddy_headers_new();

    CHECK_OK(eddy_headers_add(headers, "If-None-Match", "*"));
    CHECK_EQ(ed_conditions_check(headers, false, &now), 412);
}

static bool if_range(const char *value)
{
    EDDY_HEADERS headers = eddy_headers_new();

    if (value && eddy_headers_add(headers, "If-Range", value) < 0)
        return false;
    return ed_if_range_holds(headers, &now);
}

/* H-STATIC-9, and the tag of RFC 9110, 13.1.5. */
TEST(web_conditions_if_range)
{
    CHECK(if_range(NULL));
    CHECK(if_range(AT));
    CHECK(!if_range(BEFORE));
    CHECK(!if_range(BEHIND));
    CHECK(if_range("\"x\""));
    CHECK(!if_range("W/\"x\""));
    CHECK(!if_range("\"y\""));
    CHECK(!if_range("soon"));
}
