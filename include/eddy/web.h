/* SPDX-License-Identifier: MIT */
/*
 * The HTTP server: an application of routes, middlewares and parts, and the server that runs it.
 * aiohttp.web's Application, UrlDispatcher and run_app. What a handler does with its request is in
 * eddy/web_request.h.
 *
 *     static int hello(eddy_web_request *request, void *unused)
 *     {
 *         (void)unused;
 *         return eddy_web_printf(request, 200, "Hello, %s\n", eddy_web_match(request, "name"));
 *     }
 *
 *     static int amain(void)
 *     {
 *         EDDY_WEB_APP app = NULL;
 *
 *         EDDY_TRY(eddy_web_app_new(&app));
 *         EDDY_TRY(eddy_web_get(app, "/hello/{name}", hello, NULL));
 *         return eddy_web_run(app, "tcp://:8080", NULL);
 *     }
 *
 * Each connection has a task, in which its handlers run one after the other. A client that goes
 * away cancels the handler that it waits for, when that has taken 0.1 s.
 */
#ifndef EDDY_WEB_H
#define EDDY_WEB_H

#include "eddy/compat.h"
#include "eddy/http_client.h"
#include "eddy/http_message.h"
#include "eddy/net.h"

EDDY_BEGIN_DECLS

typedef struct eddy_web_app eddy_web_app;
typedef struct eddy_web_request eddy_web_request;
typedef struct eddy_web_server eddy_web_server;

/* Declare owning handles, freed or closed at the end of their block. */
#define EDDY_WEB_APP EDDY_CLEANUP_(eddy_web_app_end_scope_) __typeof__(eddy_web_app *)
#define EDDY_WEB_SERVER EDDY_CLEANUP_(eddy_web_server_end_scope_) __typeof__(eddy_web_server *)

/*
 * Answers a request by the functions of eddy/web_request.h, and returns 0; or an error, which is
 * answered instead: EDDY_HTTP_STATUS(status) with that status and the text of eddy_raise;
 * -ETIMEDOUT with 504, -ENOSPC, -EDQUOT and -EFBIG with 507, a request's body that breaks off or is
 * not HTTP with 400, any other with 500, which is logged with its text and the request. Fields that
 * were set go with that answer, but for those of a body and its caching. A handler that returns 0
 * without an answer is an error too. May suspend.
 */
typedef int eddy_web_handler(eddy_web_request *request, void *argument);

/* Stands around handlers: calls eddy_web_next(request) for what it is around, or answers itself;
 * may look at and change what was answered as long as eddy_web_has_started() is false, and returns
 * as a handler does. Behind an error of eddy_web_next() there is no status yet: the error is
 * answered behind all middlewares, with the fields that they have set. May suspend. */
typedef int eddy_web_middleware(eddy_web_request *request, void *argument);

/* An empty application, the caller's: EDDY_WEB_APP, or eddy_web_app_free() it. 0, -ENOMEM. */
EDDY_NODISCARD EDDY_API int eddy_web_app_new(eddy_web_app **out);
/* Frees an application with what was mounted in it; NULL too. No server must run it. */
EDDY_API void eddy_web_app_free(eddy_web_app *app);

/*
 * Adds a route.
 *
 * method    a token such as "GET", which HEAD requests get too unless they have a route of their
 *           own; "*": any
 * path      begins with "/". "{name}" stands for one segment, or what is in it; "{name:regex}" for
 *           what an extended regular expression matches within the path (regex(7)); "{name...}" at
 *           the end for all that is left. Matched in its decoded form, but "%2F" is no slash.
 * handler   see above
 * argument  for the handler; stays valid
 *
 * Fixed paths come before those with names, longer fixed beginnings before shorter ones, and else
 * the order of adding counts. The cost of finding a route does not grow with their number, but with
 * those that have the same fixed beginning. A path that only other methods have is answered by 405
 * with Allow, one that nobody has by 404.
 *
 * Returns 0; -EEXIST for the same method and path; -EINVAL for what is no path, name, regular
 * expression or method; -EBUSY once the application runs; -ENOMEM.
 */
