/* SPDX-License-Identifier: MIT */
/*
 * A request and its answer, as a handler sees them; aiohttp.web's Request and Response in one
 * object, which lives from the head of the request to the end of the answer.
 *
 * What is asked: the functions below that read. Texts are borrowed until the handler returns.
 *
 * The answer is either set as a whole, by eddy_web_send and its like, and goes out when the handler
 * and all middlewares have returned; or it is begun by eddy_web_begin, which sends its head at
 * once, and written as a stream.
 *
 * Typed access fails by the status that the client's mistake deserves, so that EDDY_TRY answers it:
 *
 *     long page;
 *     EDDY_TRY(eddy_web_query_long(request, "page", 1, 1000, &page)); // 400: "page: not a number"
 */
#ifndef EDDY_WEB_REQUEST_H
#define EDDY_WEB_REQUEST_H

#include "eddy/compat.h"
#include "eddy/cookie.h"
#include "eddy/form.h"
#include "eddy/http_message.h"
#include "eddy/web.h"

EDDY_BEGIN_DECLS

EDDY_API const char *eddy_web_method(const eddy_web_request *request); /* "GET" */
/* Decoded, without "." and ".." segments: "/a b". "%2F" stays: it does not separate segments. */
EDDY_API const char *eddy_web_path(const eddy_web_request *request);
EDDY_API const char *eddy_web_target(const eddy_web_request *request); /* as sent; "/a%20b?q=1" */
EDDY_API const char *eddy_web_query_string(const eddy_web_request *request); /* encoded; "" none */
EDDY_API const char *eddy_web_host(const eddy_web_request *request);         /* of Host; "" none */
EDDY_API const char *eddy_web_scheme(const eddy_web_request *request);       /* "http" or "https" */
EDDY_API const char *eddy_web_remote(const eddy_web_request *request);       /* "192.0.2.1:4711" */
EDDY_API const char *eddy_web_version(const eddy_web_request *request);      /* "1.1" */
EDDY_API const eddy_headers *eddy_web_headers(const eddy_web_request *request);
/* The value of a field; NULL: none. */
EDDY_API const char *eddy_web_header(const eddy_web_request *request, const char *name);
/* What stands for "{name}" in the path, decoded; NULL: no such name. */
EDDY_API const char *eddy_web_match(const eddy_web_request *request, const char *name);
/* The first argument of that name of the query, decoded; NULL: none. And all of them, in order. */
EDDY_API const char *eddy_web_query(eddy_web_request *request, const char *name);
EDDY_API const eddy_pair *eddy_web_queries(eddy_web_request *request);
/* A cookie's value; NULL: none. */
EDDY_API const char *eddy_web_cookie(eddy_web_request *request, const char *name);
/* The application whose route it is, and a value of it: eddy_web_app_value. */
EDDY_API eddy_web_app *eddy_web_request_app(const eddy_web_request *request);

/* A whole number from `least` to `most`. 0, or EDDY_HTTP_STATUS(400) with a text for anything else,
 * and when there is none. */
EDDY_NODISCARD EDDY_API int
eddy_web_match_long(eddy_web_request *request, const char *name, long least, long most, long *out);
EDDY_NODISCARD EDDY_API int
eddy_web_query_long(eddy_web_request *request, const char *name, long least, long most, long *out);

/* The body: a stream of the kind "http", decompressed, borrowed; not to be closed or written. "100
 * Continue" is sent when somebody reads, if the client waits for it. Its errors are
 * EDDY_HTTP_STATUS(413) beyond the limit, EDDY_HTTP_STATUS(408) when nothing comes,
 * EDDY_EHTTP_PAYLOAD when it breaks off. NULL when memory is short. */
EDDY_API eddy_stream *eddy_web_body(eddy_web_request *request);
/* Reads the whole body; again and again the same one; borrowed, with a NUL behind it. Suspends.
 * Returns 0, EDDY_HTTP_STATUS(413) beyond body_size, or an error of the body's. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_web_read(eddy_web_request *request, const char **data, size_t *size);
/* The same as JSON, a reference of the caller's: json_decref() it. Suspends. EDDY_HTTP_STATUS(415)
 * for another type, EDDY_HTTP_STATUS(400) for what is not valid. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_web_json(eddy_web_request *request, struct json_t **out);

/* A field of a form that came. */
typedef struct eddy_web_field {
    const char *name;
    const char *value;    /* of a text, with a NUL behind it; NULL for a file */
    size_t size;          /* bytes of it, or of the file */
    const char *filename; /* of a file; never a path to be trusted */
    const char *content_type;
    eddy_stream *file; /* at its start; in memory while all are up to 1 MiB together, else
                          temporary; closed behind the handler */
} eddy_web_field;
/* Reads a form, urlencoded or multipart, with up to 64 files of form_size bytes together, its texts
 * up to body_size. Borrowed. Suspends. Returns how many fields: 0 for another type;
 * EDDY_HTTP_STATUS(413), EDDY_HTTP_STATUS(400), or an error of the body's or of a file. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS ssize_t eddy_web_form(eddy_web_request *request,
                                                          const eddy_web_field **fields);
/* Begins to read a multipart body, part by part: eddy/form.h. 0, EDDY_HTTP_STATUS(415), -ENOMEM. */
EDDY_NODISCARD EDDY_API int eddy_web_multipart(eddy_web_request *request, eddy_multipart **out);

