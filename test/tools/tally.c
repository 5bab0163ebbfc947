/* SPDX-License-Identifier: MIT */
/* What has become of many requests. */
#include "tools/tally.h"

#include <stdlib.h>

#include "harness.h"

RAW_TEST(tally_prints_statuses_and_causes)
{
    struct ed_tally tally = {0};
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    ed_tally_add_status(&tally, 200);
    ed_tally_print(&tally, out);
    CHECK(fflush(out) == 0 && size == 0);
    ed_tally_add_status(&tally, 404);
    ed_tally_add_error(&tally, -ECONNREFUSED);
    ed_tally_add_error(&tally, -ETIMEDOUT);
    ed_tally_add_error(&tally, -ECONNREFUSED);
    ed_tally_print(&tally, out);
    CHECK_EQ(fclose(out), 0);
    CHECK_STR(text, "statuses: 1 of 200, 1 of 404\n3 failed: 2 connection refused, 1 timed out\n");
    CHECK_EQ(tally.whole, 2);
    free(text);
}

RAW_TEST(tally_has_room_for_every_cause)
{
    struct ed_tally tally = {0};
    size_t sum = 0;

    for (int code = -6000; code < 0; code++)
        ed_tally_add_error(&tally, code);
    for (size_t i = 0; i < ED_TALLY_CAUSES; i++)
        sum += tally.causes[i].count;
    CHECK_EQ(sum, 6000);
    CHECK_EQ(tally.failed, 6000);
}

RAW_TEST(tally_bytes_for_people)
{
    char text[32];

    CHECK_STR(ed_bytes_text(0, text), "0 B");
    CHECK_STR(ed_bytes_text(999, text), "999 B");
    CHECK_STR(ed_bytes_text(1000, text), "1.0 kB");
    CHECK_STR(ed_bytes_text(999949, text), "999.9 kB");
    CHECK_STR(ed_bytes_text(999999, text), "1.0 MB");
    CHECK_STR(ed_bytes_text(UINT64_MAX, text), "18.4 EB");
}
