/* SPDX-License-Identifier: MIT */
/* Errors of the server's, and their parts. */
#include "pg/connection.h"
#include "pg/database.h"

/* P-ERR-1, -4: the code is the SQLSTATE, the text has it, and the parts are there. */
DATABASE_TEST(pg_message_has_the_parts_of_an_error)
{
    const eddy_pg_message *message;
    int rc;

    CHECK(eddy_pg_last_error(db) == NULL);
    CHECK_OK(pg_command(db, "CREATE TEMP TABLE users (id int CONSTRAINT one PRIMARY KEY)"));
    CHECK_OK(pg_command(db, "INSERT INTO users VALUES (1)"));
    rc = pg_command(db, "INSERT INTO users VALUES (1)");
    CHECK_EQ(rc, EDDY_EPG_UNIQUE_VIOLATION);
    CHECK_STR(eddy_error_message(rc), "23505: duplicate key value violates unique constraint "
                                      "\"one\" (Key (id)=(1) already exists.)");
    message = eddy_pg_last_error(db);
    CHECK(message != NULL);
    CHECK_STR(message->severity, "ERROR");
    CHECK_STR(message->sqlstate, "23505");
    CHECK_STR(message->detail, "Key (id)=(1) already exists.");
    CHECK_STR(message->table, "users");
    CHECK_STR(message->constraint, "one");
    CHECK_STR(message->query, "INSERT INTO users VALUES (1)");
    CHECK_STR(message->hint, "");
    CHECK(message->schema[0] && message->file[0] && message->line[0] && message->routine[0]);
}

/* P-ERR-1: the position, of the statement and of one inside of it. */
DATABASE_TEST(pg_message_has_the_position_of_an_error)
{
    CHECK_EQ(pg_command(db, "SELECT 1 + nothing"), EDDY_EPG_UNDEFINED_COLUMN);
    CHECK_EQ(eddy_pg_last_error(db)->position, 12);
    CHECK_EQ(eddy_pg_last_error(db)->internal_position, 0);
    CHECK_EQ(pg_command(db, "DO $$ BEGIN EXECUTE 'SELECT +'; END $$"), EDDY_EPG_SYNTAX_ERROR);
    CHECK_EQ(eddy_pg_last_error(db)->internal_position, 9);
    CHECK_STR(eddy_pg_last_error(db)->internal_query, "SELECT +");
    CHECK_HAS(eddy_pg_last_error(db)->context, "PL/pgSQL");
}

/* P-ERR-2: a SQLSTATE that nobody knows is a code like any other. */
DATABASE_TEST(pg_message_may_have_a_state_of_its_own)
{
    int rc = pg_command(db, "DO $$ BEGIN RAISE 'no' USING ERRCODE = 'QX123', HINT = 'so'; END $$");

    CHECK_EQ(rc, EDDY_PG_SQLSTATE("QX123"));
    CHECK_STR(eddy_error_message(rc), "QX123: no");
    CHECK_STR(eddy_pg_last_error(db)->hint, "so");
}

static const struct {
    const char *sql;
    int code;
} common[] = {
    {"SELECT 1 / 0", EDDY_EPG_DIVISION_BY_ZERO},
    {"SELEC 1", EDDY_EPG_SYNTAX_ERROR},
    {"SELECT * FROM nowhere", EDDY_EPG_UNDEFINED_TABLE},
    {"SELECT nothing()", EDDY_EPG_UNDEFINED_FUNCTION},
    {"SELECT 'x'::int", EDDY_EPG_INVALID_TEXT_REPRESENTATION},
    {"SELECT 1000000000::int * 10", EDDY_EPG_NUMERIC_VALUE_OUT_OF_RANGE},
    {"SET TRANSACTION READ ONLY; CREATE TABLE t (a int)", EDDY_EPG_READ_ONLY_TRANSACTION},
    {"CREATE TEMP TABLE t (a int CHECK (a > 0), b int NOT NULL); INSERT INTO t VALUES (0, 1)",
     EDDY_EPG_CHECK_VIOLATION},
    {"CREATE TEMP TABLE t (a int NOT NULL); INSERT INTO t VALUES (NULL)",
     EDDY_EPG_NOT_NULL_VIOLATION},
    {"CREATE TEMP TABLE a (i int UNIQUE); CREATE TEMP TABLE b (i int REFERENCES a(i));"
     "INSERT INTO b VALUES (1)",
     EDDY_EPG_FOREIGN_KEY_VIOLATION},
    {"CREATE TEMP TABLE e (r int4range, EXCLUDE USING gist (r WITH &&));"
     "INSERT INTO e VALUES ('[1,3)'), ('[2,4)')",
     EDDY_EPG_EXCLUSION_VIOLATION},
    {"SET ROLE guest; CREATE ROLE x", EDDY_EPG_INSUFFICIENT_PRIVILEGE},
};

/* P-ERR-4, P-Q-13: those that are commonly tested, and a connection that can be used on. */
DATABASE_TEST(pg_message_codes_are_those_that_programs_test)
{
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++) {
        int rc = pg_command(db, common[i].sql);

        CHECK_THAT(rc == common[i].code, "%s: %s", common[i].sql, eddy_error_message(rc));
        CHECK_OK(pg_command(db, "RESET ROLE"));
    }
    CHECK_IN_SYNC(db);
}

/* P-ERR-4: in a transaction that has failed. */
DATABASE_TEST(pg_message_says_that_the_transaction_has_failed)
{
    CHECK_OK(pg_command(db, "BEGIN"));
    CHECK(eddy_pg_is_in_transaction(db));
    CHECK_EQ(pg_command(db, "SELECT 1 / 0"), EDDY_EPG_DIVISION_BY_ZERO);
    CHECK_EQ(pg_command(db, "SELECT 1"), EDDY_EPG_IN_FAILED_TRANSACTION);
    CHECK(eddy_pg_is_in_transaction(db));
    CHECK_OK(pg_command(db, "ROLLBACK"));
    CHECK_IN_SYNC(db);
}
