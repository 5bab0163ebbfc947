/* SPDX-License-Identifier: MIT */
/*
 * URLs (RFC 3986). A text is taken apart at its five delimiters, each part is written anew with
 * what needs it percent-encoded, and the host in its one spelling; what comes of that uriparser
 * parses, joins to a base, and normalises. It is the judge of the grammar; here are the rules
 * beyond it: no controls, one "@" at most, no backslash before the path, and a host for the schemes
 * that have one.
 *
 *     text -> parts -> clean text -> uriparser -> normal text -> parts -> url
 *
 * A URL is one block: the struct, and behind it its texts.
 */
#include "eddy/url.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <uriparser/Uri.h>

#include "base/buffer.h"
#include "http/arena.h"
#include "http/url_host.h"

#define URL_LIMIT ((size_t)64 << 10) /* bytes of a text */

struct url_text {
    const char *text; /* NULL: the part is missing */
    size_t size;
};

/* The parts of a text between its delimiters. */
struct url_parts {
    struct url_text scheme, authority, path, query, fragment;
    struct url_text user, host, port; /* of the authority */
};

/* Takes texts apart. */

static struct url_text url_cut(const char **text, const char *delimiters)
{
    struct url_text part = {*text, strcspn(*text, delimiters)};

    *text += part.size;
    return part;
}

static bool url_is_scheme(struct url_text scheme)
{
    for (size_t i = 0; i < scheme.size; i++) {
        char c = scheme.text[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

        if (!letter && (i == 0 || !(c >= '0' && c <= '9')) && (i == 0 || !strchr("+-.", c)))
            return false;
    }
    return scheme.size > 0;
}

static void url_split_authority(struct url_parts *parts)
{
    struct url_text all = parts->authority;
    const char *at = memchr(all.text, '@', all.size), *colon;

    if (at) {
        parts->user = (struct url_text){all.text, (size_t)(at - all.text)};
        all.size -= parts->user.size + 1;
        all.text = at + 1;
    }
    colon = all.size > 0 && *all.text == '[' ? memchr(all.text, ']', all.size) : all.text;
    colon = colon ? memchr(colon, ':', all.size - (size_t)(colon - all.text)) : NULL;
    parts->host = all;
    if (!colon)
        return;
    parts->host.size = (size_t)(colon - all.text);
    parts->port = (struct url_text){colon + 1, all.size - parts->host.size - 1};
}

/* RFC 3986, appendix B. */
static void url_split(const char *text, struct url_parts *parts)
{
    struct url_text front = {text, strcspn(text, ":/?#")};

    *parts = (struct url_parts){.scheme = {NULL, 0}};
    if (text[front.size] == ':' && url_is_scheme(front)) {
        parts->scheme = front;
        text += front.size + 1;
    }
    if (text[0] == '/' && text[1] == '/') {
        text += 2;
        parts->authority = url_cut(&text, "/?#");
        url_split_authority(parts);
    }
    parts->path = url_cut(&text, "?#");
    if (*text == '?') {
        text++;
        parts->query = url_cut(&text, "#");
    }
    if (*text == '#')
        parts->fragment = (struct url_text){text + 1, strlen(text + 1)};
}

/* Writes them anew. */

static bool url_is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Adds a part; what is not unreserved, a subdelimiter or in `also` is encoded, escapes stay. */
static int url_append(struct eddy_buffer_ *out, struct url_text part, const char *also)
{
    static const char stay[] = "-._~!$&'()*+,;=", digits[] = "0123456789ABCDEF";
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < part.size; i++) {
        char c = part.text[i];
        char encoded[3] = {'%', digits[(unsigned char)c >> 4], digits[c & 15]};
        bool letter = ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9');
        bool escape = c == '%' && part.size - i > 2 && url_is_hex(part.text[i + 1]) &&
                      url_is_hex(part.text[i + 2]);

        if (letter || escape || (c && (strchr(stay, c) || strchr(also, c))))
            rc = ed_buffer_append(out, &c, 1);
        else
            rc = ed_buffer_append(out, encoded, 3);
    }
    return rc;
}

static int url_append_text(struct eddy_buffer_ *out, const char *text)
{
    return ed_buffer_append(out, text, strlen(text));
}

