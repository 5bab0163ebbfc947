/* SPDX-License-Identifier: MIT */
/*
 * The cookies of a session (RFC 6265, 5.3 and 5.4).
 *
 * Each is in two lists: that of its age, by which the oldest go when there are too many, and that
 * of a bucket, by the last two labels of its domain. A domain that a host belongs to has the same
 * two, since one of a single label speaks for no other host; so a request looks into one bucket,
 * and into that of the cookies of every host, whose domain is NULL.
 *
 * One that is replaced hands its place to the new one, as if it had been there all the time. A
 * cookie that only https may see is not replaced by what came over http.
 */
#include "http/cookie_jar.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "eddy/stream_class.h"

#define JAR_COOKIES 3000
#define JAR_COOKIES_PER_HOST 180

static struct ed_cookie *cookie_of(struct eddy_link_ *bucket)
{
    return ed_container_of(bucket, struct ed_cookie, bucket);
}

/* Domains and paths. */

bool ed_cookie_is_address(const char *host)
{
    struct in_addr address;

    return strchr(host, ':') || inet_pton(AF_INET, host, &address) == 1;
}

bool ed_cookie_domain_matches(const char *host, const char *domain)
{
    size_t host_size = strlen(host), size = strlen(domain);

    if (host_size <= size)
        return strcmp(host, domain) == 0;
    return host[host_size - size - 1] == '.' && strcmp(host + host_size - size, domain) == 0 &&
           !ed_cookie_is_address(host);
}

static bool cookie_path_matches(const struct ed_cookie *cookie, const char *path, size_t size)
{
    if (size < cookie->path_size || memcmp(path, cookie->path, cookie->path_size) != 0)
        return false;
    return size == cookie->path_size || cookie->path[cookie->path_size - 1] == '/' ||
           path[cookie->path_size] == '/';
}

/* The folder of a URL's path (5.1.4): how many bytes of it. */
static size_t cookie_default_path(const eddy_url *url, const char **path)
{
    const char *slash = url && url->path[0] == '/' ? strrchr(url->path, '/') : NULL;

    *path = slash && slash > url->path ? url->path : "/";
    return slash && slash > url->path ? (size_t)(slash - url->path) : 1;
}

/* Whether cookies that only https may see go there: so too on a WebSocket, and to the origin that
 * is said to be as good. */
static bool cookie_is_secure(const eddy_cookie_jar *jar, const eddy_url *url)
{
    size_t size = jar->secure_origin ? strlen(jar->secure_origin) : 0;

    if (strcmp(url->scheme, "https") == 0 || strcmp(url->scheme, "wss") == 0)
        return true;
    return size > 0 && strncmp(url->text, jar->secure_origin, size) == 0 &&
           (url->text[size] == '/' || url->text[size] == '\0');
}

/* The bucket of a domain, or of NULL. */
static struct eddy_list_ *jar_bucket(eddy_cookie_jar *jar, const char *domain)
{
    const char *at = domain ? domain + strlen(domain) : NULL;
    uint32_t hash = 2166136261u;
    int dots = 0;

    for (; at && at > domain && dots < 2; at--) {
        dots += at[-1] == '.';
        if (dots < 2)
            hash = (hash ^ (unsigned char)at[-1]) * 16777619u;
    }
    return &jar->buckets[domain ? 1 + hash % (ED_COOKIE_BUCKETS - 1) : 0];
}

/* The jar. */

static int64_t jar_now(void)
{
    return time(NULL);
}

int eddy_cookie_jar_new(const eddy_cookie_jar_options *options, eddy_cookie_jar **out)
{
    eddy_cookie_jar *jar = eddy_alloc_(sizeof *jar);

    if (!jar)
        return -ENOMEM;
    if (options)
        jar->limits = *options;
    if (!jar->limits.cookies)
        jar->limits.cookies = JAR_COOKIES;
    if (!jar->limits.cookies_per_host)
        jar->limits.cookies_per_host = JAR_COOKIES_PER_HOST;
    jar->now = jar_now;
    if (jar->limits.secure_origin) {
        jar->secure_origin = eddy_strdup_(jar->limits.secure_origin);
        if (!jar->secure_origin) {
            eddy_free(jar);
            return -ENOMEM;
        }
    }
    *out = jar;
    return 0;
}

void eddy_cookie_jar_free(eddy_cookie_jar *jar)
{
    if (!jar)
        return;
    eddy_cookie_jar_clear(jar, NULL);
    eddy_free(jar->secure_origin);
    eddy_free(jar);
}

void eddy_cookie_jar_end_scope_(eddy_cookie_jar **jar)
{
    eddy_cookie_jar_free(*jar);
}

