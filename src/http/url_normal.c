/* SPDX-License-Identifier: MIT */
/*
 * The normal form of URLs (RFC 3986). A text is taken apart at its delimiters, each part is written
 * anew with what needs it percent-encoded, and the host in its one spelling; what comes of that
 * uriparser parses, joins to a base, and normalises. It is the judge of the grammar; here are the
 * rules beyond it: no controls, one "@" at most, no backslash before the path, and no path without
 * a host that would be read as one.
 *
 *     text -> parts -> clean text -> uriparser -> normal text
 *
 * The only file that includes uriparser's header.
 */
#include "http/url_normal.h"

#include <errno.h>
#include <string.h>
#include <uriparser/Uri.h>

#include "http/arena.h"
#include "http/url_host.h"

#define URL_LIMIT ((size_t)64 << 10) /* bytes of a text */

/* Takes texts apart. */

static struct ed_url_text url_cut(const char **text, const char *delimiters)
{
    struct ed_url_text part = {*text, strcspn(*text, delimiters)};

    *text += part.size;
    return part;
}

static bool url_is_scheme(struct ed_url_text scheme)
{
    for (size_t i = 0; i < scheme.size; i++) {
        char c = scheme.text[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

        if (!letter && (i == 0 || !(c >= '0' && c <= '9')) && (i == 0 || !strchr("+-.", c)))
            return false;
    }
    return scheme.size > 0;
}

static void url_split_authority(struct ed_url_parts *parts)
{
    struct ed_url_text all = parts->authority;
    const char *at = memchr(all.text, '@', all.size), *colon;

    if (at) {
        parts->user = (struct ed_url_text){all.text, (size_t)(at - all.text)};
        all.size -= parts->user.size + 1;
        all.text = at + 1;
    }
    colon = all.size > 0 && *all.text == '[' ? memchr(all.text, ']', all.size) : all.text;
    colon = colon ? memchr(colon, ':', all.size - (size_t)(colon - all.text)) : NULL;
    parts->host = all;
    if (!colon)
        return;
    parts->host.size = (size_t)(colon - all.text);
    parts->port = (struct ed_url_text){colon + 1, all.size - parts->host.size - 1};
}

/* RFC 3986, appendix B. */
void ed_url_split(const char *text, struct ed_url_parts *parts)
{
    struct ed_url_text front = {text, strcspn(text, ":/?#")};

    *parts = (struct ed_url_parts){.scheme = {NULL, 0}};
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
        parts->fragment = (struct ed_url_text){text + 1, strlen(text + 1)};
}

/* Writes them anew. */

static bool url_is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Adds a part; what is not unreserved, a subdelimiter or in `also` is encoded, escapes stay. */
static int url_append(struct eddy_buffer_ *out, struct ed_url_text part, const char *also)
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
static int url_check(const char *text, const struct ed_url_parts *parts)
{
    const struct ed_url_text *authority = &parts->authority;

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
static int url_append_authority(struct eddy_buffer_ *out, const struct ed_url_parts *parts)
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
static int url_clean(struct eddy_buffer_ *out, const struct ed_url_parts *parts)
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

/* Whether the path of a URL without a host would be read as a scheme or a host, once its dot
 * segments are gone: "a/../b:c", "/.//h". */
static bool url_is_misread(const UriUriA *uri)
{
    const UriPathSegmentA *head = uri->pathHead;
    size_t size;

    if (uri->hostText.first || !head)
        return false;
    size = (size_t)(head->text.afterLast - head->text.first);
    if (size == 0)
        return head->next != NULL;
    return !uri->scheme.first && !uri->absolutePath && memchr(head->text.first, ':', size);
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
    if (url_is_misread(uri))
        return URI_ERROR_SYNTAX;
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

int ed_url_normal(const char *base, const char *text, const struct ed_url_parts *parts,
                  struct eddy_buffer_ *out)
{
    struct eddy_buffer_ clean = {.data = NULL};
    int rc = url_check(text, parts);

    if (rc == 0)
        rc = url_clean(&clean, parts);
    if (rc == 0)
        rc = url_resolve(base, ed_buffer_bytes(&clean), out);
    ed_buffer_release(&clean);
    return rc;
}