/* What uriparser would let pass, or read in another way than others do. */
static int url_check(const char *text, const struct url_parts *parts)
{
    const struct url_text *authority = &parts->authority;

    if (strlen(text) > URL_LIMIT)
        return eddy_raise(EDDY_EURL, "a URL is longer than %zu bytes", URL_LIMIT);
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return eddy_raise(EDDY_EURL, "a URL has a control character");
    }
    if (!authority->text)
        return 0;
    if (parts->user.text && memchr(parts->host.text, '@', authority->size - parts->user.size - 1))
        return eddy_raise(EDDY_EURL, "the URL has more than one \"@\" before its host");
    if (memchr(authority->text, '\\', authority->size))
        return eddy_raise(EDDY_EURL, "the URL has a backslash before its path");
    return 0;
}

/* Adds user, host and port. */
static int url_append_authority(struct eddy_buffer_ *out, const struct url_parts *parts)
{
    char host[ED_URL_HOST];
    int rc = ed_url_host(parts->host.text, parts->host.size, host);

    if (rc == 0)
        rc = url_append_text(out, "//");
    if (rc == 0 && parts->user.text)
        rc = url_append(out, parts->user, ":");
    if (rc == 0 && parts->user.text)
        rc = url_append_text(out, "@");
    if (rc == 0)
        rc = url_append_text(out, strchr(host, ':') ? "[" : "");
    if (rc == 0)
        rc = url_append_text(out, host);
    if (rc == 0)
        rc = url_append_text(out, strchr(host, ':') ? "]" : "");
    if (rc == 0 && parts->port.text)
        rc = url_append_text(out, ":");
    if (rc == 0 && parts->port.text)
        rc = url_append(out, parts->port, "");
    return rc;
}

/* Makes a text that has only what may stand in a URL. */
static int url_clean(struct eddy_buffer_ *out, const struct url_parts *parts)
{
    int rc = url_append(out, parts->scheme, "");

    if (rc == 0 && parts->scheme.text)
        rc = url_append_text(out, ":");
    if (rc == 0 && parts->authority.text)
        rc = url_append_authority(out, parts);
    if (rc == 0)
        rc = url_append(out, parts->path, ":@/");
    if (rc == 0 && parts->query.text)
        rc = url_append_text(out, "?");
    if (rc == 0)
        rc = url_append(out, parts->query, ":@/?");
    if (rc == 0 && parts->fragment.text)
        rc = url_append_text(out, "#");
    if (rc == 0)
        rc = url_append(out, parts->fragment, ":@/?");
    return rc < 0 ? rc : ed_buffer_append(out, "", 1);
}

/*
 * uriparser gets its memory from an arena: it is short of it in all at once, and what uriparser
 * 0.9 loses when it runs short goes with the rest.
 */

struct url_block {
    _Alignas(max_align_t) size_t size;
};

static void *url_alloc(UriMemoryManager *memory, size_t size)
{
    struct url_block *block = NULL;

    if (size < SIZE_MAX - sizeof *block)
        block = ed_arena_alloc(memory->userData, sizeof *block + size);
    if (!block)
        return NULL;
    block->size = size;
    return block + 1;
}

static void *url_realloc(UriMemoryManager *memory, void *old, size_t size)
{
    void *block = url_alloc(memory, size);
    size_t kept = old ? ((struct url_block *)old - 1)->size : 0;

    if (block && old)
        memcpy(block, old, kept < size ? kept : size);
    return block;
}

static void url_release(UriMemoryManager *memory, void *block)
{
    (void)memory, (void)block;
}

static UriMemoryManager url_memory(struct ed_arena *arena)
{
    return (UriMemoryManager){
        .malloc = url_alloc,
        .calloc = uriEmulateCalloc,
        .realloc = url_realloc,
        .reallocarray = uriEmulateReallocarray,
        .free = url_release,
        .userData = arena,
    };
}

static int url_fail(int rc)
{
    if (rc == URI_ERROR_MALLOC)
        return -ENOMEM;
    if (rc == URI_ERROR_ADDBASE_REL_BASE)
        return eddy_raise(EDDY_EURL, "the base of a reference has no scheme");
    return eddy_raise(EDDY_EURL, "not a URL");
}

/* Normalises a URL and writes it out: 0, or uriparser's error. */
static int url_write(UriUriA *uri, UriMemoryManager *memory, struct eddy_buffer_ *out)
{
    int size, rc;

    rc = uriNormalizeSyntaxExMmA(uri,
                                 URI_NORMALIZE_SCHEME | URI_NORMALIZE_PATH | URI_NORMALIZE_QUERY |
                                     URI_NORMALIZE_FRAGMENT,
                                 memory);
    if (rc == URI_SUCCESS)
        rc = uriToStringCharsRequiredA(uri, &size);
    if (rc != URI_SUCCESS)
        return rc;
    if (!uri->hostText.first && uri->absolutePath && uri->pathHead && uri->pathHead->next &&
        uri->pathHead->text.first == uri->pathHead->text.afterLast)
        return URI_ERROR_SYNTAX; /* what would be read as a host when it is written out */
    if (ed_buffer_reserve(out, (size_t)size + 1) < 0)
        return URI_ERROR_MALLOC;
    rc = uriToStringA(ed_buffer_free_space(out), uri, size + 1, NULL);
    if (rc == URI_SUCCESS)
        ed_buffer_commit(out, strlen(ed_buffer_free_space(out)) + 1);
    return rc;
}

