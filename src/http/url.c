/* SPDX-License-Identifier: MIT */
/*
 * URLs. What a URL's parts are is read from its normal text (url_normal.c); here they become one
 * block: the struct, and behind it its texts.
 */
#include "eddy/url.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "http/url_host.h"
#include "http/url_normal.h"

struct url_draft {
    struct ed_url_text scheme, path, query, fragment; /* normal */
    const char *user, *password;                      /* decoded, or NULL */
    char host[ED_URL_HOST];
    uint16_t port;
};

/* The texts of a URL, one behind the other, with the place of each. */
struct url_writer {
    struct eddy_buffer_ texts;
    int rc;
};

static size_t url_begin(const struct url_writer *writer)
{
    return ed_buffer_size(&writer->texts);
}

static void url_put(struct url_writer *writer, const char *text, size_t size)
{
    if (writer->rc == 0)
        writer->rc = ed_buffer_append(&writer->texts, text, size);
}

static void url_put_part(struct url_writer *writer, const char *mark, struct ed_url_text part)
{
    if (!part.text)
        return;
    url_put(writer, mark, strlen(mark));
    url_put(writer, part.text, part.size);
}

/* A text of its own: its place. */
static size_t url_put_text(struct url_writer *writer, const char *text)
{
    size_t place = url_begin(writer);

    if (text)
        url_put(writer, text, strlen(text) + 1);
    return place;
}

static size_t url_put_only(struct url_writer *writer, struct ed_url_text part)
{
    size_t place = url_begin(writer);

    url_put_part(writer, "", part);
    url_put(writer, "", 1);
    return place;
}

static uint16_t url_default_port(struct ed_url_text scheme)
{
    static const struct {
        const char *scheme;
        uint16_t port;
    } ports[] = {{"http", 80}, {"https", 443}, {"ws", 80}, {"wss", 443}};

    for (size_t i = 0; i < ED_ARRAY_LENGTH(ports); i++) {
        if (scheme.size == strlen(ports[i].scheme) &&
            memcmp(scheme.text, ports[i].scheme, scheme.size) == 0)
            return ports[i].port;
    }
    return 0;
}

/* Host and port as Host and the URL have them. */
static void url_put_authority(struct url_writer *writer, const struct url_draft *draft)
{
    bool brackets = strchr(draft->host, ':');
    char port[8] = "";

    if (draft->port != url_default_port(draft->scheme))
        snprintf(port, sizeof port, ":%u", draft->port);
    url_put(writer, "[", brackets);
    url_put(writer, draft->host, strlen(draft->host));
    url_put(writer, "]", brackets);
    url_put(writer, port, strlen(port));
}

static void url_put_all(struct url_writer *writer, const struct url_draft *draft)
{
    url_put_part(writer, "", draft->scheme);
    url_put(writer, ":", draft->scheme.text != NULL);
    if (*draft->host) {
        url_put(writer, "//", 2);
        url_put_authority(writer, draft);
    }
    url_put_part(writer, "", draft->path);
    url_put_part(writer, "?", draft->query);
    url_put_part(writer, "#", draft->fragment);
    url_put(writer, "", 1);
}

/* Makes the block of a URL from its draft. */
static int url_build(const struct url_draft *draft, eddy_url **out)
{
    struct url_writer writer = {.rc = 0};
    size_t text = url_begin(&writer), scheme, user, password, host, authority, path, query;
    size_t fragment, target;
    eddy_url *url = NULL;
    char *at;

    url_put_all(&writer, draft);
    scheme = url_put_only(&writer, draft->scheme);
    user = url_put_text(&writer, draft->user);
    password = url_put_text(&writer, draft->password);
    host = url_put_text(&writer, draft->host);
    authority = url_begin(&writer);
    url_put_authority(&writer, draft);
    url_put(&writer, "", 1);
    path = url_put_only(&writer, draft->path);
    query = url_put_only(&writer, draft->query);
    fragment = url_put_only(&writer, draft->fragment);
    target = url_begin(&writer);
    url_put_part(&writer, "", draft->path);
    url_put_part(&writer, "?", draft->query);
    url_put(&writer, "", 1);
    if (writer.rc == 0)
        url = eddy_alloc_(sizeof *url + ed_buffer_size(&writer.texts));
    if (url) {
        at = (char *)(url + 1);
        memcpy(at, ed_buffer_bytes(&writer.texts), ed_buffer_size(&writer.texts));
        *url = (eddy_url){
            .text = at + text,
            .scheme = at + scheme,
            .user = draft->user ? at + user : NULL,
            .password = draft->password ? at + password : NULL,
            .host = at + host,
            .authority = at + authority,
            .port = draft->port,
            .path = at + path,
            .query = draft->query.text ? at + query : NULL,
            .fragment = draft->fragment.text ? at + fragment : NULL,
            .target = at + target,
        };
        *out = url;
    }
    ed_buffer_release(&writer.texts);
    return url ? 0 : -ENOMEM;
}

