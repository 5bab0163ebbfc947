/* SPDX-License-Identifier: MIT */
/* Rows as C structs. */
#include <eddy/pg_struct.h>

#include "values.h"

struct user {
    int id;
    const char *name;
    bool has_score, active;
    double score;
    eddy_pg_date born;
    int untouched;
};

static const eddy_pg_member user_members[] = {
    EDDY_PG_MEMBER(struct user, id),
    EDDY_PG_MEMBER_OF(struct user, name, "full name"),
    EDDY_PG_MEMBER_OR_NULL(struct user, score, has_score),
    EDDY_PG_MEMBER(struct user, active),
    EDDY_PG_MEMBER(struct user, born),
};

/* Two users: of the second name and score are NULL, and `id` is, if that is wanted. */
static eddy_pg_result *two_users(bool without_id)
{
    static const struct {
        const char *name;
        uint32_t type;
        const char *data[2];
        int size[2];
    } columns[] = {
        {"born", EDDY_PG_DATE, {"\0\0\0\1", "\0\0\0\2"}, {4, 4}},
        {"full name", EDDY_PG_TEXT, {"Ann", NULL}, {3, -1}},
        {"score", EDDY_PG_FLOAT8, {"\x3f\xf8\0\0\0\0\0\0", NULL}, {8, -1}},
        {"id", EDDY_PG_INT4, {"\0\0\0\7", "\0\0\0\x08"}, {4, 4}},
        {"active", EDDY_PG_BOOL, {"\1", "\0"}, {1, 1}},
    };
    PGresult *libpq = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    PGresAttDesc attributes[5] = {{.name = NULL}};

    for (int i = 0; i < 5; i++)
        attributes[i] = (PGresAttDesc){
            .name = (char *)(uintptr_t)columns[i].name, .typid = columns[i].type, .format = 1};
    (void)PQsetResultAttrs(libpq, 5, attributes);
    for (int row = 0; row < 2; row++)
        for (int i = 0; i < 5; i++)
            (void)PQsetvalue(libpq, row, i, (char *)(uintptr_t)columns[i].data[row],
                             row == 1 && i == 3 && without_id ? -1 : columns[i].size[row]);
    return pg_result_new(libpq, NULL);
}

RAW_TEST(struct_is_filled_from_columns_of_any_order)
{
    EDDY_PG_RESULT result = two_users(false);
    struct user users[3];

    memset(users, 0xff, sizeof users);
    for (int i = 0; i < 3; i++)
        users[i].untouched = 5;
    CHECK_EQ(eddy_pg_fill(result, user_members, users, 3), 2);
    CHECK(users[0].id == 7 && users[0].has_score && users[0].active && users[0].score == 1.5);
    CHECK_STR(users[0].name, "Ann");
    CHECK_EQ(users[0].born.days, 1);
    CHECK(users[1].id == 8 && !users[1].name && !users[1].has_score && users[1].score == 0);
    CHECK(!users[1].active && users[1].born.days == 2 && users[1].untouched == 5);
    CHECK_EQ(users[2].id, -1);
    CHECK_EQ(eddy_pg_fill(result, user_members, users, 1), 1);
    CHECK_EQ(eddy_pg_fill(result, user_members, users, 0), 0);
}

RAW_TEST(struct_errors_name_the_row_and_the_column)
{
    static const eddy_pg_member other[] = {{"none", EDDY_PG_MEMBER_INT32_, 0, UINT32_MAX}};
    static const eddy_pg_member wrong[] = {EDDY_PG_MEMBER_OF(struct user, id, "born")};
    EDDY_PG_RESULT result = two_users(true);
    struct user users[2];

    CHECK_FAILS((int)eddy_pg_fill(result, user_members, users, 2), EDDY_EPG_NULL,
                "row 1: column \"id\" is NULL");
    CHECK_FAILS((int)eddy_pg_fill(result, other, users, 2), -ENOENT, "no column \"none\"");
    CHECK_FAILS((int)eddy_pg_fill(result, wrong, users, 2), EDDY_EPG_TYPE,
                "row 0: column \"born\" is date, not int32");
}
