/* SPDX-License-Identifier: MIT */
/*
 * Patterns of routes.
 *
 * A pattern is a list of tokens: slashes, texts between them, and names. Without a regular
 * expression in it, it is matched segment by segment, and each segment from its end to its
 * beginning: the last text has to stand at the end, any other at the last place that leaves a
 * byte for the name behind it. So the names to the left get as much as they can, which is what a
 * regular expression would give them, in one pass and without going back: a text at a place
 * further to the left never helps what is still to be matched.
 *
 * With a regular expression, the whole pattern becomes one: texts escaped, "[^/]+" for a name.
 */
#include "http/web_pattern.h"

#include <ctype.h>
#include <string.h>

#define PATTERN_SIZE 4096 /* bytes of one */
#define PATTERN_GROUPS 64 /* of a regular expression */

static int pattern_wrong(const char *text, const char *why)
{
    return eddy_raise(-EINVAL, "route '%s': %s", text, why);
}

/* The end of what begins with a brace: its closing one, or NULL. Inside there may be pairs. */
static const char *pattern_brace_end(const char *at)
{
    unsigned depth = 0;

    for (; *at; at++) {
        if (*at == '\\' && depth > 0 && at[1])
            at++;
        else if (*at == '{')
            depth++;
        else if (*at == '}' && --depth == 0)
            return at;
    }
    return NULL;
}

static size_t pattern_name_size(const char *at)
{
    size_t size = 0;

    while (isalnum((unsigned char)at[size]) || at[size] == '_')
        size++;
    return isdigit((unsigned char)*at) ? 0 : size;
}

/* A name, from its brace to the closing one at `end`. */
static int pattern_add_name(struct ed_arena *arena, struct ed_route_pattern *p, const char *at,
                            const char *end)
{
    struct ed_route_token *token = &p->tokens[p->count++];
    size_t size = pattern_name_size(at + 1);
    const char *behind = at + 1 + size;

    if (size == 0)
        return pattern_wrong(p->text, "a name consists of letters, digits and '_'");
    if (p->name_count == ED_ROUTE_NAMES)
        return pattern_wrong(p->text, "too many names");
    for (unsigned i = 0; i < p->name_count; i++)
        if (strlen(p->names[i]) == size && memcmp(p->names[i], at + 1, size) == 0)
            return pattern_wrong(p->text, "a name occurs twice");
    token->name = p->name_count;
    if (!(p->names[p->name_count++] = ed_arena_copy(arena, at + 1, size)))
        return -ENOMEM;
    token->text = behind + 1;
    token->size = *behind == ':' ? (size_t)(end - behind - 1) : 0;
    token->kind = behind == end ? ED_TOKEN_NAME : *behind == ':' ? ED_TOKEN_REGEX : ED_TOKEN_TAIL;
    p->has_regex = p->has_regex || token->kind == ED_TOKEN_REGEX;
    if (token->kind == ED_TOKEN_REGEX && token->size == 0)
        return pattern_wrong(p->text, "an empty regular expression");
    if (token->kind != ED_TOKEN_TAIL)
        return 0;
    if (end - behind != 3 || memcmp(behind, "...", 3) != 0)
        return pattern_wrong(p->text, "behind a name come '}', ':' or '...}'");
    if (end[1] || at[-1] != '/')
        return pattern_wrong(p->text, "'{name...}' is the last segment");
    return 0;
}

static void pattern_add_text(struct ed_route_pattern *p, const char *at, size_t size)
{
    struct ed_route_token *token = &p->tokens[p->count++];

    token->kind = *at == '/' ? ED_TOKEN_SLASH : ED_TOKEN_TEXT;
    token->text = at;
    token->size = size;
}

static int pattern_tokenize(struct ed_arena *arena, struct ed_route_pattern *p)
{
    const char *at = p->text;

    while (*at) {
        const char *end = at + 1;
        int rc = 0;

        if (*at == '{') {
            end = pattern_brace_end(at);
            rc = end ? pattern_add_name(arena, p, at, end) : pattern_wrong(p->text, "'{' is open");
            end += rc == 0;
        } else if (*at == '}') {
            rc = pattern_wrong(p->text, "'}' without '{'");
        } else {
            end = *at == '/' ? at + 1 : at + strcspn(at, "/{}");
            pattern_add_text(p, at, (size_t)(end - at));
        }
        if (rc < 0)
            return rc;
        at = end;
    }
    return 0;
}

