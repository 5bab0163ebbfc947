/* SPDX-License-Identifier: MIT */
/* Parameters of fields, in all their forms. */
#include "http/parameter.h"

#include "base/compat.h"
#include "http/payloads.h"

/* H-FORM-11 */
RAW_TEST(parameters_are_found_in_all_their_forms)
{
    static const struct {
        const char *value, *name, *text;
    } cases[] = {
        {"form-data; name=\"a\"", "name", "a"},
        {"form-data; name=a", "name", "a"},
        {"form-data;name=a;filename=b", "filename", "b"},
        {"form-data ; NAME = \"a b\" ; x", "name", "a b"},
        {"form-data; name=\"a;b=c\"; filename=d", "filename", "d"},
        {"form-data; name=\"\"", "name", ""},
        {"form-data; name", "name", ""},
        {"form-data", "name", NULL},
        {"", "name", NULL},
        {";;; ;name=a", "name", "a"},
        {"x; filename=\"name=a\"", "name", NULL},
        {"x; name=\"a", "name", NULL},
        {"x; name=\"a\\\"", "name", NULL},
        {"x; name=\"a\\\"b\\\\c\"", "name", "a\"b\\c"},
        {"x; filename=\"C:\\dir\\file\"", "filename", "C:\\dir\\file"},
        {"x; name=first; name=second", "name", "first"},
        {"x; filename*=UTF-8''a%20%c3%a9", "filename", "a \xc3\xa9"},
        {"x; filename=plain; filename*=utf-8'en'better", "filename", "better"},
        {"x; filename*=ISO-8859-1''%e9%41", "filename",
         "\xc3\xa9"
         "A"},
        {"x; filename=plain; filename*=koi8-r''%41", "filename", "plain"},
        {"x; filename=plain; filename*=utf-8'broken", "filename", "plain"},
        {"x; filename=plain; filename*=utf-8''a%00b", "filename", "plain"},
        {"x; filename*=utf-8''a%0d%0ab", "filename", NULL},
        {"x; filename*=utf-8''100%", "filename", "100%"},
        {"x; filename*=utf-8''%zz%4", "filename", "%zz%4"},
        {"x; filename*0=\"a b\"; filename*1=c", "filename", "a bc"},
        {"x; filename*1=c; filename*0=a", "filename", "ac"},
        {"x; filename*0*=utf-8''%61; filename*0=b; filename*1=c", "filename", "bc"},
        {"x; filename*0=a; filename*0=b; filename*01=c; filename*1x=d", "filename", "a"},
        {"x; filename*0=a; filename*=b; filename**=c", "filename", "a"},
        {"x; filename*0*=utf-8''a%20; filename*1=b; filename*2*=%c3%a9", "filename", "a b\xc3\xa9"},
        {"x; filename*1=c; filename=plain", "filename", "plain"},
        {"x; filename*0*=koi8-r''a; filename=plain", "filename", "plain"},
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(cases); i++) {
        ARENA arena = {0};
        const char *text;

        CHECK_OK(ed_parameter_get(cases[i].value, cases[i].name, &arena, &text));
        CHECK_THAT(text && cases[i].text ? strcmp(text, cases[i].text) == 0 : text == cases[i].text,
                   "%s: %s", cases[i].value, text ? text : "(none)");
    }
}

/* As many pieces as there may be, behind a long value, which is not walked again for each. */
RAW_TEST(a_value_in_many_pieces_is_walked_once)
{
    static char value[1 << 16];
    ARENA arena = {0};
    const char *text;
    size_t size = 0;

    while (size < sizeof value / 2)
        size += (size_t)snprintf(value + size, sizeof value - size, "; a=b");
    for (int i = 101; i-- > 0;)
        size += (size_t)snprintf(value + size, sizeof value - size, "; name*%d=%d", i, i % 10);
    CHECK_OK(ed_parameter_get(value, "name", &arena, &text));
    CHECK_EQ(strlen(text), 100);
    CHECK(memcmp(text, "01234567890123456789", 20) == 0);
}
