/* SPDX-License-Identifier: MIT */
/*
 * A name is made of letters that are known to be harmless, so that nothing need be known of those
 * that are not. Names that are given away are in a tree, each with the number that goes on from it,
 * so that thousands cost little, alike or not.
 */
#include "tools/file_name.h"

#include <eddy.h>
#include <eddy/http.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_STEM 160 /* bytes of it at most, so that numbers fit behind */

static int name_compare(const void *one, const void *other)
{
    return strcmp(one, other);
}

/* A name in the tree, and the number that the next one of its stem gets. */
struct name {
    char text[ED_FILE_NAME]; /* first: it is what is compared */
    unsigned long next;
};

/* Takes a name. Returns 1; 0 when somebody has it; -ENOMEM. In the first two cases *out is its
 * place in the tree. */
static int names_take(struct ed_file_names *names, const char *text, struct name **out)
{
    struct name *name = calloc(1, sizeof *name);
    void **found = NULL;

    if (name) {
        snprintf(name->text, sizeof name->text, "%s", text);
        name->next = 2;
        found = tsearch(name, &names->root, name_compare);
    }
    if (found)
        *out = *found;
    if (found && *found == name)
        return 1;
    free(name);
    return found ? 0 : -ENOMEM;
}

void ed_file_names_free(struct ed_file_names *names)
{
    tdestroy(names->root, free);
    names->root = NULL;
}

static bool is_harmless(char letter)
{
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || (letter && strchr("._-+=,@%~", letter));
}

/* Copies what is harmless behind the first `size` bytes. */
static size_t stem_add(char stem[NAME_STEM], size_t size, const char *text)
{
    for (; *text && size < NAME_STEM - 1; text++)
        stem[size++] = is_harmless(*text) ? *text : '_';
    stem[size] = '\0';
    return size;
}

static void stem_make(const eddy_url *url, char stem[NAME_STEM])
{
    const char *slash = strrchr(url->path, '/'), *last = slash ? slash + 1 : url->path;
    size_t size = stem_add(stem, 0, *last ? last : "index.html");

    if (url->query) {
        size = stem_add(stem, size, "_");
        stem_add(stem, size, url->query);
    }
    if (*stem == '.' || *stem == '-')
        *stem = '_';
}

/* Puts a number before the ending. */
static void stem_number(const char *stem, unsigned long number, char name[ED_FILE_NAME])
{
    const char *dot = strrchr(stem, '.');
    int size = dot && dot > stem ? (int)(dot - stem) : (int)strlen(stem);

    snprintf(name, ED_FILE_NAME, "%.*s-%lu%s", size, stem, number, stem + size);
}

int ed_file_name(struct ed_file_names *names, const char *url, char name[ED_FILE_NAME])
{
    EDDY_URL parsed = NULL;
    char stem[NAME_STEM];
    struct name *first, *other;
    int rc;

    EDDY_TRY(eddy_url_parse(url, &parsed));
    stem_make(parsed, stem);
    snprintf(name, ED_FILE_NAME, "%s", stem);
    rc = names_take(names, name, &first);
    while (rc == 0) {
        stem_number(stem, first->next++, name);
        rc = names_take(names, name, &other);
    }
    return rc < 0 ? rc : 0;
}
