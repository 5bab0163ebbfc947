/* SPDX-License-Identifier: MIT */
/*
 * Forms to be sent, and multipart bodies that come (RFC 7578, RFC 2046).
 *
 *     EDDY_FORM form = NULL;
 *     EDDY_TRY(eddy_form_new(&form));
 *     EDDY_TRY(eddy_form_add(form, "title", "Holiday"));
 *     EDDY_TRY(eddy_form_add_file(form, "photo", "beach.jpg"));
 *     EDDY_TRY(eddy_http_post(session, url, EDDY_BODY_FORM(form), &response));
 *
 * A form of texts alone is sent as application/x-www-form-urlencoded, any other as
 * multipart/form-data.
 */
#ifndef EDDY_FORM_H
#define EDDY_FORM_H

#include "eddy/compat.h"
#include "eddy/http_message.h"

EDDY_BEGIN_DECLS

typedef struct eddy_form eddy_form;

#define EDDY_FORM EDDY_CLEANUP_(eddy_form_end_scope_) __typeof__(eddy_form *)

/* An empty form, owned by the caller: eddy_form_free() it, behind the request. 0, -ENOMEM. */
EDDY_NODISCARD EDDY_API int eddy_form_new(eddy_form **out);
EDDY_API void eddy_form_free(eddy_form *form);

/* Adds a text. Copies. 0; -EINVAL for a name with controls; -ENOMEM. */
EDDY_NODISCARD EDDY_API int eddy_form_add(eddy_form *form, const char *name, const char *value);

/* What a part has beside its name; all zero: nothing. */
typedef struct eddy_part_options {
    const char *filename;     /* NULL: none */
    const char *content_type; /* NULL: application/octet-stream when it has a filename */
    const eddy_pair *headers; /* more fields of the part; NULL: none */
} eddy_part_options;

/* Adds bytes, which are copied, or what a stream has, up to `size` bytes or with -1 up to its end;
 * the stream must stay open until the form is sent, and can be sent only once. 0; -EINVAL for
 * controls in a name or field; -ENOMEM. */
EDDY_NODISCARD EDDY_API int eddy_form_add_bytes(eddy_form *form, const char *name, const void *data,
                                                size_t size, const eddy_part_options *options);
EDDY_NODISCARD EDDY_API int eddy_form_add_stream(eddy_form *form, const char *name,
                                                 eddy_stream *stream, int64_t size,
                                                 const eddy_part_options *options);
/* Adds a file, which is opened when the form is sent; its filename is the path's last part, its
 * type by the ending. */
EDDY_NODISCARD EDDY_API int eddy_form_add_file(eddy_form *form, const char *name, const char *path);

/* A multipart body that comes, part by part. */
typedef struct eddy_multipart eddy_multipart;

/* A part. Borrowed until the next one is asked for. */
typedef struct eddy_part {
    const char *name;         /* of Content-Disposition; NULL: none */
    const char *filename;     /* without leading slashes; NULL: none. Never a path to be trusted */
    const char *content_type; /* "text/plain" where none is said */
    const eddy_headers *headers;
    eddy_stream *body; /* its bytes, of the kind "multipart", decoded from base64 or
                          quoted-printable; not to be closed. EDDY_EHTTP_PAYLOAD for what is not in
                          that encoding; what is not read may be left */
} eddy_part;

/* Limits; all zero means the defaults. */
typedef struct eddy_multipart_options {
    size_t parts;       /* at most; 0: 1,000 */
    size_t head_size;   /* bytes of a part's fields; 0: 8 KiB */
    size_t head_fields; /* of a part; 0: 32 */
} eddy_multipart_options;

#define EDDY_MULTIPART EDDY_CLEANUP_(eddy_multipart_end_scope_) __typeof__(eddy_multipart *)

/*
 * Begins to read a multipart body.
 *
 * content_type   of the body, with its boundary
 * body           stays open until the multipart is freed
 *
 * Returns 0; EDDY_EHTTP_CONTENT_TYPE when that is not multipart, or its boundary is missing or none
 * of 1 to 70 characters; -ENOMEM.
 */
EDDY_NODISCARD EDDY_API int eddy_multipart_open(const char *content_type, eddy_stream *body,
                                                const eddy_multipart_options *options,
                                                eddy_multipart **out);
EDDY_API void eddy_multipart_free(eddy_multipart *multipart);

/*
 * The next part; what is left of the one before is skipped. What is in front of the first is
 * skipped too; what is behind the last is left in the body. Cancelled, nothing is lost, and
 * another call goes on. Suspends.
 *
 * Returns 1 with a part; 0 behind the last, then and ever after; EDDY_EINCOMPLETE when the body
 * ends before; EDDY_EHTTP_PROTOCOL for what is not multipart; EDDY_ELIMIT; or an error of the
 * body's.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_multipart_next(eddy_multipart *multipart, eddy_part *out);

/* For the macros above. */
EDDY_API void eddy_form_end_scope_(eddy_form **form);
EDDY_API void eddy_multipart_end_scope_(eddy_multipart **multipart);

EDDY_END_DECLS
#endif
