/* SPDX-License-Identifier: MIT */
/* What the files of the HTTP client share: a session, a request under way, and a response. */
#ifndef ED_HTTP_CLIENT_H
#define ED_HTTP_CLIENT_H

#include "eddy/http_client.h"
#include "eddy/http_middleware.h"
#include "eddy/sync.h"
#include "eddy/task.h"
#include "http/body.h"
#include "http/name_cache.h"
#include "http/pool.h"
#include "http/url_cache.h"

#define ED_INTERIM_ANSWERS 20 /* of a status below 200, before the one that counts */
#define ED_NO_BODY (-2)
#define ED_SPARE_RESPONSES 64 /* that a session keeps, each with the first block of its arena */

struct eddy_http_session {
    /* set at the open */
    struct ed_arena arena;             /* texts of the options */
    eddy_http_session_options options; /* with the defaults filled in */
    eddy_url *base;                    /* NULL: none */
    eddy_cookie_jar *jar;              /* NULL: none */
    bool owns_jar;

    struct ed_http_pool pool;
    struct ed_url_cache urls;
    struct ed_name_cache names;
    struct eddy_list_ requests; /* struct ed_request, that are in eddy_http_request */
    struct eddy_list_ spare;    /* eddy_http_response, to be used again */
    size_t spare_count;
    size_t responses; /* that are in use */
    eddy_event left;  /* the last request has gone, once it is closed */
    bool closed;
    uint64_t sent, opened; /* for the counters */
    uint64_t random;       /* of the delays */
};

/* Options of a request with those of its session where it has none. */
struct ed_choice {
    eddy_http_options options;
    eddy_http_timeouts timeouts; /* seconds, or EDDY_FOREVER */
    eddy_http_retries retries;
};

/* An upload that goes on beside the reading of the answer, see request_body.c. */
struct ed_upload {
    eddy_task *task;            /* NULL: there is none */
    struct ed_payload *payload; /* NULL: no body */
    eddy_stream *connection;
    int64_t size;
    enum ed_coding coding;
    eddy_event wanted;   /* the server has said "100 Continue" */
    bool waits;          /* for that */
    bool done;           /* all has been given to the connection */
    bool ending;         /* nobody wants it any more */
    int rc;              /* why it is not done */
    eddy_timeout *limit; /* NULL, or whose time begins when it is, */
    double patience;     /* of so many seconds */
};

struct eddy_http_response {
    struct eddy_link_ link; /* in session->spare */
    eddy_http_session *session;
    struct ed_connection *connection; /* NULL: it has been given back */
    struct ed_arena arena;
    struct ed_head head;
    const char *method;
    eddy_url *url;
    eddy_url **redirects;         /* in the arena */
    struct ed_cached_url *cached; /* whose URL the first one is; NULL: it is our own */
    size_t redirect_count;
    const eddy_http_trace *trace;
    void *trace_argument;

    /* the body */
    eddy_stream *body;
    struct ed_upload upload;
    double deadline;    /* eddy_time() at which the time in all is up */
    double total, read; /* seconds of the limits */
    size_t limit;       /* of the whole body */
    int broken;         /* what reads return, 0: nothing is wrong */
    bool close;         /* the connection must not be used again */
    bool upgraded;      /* it is another protocol's */
    bool whole;         /* all of the body is in `data` */
    char *data;
    size_t size, room;
    const char *given; /* bytes of it that a middleware has answered, in the arena, */
    size_t given_size; /* so many */

    const char *content_type, *charset; /* once they were asked for */
};

/* A request under way, on the stack of eddy_http_request. */
struct ed_request {
    struct eddy_link_ link; /* in session->requests */
    eddy_http_session *session;
    struct ed_choice choice;
    eddy_timeout total;
    const char *method;
    const char *phase;            /* for the texts of errors */
    const eddy_http_hop *hop;     /* with middlewares around it; NULL: without */
    eddy_http_response *response; /* that is being made */
    const char *authorization;    /* NULL: none */
    struct ed_proxy proxy;
    eddy_url *proxy_url;   /* NULL: none */
    int64_t length;        /* of the body, as the user says; -1: he does not */
    enum ed_coding coding; /* of the body */
    unsigned tries;        /* retries that were made */
    bool foreign;          /* it has left the first origin */
    bool upgrade;          /* 101 is an answer */
    bool bodiless;         /* a redirect has dropped the body */
    bool begun;            /* something of the answer has come */
};

/* What middlewares see, on the stack of ed_request_visit. */
struct eddy_http_hop {
    struct ed_request *request;
    const eddy_http_middleware *next;
    eddy_pair *headers; /* that were set, in the arena; NULL: none */
    size_t header_count;
    bool sent; /* once, at least */
};

/* session.c */

/* What a request is to have. */
int ed_session_choose(const eddy_http_session *session, const eddy_http_options *options,
                      struct ed_choice *out);
/* A response to be filled; NULL when memory is short. */
eddy_http_response *ed_session_take_response(eddy_http_session *session);
/* It is not used any more. */
void ed_session_put_response(eddy_http_session *session, eddy_http_response *response);

/* request.c */

/* As eddy_http_request; with `upgrade` 101 is an answer. */
EDDY_AWAITS int ed_http_request(eddy_http_session *session, const char *method, const char *url,
                                const eddy_http_options *options, bool upgrade,
                                eddy_http_response **out);
