/* SPDX-License-Identifier: MIT */
/* What tests of COPY share: a table, a source that is a text, a sink that keeps all. */
#ifndef COPIES_H
#define COPIES_H

#include <eddy/pg.h>

#include "harness.h"
#include "pg/server.h"

/* A connection, with a temporary table t. */
static inline int copies_open(eddy_pg_connection **db)
{
    EDDY_TRY(eddy_pg_connect(pg_test_dsn(), NULL, db));
    EDDY_TRY(eddy_pg_execute(*db, "CREATE TEMPORARY TABLE t (i int PRIMARY KEY, name text)"));
    return 0;
}

static inline int copies_count(eddy_pg_connection *db, const char *sql)
{
    int count = -1;
    int rc = eddy_pg_fetchval(db, &count, sql);

    return rc < 0 ? rc : count;
}

/* Writes a text, and ends the stream. */
static int copies_feed(eddy_stream *stream, const char *text, size_t size)
{
    EDDY_STREAM own = stream;

    EDDY_TRY(eddy_write(own, text, size));
    return eddy_write_eof(own);
}
EDDY_ASYNC(copies_feed, eddy_stream *, const char *, size_t);

static inline int64_t copies_in(eddy_pg_connection *db, const char *table,
                                const eddy_pg_copy_options *options, const char *text, size_t size)
{
    EDDY_STREAM source = NULL;
    eddy_stream *far = NULL;

    EDDY_TRY(eddy_stream_pair(&source, &far));
    {
        EDDY_TASK feeder = eddy_create_task(copies_feed, far, text, size);
        int64_t rows = -ENOMEM;

        if (feeder)
            rows = eddy_pg_copy_in(db, table, options, source);
        else
            (void)eddy_stream_close(&far); /* never its own */
        if (rows < 0)
            return rows;
        EDDY_TRY(eddy_await(feeder));
        return rows;
    }
}

/* Reads what comes, to the end; the caller's to free. */
static int copies_collect(eddy_stream *stream, char **data, size_t *size)
{
    EDDY_STREAM own = stream;

    return eddy_read_all(own, (size_t)1 << 28, data, size);
}
EDDY_ASYNC(copies_collect, eddy_stream *, char **, size_t *);

#define COPIES_SINK(near, collector, data, size)                                                   \
    EDDY_STREAM near = NULL;                                                                       \
    eddy_stream *near##_far = NULL;                                                                \
    char *data = NULL;                                                                             \
    size_t size = 0;                                                                               \
    EDDY_DEFER(copies_free, &data);                                                                \
    CHECK_OK(eddy_stream_pair(&near, &near##_far));                                                \
    EDDY_TASK collector = eddy_create_task(copies_collect, near##_far, &data, &size)

static inline void copies_free(char **data)
{
    eddy_free(*data);
}

#endif