static int url_read_port(const struct ed_url_parts *parts, uint16_t *out)
{
    struct ed_url_text text = parts->port;
    unsigned port = 0;

    *out = url_default_port(parts->scheme);
    if (text.size == 0)
        return 0;
    for (size_t i = 0; i < text.size && port <= UINT16_MAX; i++) {
        if (text.text[i] < '0' || text.text[i] > '9')
            return eddy_raise(EDDY_EURL, "the port is not a number");
        port = 10 * port + (unsigned)(text.text[i] - '0');
    }
    if (port == 0 || port > UINT16_MAX)
        return eddy_raise(EDDY_EURL, "the port is not from 1 to 65535");
    *out = (uint16_t)port;
    return 0;
}

/* Decodes a part into memory of its own. */
static int url_decode(struct ed_url_text part, char **out)
{
    char *copy = eddy_alloc_(part.size + 1);
    int rc;

    if (!copy)
        return -ENOMEM;
    memcpy(copy, part.text, part.size);
    rc = eddy_percent_decode(copy, false, out, NULL);
    eddy_free(copy);
    return rc;
}

static int url_read_user(struct ed_url_text all, char **user, char **password)
{
    const char *colon = all.text ? memchr(all.text, ':', all.size) : NULL;
    struct ed_url_text front = {all.text, colon ? (size_t)(colon - all.text) : all.size};
    int rc = 0;

    if (all.text)
        rc = url_decode(front, user);
    if (rc == 0 && colon)
        rc = url_decode((struct ed_url_text){colon + 1, all.size - front.size - 1}, password);
    return rc;
}

/* Makes a URL of a normal text. */
static int url_finish(const char *text, const eddy_url *user_from, eddy_url **out)
{
    static const struct ed_url_text root = {"/", 1};
    char *user = NULL, *password = NULL;
    struct url_draft draft;
    struct ed_url_parts parts;
    int rc;

    ed_url_split(text, &parts);
    draft = (struct url_draft){parts.scheme, parts.path, parts.query, parts.fragment,
                               NULL,         NULL,       "",          0};
    if (!parts.authority.text && url_default_port(parts.scheme))
        return eddy_raise(EDDY_EURL, "the URL has no host");
    rc = url_read_port(&parts, &draft.port);
    if (rc == 0 && parts.authority.text)
        rc = ed_url_host(parts.host.text, parts.host.size, draft.host);
    if (rc == 0)
        rc = url_read_user(parts.user, &user, &password);
    if (rc == 0) {
        draft.user = user_from ? user_from->user : user;
        draft.password = user_from ? user_from->password : password;
        if (parts.authority.text && parts.path.size == 0)
            draft.path = root;
        rc = url_build(&draft, out);
    }
    eddy_free(user);
    eddy_free(password);
    return rc;
}

static int url_parse(const eddy_url *base, const char *text, eddy_url **out)
{
    struct eddy_buffer_ normal = {.data = NULL};
    struct ed_url_parts parts;
    bool inherits;
    int rc;

    ed_url_split(text, &parts);
    inherits = base && !parts.scheme.text && !parts.authority.text;
    rc = ed_url_normal(base ? base->text : NULL, text, &parts, &normal);
    if (rc == 0)
        rc = url_finish(ed_buffer_bytes(&normal), inherits ? base : NULL, out);
    ed_buffer_release(&normal);
    return rc;
}

int eddy_url_parse(const char *text, eddy_url **out)
{
    return url_parse(NULL, text, out);
}

int eddy_url_join(const eddy_url *base, const char *reference, eddy_url **out)
{
    return url_parse(base, reference, out);
}

int eddy_url_with_query(const eddy_url *url, const eddy_pair *arguments, eddy_url **out)
{
    struct eddy_buffer_ query = {.data = NULL};
    struct url_draft draft = {.user = url->user, .password = url->password, .port = url->port};
    char *added = eddy_form_encode(arguments);
    struct ed_url_parts parts;
    int rc = added ? 0 : -ENOMEM;

    ed_url_split(url->text, &parts);
    draft.scheme = parts.scheme;
    draft.path = (struct ed_url_text){url->path, strlen(url->path)};
    draft.query = parts.query;
    draft.fragment = parts.fragment;
    snprintf(draft.host, sizeof draft.host, "%s", url->host);
    if (rc == 0 && *added) {
        rc = ed_buffer_append(&query, parts.query.text, parts.query.size);
        if (rc == 0 && parts.query.size > 0)
            rc = ed_buffer_append(&query, "&", 1);
        if (rc == 0)
            rc = ed_buffer_append(&query, added, strlen(added));
        draft.query = (struct ed_url_text){ed_buffer_bytes(&query), ed_buffer_size(&query)};
    }
    if (rc == 0)
        rc = url_build(&draft, out);
    ed_buffer_release(&query);
    eddy_free(added);
    return rc;
}

void eddy_url_free(eddy_url *url)
{
    eddy_free(url);
}

void eddy_url_end_scope_(eddy_url **url)
{
    eddy_url_free(*url);
}

bool eddy_url_same_origin(const eddy_url *one, const eddy_url *other)
{
    return strcmp(one->scheme, other->scheme) == 0 && strcmp(one->host, other->host) == 0 &&
           one->port == other->port;
}
