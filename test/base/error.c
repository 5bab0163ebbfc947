/* SPDX-License-Identifier: MIT */
/* Error codes: every one has a name and a text. */
#include "harness.h"

#include <limits.h>

#include "base/error.h"

/* Issue 2, section 5: a code that reaches a user is never printed as nothing. */
RAW_TEST(error_every_code_has_a_name_and_a_text)
{
    for (int code = 10; code >= -5000; code--) {
        CHECK_THAT(eddy_strerror(code)[0] != '\0', "code %d has an empty text", code);
        CHECK_THAT(eddy_error_name(code)[0] != '\0', "code %d has an empty name", code);
    }
}

/* What the C library knows as an errno is known here, by the same name. */
RAW_TEST(error_every_errno_has_its_own_name_and_text)
{
    int known = 0;

    for (int number = 1; number <= 4095; number++) {
        const char *name = strerrorname_np(number);

        if (!name)
            continue;
        known++;
        CHECK_STR(eddy_error_name(-number), name);
        CHECK_EQ(ed_error_by_name(name), -number);
        CHECK_THAT(strcmp(eddy_strerror(-number), "unknown error") != 0, "%s has no text", name);
    }
    CHECK(known > 100);
}

RAW_TEST(error_success_and_what_is_no_error_have_texts)
{
    CHECK_STR(eddy_error_name(0), "0");
    CHECK_STR(eddy_strerror(0), "success");
    CHECK_STR(eddy_error_name(5), "E?");
    CHECK_STR(eddy_strerror(5), "unknown error");
    CHECK_STR(eddy_error_name(-4095), "E?");
    CHECK_STR(eddy_error_name(-4999), "E?");
    CHECK_STR(eddy_error_name(INT_MIN), "E?");
    CHECK_STR(eddy_strerror(INT_MIN), "unknown error");
    CHECK_STR(eddy_error_name(INT_MAX), "E?");
}

/* The codes that Eddy gives a meaning of its own say that meaning, not errno's. */
RAW_TEST(error_codes_of_the_model_are_told_apart_by_their_texts)
{
    static const int codes[] = {
        0,       -EAGAIN, -EALREADY,  -EBUSY,      -ECANCELED, -EDEADLK,   -EINPROGRESS,
        -EINTR,  -ENOMEM, -EOVERFLOW, -EOWNERDEAD, -EPERM,     -ESHUTDOWN, -ETIMEDOUT,
        -EINVAL, -ENOENT, -ENODATA,   -ENOSPC,
    };

    CHECK_STR(eddy_strerror(-ETIMEDOUT), "timed out");
    CHECK_STR(eddy_strerror(-ECANCELED), "cancelled");
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        for (size_t j = 0; j < i; j++)
            CHECK_THAT(strcmp(eddy_strerror(codes[i]), eddy_strerror(codes[j])) != 0,
                       "%s and %s have one text", eddy_error_name(codes[i]),
                       eddy_error_name(codes[j]));
}

RAW_TEST(error_names_that_do_not_exist_have_no_code)
{
    CHECK_EQ(ed_error_by_name("ENOSUCHTHING"), 0);
    CHECK_EQ(ed_error_by_name(""), 0);
    CHECK_EQ(ed_error_by_name("EIO "), 0);
    CHECK_EQ(ed_error_by_name("eio"), 0);
}
