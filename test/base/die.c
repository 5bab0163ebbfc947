/* SPDX-License-Identifier: MIT */
/* The end of a misused program: one sentence, then SIGABRT. */
#include "base/die.h"

#include "harness.h"

static void die_with_numbers(void)
{
    ed_die("%d of %s", 3, "them");
}

static void die_of_an_invariant(void)
{
    int two = 2;

    ED_ASSERT(two == 3);
}

static void die_with_a_long_text(void)
{
    char text[5000];

    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    ed_die("%s", text);
}

static void pass_an_assertion(void)
{
    ED_ASSERT(1 + 1 == 2);
}

RAW_TEST(die_prints_one_line_and_aborts)
{
    char text[256];
    int status = test_fork(die_with_numbers, text, sizeof text);

    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CHECK_STR(text, "eddy: 3 of them\n");
}

RAW_TEST(die_cuts_a_text_that_is_too_long)
{
    CHECK_DIES(die_with_a_long_text, "eddy: xxxx");
}

RAW_TEST(broken_invariant_names_the_condition_and_the_place)
{
    CHECK_DIES(die_of_an_invariant, "broken invariant: two == 3");
    CHECK_DIES(die_of_an_invariant, "base/die.c:");
}

RAW_TEST(invariant_that_holds_says_nothing)
{
    char text[256];

    CHECK_EQ(test_fork(pass_an_assertion, text, sizeof text), 0);
    CHECK_STR(text, "");
}
