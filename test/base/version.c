/* SPDX-License-Identifier: MIT */
#include "harness.h"
#include <eddy/version.h>
#include <stdio.h>
#include <string.h>

/* The text and the three numbers are kept by hand, next to each other. */
TEST(version_text_is_made_of_its_numbers)
{
    char text[32];

    snprintf(text, sizeof text, "%d.%d.%d", EDDY_VERSION_MAJOR, EDDY_VERSION_MINOR,
             EDDY_VERSION_PATCH);
    CHECK_EQ(strcmp(text, EDDY_VERSION_STRING), 0);
    CHECK_EQ(strcmp(text, eddy_version()), 0);
}
