/* SPDX-License-Identifier: MIT */
/*
 * The head of a request: its fields, and whose they may be.
 *
 * A field that the request names takes the place of those of the session and of those that are
 * sent by default; without a value there it is not sent at all. One that a middleware sets takes
 * the place of all of them. What frames the body is never the user's: Transfer-Encoding is refused,
 * and a Content-Length must be the one that is sent.
 * Credentials and cookies that are given with a request are meant for the origin of its URL: once
 * a redirect has led elsewhere, all fields of that kind are left out.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "eddy/version.h"
#include "http/client.h"

#define HEAD_LISTS 3 /* of fields: of middlewares, of the request, of the session */

struct head_maker {
    struct ed_request *request;
    const eddy_pair *lists[HEAD_LISTS]; /* the first that has a name counts */
    struct eddy_headers fields;
    bool foreign; /* no credentials */
    int rc;
};

/* Checks ------------------------------------------------------------------------------ */

static const char *pairs_find(const eddy_pair *pairs, const char *name, bool *found)
{
    *found = false;
    for (; pairs && pairs->name; pairs++) {
        if (strcasecmp(pairs->name, name) == 0) {
            *found = true;
            return pairs->value;
        }
    }
    return NULL;
}

int ed_request_check_headers(const eddy_pair *pairs)
{
    for (; pairs && pairs->name; pairs++) {
        if (!ed_is_token(pairs->name, strlen(pairs->name)))
            return eddy_raise(-EINVAL, "\"%.100s\" is no name of a field", pairs->name);
        if (pairs->value && !ed_is_field_value(pairs->value, strlen(pairs->value)))
            return eddy_raise(-EINVAL, "the value of %.100s has an end of line or another control",
                              pairs->name);
        if (strcasecmp(pairs->name, "Transfer-Encoding") == 0 && pairs->value)
            return eddy_raise(-EINVAL, "Transfer-Encoding is set by the option \"chunked\"");
    }
    return 0;
}

/* What can be in a Cookie field: no blanks, quotes stay as they are. */
static int check_cookies(const eddy_pair *pairs)
{
    for (; pairs && pairs->name; pairs++) {
        const char *value = pairs->value ? pairs->value : "";

        if (!ed_is_token(pairs->name, strlen(pairs->name)) ||
            !ed_is_field_value(value, strlen(value)) || strpbrk(value, ";,\t"))
            return eddy_raise(-EINVAL, "the cookie \"%.100s\" has what none may have", pairs->name);
    }
    return 0;
}

static int check_authorization(const struct ed_request *request)
{
    const eddy_http_options *options = &request->choice.options;
    const eddy_url *url = request->response->url;
    bool given, by_url = url->user || url->password;

    pairs_find(options->headers, "Authorization", &given);
    if (given + by_url + (options->bearer != NULL) + (options->user || options->password) > 1 &&
        (given || by_url || options->bearer))
        return eddy_raise(-EINVAL,
                          "it has more than one authorization: of the URL, a user, a bearer "
                          "or a field");
    if (!options->user != !options->password)
        return eddy_raise(-EINVAL, "a user without a password, or a password without a user");
    if (options->bearer && !ed_is_field_value(options->bearer, strlen(options->bearer)))
        return eddy_raise(-EINVAL, "the bearer's token has an end of line or another control");
    return 0;
}

static int check_fingerprint(const char *fingerprint)
{
    if (!fingerprint ||
        (strlen(fingerprint) == 64 && strspn(fingerprint, "0123456789abcdefABCDEF") == 64))
        return 0;
    return eddy_raise(-EINVAL, "a fingerprint is the 64 hexadecimal digits of SHA-256");
}

/* The Content-Length that the user gives: -1 for none. */
static int check_length(const struct ed_request *request, int64_t *out)
{
    const eddy_http_options *options = &request->choice.options;
    bool found;
    const char *value = pairs_find(options->headers, "Content-Length", &found);
    int64_t length = 0;

    *out = -1;
    if (!value)
        return 0;
    if (options->chunked || options->compress)
        return eddy_raise(-EINVAL, "a Content-Length with a body that is chunked or compressed");
    if (!*value || strlen(value) > 18 || strspn(value, "0123456789") != strlen(value))
        return eddy_raise(-EINVAL, "\"%.100s\" is no Content-Length", value);
    while (*value)
        length = 10 * length + (*value++ - '0');
    *out = length;
    return 0;
}