/* The whole as one regular expression. */

struct pattern_writer {
    char text[2 * PATTERN_SIZE + 16 * ED_ROUTE_NAMES];
    size_t size;
};

static void pattern_put(struct pattern_writer *w, const char *text, size_t size)
{
    if (size <= sizeof w->text - w->size) /* which it is: a byte becomes two at most */
        memcpy(w->text + w->size, text, size);
    w->size += size;
}

static void pattern_put_escaped(struct pattern_writer *w, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (strchr(".[]{}()\\*+?|^$", text[i]))
            pattern_put(w, "\\", 1);
        pattern_put(w, text + i, 1);
    }
}

/* Checks one that the user gave, and counts its groups. */
static int pattern_check_regex(struct ed_arena *arena, const struct ed_route_pattern *p,
                               const struct ed_route_token *token, size_t *groups)
{
    char *text = ed_arena_copy(arena, token->text, token->size);
    char why[80];
    regex_t regex;
    int rc = text ? regcomp(&regex, text, REG_EXTENDED) : REG_ESPACE;

    if (rc == REG_ESPACE)
        return -ENOMEM;
    if (rc != 0) {
        regerror(rc, NULL, why, sizeof why);
        return eddy_raise(-EINVAL, "route '%s': regular expression '%s': %s", p->text, text, why);
    }
    *groups = regex.re_nsub;
    regfree(&regex);
    return 0;
}

static int pattern_write_token(struct ed_arena *arena, struct ed_route_pattern *p,
                               const struct ed_route_token *token, struct pattern_writer *w,
                               size_t *groups)
{
    size_t inner = 0;
    int rc = 0;

    if (token->kind == ED_TOKEN_TEXT || token->kind == ED_TOKEN_SLASH) {
        pattern_put_escaped(w, token->text, token->size);
        return 0;
    }
    p->groups[token->name] = (unsigned)*groups;
    if (token->kind == ED_TOKEN_REGEX) {
        rc = pattern_check_regex(arena, p, token, &inner);
        pattern_put(w, "(", 1);
        pattern_put(w, token->text, token->size);
        pattern_put(w, ")", 1);
    } else if (token->kind == ED_TOKEN_NAME) {
        pattern_put(w, "([^/]+)", 7);
    } else {
        pattern_put(w, "(.*)", 4);
    }
    *groups += 1 + inner;
    return rc < 0 ? rc : *groups > PATTERN_GROUPS ? pattern_wrong(p->text, "too many groups") : 0;
}

static int pattern_compile(struct ed_arena *arena, struct ed_route_pattern *p)
{
    struct pattern_writer *w = ed_arena_alloc(arena, sizeof *w);
    size_t groups = 1;
    int rc = 0;

    if (!w)
        return -ENOMEM;
    w->size = 0;
    pattern_put(w, "^", 1);
    for (size_t i = 0; i < p->count && rc == 0; i++)
        rc = pattern_write_token(arena, p, &p->tokens[i], w, &groups);
    if (rc < 0)
        return rc;
    pattern_put(w, "$", 2);
    rc = regcomp(&p->regex, w->text, REG_EXTENDED);
    return rc == 0 ? 0 : rc == REG_ESPACE ? -ENOMEM : pattern_wrong(p->text, "not usable");
}

int ed_pattern_parse(struct ed_arena *arena, const char *text, struct ed_route_pattern *out)
{
    size_t size = strlen(text);
    int rc;

    memset(out, 0, sizeof *out);
    if (*text != '/' || size > PATTERN_SIZE)
        return pattern_wrong(text, "a path begins with '/', and has at most 4,096 bytes");
    out->text = ed_arena_copy(arena, text, size);
    out->tokens = ed_arena_alloc(arena, (size + 1) * sizeof *out->tokens);
    if (!out->text || !out->tokens)
        return -ENOMEM;
    memset(out->tokens, 0, (size + 1) * sizeof *out->tokens);
    rc = pattern_tokenize(arena, out);
    if (rc < 0)
        return rc;
    out->is_fixed = out->name_count == 0;
    out->fixed = strcspn(out->text, "{");
    return out->has_regex ? pattern_compile(arena, out) : 0;
}

