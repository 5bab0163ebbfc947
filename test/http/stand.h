/* SPDX-License-Identifier: MIT */
/*
 * A server that a test writes by hand, over memory: the session's connector leads to it, whatever
 * the URL says.
 *
 *     EDDY_GROUP(group);
 *     struct stand stand = {.group = &group, .serve = hello};
 *     EDDY_HTTP_SESSION session = NULL;
 *
 *     CHECK_OK(stand_open(&stand, NULL, &session));
 */
#ifndef STAND_H
#define STAND_H

#include <eddy/http_client.h>
#include <eddy/http_middleware.h>

#include "harness.h"
#include "http/client.h"

struct stand {
    eddy_group *group; /* of its tasks */
    /* Serves connection number `number`, from 0; the stream is closed behind it. NULL: "hello". */
    int (*serve)(struct stand *stand, eddy_stream *stream, int number);
    int refuse;           /* what connecting fails with, 0: it does not, */
    double delay;         /* and how long it takes, s */
    bool short_of_memory; /* one of its tasks was, and has closed its connection for that */
    int opened;           /* connections */
    int requests;         /* that were read */
    char seen[32768];     /* the requests, one behind the other */
    char hosts[512];      /* those that were connected to, each with a blank behind it */
    const char *answer;
    size_t answer_size; /* 0: up to its NUL */
    int value;
};

/* A session whose connections lead here; options NULL: the defaults. */
int stand_open(struct stand *stand, const eddy_http_session_options *options,
               eddy_http_session **session);

/* Reads a request, with its body: 1, 0 at the end, or an error. */
int stand_read(struct stand *stand, eddy_stream *stream);

/* Answers all requests of a connection with "hello", or with stand->answer. */
int stand_hello(struct stand *stand, eddy_stream *stream, int number);

/* Whether a text was seen, and how many times. */
int stand_count(const struct stand *stand, const char *text);

/* A GET whose body must be as expected. */
int stand_get(eddy_http_session *session, const char *url, const char *expected);
/* The same with options. */
int stand_get_with(eddy_http_session *session, const char *method, const char *url,
                   const eddy_http_options *options, const char *expected);

#define STAND_HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

#endif
