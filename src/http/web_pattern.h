/* SPDX-License-Identifier: MIT */
/* One pattern of a route, taken apart once: see web_pattern.c. */
#ifndef ED_HTTP_WEB_PATTERN_H
#define ED_HTTP_WEB_PATTERN_H

#include <regex.h>

#include "http/web_router.h"

struct ed_route_token {
    enum { ED_TOKEN_TEXT, ED_TOKEN_NAME, ED_TOKEN_REGEX, ED_TOKEN_TAIL, ED_TOKEN_SLASH } kind;
    const char *text; /* or the regular expression */
    size_t size;
    unsigned name; /* its number */
};

struct ed_route_pattern {
    const char *text;
    struct ed_route_token *tokens;
    size_t count;
    const char *names[ED_ROUTE_NAMES];
    unsigned name_count;
    size_t fixed; /* bytes before the first name; all of them: it has none */
    bool is_fixed;
    bool has_regex;
    regex_t regex;
    unsigned groups[ED_ROUTE_NAMES]; /* of the names */
    struct ed_route_pattern *next_compiled;
};

/* A part of a path, by its offsets. */
struct ed_route_span {
    size_t start, end;
};

/* Takes a path apart; everything but the regular expression is in the arena. 0, -EINVAL with a
 * text, -ENOMEM. */
int ed_pattern_parse(struct ed_arena *arena, const char *text, struct ed_route_pattern *out);

/* Whether a path fits, and what its names stand for; false also for lack of memory in regex(3). */
bool ed_pattern_match(const struct ed_route_pattern *pattern, const char *path, size_t size,
                      struct ed_route_span *spans);

void ed_pattern_free(struct ed_route_pattern *pattern);

#endif