void ed_pattern_free(struct ed_route_pattern *pattern)
{
    if (pattern->has_regex)
        regfree(&pattern->regex);
}

/* Matching. */

/* The last place of a text that ends at or before `end`, not before `from`; SIZE_MAX: none. */
static size_t
segment_find_last(const char *path, size_t from, size_t end, const struct ed_route_token *token)
{
    if (end < from + token->size)
        return SIZE_MAX;
    for (size_t at = end - token->size;; at--) {
        if (memcmp(path + at, token->text, token->size) == 0)
            return at;
        if (at == from)
            return SIZE_MAX;
    }
}

/* Whether a text fits, and where it begins: the first of its segment where that begins, one with
 * an open name behind it at the last place that leaves a byte for the name, others at the end. */
static bool segment_match_text(const struct ed_route_token *token, bool first, bool open,
                               const char *path, size_t from, size_t end, size_t *at)
{
    size_t last = open ? end - 1 : end;

    if (last < from + token->size)
        return false;
    if (first || !open) {
        *at = first ? from : end - token->size;
        return (open || *at + token->size == end) &&
               memcmp(path + *at, token->text, token->size) == 0;
    }
    *at = segment_find_last(path, from, last, token);
    return *at != SIZE_MAX;
}

/* One segment, path[from] to path[end]: see above. `open` is a name whose end is known, and whose
 * start is not. */
static bool segment_match(const struct ed_route_token *tokens, size_t count, const char *path,
                          size_t from, size_t end, struct ed_route_span *spans)
{
    struct ed_route_span *open = NULL;

    for (size_t i = count; i-- > 0;) {
        const struct ed_route_token *token = &tokens[i];
        size_t at;

        if (token->kind == ED_TOKEN_NAME) {
            if (open && end > from)
                open->start = --end; /* two names side by side: one byte for the second */
            if (end == from)
                return false;
            open = &spans[token->name];
            open->end = end;
            continue;
        }
        if (!segment_match_text(token, i == 0, open != NULL, path, from, end, &at))
            return false;
        if (open)
            open->start = at + token->size;
        open = NULL;
        end = at;
    }
    if (open)
        open->start = from;
    return open || end == from;
}

/* Whether segments fit one by one. */
static bool pattern_match_segments(const struct ed_route_pattern *p, const char *path, size_t size,
                                   struct ed_route_span *spans)
{
    size_t at = 0, i = 0;

    while (i < p->count) {
        size_t end = at + 1, first = ++i; /* behind a slash */
        const char *slash;

        if (at >= size || path[at] != '/')
            return false;
        if (i < p->count && p->tokens[i].kind == ED_TOKEN_TAIL) {
            spans[p->tokens[i].name] = (struct ed_route_span){end, size};
            return true;
        }
        slash = memchr(path + end, '/', size - end);
        while (i < p->count && p->tokens[i].kind != ED_TOKEN_SLASH)
            i++;
        at = slash ? (size_t)(slash - path) : size;
        if (!segment_match(p->tokens + first, i - first, path, end, at, spans))
            return false;
    }
    return at == size;
}

static bool pattern_match_regex(const struct ed_route_pattern *p, const char *path, size_t size,
                                struct ed_route_span *spans)
{
    regmatch_t groups[PATTERN_GROUPS + 1];

    groups[0] = (regmatch_t){0, (regoff_t)size};
    if (regexec(&p->regex, path, PATTERN_GROUPS + 1, groups, REG_STARTEND) != 0)
        return false;
    for (unsigned i = 0; i < p->name_count; i++) {
        const regmatch_t *group = &groups[p->groups[i]];

        if (group->rm_so < 0)
            spans[i] = (struct ed_route_span){0, 0};
        else
            spans[i] = (struct ed_route_span){(size_t)group->rm_so, (size_t)group->rm_eo};
    }
    return true;
}

bool ed_pattern_match(const struct ed_route_pattern *pattern, const char *path, size_t size,
                      struct ed_route_span *spans)
{
    return pattern->has_regex ? pattern_match_regex(pattern, path, size, spans)
                              : pattern_match_segments(pattern, path, size, spans);
}
