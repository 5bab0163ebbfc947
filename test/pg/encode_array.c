/* SPDX-License-Identifier: MIT */
/* Arrays as parameters. */
#include "pg/encode.h"
#include "values.h"

/* The text form of what an array is encoded as. */
static const char *encoded(uint32_t oid, eddy_pg_value value)
{
    static char out[512];
    struct pg_parameters parameters = {.count = 0};
    struct eddy_buffer_ text = {.data = NULL};
    int rc = pg_parameters_encode(&parameters, NULL, &oid, 1, &value, 1);

    if (rc == 0 && parameters.formats[0] == 1)
        rc = pg_format(NULL, pg_types_find(NULL, oid), parameters.values[0],
                       (size_t)parameters.lengths[0], &text);
    else if (rc == 0)
        rc = ed_buffer_append(&text, parameters.values[0], strlen(parameters.values[0]));
    (void)snprintf(out, sizeof out, "%.*s", (int)ed_buffer_size(&text),
                   text.data ? ed_buffer_bytes(&text) : "");
    if (rc < 0)
        (void)snprintf(out, sizeof out, "%s", eddy_error_message(rc));
    ed_buffer_release(&text);
    pg_parameters_free(&parameters);
    return out;
}
#define ARRAY(...) eddy_pg_array(EDDY_PG_VALUES(__VA_ARGS__), EDDY_PG_COUNT(__VA_ARGS__))

RAW_TEST(encode_array_of_each_kind)
{
    static const int64_t ints[] = {1, -2, 3};
    static const double doubles[] = {1.5, -0.0};
    static const char *const texts[] = {"a", NULL, "NULL", ""};

    CHECK_STR(encoded(1007, eddy_pg_int_array(ints, 3)), "{1,-2,3}");
    CHECK_STR(encoded(1016, eddy_pg_int_array(ints, 3)), "{1,-2,3}");
    CHECK_STR(encoded(1231, eddy_pg_int_array(ints, 3)), "{1,-2,3}");
    CHECK_STR(encoded(1022, eddy_pg_double_array(doubles, 2)), "{1.5,-0}");
    CHECK_STR(encoded(1009, eddy_pg_text_array(texts, 4)), "{a,NULL,\"NULL\",\"\"}");
    CHECK_STR(encoded(1007, eddy_pg_int_array(NULL, 0)), "{}");
    CHECK_STR(encoded(22, ARRAY(5, 6)), "5 6");
    CHECK_STR(encoded(1182, ARRAY("2024-01-01", ((eddy_pg_date){0}), NULL)),
              "{2024-01-01,2000-01-01,NULL}");
}

/* P-TYPE table, arrays: up to six dimensions, NULL at each place. */
RAW_TEST(encode_array_of_more_dimensions)
{
    static const int64_t ints[] = {1, 2};

    CHECK_STR(encoded(1007, ARRAY(ARRAY(1, 2), ARRAY(3, NULL))), "{{1,2},{3,NULL}}");
    CHECK_STR(encoded(1007, ARRAY(eddy_pg_int_array(ints, 2), eddy_pg_int_array(ints, 2))),
              "{{1,2},{1,2}}");
    CHECK_STR(encoded(1007, ARRAY(ARRAY(ARRAY(ARRAY(ARRAY(ARRAY(7))))))), "{{{{{{7}}}}}}");
    CHECK_STR(encoded(1007, ARRAY(ARRAY(), ARRAY())), "{}");
    CHECK_HAS(encoded(1007, ARRAY(ARRAY(ARRAY(ARRAY(ARRAY(ARRAY(ARRAY(7)))))))), "6 dimensions");
}

/* P-Q-8: a ragged array. */
RAW_TEST(encode_array_that_is_ragged_is_refused)
{
    CHECK_STR(encoded(1007, ARRAY(ARRAY(1, 2), ARRAY(3))),
              "$1: an array with parts of 2 and of 1 elements");
    CHECK_STR(encoded(1007, ARRAY(ARRAY(1), 2)),
              "$1: an array whose parts have different dimensions");
    CHECK_STR(encoded(1007, ARRAY(1, ARRAY(2))),
              "$1: an array whose parts have different dimensions");
    CHECK_STR(encoded(1007, ARRAY(ARRAY(1), NULL)),
              "$1: an array whose parts have different dimensions");
    CHECK_STR(encoded(1007, ARRAY(ARRAY(), ARRAY(1))),
              "$1: an array with parts of 0 and of 1 elements");
    CHECK_STR(encoded(1007, ARRAY(1, "2")), "$1: a text for int4");
    CHECK_STR(encoded(1005, ARRAY(1, 70000)), "$1: 70000 is out of the range of int2");
    CHECK_STR(encoded(EDDY_PG_INT4, ARRAY(1)), "$1: an array for int4");
}

/* Elements that only travel as text. */
RAW_TEST(encode_array_of_texts_for_types_without_a_binary_form)
{
    CHECK_STR(encoded(3643, ARRAY("'a' 'b'", NULL, "x")), "{\"'a' 'b'\",NULL,x}");
    CHECK_STR(encoded(1020, ARRAY("(1,1),(0,0)", "(2,2),(1,1)")), "{(1,1),(0,0);(2,2),(1,1)}");
    CHECK_STR(encoded(3905, ARRAY(ARRAY("[1,2)", "empty"))), "{{\"[1,2)\",empty}}");
    CHECK_STR(encoded(3643, ARRAY(7)), "$1: an integer for tsvector");
    CHECK_STR(encoded(3643, ARRAY("\xff")), "$1: a text that is not UTF-8 at byte 0");
}