/* One URL, up to an answer that is not tried again. Suspends. 0, or an error. */
EDDY_AWAITS int ed_request_hop(struct ed_request *request);
/* Makes the body ready to be sent once more: 0, or an error. Suspends. */
EDDY_AWAITS int ed_request_rewind(struct ed_request *request);

/* middleware.c */

/* One URL, with the middlewares around it. Suspends. 0, or an error. */
EDDY_AWAITS int ed_request_visit(struct ed_request *request);

/* request_head.c */

/* Checks what a request may have, before anything is sent: 0, or -EINVAL with a text. */
int ed_request_check(struct ed_request *request);
/* Makes the Authorization of the first request, or of a redirect to another origin. */
int ed_request_authorize(struct ed_request *request);
/* Fields that a user gives: 0, or -EINVAL with a text. */
int ed_request_check_headers(const eddy_pair *pairs);
/* The head, in the response's arena, for a body of `size` bytes, -1: chunked, or ED_NO_BODY. 0,
 * -ENOMEM. */
int ed_request_head(struct ed_request *request, int64_t size, const char *content_type,
                    struct iovec *out);

/* connect.c */

/* Gets a connection, idle or new, into the response. Suspends. 0, or an error with its text. */
EDDY_AWAITS int ed_request_connect(struct ed_request *request, bool fresh);

/* response.c */

/* Drops what is left of the body: gives the connection back, or closes it. Suspends, shielded. */
EDDY_AWAITS void ed_response_leave(eddy_http_response *response);
/* Opens the body of an answer whose head has come. 0, -ENOMEM. */
int ed_response_open_body(eddy_http_response *response, bool keep_encoding, uint64_t limit);
/* The same behind reading what is left of a short body, for a second at most, so that the
 * connection can be used again. Suspends. */
EDDY_AWAITS void ed_response_discard(eddy_http_response *response);
/* The same, and forgets the answer, so that there may be another. Suspends. */
EDDY_AWAITS void ed_response_restart(eddy_http_response *response);
/* Closes what the body was sent from, if it is not needed any more. Suspends, shielded. */
EDDY_AWAITS void ed_response_close_payload(eddy_http_response *response);
/* Frees all that it has. Suspends, shielded. */
EDDY_AWAITS void ed_response_free(eddy_http_response *response);
/* Raises with "METHOD URL: " in front. */
int ed_response_raise(const eddy_http_response *response, int code, const char *format, ...)
    EDDY_PRINTF_(3, 4);

/* upload.c */

/* Begins to send the body, beside the answer. 0, -ENOMEM. */
int ed_upload_begin(struct ed_upload *upload, eddy_stream *connection);
/* The error that the source has failed with, with its text; 0: it has not. */
int ed_upload_failure(struct ed_upload *upload);
/* Ends it, if it still goes on. Suspends, shielded. */
EDDY_AWAITS void ed_upload_end(struct ed_upload *upload);

/* redirect.c */

/* Whether a status is a redirect that is followed. */
bool ed_redirect_follows(int status);
/* The method of the next request; the same one keeps its body. */
const char *ed_redirect_method(int status, const char *method);
/* Where it leads to: 0, or EDDY_EHTTP_REDIRECTS with a text, -ENOMEM. */
int ed_redirect_target(const eddy_url *url, const char *location, eddy_url **out);

/* retry.c */

/* Whether a method may be repeated (RFC 9110, 9.2.2). */
bool ed_retry_is_idempotent(const char *method);
/* Whether an error may be gone the next time, and a status. */
bool ed_retry_helps(int code);
bool ed_retry_helps_status(int status);
/* Seconds to wait before try number `tries`, from 0: what Retry-After says, NULL: nothing; `random`
 * is from 0 to 1. */
double ed_retry_delay(const eddy_http_retries *retries, unsigned tries, const char *retry_after,
                      double random);

/* proxy.c */

/* The proxy that the environment names for a URL; NULL: none. */
const char *ed_proxy_of_environment(const eddy_url *url);
/* Whether a list as NO_PROXY has it names a host. */
bool ed_proxy_is_passed_by(const char *list, const char *host, uint16_t port);
/* Reads a proxy's URL. 0, or EDDY_EURL with a text, -ENOMEM. */
int ed_proxy_parse(const char *text, eddy_url **url, struct ed_proxy *out);
/* "Basic ...", in the arena; NULL: no memory. */
const char *ed_basic_credentials(struct ed_arena *arena, const char *user, const char *password);
/* Has a proxy connect to a host. Suspends. 0, or EDDY_EHTTP_PROXY with a text, or another error. */
EDDY_AWAITS int ed_proxy_tunnel(eddy_stream *stream, const struct ed_proxy *proxy, const char *host,
                                uint16_t port, const struct ed_limits *limits);

/* text.c */

/* Bytes as UTF-8 with a NUL behind them, owned by the caller. 0, -EINVAL for an unknown charset,
 * -ENOMEM. */
int ed_text_decode(const char *charset, const char *data, size_t size, char **out);

/* trace.c */
void ed_trace_call(const eddy_http_response *response, enum eddy_http_event event, int code,
                   size_t bytes);
ED_INLINE void
ed_trace(const eddy_http_response *response, enum eddy_http_event event, int code, size_t bytes)
{
    if (ed_unlikely(response->trace != NULL))
        ed_trace_call(response, event, code, bytes);
}

#endif
