/* SPDX-License-Identifier: MIT */
/*
 * URLs (RFC 3986): taken apart, put together, joined to a base; percent-encoding, and the
 * encoding of forms. Library eddy-http.
 *
 *     EDDY_URL url = NULL;
 *     EDDY_TRY(eddy_url_parse("https://example.org/search?q=eddy", &url));
 *     printf("%s at port %u\n", url->host, url->port);
 */
#ifndef EDDY_URL_H
#define EDDY_URL_H

#include <sys/types.h>

#include "eddy/compat.h"
#include "eddy/error.h"

EDDY_BEGIN_DECLS

/* A name and its value. Lists of them end with a name that is NULL. */
typedef struct eddy_pair {
    const char *name, *value;
} eddy_pair;

/* A list on the spot, valid to the end of the block: EDDY_PAIRS({"q", "eddy"}, {"page", "2"}). */
#define EDDY_PAIRS(...) ((const eddy_pair[]){__VA_ARGS__, {NULL, NULL}})

/* A URL's parts. All texts belong to it, and are valid until it is freed; to be read only. */
typedef struct eddy_url {
    const char *text;      /* the whole, as it is sent or shown; without user and password */
    const char *scheme;    /* "https": in small letters; "" for a relative reference */
    const char *user;      /* decoded; NULL: none */
    const char *password;  /* decoded; NULL: none */
    const char *host;      /* in small letters, a name in its ASCII form (IDNA 2008); an IPv6
                              address without its brackets; "": none */
    const char *authority; /* host and, unless it is the scheme's own, port: "[::1]:8080" */
    uint16_t port;         /* the scheme's own where none is given; 0: none */
    const char *path;      /* percent-encoded, without "." and ".." segments; "/" at least where
                              there is a host */
    const char *query;     /* percent-encoded, without its "?"; NULL: none */
    const char *fragment;  /* percent-encoded, without its "#"; NULL: none */
    const char *target;    /* path and query, as a request line has them */
} eddy_url;

/* Declares an owning handle, freed at the end of its block. */
#define EDDY_URL EDDY_CLEANUP_(eddy_url_end_scope_) __typeof__(eddy_url *)

/*
 * Takes a URL or a relative reference apart. What may stand in a URL only percent-encoded, and is
 * not, is encoded: blanks, letters beyond ASCII; "%7e" and its like become "~".
 *
 * A host is a name, an IPv4 address of four decimal numbers (RFC 3986, 3.2.2: not 127.1,
 * 0x7f000001 or 2130706433), or an IPv6 address in brackets; URLs of http, https, ws and wss must
 * have one. Controls are refused, and so are a backslash and a second "@" before the path, by
 * which a host could be hidden.
 *
 * text     up to 64 KiB, UTF-8; copied
 * out      owned by the caller: eddy_url_free() it
 *
 * Returns 0, or with *out untouched EDDY_EURL, with a text that says what is wrong; -ENOMEM.
 */
EDDY_NODISCARD EDDY_API int eddy_url_parse(const char *text, eddy_url **out);

/* The same for a reference that is relative to `base` (RFC 3986, 5.2): "../b", "?page=2",
 * "//other.example/". A URL is taken as it is. User and password of the base stay only where the
 * reference has no host of its own. */
EDDY_NODISCARD EDDY_API int
eddy_url_join(const eddy_url *base, const char *reference, eddy_url **out);

/* The same URL with arguments added behind those of its query, encoded as eddy_form_encode does. */
EDDY_NODISCARD EDDY_API int
eddy_url_with_query(const eddy_url *url, const eddy_pair *arguments, eddy_url **out);

/* Frees a URL; NULL too. */
EDDY_API void eddy_url_free(eddy_url *url);

/* Whether two URLs have the same scheme, host and port (RFC 6454). */
EDDY_API bool eddy_url_same_origin(const eddy_url *one, const eddy_url *other);

/*
 * Percent-encodes all but letters, digits, "-._~" and the bytes of `safe`, such as "/", which may
 * be NULL. Returns a text that the caller frees by eddy_free(); NULL when memory is short.
 */
EDDY_NODISCARD EDDY_API char *eddy_percent_encode(const char *text, const char *safe);

/*
 * Decodes "%41" and its like; with `plus`, "+" as a blank. What is not a valid escape stays.
 *
 * data     on success a block with a NUL behind it, owned by the caller: eddy_free() it; it may
 *          hold NULs, of "%00"
 * size     its bytes without the NUL; may be NULL: then a NUL is EDDY_EURL
 *
 * Returns 0, EDDY_EURL, -ENOMEM.
 */
EDDY_NODISCARD EDDY_API int
eddy_percent_decode(const char *text, bool plus, char **data, size_t *size);

/* A query, or an application/x-www-form-urlencoded body: "q=eddy&page=2". Returns a text that the
 * caller frees by eddy_free(); NULL when memory is short. */
EDDY_NODISCARD EDDY_API char *eddy_form_encode(const eddy_pair *pairs);

/*
 * The other way. A name without "=" has the value "".
 *
 * limit    pairs at most; 0: 1,000
 * out      a list in one block, owned by the caller: eddy_free() it
 *
 * Returns how many; or with *out untouched EDDY_ELIMIT for more, EDDY_EURL for a NUL, -ENOMEM.
 */
EDDY_NODISCARD EDDY_API ssize_t eddy_form_decode(const char *text, size_t limit, eddy_pair **out);

/* The value of the first pair of that name; NULL: none. `pairs` may be NULL. */
EDDY_API const char *eddy_pair_get(const eddy_pair *pairs, const char *name);

/* For the macro above. */
EDDY_API void eddy_url_end_scope_(eddy_url **url);

EDDY_END_DECLS
#endif
