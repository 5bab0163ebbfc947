/* SPDX-License-Identifier: MIT */
/* Transactions and savepoints (P-TX). */
#include "pg/database.h"

static int insert(eddy_pg_connection *db, int value, int rc)
{
    EDDY_TRY((int)eddy_pg_execute(db, "INSERT INTO t VALUES ($1)", value));
    return rc;
}
EDDY_ASYNC(insert, eddy_pg_connection *, int, int);

static long long rows(eddy_pg_connection *db)
{
    return number_of(db, "SELECT count(*) FROM t");
}

/* P-TX-1 */
DATABASE_TEST(pg_transaction_has_its_options)
{
    static const struct {
        eddy_pg_transaction_options options;
        const char *isolation, *read_only, *deferrable;
    } cases[] = {
        {{0}, "read committed", "off", "off"},
        {{EDDY_PG_READ_UNCOMMITTED, false, false}, "read uncommitted", "off", "off"},
        {{EDDY_PG_READ_COMMITTED, true, false}, "read committed", "on", "off"},
        {{EDDY_PG_REPEATABLE_READ, false, true}, "repeatable read", "off", "on"},
        {{EDDY_PG_SERIALIZABLE, true, true}, "serializable", "on", "on"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        EDDY_PG_TRANSACTION transaction = NULL;
        EDDY_PG_RESULT result = NULL;
        const char *text;

        CHECK_OK(eddy_pg_begin(db, &cases[i].options, &transaction));
        CHECK_OK(eddy_pg_fetchrow(db, &result,
                                  "SELECT current_setting('transaction_isolation'), "
                                  "current_setting('transaction_read_only'), "
                                  "current_setting('transaction_deferrable')"));
        CHECK_OK(eddy_pg_get(result, 0, &text));
        CHECK_STR(text, cases[i].isolation);
        CHECK_OK(eddy_pg_get(result, 1, &text));
        CHECK_STR(text, cases[i].read_only);
        CHECK_OK(eddy_pg_get(result, 2, &text));
        CHECK_STR(text, cases[i].deferrable);
        CHECK(eddy_pg_is_in_transaction(db));
        CHECK_OK(eddy_pg_commit(transaction));
        CHECK(!eddy_pg_is_in_transaction(db));
    }
}

/* P-TX-3: a call commits when it succeeds, and is undone when it fails. */
DATABASE_TEST(pg_in_transaction_commits_success_and_undoes_failure)
{
    int rc;

    CHECK_OK(eddy_pg_execute(db, "CREATE TEMP TABLE t (a int)"));
    CHECK_OK(eddy_pg_in_transaction(db, NULL, EDDY_CALL(insert, db, 1, 0)));
    CHECK_EQ(rows(db), 1);
    rc = eddy_pg_in_transaction(db, NULL, EDDY_CALL(insert, db, 2, -EDOM));
    CHECK_EQ(rc, -EDOM);
    CHECK_EQ(rows(db), 1);
    CHECK_IN_SYNC(db);
}

static int fail_with_text(eddy_pg_connection *db)
{
    EDDY_TRY(insert(db, 3, 0));
    return eddy_raise(-EDOM, "no such thing");
}
EDDY_ASYNC(fail_with_text, eddy_pg_connection *);

/* P-TX-3: the error goes on, with its text. */
DATABASE_TEST(pg_in_transaction_keeps_the_text_of_an_error)
{
    CHECK_OK(eddy_pg_execute(db, "CREATE TEMP TABLE t (a int)"));
    CHECK_FAILS(eddy_pg_in_transaction(db, NULL, EDDY_CALL(fail_with_text, db)), -EDOM,
                "no such thing");
    CHECK_EQ(rows(db), 0);
}

static int insert_and_wait(eddy_pg_connection *db)
{
    EDDY_TRY(insert(db, 1, 0));
    return eddy_sleep(1000);
}
EDDY_ASYNC(insert_and_wait, eddy_pg_connection *);

static int transaction_of(eddy_pg_connection *db)
{
    return eddy_pg_in_transaction(db, NULL, EDDY_CALL(insert_and_wait, db));
}
EDDY_ASYNC(transaction_of, eddy_pg_connection *);

/* P-TX-3: a cancel undoes it, too. */
DATABASE_TEST(pg_transaction_of_a_cancelled_task_is_undone)
{
    int rc;

    CHECK_OK(eddy_pg_execute(db, "CREATE TEMP TABLE t (a int)"));
    {
        EDDY_TASK task = eddy_create_task(transaction_of, db);

        while (rc = eddy_sleep(0.01), rc == 0 && !eddy_pg_is_in_transaction(db))
            continue;
        CHECK_OK(rc);
        CHECK_OK(eddy_sleep(0.05));
        eddy_cancel(task);
        CHECK_EQ(eddy_await(task), -ECANCELED);
    }
    CHECK_EQ(rows(db), 0);
    CHECK_IN_SYNC(db);
}

/* P-TX-3: a scope that nobody committed is rolled back. */
DATABASE_TEST(pg_transaction_scope_rolls_back_what_was_not_committed)
{
    CHECK_OK(eddy_pg_execute(db, "CREATE TEMP TABLE t (a int)"));
    {
        EDDY_PG_TRANSACTION transaction = NULL;

        CHECK_OK(eddy_pg_begin(db, NULL, &transaction));
        CHECK_OK(insert(db, 1, 0));
    }
    CHECK_EQ(rows(db), 0);
    CHECK_IN_SYNC(db);
}

/* P-TX-2, P-TX-8: one within another is a savepoint, and can fail by itself. */
DATABASE_TEST(pg_transaction_within_another_can_fail_alone)
{
    EDDY_PG_TRANSACTION outer = NULL;

    CHECK_OK(eddy_pg_execute(db, "CREATE TEMP TABLE t (a int)"));
    CHECK_OK(eddy_pg_begin(db, &(eddy_pg_transaction_options){EDDY_PG_SERIALIZABLE, false, false},
                           &outer));
    CHECK_OK(insert(db, 1, 0));
    {
        EDDY_PG_TRANSACTION inner = NULL;

        CHECK_OK(eddy_pg_begin(db, NULL, &inner));
        CHECK_OK(insert(db, 2, 0));
        CHECK_EQ(number_of(db, "SELECT 1 / 0"), EDDY_EPG_DIVISION_BY_ZERO);
        CHECK_EQ(number_of(db, "SELECT 1"), EDDY_EPG_IN_FAILED_TRANSACTION); /* P-TX-6 */
        CHECK_EQ(eddy_pg_commit(inner), EDDY_EPG_IN_FAILED_TRANSACTION);
    }
    {
        EDDY_PG_TRANSACTION inner = NULL;

        CHECK_OK(eddy_pg_begin(db, NULL, &inner));
        CHECK_OK(insert(db, 3, 0));
        CHECK_OK(eddy_pg_commit(inner));
    }
    {
        EDDY_PG_TRANSACTION inner = NULL;

        CHECK_OK(eddy_pg_begin(db, NULL, &inner));
        CHECK_OK(insert(db, 4, 0));
        CHECK_OK(eddy_pg_rollback(inner));
    }
    CHECK_OK(eddy_pg_commit(outer));
    CHECK_EQ(number_of(db, "SELECT sum(a) FROM t"), 4);
    CHECK_IN_SYNC(db);
}

/* P-TX-2 */
DATABASE_TEST(pg_transaction_within_another_has_no_options_of_its_own)
{
    EDDY_PG_TRANSACTION outer = NULL, inner = NULL;
    eddy_pg_transaction_options other = {EDDY_PG_SERIALIZABLE, false, false};

    CHECK_OK(eddy_pg_begin(db, NULL, &outer));
    CHECK_EQ(eddy_pg_begin(db, &other, &inner), EDDY_EPG_USE);
    other = (eddy_pg_transaction_options){EDDY_PG_DEFAULT_ISOLATION, true, false};
    CHECK_EQ(eddy_pg_begin(db, &other, &inner), EDDY_EPG_USE);
    CHECK(inner == NULL);
    CHECK_OK(eddy_pg_commit(outer));
}

/* P-TX-4: each ends once, and the inner ones first. */
DATABASE_TEST(pg_transaction_ends_once_and_in_order)
{
    EDDY_PG_TRANSACTION outer = NULL, inner = NULL;

    CHECK_EQ(eddy_pg_commit(NULL), EDDY_EPG_USE);
    CHECK_OK(eddy_pg_begin(db, NULL, &outer));
    CHECK_OK(eddy_pg_begin(db, NULL, &inner));
    CHECK_EQ(eddy_pg_commit(outer), EDDY_EPG_USE);
    CHECK_EQ(eddy_pg_rollback(outer), EDDY_EPG_USE);
    CHECK_OK(eddy_pg_commit(inner));
    CHECK_EQ(eddy_pg_commit(inner), EDDY_EPG_USE);
    CHECK_EQ(eddy_pg_rollback(inner), EDDY_EPG_USE);
    CHECK_OK(eddy_pg_rollback(outer));
    CHECK_EQ(eddy_pg_commit(outer), EDDY_EPG_USE);
    CHECK_IN_SYNC(db);
}

static int commit_by_hand(eddy_pg_connection *db)
{
    return (int)eddy_pg_execute(db, "COMMIT");
}
EDDY_ASYNC(commit_by_hand, eddy_pg_connection *);

/* P-TX-4, P-TX-5: ends and beginnings by hand are noticed. */
DATABASE_TEST(pg_transaction_by_hand_is_noticed)
{
    EDDY_PG_TRANSACTION transaction = NULL;

    CHECK_EQ(eddy_pg_in_transaction(db, NULL, EDDY_CALL(commit_by_hand, db)), EDDY_EPG_USE);
    CHECK_OK(eddy_pg_execute(db, "BEGIN"));
    CHECK_EQ(eddy_pg_begin(db, NULL, &transaction), EDDY_EPG_USE);
    CHECK_OK(eddy_pg_execute(db, "ROLLBACK"));
    CHECK_OK(eddy_pg_begin(db, NULL, &transaction));
    CHECK_OK(eddy_pg_commit(transaction));
}

/* P-TX-7: a COMMIT that the server answers by ROLLBACK is an error. */
DATABASE_TEST(pg_commit_of_a_failed_transaction_is_an_error)
{
    EDDY_PG_TRANSACTION transaction = NULL;
    int rc;

    CHECK_OK(eddy_pg_begin(db, NULL, &transaction));
    CHECK_EQ(number_of(db, "SELECT 1 / 0"), EDDY_EPG_DIVISION_BY_ZERO);
    rc = eddy_pg_commit(transaction);
    CHECK_EQ(rc, EDDY_EPG_ROLLED_BACK);
    CHECK_HAS(eddy_error_message(rc), "rolled back");
    CHECK_EQ(eddy_pg_commit(transaction), EDDY_EPG_USE);
    CHECK_IN_SYNC(db);
}

/* P-TX-9: a deferred constraint speaks at the commit. */
DATABASE_TEST(pg_commit_tells_of_deferred_constraints)
{
    EDDY_PG_TRANSACTION transaction = NULL;

    CHECK_OK(
        eddy_pg_execute(db, "CREATE TEMP TABLE t (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)"));
    CHECK_OK(eddy_pg_begin(db, NULL, &transaction));
    CHECK_OK(insert(db, 1, 0));
    CHECK_OK(insert(db, 1, 0));
    CHECK_EQ(eddy_pg_commit(transaction), EDDY_EPG_UNIQUE_VIOLATION);
    CHECK_EQ(rows(db), 0);
    CHECK_IN_SYNC(db);
}

static int
update_both(eddy_pg_connection *db, const char *first, const char *second, eddy_barrier *both)
{
    EDDY_PG_TRANSACTION transaction = NULL;

    EDDY_TRY(eddy_pg_begin(db, NULL, &transaction));
    EDDY_TRY((int)eddy_pg_execute(db, "SELECT pg_advisory_xact_lock($1)", (int)first[0]));
    EDDY_TRY(eddy_barrier_wait(both));
    EDDY_TRY((int)eddy_pg_execute(db, "SELECT pg_advisory_xact_lock($1)", (int)second[0]));
    return eddy_pg_commit(transaction);
}
EDDY_ASYNC(update_both, eddy_pg_connection *, const char *, const char *, eddy_barrier *);

/* P-TX-9: a deadlock has a code of its own, and its transaction is undone. */
DATABASE_TEST(pg_deadlock_is_told_apart)
{
    EDDY_PG_CONNECTION other = NULL;
    eddy_barrier both = EDDY_BARRIER_INIT(2);
    int one, two;

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &other));
    {
        EDDY_TASK first = eddy_create_task(update_both, db, "\x21", "\x22", &both);
        EDDY_TASK second = eddy_create_task(update_both, other, "\x22", "\x21", &both);

        one = eddy_await(first);
        two = eddy_await(second);
    }
    CHECK((one == 0) + (two == 0) == 1);
    CHECK_EQ(one + two, EDDY_EPG_DEADLOCK_DETECTED);
    CHECK_IN_SYNC(db);
    CHECK_IN_SYNC(other);
}

