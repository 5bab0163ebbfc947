/* SPDX-License-Identifier: MIT */
/* Patterns of routes. */
#include "http/web_pattern.h"

#include "harness.h"

/* What a pattern makes of a path: "name=value,..."; "-" when it does not fit. */
static const char *match(const char *pattern, const char *path, size_t size)
{
    static char text[1024];
    struct ed_arena arena = {0};
    struct ed_route_pattern parsed;
    struct ed_route_span spans[ED_ROUTE_NAMES];
    int rc = ed_pattern_parse(&arena, pattern, &parsed);
    size_t used = 0;

    if (rc < 0) {
        ed_arena_free(&arena);
        return eddy_error_message(rc);
    }
    snprintf(text, sizeof text, "-");
    if (ed_pattern_match(&parsed, path, size, spans)) {
        text[0] = '\0';
        for (unsigned i = 0; i < parsed.name_count; i++)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s=%.*s", i ? "," : "",
                                     parsed.names[i], (int)(spans[i].end - spans[i].start),
                                     path + spans[i].start);
    }
    ed_pattern_free(&parsed);
    ed_arena_free(&arena);
    return text;
}

#define CHECK_MATCH(pattern, path, what) CHECK_STR(match(pattern, path, strlen(path)), what)

/* H-ROUTE-1: "{name}" is one segment, or what is in it, and never empty. */
TEST(web_pattern_name_is_a_segment_or_in_it)
{
    CHECK_MATCH("/{a}", "/x", "a=x");
    CHECK_MATCH("/{a}", "/x/y", "-");
    CHECK_MATCH("/{a}", "/", "-");
    CHECK_MATCH("/{a}/", "/x/", "a=x");
    CHECK_MATCH("/{a}/", "/x", "-");
    CHECK_MATCH("/v{a}", "/v1", "a=1");
    CHECK_MATCH("/v{a}", "/v", "-");
    CHECK_MATCH("/v{a}", "/w1", "-");
    CHECK_MATCH("/{a}.txt", "/x.txt", "a=x");
    CHECK_MATCH("/{a}.txt", "/.txt", "-");
    CHECK_MATCH("/{a}.txt", "/x.txtx", "-");
    CHECK_MATCH("/x/{a}/y/{b}", "/x/1/y/2", "a=1,b=2");
    CHECK_MATCH("/x/{a}/y/{b}", "/x/1/z/2", "-");
    CHECK_MATCH("/a", "/a", "");
    CHECK_MATCH("/a", "/ab", "-");
    CHECK_MATCH("/ab", "/a", "-");
}

/* The names to the left get as much as they can, as a regular expression would give them. */
TEST(web_pattern_left_names_take_most)
{
    CHECK_MATCH("/{name}.{ending}", "/a.tar.gz", "name=a.tar,ending=gz");
    CHECK_MATCH("/{a}-{b}-{c}", "/1-2-3-4", "a=1-2,b=3,c=4");
    CHECK_MATCH("/{a}-{b}", "/--", "-");
    CHECK_MATCH("/{a}-{b}", "/---", "a=-,b=-");
    CHECK_MATCH("/{a}{b}", "/xyz", "a=xy,b=z");
    CHECK_MATCH("/{a}{b}", "/x", "-");
    CHECK_MATCH("/p{a}aa{b}s", "/paaaaas", "a=aa,b=a");
    CHECK_MATCH("/p{a}aa{b}s", "/paaas", "-");
}