EDDY_NODISCARD EDDY_API int eddy_web_route(eddy_web_app *app, const char *method, const char *path,
                                           eddy_web_handler *handler, void *argument);
/* The same, in short. */
EDDY_NODISCARD EDDY_API int
eddy_web_get(eddy_web_app *app, const char *path, eddy_web_handler *handler, void *argument);
EDDY_NODISCARD EDDY_API int
eddy_web_post(eddy_web_app *app, const char *path, eddy_web_handler *handler, void *argument);
EDDY_NODISCARD EDDY_API int
eddy_web_put(eddy_web_app *app, const char *path, eddy_web_handler *handler, void *argument);
EDDY_NODISCARD EDDY_API int
eddy_web_delete(eddy_web_app *app, const char *path, eddy_web_handler *handler, void *argument);

/* Adds a middleware around all routes, static folders and answers of 404 and 405 of the
 * application; the first is outermost. 0, -EBUSY, -ENOMEM. */
EDDY_NODISCARD EDDY_API int
eddy_web_use(eddy_web_app *app, eddy_web_middleware *middleware, void *argument);

/* Puts an application below a path, such as "/api"; its middlewares stand inside this one's. *sub
 * becomes this one's and NULL. 0; -EINVAL, -EEXIST, -EBUSY, -ENOMEM: then it stays the caller's. */
EDDY_NODISCARD EDDY_API int eddy_web_mount(eddy_web_app *app, const char *path, eddy_web_app **sub);

/* Puts an application in the place of this one, with its middlewares inside this one's, for
 * requests to a host: "api.example.org", or "*.example.org", where "*" stands for any part of a
 * name, dots too. Its port does not matter, nor do capital letters. Hosts come before paths, and
 * among each other in the order of adding; what the application has no route for is not looked for
 * here any more. *sub becomes this one's and NULL. 0; -EINVAL for what is no host, -EEXIST, -EBUSY,
 * -ENOMEM: then it stays the caller's. */
EDDY_NODISCARD EDDY_API int
eddy_web_mount_host(eddy_web_app *app, const char *host, eddy_web_app **sub);

/* How paths are brought into one form; all zero means the defaults. */
typedef struct eddy_web_normal {
    bool remove_slash; /* at the end; else it is added */
    bool keep_slashes; /* several in a row stay, but not at the beginning */
} eddy_web_normal;

/*
 * A middleware, for eddy_web_use: redirects a request that there is no route for, by 308, to the
 * path that has one: with a slash at its end, or without, or with one slash instead of several. The
 * query stays. `normal` is an eddy_web_normal, or NULL. Suspends, as what it stands around.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_web_normalize_path(eddy_web_request *request, void *normal);

/* Whose pages may use what is served, beside its own: the CORS protocol of the Fetch standard.
 * Lists are separated by commas; all of it stays valid. */
typedef struct eddy_web_cors_options {
    const char *origins; /* "https://a.example, http://localhost:3000"; "*": any; NULL: none */
    const char *methods; /* "GET, PUT"; NULL: those that a path has */
    const char *headers; /* that requests may have, beside those that any form can send:
                            "Content-Type, X-Token"; "*": any; NULL: none */
    const char *expose; /* fields of answers that scripts may see, beside the usual: "ETag, Link" */
    bool credentials;   /* cookies and authorizations come along; not from "*" */
    unsigned max_age;   /* seconds for which a browser need not ask again; 0: it chooses */
} eddy_web_cors_options;

