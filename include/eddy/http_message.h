/* SPDX-License-Identifier: MIT */
/*
 * What requests and responses have in common: header fields, statuses, bodies. Nothing here knows
 * which version of HTTP carries them.
 */
#ifndef EDDY_HTTP_MESSAGE_H
#define EDDY_HTTP_MESSAGE_H

#include <time.h>

#include "eddy/compat.h"
#include "eddy/error.h"
#include "eddy/stream.h"
#include "eddy/url.h"

EDDY_BEGIN_DECLS

struct json_t; /* jansson's, <jansson.h>: a program that uses it links -ljansson too */

/*
 * A status as an error: EDDY_HTTP_STATUS(404). A server's handler that returns it is answered with
 * it, and with the text of eddy_raise as the body; a client gets it from
 * eddy_http_raise_for_status.
 */
#define EDDY_HTTP_STATUS(status) (-5000 - (status))

/* The status of such an error, 100 to 599; 0 for any other code. */
EDDY_API int eddy_http_status_of(int code);

/* The reason of a status, such as "Not Found" (RFC 9110, 15); "" for one that is not known. */
EDDY_API const char *eddy_http_reason(int status);

/*
 * Header fields in their order; names are compared without regard to case, and may be repeated.
 * No name or value can be added that would end a line: a name is a token (RFC 9110, 5.6.2), a
 * value has no CR, LF, NUL or other control but the tab, and blanks around it are cut. A list
 * keeps the memory of what it loses until it is freed.
 */
typedef struct eddy_headers eddy_headers;

/* Declares an owning handle, freed at the end of its block. */
#define EDDY_HEADERS EDDY_CLEANUP_(eddy_headers_end_scope_) __typeof__(eddy_headers *)

/* An empty list, owned by the caller: eddy_headers_free() it. NULL when memory is short: all
 * functions take that and say -ENOMEM. */
EDDY_NODISCARD EDDY_API eddy_headers *eddy_headers_new(void);
EDDY_API void eddy_headers_free(eddy_headers *headers);

/* Adds a field behind the others. Copies. 0; -EINVAL for what is not a name or a value; -ENOMEM;
 * -EPERM for the fields of a message that came. */
EDDY_NODISCARD EDDY_API int
eddy_headers_add(eddy_headers *headers, const char *name, const char *value);
/* The same, instead of all that have the name. */
EDDY_NODISCARD EDDY_API int
eddy_headers_set(eddy_headers *headers, const char *name, const char *value);
/* Removes all that have the name. Returns how many, or -EPERM. */
EDDY_API int eddy_headers_remove(eddy_headers *headers, const char *name);

/* The value of the first field of that name; NULL: none. Borrowed until the list changes. */
EDDY_API const char *eddy_headers_get(const eddy_headers *headers, const char *name);
/* How many fields there are, and number `index` of them; {NULL, NULL} behind the last. */
EDDY_API size_t eddy_headers_count(const eddy_headers *headers);
EDDY_API eddy_pair eddy_headers_at(const eddy_headers *headers, size_t index);
/* The next value of that name at or behind *index, 0 at first, which moves behind it; NULL: no
 * more. */
EDDY_API const char *
eddy_headers_next(const eddy_headers *headers, const char *name, size_t *index);
/* Whether a comma-separated list, over all fields of the name, has a token, such as "close" in
 * "Connection" (RFC 9110, 5.6.1). */
EDDY_API bool
eddy_headers_has_token(const eddy_headers *headers, const char *name, const char *token);

/* A date as headers have it: "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7). */
#define EDDY_HTTP_DATE_SIZE 30
EDDY_API void eddy_http_format_date(time_t time, char text[EDDY_HTTP_DATE_SIZE]);
/* The other way, in all three forms of that section. 0; -EINVAL. */
EDDY_NODISCARD EDDY_API int eddy_http_parse_date(const char *text, time_t *out);

/* What a body is made of. */
enum eddy_body_kind {
    EDDY_BODY_KIND_NONE,
    EDDY_BODY_KIND_BYTES,
    EDDY_BODY_KIND_PAIRS,
    EDDY_BODY_KIND_FORM,
    EDDY_BODY_KIND_JSON,
    EDDY_BODY_KIND_STREAM,
    EDDY_BODY_KIND_GENERATOR,
};

/* A body to be sent; made by the macros below, and borrowed until the call returns. */
typedef struct eddy_body {
    enum eddy_body_kind kind;
    const void *data; /* bytes */
    int64_t size;     /* bytes; of a stream -1: up to its end */
    const eddy_pair *pairs;
    struct eddy_form *form; /* eddy/form.h */
    struct json_t *json;
    eddy_stream *stream;
    eddy_generator *generator; /* of struct iovec */
    const char *content_type;  /* NULL: what the kind suggests */
} eddy_body;

#define EDDY_BODY(bytes, count)                                                                    \
    ((eddy_body){.kind = EDDY_BODY_KIND_BYTES, .data = (bytes), .size = (int64_t)(count)})
/* text/plain; charset=utf-8 */
#define EDDY_BODY_TEXT(text)                                                                       \
    ((eddy_body){.kind = EDDY_BODY_KIND_BYTES,                                                     \
                 .data = (text),                                                                   \
                 .size = -1,                                                                       \
                 .content_type = "text/plain; charset=utf-8"})
/* application/x-www-form-urlencoded: EDDY_BODY_PAIRS({"user", "ann"}, {"age", "30"}) */
#define EDDY_BODY_PAIRS(...)                                                                       \
    ((eddy_body){.kind = EDDY_BODY_KIND_PAIRS, .pairs = EDDY_PAIRS(__VA_ARGS__)})
/* A form, which decides whether it is multipart/form-data: eddy/form.h. */
#define EDDY_BODY_FORM(fields) ((eddy_body){.kind = EDDY_BODY_KIND_FORM, .form = (fields)})
/* application/json; the value stays the caller's. NULL, as of a json_pack() that fails: -ENOMEM. */
#define EDDY_BODY_JSON(value) ((eddy_body){.kind = EDDY_BODY_KIND_JSON, .json = (value)})
/* What a stream has: `count` bytes of it, or with -1 all up to its end, chunked; of a file, from
 * its position on, where its size is known. It is not closed. */
#define EDDY_BODY_STREAM(source, count)                                                            \
    ((eddy_body){.kind = EDDY_BODY_KIND_STREAM, .stream = (source), .size = (count)})
/* What a generator of struct iovec yields, chunked; it is closed behind the last, or an error of
 * sending it, and stays the caller's to free. */
#define EDDY_BODY_GENERATOR(source)                                                                \
    ((eddy_body){.kind = EDDY_BODY_KIND_GENERATOR, .generator = (source)})

/* For the macro above. */
EDDY_API void eddy_headers_end_scope_(eddy_headers **headers);

EDDY_END_DECLS
#endif