/* The same as regex(3) for random patterns and paths of few letters. */
TEST(web_pattern_is_the_regular_expression)
{
    static const char *const words[] = {"{a}", "{b}", "{c}", "{d}"};
    static const char *const expressions[] = {"{a:[^/]+}", "{b:[^/]+}", "{c:[^/]+}", "{d:[^/]+}"};
    unsigned long state = 12345;

    for (int round = 0; round < 20000; round++) {
        char pattern[64] = "/", path[16] = "/", expression[128] = "/";
        char other[300], mine[300];
        size_t length = 0;
        int names = 0;

        for (int i = 0; i < 4; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            if ((state >> 33) % 2) {
                strncat(pattern, words[names], 4);
                strncat(expression, expressions[names++], 16);
            } else {
                const char *letter = (state >> 40) % 3 == 0 ? "b" : "a";

                strncat(pattern, letter, 2);
                strncat(expression, letter, 2);
            }
        }
        for (length = 1; length < 8; length++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            if ((state >> 33) % 8 == 0)
                break;
            path[length] = (state >> 36) % 3 == 0 ? 'b' : 'a';
        }
        path[length] = '\0';
        snprintf(mine, sizeof mine, "%s", match(pattern, path, length));
        snprintf(other, sizeof other, "%s", match(expression, path, length));
        CHECK_THAT(strcmp(mine, other) == 0, "%s on %s: %s, not %s", pattern, path, mine, other);
    }
}

/* H-ROUTE-1: "{name:regex}" matches within the path, with groups and braces of its own. */
TEST(web_pattern_regular_expressions)
{
    CHECK_MATCH("/{id:[0-9]+}", "/42", "id=42");
    CHECK_MATCH("/{id:[0-9]+}", "/42x", "-");
    CHECK_MATCH("/{id:[0-9]{2}}", "/42", "id=42");
    CHECK_MATCH("/{id:[0-9]{2}}", "/4", "-");
    CHECK_MATCH("/{a:(x|y)+}/{b}", "/xyx/z", "a=xyx,b=z");
    CHECK_MATCH("/{a:.*}/end", "/b/c/end", "a=b/c");
    CHECK_MATCH("/a.b/{x:z}", "/aXb/z", "-");
    CHECK_MATCH("/a.b+(c)/{x:z}", "/a.b+(c)/z", "x=z");
    CHECK_HAS(match("/{a:(}", "/", 1), "regular expression '('");
    CHECK_HAS(match("/{a:}", "/", 1), "empty regular expression");
}

/* "{name...}" is all that is left, also nothing. */
TEST(web_pattern_tail)
{
    CHECK_MATCH("/f/{p...}", "/f/a/b", "p=a/b");
    CHECK_MATCH("/f/{p...}", "/f/", "p=");
    CHECK_MATCH("/f/{p...}", "/f", "-");
    CHECK_MATCH("/{a}/{p...}", "/x/y/z", "a=x,p=y/z");
    CHECK_HAS(match("/{p...}/x", "/", 1), "last segment");
    CHECK_HAS(match("/x{p...}", "/", 1), "last segment");
}

/* H-ROUTE-3: an encoded slash, a NUL here, is part of its segment. */
TEST(web_pattern_encoded_slash_is_none)
{
    CHECK_EQ(strlen(match("/{a}", "/x\0y", 4)), 3); /* "a=x", and the NUL */
    CHECK_STR(match("/{a}/y", "/x\0y", 4), "-");
    CHECK_STR(match("/{a:[a-z]+}", "/x\0y", 4), "-");
}

TEST(web_pattern_refuses)
{
    CHECK_HAS(match("x", "/", 1), "begins with '/'");
    CHECK_HAS(match("/{", "/", 1), "is open");
    CHECK_HAS(match("/}", "/", 1), "without");
    CHECK_HAS(match("/{}", "/", 1), "a name consists");
    CHECK_HAS(match("/{1a}", "/", 1), "a name consists");
    CHECK_HAS(match("/{a-b}", "/", 1), "behind a name");
    CHECK_HAS(match("/{a}/{a}", "/", 1), "occurs twice");
    CHECK_HAS(match("/{a}{b}{c}{d}{e}{f}{g}{h}{i}{j}{k}{l}{m}{n}{o}{p}{q}", "/", 1), "too many");
}
