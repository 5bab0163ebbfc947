/* SPDX-License-Identifier: MIT */
/*
 * The HTTP client: a session, which keeps connections, cookies and defaults, and the responses to
 * its requests. aiohttp's ClientSession and ClientResponse.
 *
 *     EDDY_HTTP_SESSION session = NULL;
 *     EDDY_HTTP_RESPONSE response = NULL;
 *     char *text;
 *
 *     EDDY_TRY(eddy_http_session_open(NULL, &session));
 *     EDDY_TRY(eddy_http_get(session, "https://example.org/", &response));
 *     EDDY_TRY(eddy_http_text(response, &text));
 *
 * One session serves any number of tasks of its loop at once. A request waits for its turn where
 * the limits of connections say so, takes a connection that is idle or opens one, and returns when
 * the head of the response is there. The body is a stream, eddy_http_body, so that all of
 * eddy/stream.h and eddy/line.h works on it; a reader who is slow slows the server down. A
 * connection goes back to the session when the body has been read to its end; a response that is
 * closed before takes its connection with it, and so does a cancel.
 *
 * Cancellation and time. A request that is cancelled, or whose scope's time is up, leaves nothing
 * behind: its connection is closed. The session's own timeouts are scopes as well: see below.
 *
 * Errors. The text says in which phase which URL failed: "GET https://example.org/: connecting:
 * ...".
 */
#ifndef EDDY_HTTP_CLIENT_H
#define EDDY_HTTP_CLIENT_H

#include "eddy/compat.h"
#include "eddy/cookie.h"
#include "eddy/form.h"
#include "eddy/http_message.h"
#include "eddy/net.h"
#include "eddy/url.h"

EDDY_BEGIN_DECLS

typedef struct eddy_http_session eddy_http_session;
typedef struct eddy_http_response eddy_http_response;
struct eddy_tls_context; /* eddy/tls.h */

/* Declare owning handles, closed at the end of their block. */
#define EDDY_HTTP_SESSION                                                                          \
    EDDY_CLEANUP_(eddy_http_session_end_scope_) __typeof__(eddy_http_session *)
#define EDDY_HTTP_RESPONSE                                                                         \
    EDDY_CLEANUP_(eddy_http_response_end_scope_) __typeof__(eddy_http_response *)

/* How long what may take, in seconds; 0: see there; EDDY_FOREVER: no limit. */
typedef struct eddy_http_timeouts {
    double total;    /* the whole exchange, with redirects, other tries and the delays before them,
                         to the last byte of the body; 0: 300 */
    double pool;     /* waiting for a connection's turn; 0: no limit */
    double connect;  /* a connection with its TLS handshake; 0: 30 */
    double read;     /* between two reads, while one waits; 0: no limit */
    bool pool_apart; /* `total` stands still while a connection's turn is waited for: so that it
                         says how long a page may take, however many are asked for at once */
} eddy_http_timeouts;

/* When a request is tried again, beside the one time that a connection turns out to be stale: when
 * there is no connection, or it ends before the answer, or one of the times `pool`, `connect` and
 * `read` is up; and for the statuses 408, 429, 500, 502, 503 and 504, as curl does. Not when the
 * body cannot be sent again. */
typedef struct eddy_http_retries {
    unsigned times;  /* at most; 0: none */
    double delay;    /* seconds before the first, doubled each time, from half to all of it by
                          chance, which under the virtual clock is the same each time; 0: 0.1 */
    double most;     /* seconds of a delay at most, Retry-After's too; 0: 30 */
    bool any_method; /* POST and PATCH too; else only what is safe to repeat (RFC 9110, 9.2.2) */
} eddy_http_retries;

struct eddy_http_trace;
struct eddy_http_middleware; /* eddy/http_middleware.h */