void ed_cookie_remove(eddy_cookie_jar *jar, struct ed_cookie *cookie)
{
    ed_list_remove(&jar->by_age, &cookie->age);
    ed_list_remove(jar_bucket(jar, cookie->domain), &cookie->bucket);
    jar->count--;
    eddy_free(cookie);
}

void ed_cookies_expire(eddy_cookie_jar *jar)
{
    int64_t now = jar->now();

    ED_LIST_FOR_EACH(link, &jar->by_age) {
        struct ed_cookie *cookie = ed_container_of(link, struct ed_cookie, age);

        if (cookie->expires <= now)
            ed_cookie_remove(jar, cookie);
    }
}

void ed_cookies_take(eddy_cookie_jar *to, eddy_cookie_jar *from)
{
    eddy_cookie_jar_clear(to, NULL);
    to->by_age = from->by_age;
    memcpy(to->buckets, from->buckets, sizeof to->buckets);
    to->count = from->count;
    to->next_number = from->next_number;
    from->by_age = (struct eddy_list_){0};
    memset(from->buckets, 0, sizeof from->buckets);
    from->count = 0;
}

size_t eddy_cookie_jar_clear(eddy_cookie_jar *jar, const char *domain)
{
    size_t before = jar->count;

    if (domain && *domain == '.')
        domain++;
    ED_LIST_FOR_EACH(link, &jar->by_age) {
        struct ed_cookie *cookie = ed_container_of(link, struct ed_cookie, age);
        size_t size = domain ? strlen(domain) : 0,
               own = cookie->domain ? strlen(cookie->domain) : 0;

        if (!domain || (own >= size && strcasecmp(cookie->domain + own - size, domain) == 0 &&
                        (own == size || cookie->domain[own - size - 1] == '.')))
            ed_cookie_remove(jar, cookie);
    }
    return before - jar->count;
}

/* Whether a cookie goes to a URL (5.4, 1). */
static bool
cookie_is_for(const eddy_cookie_jar *jar, const struct ed_cookie *cookie, const eddy_url *url)
{
    if (cookie->domain &&
        (cookie->host_only ? strcmp(url->host, cookie->domain) != 0
                           : !ed_cookie_domain_matches(url->host, cookie->domain)))
        return false;
    return cookie_path_matches(cookie, url->path, strlen(url->path)) &&
           (!cookie->secure || cookie_is_secure(jar, url));
}

size_t
ed_cookies_for(eddy_cookie_jar *jar, const eddy_url *url, const struct ed_cookie **out, size_t room)
{
    const char *const domains[] = {NULL, url->host};
    int64_t now = jar->now();
    size_t count = 0;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(domains); i++) {
        ED_LIST_FOR_EACH(link, jar_bucket(jar, domains[i])) {
            struct ed_cookie *cookie = cookie_of(link);

            if (cookie->expires <= now)
                ed_cookie_remove(jar, cookie);
            else if (cookie_is_for(jar, cookie, url) && count++ < room)
                out[count - 1] = cookie;
        }
    }
    return count;
}

/* Storing. */

/* A copy in one block, its domain in small letters; `domain` NULL: of every host. */
static struct ed_cookie *cookie_new(const struct ed_cookie_request *request, const char *domain,
                                    size_t domain_size, const char *path, size_t path_size)
{
    size_t size = request->name_size + request->value_size + domain_size + path_size + 4;
    struct ed_cookie *cookie = eddy_alloc_(sizeof *cookie + size);
    char *text = (char *)(cookie + 1);

    if (!cookie)
        return NULL;
    cookie->name = memcpy(text, request->name, request->name_size);
    text += request->name_size + 1;
    if (request->value_size > 0)
        memcpy(text, request->value, request->value_size);
    cookie->value = text;
    text += request->value_size + 1;
    cookie->path = memcpy(text, path, path_size);
    cookie->path_size = path_size;
    text += path_size + 1;
    for (size_t i = 0; i < domain_size; i++)
        text[i] = (char)(domain[i] >= 'A' && domain[i] <= 'Z' ? domain[i] + 32 : domain[i]);
    cookie->domain = domain ? text : NULL;
    cookie->same_site = request->same_site;
    cookie->expires = request->expires;
    cookie->secure = request->secure;
    cookie->http_only = request->http_only;
    cookie->partitioned = request->partitioned;
    return cookie;
}

static int
cookie_refuse(const struct ed_cookie_request *request, const eddy_url *url, const char *why)
{
    return eddy_raise(-EPERM, "%s may not set the cookie %.*s: %s", url ? url->host : "a program",
                      (int)request->name_size, request->name, why);
}