/*
 * A middleware, for eddy_web_use, with an eddy_web_cors_options: says with each answer, errors too,
 * whether the page that asked may see it, and answers the requests by which browsers ask before
 * (OPTIONS with Access-Control-Request-Method), which no route needs to know of. It protects nobody
 * from requests that do not come from pages: as outermost it stands around what checks who asks.
 * Suspends, as what it stands around.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_web_cors(eddy_web_request *request, void *options);

/* How a folder is served; all zero means the defaults. */
typedef struct eddy_web_static_options {
    bool index;           /* folders are answered by their index.html, or a list of what is in them;
                             else 403 */
    bool follow_symlinks; /* also those that lead out of the folder; else 404 */
    bool precompressed;   /* FILE.br, FILE.zst or FILE.gz in place of FILE, for who accepts it */
    bool hidden;          /* names that begin with a dot are served; else 404 */
    const char *cache_control; /* a field of all answers; NULL: none */
} eddy_web_static_options;

/*
 * Serves the files below a folder, for GET and HEAD: with ETag, Last-Modified, conditional requests
 * and a range (RFC 9110, 13 and 14): several ranges, or another unit than bytes, are answered by
 * all of it, those that are malformed by 416. Never anything outside of it, in whatever way a path
 * or a link leads there; before Linux 5.6 links are not followed at all.
 *
 * Returns 0; -ENOENT, -ENOTDIR, ... when there is no such folder; or as eddy_web_route.
 */
EDDY_NODISCARD EDDY_API int eddy_web_static(eddy_web_app *app, const char *path, const char *folder,
                                            const eddy_web_static_options *options);

/* Adds a part that lives as long as a server runs the application: `start` before it serves, `stop`
 * behind its last request, in reverse order, and only of those that were started. Each may suspend,
 * or be NULL. An error of `start` ends the running. 0, -EBUSY, -ENOMEM. */
EDDY_NODISCARD EDDY_API int
eddy_web_add_part(eddy_web_app *app, int (*start)(eddy_web_app *app, void *argument),
                  int (*stop)(eddy_web_app *app, void *argument), void *argument);

/* Adds a hook that is called when a server begins to stop: it ends long answers. WebSockets are
 * closed behind the hooks, with 1001. Must not suspend. 0, -EBUSY, -ENOMEM. */
EDDY_NODISCARD EDDY_API int eddy_web_on_shutdown(eddy_web_app *app,
                                                 void (*hook)(eddy_web_app *app, void *argument),
                                                 void *argument);

/* Values by the addresses of their keys: static const char database_key; The lookup of a mounted
 * application goes on to the one around it. 0, -ENOMEM; NULL: none. */
EDDY_NODISCARD EDDY_API int eddy_web_app_set(eddy_web_app *app, const void *key, void *value);
EDDY_API void *eddy_web_app_value(const eddy_web_app *app, const void *key);

/* How to serve; all zero means the defaults. Limits that a client breaks are answered where there
 * is somebody to answer, and its connection is closed. */
typedef struct eddy_web_options {
    struct eddy_tls_context *tls;      /* a server's, which offers "http/1.1" if any ALPN: https;
                                          NULL: plain. tls:// places demand it */
    const eddy_server_options *server; /* backlog, connections, ...; NULL: the defaults */
    size_t line_size;     /* bytes of the request line, and of a field; 0: 8,190; 414 and 431 */
    size_t head_fields;   /* 0: 128; 431 */
    size_t head_size;     /* bytes of a head; 0: 64 KiB; 431 */
    size_t body_size;     /* bytes that eddy_web_read and its like take; 0: 1 MiB; 413 */
    size_t form_size;     /* bytes of a form's files together, of which there may be 64; 0: 1 GiB;
                             413 */
    size_t stream_size;   /* bytes of any body; 0: no limit; 413 */
    double head_time;     /* seconds for a head, from its first byte on; 0: 10; 408 */
    double idle_time;     /* seconds that a connection may wait for a request; 0: 75. Limits of time
                             are looked at some ten times a second: never early, a bit late. */
    double body_time;     /* seconds between two reads of a body; 0: 60; 408 */
    double write_time;    /* seconds in which a client must take something; 0: 60 */
    double linger_time;   /* seconds to read what a handler left of a body; 0: 10 */
    bool compress;        /* answers of texts, from 1 KiB on, for who accepts it; also those of
                             eddy_web_begin, which go as soon as their writer waits. Not with a
                             Content-Encoding, or "Cache-Control: no-transform" */
    bool half_close;      /* a client that sends no more does not count as gone */
    bool no_server_field; /* no "Server: eddy" */
    /* Where a line for each request goes, with its newline; NULL: nowhere. eddy_web_access_log. */
    void (*log)(const char *line, size_t size, void *argument);
    void *log_argument;
    const char *log_format; /* NULL: EDDY_WEB_LOG_FORMAT */
    double shutdown_time;   /* of eddy_web_run: seconds for requests to end; 0: 60 */
    bool quiet;             /* of eddy_web_run: prints nothing */
} eddy_web_options;

