/* SPDX-License-Identifier: MIT */
/* Names of places in code that hold in another process of the same program. */
#include "os/module.h"

#include <errno.h>
#include <stdlib.h>

#include "harness.h"

static char variable[] = "variable"; /* constants may share their pages with code */

static int function(void)
{
    return 42;
}

RAW_TEST(place_in_a_module_is_found_again)
{
    struct ed_place_in_module place;
    int (*found)(void);

    CHECK(ed_module_name((const void *)(uintptr_t)function, &place));
    CHECK_STR(place.path, "");
    found = (int (*)(void))(uintptr_t)ed_module_find(&place, true);
    CHECK(found == function);
    CHECK_EQ(found(), 42);

    CHECK(ed_module_name(variable, &place));
    CHECK_STR((char *)ed_module_find(&place, false), "variable");
    CHECK(!ed_module_find(&place, true)); /* which is no code */
}

RAW_TEST(place_in_a_library_is_found_again)
{
    struct ed_place_in_module place;
    uintptr_t address = (uintptr_t)strtoul;

    CHECK(ed_module_name((const void *)address, &place));
    CHECK((uintptr_t)ed_module_find(&place, true) == address);
}

RAW_TEST(place_that_is_not_there_is_not_found)
{
    struct ed_place_in_module place, other;
    int local = 0;

    CHECK(!ed_module_name(&local, &place)); /* on the stack */
    CHECK(!ed_module_name(NULL, &place));
    CHECK(ed_module_name((const void *)(uintptr_t)function, &place));
    other = place;
    other.identity++; /* a file that was replaced */
    CHECK(!ed_module_find(&other, true));
    other = place;
    other.offset = UINT64_C(1) << 40;
    CHECK(!ed_module_find(&other, true));
    other = place;
    other.path = "/nonexistent/library.so";
    CHECK(!ed_module_find(&other, true));
}