/* What a name that begins so promises (RFC 6265bis, 4.1.3). */
static bool cookie_keeps_promise(const eddy_cookie_jar *jar,
                                 const struct ed_cookie_request *request, const eddy_url *url)
{
    bool host = request->name_size >= 7 && strncasecmp(request->name, "__Host-", 7) == 0;
    bool secure = request->name_size >= 9 && strncasecmp(request->name, "__Secure-", 9) == 0;

    if ((host || secure) && (!request->secure || !url || !cookie_is_secure(jar, url)))
        return false;
    return !host || (!request->domain && request->path && request->path_size == 1);
}

/* Decides for whom a cookie is (5.3, 4 to 6), which has been made with the domain it asks for: 0,
 * or -EPERM. */
static int cookie_check_domain(const eddy_cookie_jar *jar, const struct ed_cookie_request *request,
                               const eddy_url *url, struct ed_cookie *cookie)
{
    bool address = ed_cookie_is_address(url->host);

    if (!*url->host)
        return cookie_refuse(request, url, "the URL has no host");
    if (address && !jar->limits.accept_addresses)
        return cookie_refuse(request, url, "an address has no cookies");
    if (!ed_cookie_domain_matches(url->host, cookie->domain))
        return cookie_refuse(request, url, "it is of another domain");
    cookie->host_only = !request->domain || address;
    if (cookie->host_only || !ed_is_public_suffix(cookie->domain))
        return 0;
    if (strcmp(url->host, cookie->domain) != 0)
        return cookie_refuse(request, url, "its domain is a public suffix");
    cookie->host_only = true;
    return 0;
}

static bool cookie_is_same(const struct ed_cookie *one, const struct ed_cookie *other)
{
    return strcmp(one->name, other->name) == 0 && strcmp(one->path, other->path) == 0 &&
           (one->domain && other->domain ? strcmp(one->domain, other->domain) == 0
                                         : one->domain == other->domain);
}

/* Looks for one that this replaces; *peers is how many its domain has, *oldest the first of them.
 * */
static struct ed_cookie *jar_find(eddy_cookie_jar *jar, const struct ed_cookie *cookie,
                                  size_t *peers, struct ed_cookie **oldest)
{
    struct ed_cookie *found = NULL;

    *peers = 0;
    *oldest = NULL;
    ED_LIST_FOR_EACH(link, jar_bucket(jar, cookie->domain)) {
        struct ed_cookie *other = cookie_of(link);

        if (cookie_is_same(other, cookie))
            found = other;
        if (!cookie->domain || strcmp(other->domain, cookie->domain) != 0)
            continue;
        ++*peers;
        if (!*oldest || other->number < (*oldest)->number)
            *oldest = other;
    }
    return found;
}

/* Puts a cookie where `old` was, or behind all others, and makes room for it. */
static void jar_put(eddy_cookie_jar *jar, struct ed_cookie *cookie, struct ed_cookie *old,
                    size_t peers, struct ed_cookie *oldest)
{
    if (old) {
        cookie->number = old->number;
        ed_list_insert_behind(&jar->by_age, &old->age, &cookie->age);
        ed_cookie_remove(jar, old);
    } else {
        cookie->number = jar->next_number++;
        if (peers >= jar->limits.cookies_per_host)
            ed_cookie_remove(jar, oldest);
        else if (jar->count >= jar->limits.cookies)
            ed_cookie_remove(jar, ed_container_of(jar->by_age.first, struct ed_cookie, age));
        ed_list_append(&jar->by_age, &cookie->age);
    }
    ed_list_append(jar_bucket(jar, cookie->domain), &cookie->bucket);
    jar->count++;
}

int ed_cookie_store(eddy_cookie_jar *jar, const struct ed_cookie_request *request,
                    const eddy_url *url)
{
    const char *domain = request->domain ? request->domain : url ? url->host : NULL, *path;
    size_t size = request->domain ? request->domain_size : domain ? strlen(domain) : 0;
    size_t path_size = request->path_size, peers;
    struct ed_cookie *cookie, *old, *oldest;
    int rc = 0;

    if (!cookie_keeps_promise(jar, request, url))
        return cookie_refuse(request, url, "its name promises more than it keeps");
    path = request->path;
    if (!path)
        path_size = cookie_default_path(url, &path);
    cookie = cookie_new(request, domain, size, path, path_size);
    if (!cookie)
        return -ENOMEM;
    if (url)
        rc = cookie_check_domain(jar, request, url, cookie);
    if (jar->count >= jar->limits.cookies)
        ed_cookies_expire(jar);
    old = jar_find(jar, cookie, &peers, &oldest);
    if (rc == 0 && url && old && old->secure && !cookie_is_secure(jar, url))
        rc = cookie_refuse(request, url, "it is one of https");
    if (rc == 0 && cookie->expires > jar->now()) {
        jar_put(jar, cookie, old, peers, oldest);
        return 0;
    }
    if (rc == 0 && old)
        ed_cookie_remove(jar, old);
    eddy_free(cookie);
    return rc;
}
