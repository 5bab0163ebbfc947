/* SPDX-License-Identifier: MIT */
/* SQLSTATEs as error codes. */
#include "base/sqlstate.h"
#include "harness.h"

#include <limits.h>

/* P-ERR-1: one code for each state, which is constant enough for a case label. */
RAW_TEST(sqlstate_is_a_code_and_the_code_is_the_state)
{
    static const char *const states[] = {"00000", "23505", "0A000", "42P01", "XX000", "ZZZZZ"};
    char state[6];

    CHECK_EQ(EDDY_PG_SQLSTATE("23505"), EDDY_EPG_UNIQUE_VIOLATION);
    switch (EDDY_PG_SQLSTATE("40P01")) {
    case EDDY_EPG_DEADLOCK_DETECTED: break;
    default: CHECK(!"a case label");
    }
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        const char *s = states[i];

        CHECK(ed_sqlstate_write(EDDY_PG_STATE(s[0], s[1], s[2], s[3], s[4]), state));
        CHECK_STR(state, s);
    }
    CHECK(!ed_sqlstate_write(EDDY_PG_SQLSTATE("00000") + 1, state));
    CHECK(!ed_sqlstate_write(EDDY_PG_SQLSTATE("ZZZZZ") - 1, state));
    CHECK(!ed_sqlstate_write(INT_MIN, state));
    CHECK(!ed_sqlstate_write(0, state));
}

/* P-ERR-2, -4: what is known has its meaning and name, the rest that of its class. */
RAW_TEST(sqlstate_has_a_text_and_a_name_whatever_it_is)
{
    CHECK_STR(eddy_error_name(EDDY_EPG_UNIQUE_VIOLATION), "EDDY_EPG_UNIQUE_VIOLATION");
    CHECK_STR(eddy_strerror(EDDY_EPG_UNIQUE_VIOLATION), "unique violation");
    CHECK_STR(eddy_strerror(EDDY_PG_SQLSTATE("22012")), "division by zero");
    CHECK_STR(eddy_strerror(EDDY_PG_SQLSTATE("22008")), "datetime field overflow");
    CHECK_STR(eddy_error_name(EDDY_PG_SQLSTATE("22008")), "EDDY_PG_SQLSTATE");
    CHECK_STR(eddy_strerror(EDDY_PG_SQLSTATE("23XYZ")), "integrity constraint violation");
    CHECK_STR(eddy_strerror(EDDY_PG_SQLSTATE("Q1234")), "an error of the PostgreSQL server's");
    CHECK_STR(eddy_error_name(EDDY_PG_SQLSTATE("Q1234")), "EDDY_PG_SQLSTATE");
}

RAW_TEST(sqlstate_leaves_the_client_its_own_codes)
{
    for (int code = EDDY_EPG_NULL; code >= EDDY_EPG_ROLLED_BACK; code--)
        CHECK(strncmp(eddy_error_name(code), "EDDY_EPG_", 9) == 0);
    CHECK_STR(eddy_error_name(EDDY_EPG_LOST), "EDDY_EPG_LOST");
}