/* A limit that hits the BEGIN leaves no transaction behind. */
DATABASE_TEST(pg_begin_that_is_cut_short_leaves_none)
{
    for (int i = 0; i < 30; i++) {
        EDDY_PG_TRANSACTION transaction = NULL;
        int rc;

        {
            EDDY_TIMEOUT(limit, i * 2e-5);
            rc = eddy_pg_begin(db, NULL, &transaction);
        }
        CHECK(rc == 0 || rc == -ETIMEDOUT);
        CHECK_EQ(eddy_pg_is_in_transaction(db), rc == 0);
    }
    CHECK_IN_SYNC(db);
}

/* A connection that is closed first takes its transactions with it. */
TEST(pg_transaction_ends_with_its_connection)
{
    EDDY_PG_TRANSACTION transaction = NULL;
    EDDY_PG_CONNECTION db = NULL;

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &db));
    CHECK_OK(eddy_pg_begin(db, NULL, &transaction));
    eddy_pg_close(&db);
    CHECK_EQ(eddy_pg_commit(transaction), EDDY_EPG_USE);
}

/* P-TX-3: where the connection dies the original error is the one that is told. */
DATABASE_TEST(pg_transaction_on_a_lost_connection_tells_the_first_error)
{
    EDDY_PG_CONNECTION killer = NULL;
    EDDY_PG_TRANSACTION transaction = NULL;

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &killer));
    CHECK_OK(eddy_pg_begin(db, NULL, &transaction));
    CHECK_EQ(eddy_pg_execute(killer, "SELECT pg_terminate_backend($1)", eddy_pg_server_pid(db)), 1);
    CHECK_EQ(number_of(killer, "SELECT 1"), 1);
    for (int rc = 0; rc == 0;)
        rc = (int)eddy_pg_execute(db, "SELECT pg_sleep(0.01)") == 1 ? 0 : -1;
    CHECK(eddy_pg_is_closed(db));
    CHECK_EQ(eddy_pg_commit(transaction), EDDY_EPG_CLOSED);
}