/* Fields of the answer; they are checked as eddy_headers_add does. How it is framed is the server's
 * affair: Content-Length and Transfer-Encoding are -EINVAL; "Connection: close" ends the connection
 * behind it. 0, -EINVAL, -EPERM once it is begun, -ENOMEM. */
EDDY_NODISCARD EDDY_API int
eddy_web_add_header(eddy_web_request *request, const char *name, const char *value);
EDDY_NODISCARD EDDY_API int
eddy_web_set_header(eddy_web_request *request, const char *name, const char *value);
EDDY_NODISCARD EDDY_API int
eddy_web_set_cookie(eddy_web_request *request, const eddy_cookie *cookie);
/* Has the client forget a cookie of that name and path "/". */
EDDY_NODISCARD EDDY_API int eddy_web_remove_cookie(eddy_web_request *request, const char *name);

/*
 * Sets the answer; what was set before is replaced. `data` is copied up to 16 KiB; more is
 * borrowed, and must stay until the handler and its middlewares have returned.
 *
 * status         200 to 599; with 204 and 304 nothing of the body is sent
 * content_type   NULL: application/octet-stream
 *
 * Returns 0, -EINVAL, -EPERM once it is begun, -ENOMEM.
 */
EDDY_NODISCARD EDDY_API int eddy_web_send(eddy_web_request *request, int status,
                                          const char *content_type, const void *data, size_t size);
/* The same, and takes a block of the library's, such as of eddy_read_all, which it frees. */
EDDY_NODISCARD EDDY_API int eddy_web_send_taken(eddy_web_request *request, int status,
                                                const char *content_type, void *data, size_t size);
/* text/plain; charset=utf-8 */
EDDY_NODISCARD EDDY_API int
eddy_web_send_text(eddy_web_request *request, int status, const char *text);
EDDY_NODISCARD EDDY_API int
eddy_web_printf(eddy_web_request *request, int status, const char *format, ...) EDDY_PRINTF_(3, 4);
/* text/html; charset=utf-8 */
EDDY_NODISCARD EDDY_API int
eddy_web_send_html(eddy_web_request *request, int status, const char *text);
/* application/json; takes the reference, as of json_pack(), whatever it returns. NULL: -ENOMEM. */
EDDY_NODISCARD EDDY_API int
eddy_web_send_json(eddy_web_request *request, int status, struct json_t *value);
/* JSON that is a text already. */
EDDY_NODISCARD EDDY_API int
eddy_web_send_json_text(eddy_web_request *request, int status, const char *text, size_t size);
/* Sends a client elsewhere: 301, 302, 303, 307 or 308. */
EDDY_NODISCARD EDDY_API int
eddy_web_redirect(eddy_web_request *request, int status, const char *location);
/* Answers by a file, as eddy_web_static does, or fails with the status that fits. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_web_send_file(eddy_web_request *request, const char *path);

/* The URL of a file that eddy_web_static serves, for a page: "/static/page.css" becomes
 * "/static/page.css?v=b2e3cc2f6f0a8d11", by what is in the file. So browsers may keep it for as
 * long as they like (.cache_control = "max-age=31536000, immutable"), and ask anew once it has
 * changed. `path` is not encoded, the URL is; it has no mark for what is no file, and is borrowed
 * until the handler returns. Suspends, when the file has to be read. 0, -ENOMEM, -ECANCELED,
 * -ETIMEDOUT. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_web_file_url(eddy_web_request *request, const char *path, const char **out);

/* Begins an answer whose body is written: sends its head. `size` bytes, or -1: not known; then it
 * is chunked. *body is borrowed, a stream of the kind "http" for eddy_write and its like, not to be
 * closed or read; eddy_flush has what was written sent. An end with fewer bytes than announced
 * breaks the connection, as an error of the handler's does; more are refused by -EMSGSIZE. Where
 * the server compresses it, eddy_write_nowait is -ENOTSUP, and the client is not told the size.
 * Suspends. Returns 0, -EPERM when it is begun already, or an error of eddy_write. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_web_begin(eddy_web_request *request, int status,
                                                       const char *content_type, int64_t size,
                                                       eddy_stream **body);
/* Whether the head of the answer has been sent. */
EDDY_API bool eddy_web_has_started(const eddy_web_request *request);
/* The status that is set; 0: none yet, as behind an error, whose status is eddy_http_status_of(),
 * or 0 for what eddy_web_handler says. And the fields that are set. */
EDDY_API int eddy_web_status(const eddy_web_request *request);
EDDY_API const eddy_headers *eddy_web_answer_headers(const eddy_web_request *request);

/* Calls what a middleware stands around. Suspends. Returns what that returned. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_web_next(eddy_web_request *request);

/* Values of a request, for middlewares, by the addresses of their keys. 0, -ENOMEM; NULL: none. */
EDDY_NODISCARD EDDY_API int
eddy_web_set_value(eddy_web_request *request, const void *key, void *value);
EDDY_API void *eddy_web_value(const eddy_web_request *request, const void *key);

/* A text with "&", "<", ">" and quotes made harmless in HTML. The caller frees it by eddy_free();
 * NULL when memory is short. */
EDDY_NODISCARD EDDY_API char *eddy_html_escape(const char *text);

EDDY_END_DECLS
#endif