/* What a request may have of its own; all zero: as the session says. */
typedef struct eddy_http_options {
    eddy_body body;
    const eddy_pair *params;     /* added to the URL's query */
    const eddy_pair *headers;    /* instead of the session's of the same name; a value of NULL: none
                                 of that name, also of those that are sent by default */
    const eddy_pair *cookies;    /* for this request, beside the jar's */
    const char *user, *password; /* Basic authorization; both or none */
    const char *bearer;          /* "Authorization: Bearer ..."; one authorization at most */
    const eddy_http_timeouts *timeouts;             /* instead of the session's, wholly */
    const eddy_http_retries *retries;               /* likewise */
    const struct eddy_http_middleware *middlewares; /* around each hop; the first is outermost;
                                                       instead of the session's, wholly */
    unsigned redirects;                             /* that are followed at most; 0: 10 */
    bool no_redirects;                              /* they are returned */
    bool raise_for_status;                          /* 400 and more are errors */
    bool keep_encoding;                             /* the body is not decompressed */
    const char *compress; /* the body sent: "gzip", "deflate", "br", "zstd"; NULL: as it is */
    bool chunked;         /* the body sent, also where its size is known */
    bool expect_continue; /* the body waits until the server wants it (RFC 9110, 10.1.1) */
    const char *proxy;    /* "http://[USER:PASSWORD@]HOST:PORT" or https; "": none */
    struct eddy_tls_context *tls; /* a client's; "http/1.1" is offered unless it has an ALPN */
    const char *server_name;      /* whom the certificate must name, instead of the host */
    const char *fingerprint; /* that the certificate must have: SHA-256, 64 hexadecimal digits */
    size_t limit;            /* bytes that eddy_http_read and its like take; 0: 64 MiB */
    size_t decoded_limit;    /* bytes that a compressed body may become; 0: 1 GiB */
    void *trace_argument;    /* for the session's trace hooks */
} eddy_http_options;

/* All zero means the defaults. Texts and lists are copied. */
typedef struct eddy_http_session_options {
    const char *base_url;        /* absolute, ends in "/": for relative URLs */
    size_t connections;          /* in use at a time, in all; 0: 100 */
    size_t connections_per_host; /* scheme, host and port; 0: no limit of its own */
    size_t idle_connections;     /* that are kept, in all; 0: 100 */
    double idle_time;            /* seconds that they are kept; 0: 15 */
    double age;                  /* seconds after which one is not used again; 0: no limit */
    double name_time;            /* seconds that addresses of names are kept, of 1,000 names; 0: 10;
                                    those of one name are used in turns */
    bool keep_no_names;          /* each connection looks its host up */
    bool close_connections;      /* one request each */
    const eddy_pair *headers;    /* sent with each request */
    eddy_cookie_jar *cookies;    /* stays the caller's; NULL: one of its own */
    bool no_cookies;             /* none are kept or sent */
    bool trust_environment; /* HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY (small letters too) */
    const char *unix_path;  /* of the socket that all connections go to; the URL says Host */
    const eddy_connect_options *connect; /* local address, resolver, ...; borrowed */
    size_t head_size;           /* bytes of a response's head; 0: 64 KiB; of one line 0: 8,190 */
    size_t head_fields;         /* 0: 128 */
    eddy_http_options defaults; /* of requests, but for body, params, headers and cookies */
    const struct eddy_http_trace *trace; /* hooks, see below; borrowed */
    /* Opens a connection in place of the session, to the URL's host or to a proxy's: for tests and
     * odd transports. TLS, for https://, is spoken over what it gives. NULL: the session does. */
    int (*connector)(const eddy_url *url, void *argument, eddy_stream **out);
    void *connector_argument;
} eddy_http_session_options;

/*
 * Opens a session; options NULL: the defaults. Nothing is connected yet. The loop must run.
 *
 * Returns 0, and *out is owned by the caller: EDDY_HTTP_SESSION, or eddy_http_session_close() it;
 * EDDY_EURL for a base that is no URL; -EINVAL for other options that make no sense; -ENOMEM;
 * -EPERM outside a loop.
 */
EDDY_NODISCARD EDDY_API int
eddy_http_session_open(const eddy_http_session_options *options, eddy_http_session **out);

/* Closes a session and sets the handle to NULL; NULL is left alone. Requests that wait get
 * -ESHUTDOWN, connections in use are broken, and responses that are still open can only be closed.
 * Suspends until its connections are closed, and is never refused. */
EDDY_API EDDY_AWAITS void eddy_http_session_close(eddy_http_session **session);

/* The session's jar, borrowed; NULL with no_cookies. */
EDDY_API eddy_cookie_jar *eddy_http_session_cookies(eddy_http_session *session);

