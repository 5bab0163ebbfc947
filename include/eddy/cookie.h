/* SPDX-License-Identifier: MIT */
/*
 * Cookies (RFC 6265) and the jar that a session keeps them in. A cookie goes back only to the host
 * that set it, or to those under a domain that it may speak for: a public suffix such as "co.uk" is
 * none (https://publicsuffix.org, by libpsl).
 */
#ifndef EDDY_COOKIE_H
#define EDDY_COOKIE_H

#include <time.h>

#include "eddy/compat.h"
#include "eddy/http_message.h"

EDDY_BEGIN_DECLS

/* A cookie. */
typedef struct eddy_cookie {
    const char *name, *value;
    const char *domain;    /* with or without a leading dot; NULL: the host alone. Of a cookie in
                              a jar its host or domain; NULL: every host */
    const char *path;      /* NULL: as the URL says; of a response "/" */
    const char *same_site; /* "Strict", "Lax", "None"; NULL: not said */
    time_t expires;        /* seconds since 1970; 0: with the session */
    double max_age;        /* seconds, before `expires`; 0: not said; below 0: at once */
    bool secure, http_only, partitioned;
    bool host_only; /* of a cookie in a jar: it goes to no other host */
} eddy_cookie;

typedef struct eddy_cookie_jar eddy_cookie_jar;

/* All zero means the defaults. */
typedef struct eddy_cookie_jar_options {
    size_t cookies;            /* at most; the oldest go; 0: 3,000 */
    size_t cookies_per_host;   /* 0: 180 */
    bool accept_addresses;     /* hosts that are IP addresses too */
    const char *secure_origin; /* an http:// origin that gets secure cookies too; NULL: none */
} eddy_cookie_jar_options;

#define EDDY_COOKIE_JAR EDDY_CLEANUP_(eddy_cookie_jar_end_scope_) __typeof__(eddy_cookie_jar *)

/* An empty jar; options NULL: the defaults. Owned by the caller: eddy_cookie_jar_free() it. 0,
 * -ENOMEM. */
EDDY_NODISCARD EDDY_API int
eddy_cookie_jar_new(const eddy_cookie_jar_options *options, eddy_cookie_jar **out);
EDDY_API void eddy_cookie_jar_free(eddy_cookie_jar *jar);

/*
 * Takes a cookie as if `url` had set it; with url NULL it goes to every host. Copies. One of the
 * same name, domain and path is replaced, by one whose time is over removed. What came over http
 * does not replace a cookie that is only for https, and a name that begins with "__Secure-" or
 * "__Host-" must keep what it promises (RFC 6265bis, 4.1.3).
 *
 * Returns 0; -EINVAL for a name, value or attribute that is none; -EPERM when that URL may not set
 * it; -ENOMEM.
 */
EDDY_NODISCARD EDDY_API int
eddy_cookie_jar_set(eddy_cookie_jar *jar, const eddy_cookie *cookie, const eddy_url *url);
/* The same for a Set-Cookie field's value, read as leniently as RFC 6265, 5.2 asks. */
EDDY_NODISCARD EDDY_API int
eddy_cookie_jar_parse(eddy_cookie_jar *jar, const char *field, const eddy_url *url);

/* The Cookie field for a request, longer paths first, such as "a=1; b=2"; NULL in *out: none. The
 * caller frees it by eddy_free(). 0, -ENOMEM. */
EDDY_NODISCARD EDDY_API int
eddy_cookie_jar_field(eddy_cookie_jar *jar, const eddy_url *url, char **out);

/* Cookie number `index`, of those whose time is not over; false behind the last. Borrowed until the
 * jar changes. */
EDDY_API bool eddy_cookie_jar_at(eddy_cookie_jar *jar, size_t index, eddy_cookie *out);
/* The value that a name has for a URL; NULL: none. Borrowed until the jar changes. */
EDDY_API const char *
eddy_cookie_jar_get(eddy_cookie_jar *jar, const eddy_url *url, const char *name);
/* Removes those of a domain and what is under it; NULL: all. Returns how many. */
EDDY_API size_t eddy_cookie_jar_clear(eddy_cookie_jar *jar, const char *domain);

/*
 * Writes all cookies, those of the session too, as JSON to a file that only its owner may read
 * (0600), whole or not at all. Suspends. 0, or an error of eddy_replace_file.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_cookie_jar_save(eddy_cookie_jar *jar, const char *path);
/* Reads such a file, instead of what is in the jar; what a host could not set is left out.
 * Suspends. 0, EDDY_EJSON for another file, EDDY_ELIMIT over 16 MiB, or an error of eddy_read_file:
 * then the jar is as it was. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_cookie_jar_load(eddy_cookie_jar *jar, const char *path);

/* A Set-Cookie field's value of a cookie. The caller frees it by eddy_free(). 0; -EINVAL for a part
 * with a control character, a semicolon or a comma; -ENOMEM. */
EDDY_NODISCARD EDDY_API int eddy_cookie_format(const eddy_cookie *cookie, char **out);

/* For the macro above. */
EDDY_API void eddy_cookie_jar_end_scope_(eddy_cookie_jar **jar);

EDDY_END_DECLS
#endif
