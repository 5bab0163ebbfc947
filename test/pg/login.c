/* SPDX-License-Identifier: MIT */
/* What is learned of a login. */
#include "pg/login.h"

#include "harness.h"

static void check_concealed(const char *message, const char *expected)
{
    char text[64];

    pg_login_conceal(message, text, sizeof text);
    CHECK_STR(text, expected);
}

/* P-ERR-5: what libpq quotes of a DSN that it cannot read may be its password. */
RAW_TEST(pg_login_conceals_what_libpq_quotes)
{
    check_concealed("missing \"=\" after \"secret\" in connection info string\n",
                    "missing \"=\" after \"...\" in connection info string");
    check_concealed("invalid percent-encoded token: \"se%zz\"",
                    "invalid percent-encoded token: \"...\"");
    check_concealed("invalid connection option \"hots\"\n", "invalid connection option \"hots\"");
    check_concealed("a quote \" alone", "a quote \" alone");
    check_concealed("", "");
    check_concealed("0123456789012345678901234567890123456789012345678901234567890123456789",
                    "01234567890123456789012345678901234567890123456789012345678");
}