/* What a session has now, and had so far. */
typedef struct eddy_http_session_counters {
    size_t in_use, idle;       /* connections */
    size_t waiting;            /* requests that wait for one */
    uint64_t requests, opened; /* requests sent, connections opened */
} eddy_http_session_counters;
EDDY_API eddy_http_session_counters
eddy_http_session_get_counters(const eddy_http_session *session);

/*
 * Sends a request, and waits for the head of its response.
 *
 * method    a token such as "GET"; made capital
 * url       absolute, or relative to the session's base
 * options   NULL: none; borrowed until the call returns, a stream or form until the response is
 *           closed
 * out       the response, owned by the caller: EDDY_HTTP_RESPONSE, or eddy_http_response_close() it
 *
 * Redirects 301, 302, 303, 307 and 308 are followed, those of HEAD only with options->redirects.
 * What is meant for the one origin, authorization and cookies, does not go to another, and not to
 * the first one any more when a redirect leads back there. A request that finds an idle connection
 * closed by the server is sent once more on a new one, if that is safe (RFC 9110, 9.2.2).
 *
 * Suspends.
 *
 * Returns 0, whatever the status; or with *out untouched:
 *   EDDY_EURL                     no such URL; nothing was sent; so for
 *   -EINVAL                       a method, header, or combination of options that is none
 *   EDDY_EDNS_..., EDDY_ETLS_..., -ECONNREFUSED, ...   of connecting
 *   EDDY_EHTTP_CONNECT_TIMEOUT    the time for the connection, or for its turn, is up
 *   EDDY_EHTTP_PROXY              the proxy refused
 *   EDDY_EHTTP_FINGERPRINT        the certificate is another
 *   EDDY_EHTTP_DISCONNECTED       the server closed the connection before it answered
 *   EDDY_EHTTP_PROTOCOL, EDDY_ELIMIT   what it answered is not HTTP, or too long
 *   EDDY_EHTTP_READ_TIMEOUT       the time between two reads is up
 *   EDDY_EHTTP_REDIRECTS          too many, or to what is not http:// or https://
 *   EDDY_HTTP_STATUS(status)      with raise_for_status
 *   -ETIMEDOUT                    the time in all, or the scope's, is up
 *   -ESHUTDOWN                    the session was closed meanwhile
 *   -ECANCELED, -ENOMEM, or an error of the body's source
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_http_request(eddy_http_session *session, const char *method, const char *url,
                  const eddy_http_options *options, eddy_http_response **out);

/* The same, in short. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_http_get(eddy_http_session *session, const char *url, eddy_http_response **out);
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_http_head(eddy_http_session *session, const char *url, eddy_http_response **out);
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_http_post(eddy_http_session *session, const char *url,
                                                       eddy_body body, eddy_http_response **out);
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_http_put(eddy_http_session *session, const char *url,
                                                      eddy_body body, eddy_http_response **out);
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_http_delete(eddy_http_session *session, const char *url, eddy_http_response **out);

/* What a response says. Texts are borrowed until it is closed. */
EDDY_API int eddy_http_status(const eddy_http_response *response);
EDDY_API const char *eddy_http_response_reason(const eddy_http_response *response); /* as sent */
EDDY_API const eddy_headers *eddy_http_headers(const eddy_http_response *response);
/* The value of a field; NULL: none. */
EDDY_API const char *eddy_http_header(const eddy_http_response *response, const char *name);
/* "1.1", "1.0" */
EDDY_API const char *eddy_http_version(const eddy_http_response *response);
/* The URL that answered, behind redirects. */
EDDY_API const eddy_url *eddy_http_url(const eddy_http_response *response);
/* How many redirects were followed, and number `index` of the URLs that sent them. */
EDDY_API size_t eddy_http_redirects(const eddy_http_response *response);
EDDY_API const eddy_url *eddy_http_redirect(const eddy_http_response *response, size_t index);
/* "text/html", in small letters; "application/octet-stream" where none is said. */
EDDY_API const char *eddy_http_content_type(const eddy_http_response *response);
/* "utf-8", in small letters; NULL: not said. */
EDDY_API const char *eddy_http_charset(const eddy_http_response *response);
/* Bytes of the body as it is sent; -1: not known. One that is compressed has more when it is read:
 * for a progress ask for "Accept-Encoding: identity". */
