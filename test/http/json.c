/* SPDX-License-Identifier: MIT */
/* JSON from elsewhere. */
#include "http/json.h"

#include <jansson.h>
#include <stdlib.h>

#include "harness.h"

static int decode(const char *text)
{
    json_t *value = NULL;
    int rc = ed_json_decode(text, strlen(text), EDDY_EJSON, &value);

    if (rc == 0)
        json_decref(value);
    return rc;
}

TEST(json_values)
{
    CHECK_OK(decode("{\"a\": [1, true, null, \"\\u00fc\"]}"));
    CHECK_OK(decode("3"));
    CHECK_OK(decode("\"[[[\\\"[[\""));
    CHECK_FAILS(decode("{\n\"a\" 1}"), EDDY_EJSON, "line 2");
    CHECK_EQ(decode(""), EDDY_EJSON);
    CHECK_EQ(decode("[1] x"), EDDY_EJSON);
    CHECK_EQ(decode("\"\xff\""), EDDY_EJSON);
    CHECK_EQ(decode("]]]]"), EDDY_EJSON);
}

/* Nested deeper than a task's stack could take, it is refused before anybody goes down. */
TEST(json_depth)
{
    size_t size = 1000000;
    char *text = malloc(2 * size + 1);

    CHECK(text != NULL);
    memset(text, '[', size);
    memset(text + size, ']', size);
    text[2 * size] = '\0';
    CHECK_FAILS(decode(text), EDDY_EJSON, "deeper");
    text[2 * size - (size - 256)] = '\0';
    CHECK_OK(decode(text + size - 256));
    text[2 * size - (size - 256)] = ']';
    text[2 * size - (size - 257)] = '\0';
    CHECK_EQ(decode(text + size - 257), EDDY_EJSON);
    free(text);
}

TEST(json_types)
{
    CHECK(ed_json_is_type("application/json"));
    CHECK(ed_json_is_type("Application/JSON; charset=utf-8"));
    CHECK(ed_json_is_type("application/problem+json"));
    CHECK(!ed_json_is_type("application/jsonx"));
    CHECK(!ed_json_is_type("text/plain"));
    CHECK(!ed_json_is_type(NULL));
}
