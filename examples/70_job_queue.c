/* SPDX-License-Identifier: MIT */
/* Jobs in a table: each worker, of any number, takes one that no other has, and hears of new ones.
 *     70_job_queue DSN [TEXT...]     adds jobs; or does them, for ever */
#include <eddy.h>
#include <eddy/pg.h>
#include <stdio.h>

static int do_one(eddy_pg_connection *db)
{
    EDDY_PG_RESULT job = NULL;
    const char *text;

    EDDY_TRY(eddy_pg_fetchrow(
        db, &job,
        "UPDATE jobs SET done = true WHERE id = (SELECT id FROM jobs WHERE NOT done ORDER BY id "
        "LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id || ': ' || text"));
    EDDY_TRY(eddy_pg_get(job, 0, &text));
    EDDY_TRY(eddy_sleep(0.1)); /* the work; should it fail, the job is free again */
    puts(text);
    return 0;
}
EDDY_ASYNC(do_one, eddy_pg_connection *);

static void wake(eddy_pg_connection *db, const eddy_pg_notification *notification, void *added)
{
    (void)db, (void)notification;
    eddy_event_set(added);
}

static int work(eddy_pg_connection *db)
{
    static eddy_event added = EDDY_EVENT_INIT;

    EDDY_TRY(eddy_pg_add_listener(db, "jobs", wake, &added));
    for (;;) {
        eddy_event_clear(&added); /* before it looks, so that none is missed */
        int rc = eddy_pg_in_transaction(db, NULL, EDDY_CALL(do_one, db));
        if (rc == EDDY_EPG_NO_ROW) {
            EDDY_TIMEOUT(limit, 10); /* who was killed has told nobody that its job is free */
            rc = eddy_event_wait(&added);
        }
        if (rc < 0 && rc != -ETIMEDOUT)
            return rc;
    }
}

static int amain(int argc, char **argv)
{
    EDDY_PG_CONNECTION db = NULL;

    EDDY_TRY(eddy_pg_connect(argc > 1 ? argv[1] : NULL, NULL, &db));
    EDDY_TRY(eddy_pg_execute(db, "CREATE TABLE IF NOT EXISTS jobs "
                                 "(id serial PRIMARY KEY, text text, done bool DEFAULT false)"));
    for (int i = 2; i < argc; i++)
        EDDY_TRY(eddy_pg_execute(db, "INSERT INTO jobs (text) VALUES ($1)", argv[i]));
    return argc > 2 ? eddy_pg_notify(db, "jobs", "") : work(db);
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
