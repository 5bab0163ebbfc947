/* SPDX-License-Identifier: MIT */
/* Inside the cookie jar. */
#ifndef ED_HTTP_COOKIE_JAR_H
#define ED_HTTP_COOKIE_JAR_H

#include "base/list.h"
#include "eddy/cookie.h"

#define ED_COOKIE_SESSION INT64_MAX          /* it has no time of its own */
#define ED_COOKIE_LAST INT64_C(253402300799) /* the end of the year 9999: later times are this */
#define ED_COOKIE_BUCKETS 256

/* A cookie in a jar, in one block with its texts. */
struct ed_cookie {
    struct eddy_link_ age;    /* in the jar's list, oldest first */
    struct eddy_link_ bucket; /* in that of its domain */
    const char *name, *value, *path;
    const char *domain;    /* in small letters; NULL: it goes to every host */
    const char *same_site; /* NULL: not said */
    size_t path_size;
    int64_t expires; /* seconds since 1970 */
    uint64_t number; /* larger than those of older ones */
    bool host_only, secure, http_only, partitioned;
};

struct eddy_cookie_jar {
    eddy_cookie_jar_options limits;
    char *secure_origin; /* NULL: none */
    struct eddy_list_ by_age;
    struct eddy_list_ buckets[ED_COOKIE_BUCKETS];
    size_t count;
    uint64_t next_number;
    int64_t (*now)(void); /* seconds since 1970 */
};

/* What is to be stored; texts are borrowed. */
struct ed_cookie_request {
    const char *name, *value;
    size_t name_size, value_size;
    const char *domain, *path; /* NULL: not said */
    size_t domain_size, path_size;
    const char *same_site; /* static; NULL: not said */
    int64_t expires;
    bool secure, http_only, partitioned;
};

/* Reads a Set-Cookie field's value (RFC 6265, 5.2), at a time. 0; -EINVAL with a text. */
int ed_cookie_read(const char *field, int64_t now, struct ed_cookie_request *out);
/* "Strict", "Lax", "None", by its name without regard to case; NULL: another. */
const char *ed_cookie_same_site(const char *name, size_t size);
/* Whether a name and a value can be a cookie's: not empty, no control, no ";", not too long. */
bool ed_cookie_is_valid(const char *name, size_t name_size, const char *value, size_t value_size);

/* Reads a date (RFC 6265, 5.1.1), whatever it has beside what it needs. 0, -EINVAL. */
int ed_cookie_parse_date(const char *text, size_t size, int64_t *out);

/* Whether a domain is a public suffix, such as "co.uk", or a name without a dot. */
bool ed_is_public_suffix(const char *domain);

/* Whether a host is an IP address. */
bool ed_cookie_is_address(const char *host);
/* Whether a host is `domain` or, when it is a name, under it. */
bool ed_cookie_domain_matches(const char *host, const char *domain);

/* Stores a cookie that a URL sets, or of every host with NULL (RFC 6265, 5.3). 0; -EPERM, with a
 * text, -ENOMEM. */
int ed_cookie_store(eddy_cookie_jar *jar, const struct ed_cookie_request *request,
                    const eddy_url *url);
/* Those that a request gets, up to `room` of them, in no order: how many there are. */
size_t ed_cookies_for(eddy_cookie_jar *jar, const eddy_url *url, const struct ed_cookie **out,
                      size_t room);
void ed_cookie_remove(eddy_cookie_jar *jar, struct ed_cookie *cookie);
/* Removes those whose time is over. */
void ed_cookies_expire(eddy_cookie_jar *jar);
/* Moves all cookies of one jar into another, whose own are gone. */
void ed_cookies_take(eddy_cookie_jar *to, eddy_cookie_jar *from);

#endif