EDDY_API int64_t eddy_http_content_length(const eddy_http_response *response);
/* A cookie that the response sets; NULL: none. */
EDDY_API const char *eddy_http_cookie(const eddy_http_response *response, const char *name);
/* The target of a Link field of that relation, such as "next" (RFC 8288), joined to the URL; NULL:
 * none. */
EDDY_API const char *eddy_http_link(const eddy_http_response *response, const char *relation);

/* 0 for a status below 400; else that status as an error, EDDY_HTTP_STATUS, with a text. */
EDDY_NODISCARD EDDY_API int eddy_http_raise_for_status(eddy_http_response *response);

/* The body, decompressed: a stream of the kind "http", borrowed until the response is closed, not
 * to be closed or written. Its end is the body's; EDDY_EHTTP_PAYLOAD when the connection ended
 * before, or for a compressed body that is broken; EDDY_ELIMIT beyond decoded_limit; behind them
 * what came was read. A reader whose own time is up may go on; once that of the request is, the
 * connection is closed. */
EDDY_API eddy_stream *eddy_http_body(eddy_http_response *response);

/*
 * Reads the whole body; again and again the same one.
 *
 * data     a block with a NUL behind it, borrowed until the response is closed
 * size     its bytes without the NUL; may be NULL
 *
 * Suspends. Returns 0, EDDY_ELIMIT beyond the limit, or an error of the body's.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_http_read(eddy_http_response *response, const char **data, size_t *size);
/* The same as UTF-8, of what the charset says, or else UTF-8 is taken to be, with U+FFFD for what
 * is not valid. Owned by the caller: eddy_free() it. Suspends. -EINVAL for an unknown charset. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_http_text(eddy_http_response *response, char **text);
/* The same as JSON; *out is a reference of the caller's: json_decref() it; NULL for an empty body.
 * Suspends. EDDY_EHTTP_CONTENT_TYPE when it is no JSON by its type, EDDY_EJSON with a text that
 * says where, also for what is nested more than 256 deep. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_http_json(eddy_http_response *response, struct json_t **out);
/* Writes the body to a file, whole or not at all, as eddy_replace_file does. A trace hook sees how
 * far it is. Suspends. Returns its bytes, or an error of the body's or the file's. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int64_t eddy_http_save(eddy_http_response *response,
                                                           const char *path);

/* Closes a response and sets the handle to NULL; NULL is left alone. A connection whose body has
 * not been read to its end is closed. Suspends, but does not wait for the peer, and is never
 * refused. */
EDDY_API EDDY_AWAITS void eddy_http_response_close(eddy_http_response **response);

/* What happens with a request, for logs and measurements: hooks that must not suspend. */
enum eddy_http_event {
    EDDY_HTTP_REQUEST_START,
    EDDY_HTTP_QUEUED_START, /* it waits for a connection's turn */
    EDDY_HTTP_QUEUED_END,
    EDDY_HTTP_CONNECT_START,
    EDDY_HTTP_CONNECT_END,
    EDDY_HTTP_REUSE, /* it has an idle connection */
    EDDY_HTTP_HEADERS_SENT,
    EDDY_HTTP_BODY_SENT, /* `bytes` of it */
    EDDY_HTTP_REDIRECTED,
    EDDY_HTTP_RETRIED,
    EDDY_HTTP_BODY_RECEIVED, /* `bytes` of it, as read */
    EDDY_HTTP_REQUEST_END,   /* the head of the response is there; or: */
    EDDY_HTTP_REQUEST_ERROR, /* `code` */
};
typedef struct eddy_http_trace {
    void (*hook)(enum eddy_http_event event, const char *method, const eddy_url *url, int status,
                 int code, size_t bytes, void *request_argument, void *argument);
    void *argument;
} eddy_http_trace;

/* For the macros above. Suspend. */
EDDY_API EDDY_AWAITS void eddy_http_session_end_scope_(eddy_http_session **session);
EDDY_API EDDY_AWAITS void eddy_http_response_end_scope_(eddy_http_response **response);

EDDY_END_DECLS
#endif