/* Address, time, request line, status, bytes, referrer, agent. Besides: %D microseconds, %T
 * seconds, %{Name}i and %{Name}o fields of request and response, %P process, %%. */
#define EDDY_WEB_LOG_FORMAT "%a %t \"%r\" %s %b \"%{Referer}i\" \"%{User-Agent}i\""

/* A log for eddy_web_options: lines to the standard error stream, or to its argument, a FILE *. */
EDDY_API void eddy_web_access_log(const char *line, size_t size, void *file);

/*
 * Serves an application. It must not change any more, may be run by several servers, and stays
 * valid until they are closed.
 *
 * places   as for eddy_start_server: "tcp://:8080", "unix:/run/app", several with commas
 *
 * Suspends, in the `start` of parts too.
 *
 * Returns 0, and *out is owned by the caller: EDDY_WEB_SERVER, or eddy_web_server_close() it; or
 * the error of a part, of eddy_start_server_with, -EINVAL, -ENOMEM: then what was started is
 * stopped.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_web_start(eddy_web_app *app, const char *places,
                                                       const eddy_web_options *options,
                                                       eddy_web_server **out);

/* The server under it, borrowed: for names, ports, counts, and to wait for. NULL: of a test. */
EDDY_API eddy_server *eddy_web_server_listener(eddy_web_server *server);

/*
 * Stops in order: no new connections, idle ones are closed, the hooks of eddy_web_on_shutdown are
 * called, WebSockets are asked to close with 1001, and requests that are under way have `seconds`
 * to be answered, with "Connection: close"; then they are cancelled. Suspends until all have ended
 * and the parts have stopped. Returns 0, -ETIMEDOUT when some had to be cancelled, -ECANCELED with
 * all cancelled too, or the error of a part.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_web_server_shutdown(eddy_web_server *server, double seconds);

/* The same with no time, frees it, and sets the handle to NULL; NULL is left alone. Suspends, and
 * is never refused. */
EDDY_API EDDY_AWAITS void eddy_web_server_close(eddy_web_server **server);

/* Starts, says where, waits for SIGINT or SIGTERM, and stops in order. Suspends. Returns 0 then, or
 * an error of eddy_web_start or of the stop. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_web_run(eddy_web_app *app, const char *places, const eddy_web_options *options);

/*
 * A client's session for tests: its connections lead to the application through memory, whatever
 * host the URLs name, and time may be virtual. "/path" is a URL too: the session's base is
 * http://test/. The application's parts are started.
 *
 * Suspends. Returns 0, and *session is owned by the caller, and *server, through which the
 * application runs, too: close the session first.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_web_start_test(eddy_web_app *app, const eddy_web_options *options, eddy_web_server **server,
                    eddy_http_session **session);

/* For the macros above. */
EDDY_API void eddy_web_app_end_scope_(eddy_web_app **app);
/* Suspends as eddy_web_server_close does. */
EDDY_API EDDY_AWAITS void eddy_web_server_end_scope_(eddy_web_server **server);

EDDY_END_DECLS
#endif