int ed_request_check(struct ed_request *request)
{
    const eddy_http_options *options = &request->choice.options;
    const char *compress = options->compress;
    bool found;

    EDDY_TRY(ed_request_check_headers(options->headers));
    EDDY_TRY(check_cookies(options->cookies));
    EDDY_TRY(check_authorization(request));
    EDDY_TRY(check_fingerprint(options->fingerprint));
    EDDY_TRY(check_length(request, &request->length));
    if (compress && options->body.kind != EDDY_BODY_KIND_NONE) {
        pairs_find(options->headers, "Content-Encoding", &found);
        request->coding = ed_coding_by_name(compress, strlen(compress));
        if (found || request->coding == ED_CODING_UNKNOWN)
            return eddy_raise(-EINVAL, found ? "Content-Encoding with the option \"compress\""
                                             : "compress: there is no such coding");
    }
    return 0;
}

int ed_request_authorize(struct ed_request *request)
{
    const eddy_http_options *options = &request->choice.options;
    const eddy_url *url = request->response->url;
    struct ed_arena *arena = &request->response->arena;
    const char *user = url->user ? url->user : request->foreign ? NULL : options->user;
    const char *password = url->user ? url->password : options->password;

    if (!user && url->password)
        user = "", password = url->password;
    if (user && strchr(user, ':'))
        return eddy_raise(-EINVAL, "a user's name cannot have a colon");
    request->authorization = NULL;
    if (user)
        request->authorization = ed_basic_credentials(arena, user, password);
    else if (options->bearer && !request->foreign)
        request->authorization = ed_arena_printf(arena, "Bearer %s", options->bearer);
    else
        return 0;
    return request->authorization ? 0 : -ENOMEM;
}

/* Making it ----------------------------------------------------------------------------- */

static void head_put(struct head_maker *maker, const char *name, const char *value)
{
    if (maker->rc == 0)
        maker->rc = value ? ed_headers_put(&maker->fields, name, strlen(name), value, strlen(value))
                          : -ENOMEM;
}

/* The field that counts, of the first `count` lists. */
static const char *
head_find(const struct head_maker *maker, const char *name, size_t count, bool *found)
{
    const char *value = NULL;

    *found = false;
    for (size_t i = 0; i < count && !*found; i++)
        value = pairs_find(maker->lists[i], name, found);
    return value;
}

/* Whether the user has a field of that name, with a value or not. */
static bool head_is_named(const struct head_maker *maker, const char *name)
{
    bool found;

    head_find(maker, name, HEAD_LISTS, &found);
    return found;
}

/* The same of what is meant for one origin: behind a redirect to another only a middleware's. */
static const char *head_find_secret(const struct head_maker *maker, const char *name, bool *found)
{
    return head_find(maker, name, maker->foreign ? 1 : HEAD_LISTS, found);
}

static void head_put_default(struct head_maker *maker, const char *name, const char *value)
{
    if (!head_is_named(maker, name))
        head_put(maker, name, value);
}

