/* SPDX-License-Identifier: MIT */
/* Values from their text form. */
#include "pg/parse.h"

#include "values.h"

enum { OID = 26, CHAR = 18, XID8 = 5069, LSN = 3220, TID = 27 };

/* P-TYPE-9, of types that have no file of their own. */
RAW_TEST(parse_text_of_the_server_comes_back_as_it_was)
{
    static const struct {
        uint32_t type;
        const char *text;
    } texts[] = {
        {EDDY_PG_BOOL, "t"},
        {EDDY_PG_BOOL, "f"},
        {EDDY_PG_INT2, "-32768"},
        {EDDY_PG_INT4, "2147483647"},
        {EDDY_PG_INT8, "-9223372036854775808"},
        {OID, "4294967295"},
        {XID8, "18446744073709551615"},
        {LSN, "16/B374D848"},
        {TID, "(4294967295,65535)"},
        {CHAR, "a"},
        {CHAR, ""},
        {CHAR, "\\200"},
        {EDDY_PG_FLOAT4, "1.1"},
        {EDDY_PG_FLOAT8, "-1.7976931348623157e+308"},
        {EDDY_PG_TEXT, ""},
        {EDDY_PG_TEXT, "äöü"},
        {EDDY_PG_JSONB, "{\"a\": 1}"},
        {EDDY_PG_BYTEA, "\\x"},
        {EDDY_PG_BYTEA, "\\x00ff41"},
        {EDDY_PG_BIT, "1010"},
        {EDDY_PG_VARBIT, ""},
        {EDDY_PG_VARBIT, "10000000011"},
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(texts); i++)
        CHECK_STR(test_text_again(texts[i].type, texts[i].text), texts[i].text);
    CHECK_STR(test_text_again(EDDY_PG_BYTEA, "a\\\\b\\000\\377"), "\\x615c6200ff");
    CHECK_STR(test_text_again(EDDY_PG_BOOL, "true"), "t");
}

RAW_TEST(parse_text_that_is_none_is_refused)
{
    static const struct {
        uint32_t type;
        const char *text, *error;
    } texts[] = {
        {EDDY_PG_BOOL, "", "EINVAL"},
        {EDDY_PG_BOOL, "tr", "EINVAL"},
        {EDDY_PG_BOOL, "yes", "EINVAL"},
        {EDDY_PG_INT2, "32768", "ERANGE"},
        {EDDY_PG_INT2, "-32769", "ERANGE"},
        {EDDY_PG_INT4, "2147483648", "ERANGE"},
        {EDDY_PG_INT8, "9223372036854775808", "ERANGE"},
        {EDDY_PG_INT4, "", "EINVAL"},
        {EDDY_PG_INT4, "-", "EINVAL"},
        {EDDY_PG_INT4, "1x", "EINVAL"},
        {OID, "-1", "ERANGE"},
        {XID8, "18446744073709551616", "ERANGE"},
        {LSN, "16", "EINVAL"},
        {LSN, "/1", "EINVAL"},
        {LSN, "123456789/1", "EINVAL"},
        {TID, "(1)", "EINVAL"},
        {TID, "(4294967296,1)", "ERANGE"},
        {TID, "(1,65536)", "ERANGE"},
        {CHAR, "ab", "EINVAL"},
        {CHAR, "\\999", "EINVAL"},
        {EDDY_PG_FLOAT4, "1e39", "ERANGE"},
        {EDDY_PG_FLOAT8, "x", "EINVAL"},
        {EDDY_PG_BYTEA, "\\x0", "EINVAL"},
        {EDDY_PG_BYTEA, "\\x0g", "EINVAL"},
        {EDDY_PG_BYTEA, "\\9", "EINVAL"},
        {EDDY_PG_BYTEA, "\\777", "EINVAL"},
        {EDDY_PG_BIT, "102", "EINVAL"},
        {1007, "{1}", "EINVAL"}, /* an array is not one value */
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(texts); i++)
        CHECK_STR(test_text_again(texts[i].type, texts[i].text), texts[i].error);
}

RAW_TEST(parse_leaves_the_buffer_as_it_was_when_it_fails)
{
    struct eddy_buffer_ buffer = {.data = NULL};

    CHECK_OK(ed_buffer_append(&buffer, "ab", 2));
    CHECK_EQ(pg_parse(PG_KIND_BIT, "10x", 3, &buffer), -EINVAL);
    CHECK_EQ(pg_parse(PG_KIND_BYTEA, "\\x00zz", 6, &buffer), -EINVAL);
    CHECK_EQ(pg_parse(PG_KIND_NUMERIC, "1e131072", 8, &buffer), -ERANGE);
    CHECK_EQ(ed_buffer_size(&buffer), 2);
    ed_buffer_release(&buffer);
}
