/* SPDX-License-Identifier: MIT */
/* A pipeline inside: flights, which are what was sent between two syncs. */
#ifndef ED_PG_PIPELINE_H
#define ED_PG_PIPELINE_H

#include "eddy/pg_pipeline.h"
#include "eddy/sync.h"
#include "pg/query.h"

#define PG_PIPELINE_UNSENT ((size_t)1024 * 1024) /* bytes; a caller waits beyond it */

/* One statement of a batch. */
struct pg_item {
    const char *sql;
    const eddy_pg_value *values;
    size_t count;
    struct pg_statement *statement; /* while it is being sent; referred to */
};

enum pg_flight_kind { PG_FLIGHT_BATCH, PG_FLIGHT_PREPARE, PG_FLIGHT_CLOSE };

struct pg_flight {
    struct eddy_link_ link; /* in the pipeline's, in the order of sending */
    enum pg_flight_kind kind;
    size_t count;    /* statements; for each, 1 command, or 2 to prepare it */
    size_t answered; /* commands whose answers have ended */
    size_t failed;   /* the statement whose error this is: */
    PGresult *error;
    bool lost;      /* no answer will come any more */
    bool abandoned; /* its caller has gone */
    bool cancelled; /* the server was asked to stop it */
    eddy_event done;
    struct pg_statement **statements; /* to prepare */
    PGresult *results[];              /* of a batch, `count` */
};

struct eddy_pg_pipeline {
    eddy_pg_connection *connection; /* referred to */
    PGconn *pg;
    int descriptor;
    eddy_task *driver;
    struct eddy_list_ flights;
    struct eddy_list_ learners; /* flights that prepared statements of unknown types */
    size_t asked;               /* commands and syncs whose answers have not ended */
    size_t wanted;              /* flights that are not abandoned */
    size_t unsent;              /* bytes given to libpq since it had sent all */
    size_t users;               /* calls inside */
    int rc;                     /* why it is broken, or 0 */
    bool in_transaction;
    bool closing;      /* nothing new is taken */
    bool held;         /* nothing is sent: a cancel request is on its way, or types are asked for */
    bool writing;      /* the socket is watched for being writable */
    bool begun;        /* a flight has begun whose sync is still to be sent */
    bool closes;       /* a flight that closes statements is on its way */
    eddy_lock sending; /* who sends a batch */
    eddy_event work;   /* for the driver */
    eddy_event room;   /* for who sends: something was sent, or the pipeline is not held any more */
    eddy_event idle;   /* nothing is in flight; */
    eddy_event left;   /* and nobody inside */
};

/* Opens one; `alone` for one batch, which may be within a transaction. Suspends. */
EDDY_AWAITS int
pg_pipeline_begin(eddy_pg_connection *connection, bool alone, eddy_pg_pipeline **out);
/* Waits for what is in flight, and ends it. Suspends; never refused. */
EDDY_AWAITS void pg_pipeline_end(eddy_pg_pipeline *pipeline);

/* The connection is closed, or lost: whoever waits is told so, and its socket is not used any more.
 * */
void pg_pipeline_connection_gone(eddy_pg_pipeline *pipeline);

/* Runs a query in a pipeline. Suspends. */
EDDY_AWAITS int pg_pipeline_run(eddy_pg_pipeline *pipeline, struct pg_query *query);
/* Sends statements as one batch, and waits for it: *out, which is the caller's, has its results, or
 * with *failed the number of the one whose error is returned. Suspends. */
EDDY_AWAITS int pg_pipeline_batch(eddy_pg_pipeline *pipeline, struct pg_item *items, size_t count,
                                  struct pg_flight **out, size_t *failed);
void pg_flight_free(struct pg_flight *flight);

/* flight.c: for pipeline.c and the calls */

/* A new one, not sent; NULL: no memory. */
struct pg_flight *pg_flight_new(enum pg_flight_kind kind, size_t count);
/* A flight is on its way from here on: its commands follow, then pg_flight_sync. */
void pg_flight_start(eddy_pg_pipeline *pipeline, struct pg_flight *flight);
/* Sends the sync behind it, and what libpq holds back, as far as the socket takes it. 0, or what
 * was raised of a failure, which has broken the pipeline. */
int pg_flight_sync(eddy_pg_pipeline *pipeline);
/* Takes all answers that have come. */
void pg_flights_take(eddy_pg_pipeline *pipeline);
/* Has libpq send: 0, or what was raised of a failure. */
int pg_flights_flush(eddy_pg_pipeline *pipeline);
/* A statement is prepared, or has failed: whoever waits for it is told. */
void pg_flight_settle(struct pg_statement *statement, enum pg_statement_state state);
/* Raises a failure of libpq's, which ends the pipeline; returns it. */
int pg_pipeline_fail(eddy_pg_pipeline *pipeline);
/* Nothing more comes of any of them. */
void pg_flights_lose(eddy_pg_pipeline *pipeline, int rc);
/* Its caller does not wait any more. */
void pg_flight_abandon(eddy_pg_pipeline *pipeline, struct pg_flight *flight);

#endif