static bool is_one_of(const char *name, const char *const names[])
{
    for (size_t i = 0; names[i]; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

/* Whether a field of list number `list` is sent as it is, here. */
static bool head_takes(const struct head_maker *maker, size_t list, const eddy_pair *field)
{
    static const char *const own[] = {"Host", "Cookie", "Content-Length", NULL};
    static const char *const secret[] = {"Authorization", "Proxy-Authorization", NULL};
    bool found;

    head_find(maker, field->name, list, &found);
    if (found || !field->value || is_one_of(field->name, own))
        return false;
    if (maker->foreign && list > 0 && is_one_of(field->name, secret))
        return false;
    return !maker->request->bodiless || strncasecmp(field->name, "Content-", 8) != 0;
}

static void head_put_users(struct head_maker *maker)
{
    for (size_t list = HEAD_LISTS; list-- > 0;)
        for (const eddy_pair *field = maker->lists[list]; field && field->name; field++)
            if (head_takes(maker, list, field))
                head_put(maker, field->name, field->value);
}

static void head_put_host(struct head_maker *maker)
{
    bool found;
    const char *value = head_find_secret(maker, "Host", &found);

    head_put(maker, "Host", value ? value : maker->request->response->url->authority);
}

/* Adds a part to a Cookie field. */
static char *cookie_join(struct head_maker *maker, char *field, const char *part)
{
    struct ed_arena *arena = &maker->request->response->arena;
    char *joined = field ? ed_arena_printf(arena, "%s; %s", field, part)
                         : ed_arena_copy(arena, part, strlen(part));

    if (!joined)
        maker->rc = -ENOMEM;
    return joined;
}

/* The user's field, the jar's cookies, and those of the request, as one field (RFC 6265, 5.4). */
static void head_put_cookies(struct head_maker *maker)
{
    const struct ed_request *request = maker->request;
    const eddy_pair *cookie = maker->foreign ? NULL : request->choice.options.cookies;
    bool found;
    const char *given = head_find_secret(maker, "Cookie", &found);
    char *field = NULL, *jar = NULL;

    if (given)
        field = cookie_join(maker, field, given);
    if (request->session->jar && maker->rc == 0)
        maker->rc = eddy_cookie_jar_field(request->session->jar, request->response->url, &jar);
    if (jar)
        field = cookie_join(maker, field, jar);
    eddy_free(jar);
    for (; cookie && cookie->name && maker->rc == 0; cookie++) {
        char *pair = ed_arena_printf(&request->response->arena, "%s=%s", cookie->name,
                                     cookie->value ? cookie->value : "");

        field = cookie_join(maker, field, pair ? pair : "");
    }
    if (field)
        head_put(maker, "Cookie", field);
}

/* What says how the body comes: `size` bytes, -1: chunked, -2: there is none. */
static void head_put_body(struct head_maker *maker, int64_t size, const char *type)
{
    static const char *const without[] = {"GET", "HEAD", "OPTIONS", "TRACE", "CONNECT", NULL};
    const struct ed_request *request = maker->request;
    struct ed_arena *arena = &request->response->arena;

    if (size == ED_NO_BODY) {
        if (!is_one_of(request->method, without))
            head_put(maker, "Content-Length", "0");
        return;
    }
    if (type)
        head_put_default(maker, "Content-Type", type);
    if (request->coding != ED_CODING_IDENTITY)
        head_put(maker, "Content-Encoding", ed_coding_name(request->coding));
    if (size >= 0)
        head_put(maker, "Content-Length", ed_arena_printf(arena, "%lld", (long long)size));
    else
        head_put(maker, "Transfer-Encoding", "chunked");
    if (request->response->upload.waits)
        head_put(maker, "Expect", "100-continue");
}

static void head_put_connection(struct head_maker *maker)
{
    const struct ed_request *request = maker->request;
    const struct ed_proxy *proxy = &request->proxy;

    if (proxy->user && strcmp(request->response->url->scheme, "http") == 0)
        head_put_default(
            maker, "Proxy-Authorization",
            ed_basic_credentials(&request->response->arena, proxy->user, proxy->password));
    if (request->session->options.close_connections && !request->upgrade)
        head_put_default(maker, "Connection", "close");
}

/* Writes what was gathered. */
static int head_write(const struct head_maker *maker, struct iovec *out)
{
    const struct ed_request *request = maker->request;
    const eddy_url *url = request->response->url;
    bool absolute = request->proxy.host && strcmp(url->scheme, "http") == 0;
    const char *parts[] = {request->method,
                           " ",
                           absolute ? "http://" : "",
                           absolute ? url->authority : "",
                           url->target,
                           " HTTP/1.1\r\n"};
    size_t size = 2, at = 0;
    char *text;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(parts); i++)
        size += strlen(parts[i]);
    for (uint32_t i = 0; i < maker->fields.count; i++)
        size += maker->fields.fields[i].name_size + maker->fields.fields[i].value_size + 4;
    text = ed_arena_alloc(&request->response->arena, size);
    if (!text)
        return -ENOMEM;
    for (size_t i = 0; i < ED_ARRAY_LENGTH(parts); at += strlen(parts[i]), i++)
        memcpy(text + at, parts[i], strlen(parts[i]));
    for (uint32_t i = 0; i < maker->fields.count; i++) {
        const struct ed_field *field = &maker->fields.fields[i];

        memcpy(text + at, field->name, field->name_size);
        at += field->name_size;
        memcpy(text + at, ": ", 2);
        memcpy(text + at + 2, field->value, field->value_size);
        at += field->value_size + 2;
        memcpy(text + at, "\r\n", 2);
        at += 2;
    }
    memcpy(text + at, "\r\n", 2);
    *out = (struct iovec){text, size};
    return 0;
}

int ed_request_head(struct ed_request *request, int64_t size, const char *content_type,
                    struct iovec *out)
{
    struct head_maker maker = {
        .request = request,
        .lists = {request->hop ? request->hop->headers : NULL, request->choice.options.headers,
                  request->session->options.headers},
        .foreign = request->foreign,
    };
    bool found;

    ed_headers_init(&maker.fields, &request->response->arena);
    head_put_host(&maker);
    head_put_default(&maker, "Accept", "*/*");
    head_put_default(&maker, "Accept-Encoding", ed_codings);
    head_put_default(&maker, "User-Agent", "eddy/" EDDY_VERSION_STRING);
    head_put_users(&maker);
    head_find_secret(&maker, "Authorization", &found);
    if (request->authorization && !found)
        head_put(&maker, "Authorization", request->authorization);
    head_put_cookies(&maker);
    head_put_body(&maker, size, content_type);
    head_put_connection(&maker);
    return maker.rc < 0 ? maker.rc : head_write(&maker, out);
}
