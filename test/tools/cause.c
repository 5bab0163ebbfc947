/* SPDX-License-Identifier: MIT */
/* Why a page was not fetched. */
#include "tools/cause.h"

#include <eddy/http.h>

#include "harness.h"

RAW_TEST(cause_of_codes)
{
    CHECK_EQ(ed_cause_of(EDDY_HTTP_STATUS(404))->exit, 22);
    CHECK_EQ(ed_cause_of(EDDY_EURL)->exit, 3);
    CHECK_EQ(ed_cause_of(EDDY_EDNS_NOT_FOUND)->exit, 6);
    CHECK_EQ(ed_cause_of(EDDY_EDNS_TIMEOUT)->exit, 6);
    CHECK_EQ(ed_cause_of(-ECONNREFUSED)->exit, 7);
    CHECK_EQ(ed_cause_of(EDDY_EHTTP_PROTOCOL)->exit, 8);
    CHECK_EQ(ed_cause_of(EDDY_EHTTP_PAYLOAD)->exit, 18);
    CHECK_EQ(ed_cause_of(EDDY_ETLS_TRUNCATED)->exit, 18);
    CHECK_EQ(ed_cause_of(EDDY_ETLS_NOT_TLS)->exit, 35);
    CHECK_EQ(ed_cause_of(EDDY_ETLS_CERT_UNKNOWN_CA)->exit, 60);
    CHECK_EQ(ed_cause_of(EDDY_ETLS_CERT)->exit, 60);
    CHECK_EQ(ed_cause_of(EDDY_EHTTP_CONNECT_TIMEOUT)->exit, 28);
    CHECK_EQ(ed_cause_of(-ETIMEDOUT)->exit, 28);
    CHECK_EQ(ed_cause_of(EDDY_EHTTP_DISCONNECTED)->exit, 52);
    CHECK_EQ(ed_cause_of(-EINTR)->exit, ED_EXIT_INTERRUPTED);
    CHECK_EQ(ed_cause_of(-EDEADLK)->exit, ED_EXIT_OTHER);
    CHECK_STR(ed_cause_of(-ECONNREFUSED)->text, "connection refused");
}

RAW_TEST(cause_of_too_many_descriptors)
{
    CHECK_EQ(ed_cause_of(-EMFILE)->exit, 24);
    CHECK_HAS(ed_cause_of(-EMFILE)->text, "ulimit -n");
    CHECK_EQ(ed_cause_of(-ENFILE)->exit, 24);
}

/* What a connection fails with is not the output's, also when files have the same errors. */
TEST(cause_of_the_network)
{
    CHECK_EQ(ed_cause_of(-EIO)->exit, 23);
    CHECK_FAILS(ed_cause_of_network(eddy_raise(-EIO, "reading a page")), -ECONNRESET,
                "reading a page");
    CHECK_EQ(ed_cause_of_network(-EPERM), -EHOSTUNREACH);
    CHECK_EQ(ed_cause_of_network(-ECONNREFUSED), -ECONNREFUSED);
    CHECK_EQ(ed_cause_of_network(200), 200);
    CHECK(ed_cause_is_of_files(-ENOSPC) && !ed_cause_is_of_files(-ECONNRESET));
}

/* Every status that a cause has is in the table that users read. */
RAW_TEST(cause_table_has_every_status)
{
    char row[16];

    for (int code = -6000; code < 0; code++) {
        snprintf(row, sizeof row, "\n %3d  ", ed_cause_of(code)->exit);
        CHECK_HAS(ed_cause_table, row);
    }
}