/* Parses a clean text, joins it to a base unless that is NULL, and writes it out normalised: 0, or
 * uriparser's error. */
static int url_join(const char *base_text, const char *text, UriMemoryManager *memory,
                    struct eddy_buffer_ *out)
{
    UriUriA uri, base, joined;
    int rc = uriParseSingleUriExMmA(&uri, text, text + strlen(text), NULL, memory);

    if (rc != URI_SUCCESS)
        return rc;
    if (!base_text)
        return url_write(&uri, memory, out);
    rc = uriParseSingleUriExMmA(&base, base_text, base_text + strlen(base_text), NULL, memory);
    if (rc == URI_SUCCESS)
        rc = uriAddBaseUriExMmA(&joined, &uri, &base, URI_RESOLVE_STRICTLY, memory);
    return rc == URI_SUCCESS ? url_write(&joined, memory, out) : rc;
}

static int url_resolve(const char *base, const char *text, struct eddy_buffer_ *out)
{
    struct ed_arena arena = {0};
    UriMemoryManager memory = url_memory(&arena);
    int rc = url_join(base, text, &memory, out);

    ed_arena_free(&arena);
    return rc == URI_SUCCESS ? 0 : url_fail(rc);
}

/* Puts URLs together. */

struct url_draft {
    struct url_text scheme, path, query, fragment; /* normal */
    const char *user, *password;                   /* decoded, or NULL */
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

static void url_put_part(struct url_writer *writer, const char *mark, struct url_text part)
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

static size_t url_put_only(struct url_writer *writer, struct url_text part)
{
    size_t place = url_begin(writer);

    url_put_part(writer, "", part);
    url_put(writer, "", 1);
    return place;
}

static uint16_t url_default_port(struct url_text scheme)
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

static int url_read_port(const struct url_parts *parts, uint16_t *out)
{
    struct url_text text = parts->port;
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
static int url_decode(struct url_text part, char **out)
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

static int url_read_user(struct url_text all, char **user, char **password)
{
    const char *colon = all.text ? memchr(all.text, ':', all.size) : NULL;
    struct url_text front = {all.text, colon ? (size_t)(colon - all.text) : all.size};
    int rc = 0;

    if (all.text)
        rc = url_decode(front, user);
    if (rc == 0 && colon)
        rc = url_decode((struct url_text){colon + 1, all.size - front.size - 1}, password);
    return rc;
}

/* Makes a URL of a normal text. */
static int url_finish(const char *text, const eddy_url *user_from, eddy_url **out)
{
    static const struct url_text root = {"/", 1};
    char *user = NULL, *password = NULL;
    struct url_draft draft;
    struct url_parts parts;
    int rc;

    url_split(text, &parts);
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
    struct eddy_buffer_ clean = {.data = NULL}, normal = {.data = NULL};
    struct url_parts parts;
    bool inherits;
    int rc;

    url_split(text, &parts);
    inherits = base && !parts.scheme.text && !parts.authority.text;
    rc = url_check(text, &parts);
    if (rc == 0)
        rc = url_clean(&clean, &parts);
    if (rc == 0)
        rc = url_resolve(base ? base->text : NULL, ed_buffer_bytes(&clean), &normal);
    if (rc == 0)
        rc = url_finish(ed_buffer_bytes(&normal), inherits ? base : NULL, out);
    ed_buffer_release(&clean);
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
    struct url_parts parts;
    int rc = added ? 0 : -ENOMEM;

    url_split(url->text, &parts);
    draft.scheme = parts.scheme;
    draft.path = (struct url_text){url->path, strlen(url->path)};
    draft.query = parts.query;
    draft.fragment = parts.fragment;
    snprintf(draft.host, sizeof draft.host, "%s", url->host);
    if (rc == 0 && *added) {
        rc = ed_buffer_append(&query, parts.query.text, parts.query.size);
        if (rc == 0 && parts.query.size > 0)
            rc = url_append_text(&query, "&");
        if (rc == 0)
            rc = url_append_text(&query, added);
        draft.query = (struct url_text){ed_buffer_bytes(&query), ed_buffer_size(&query)};
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
