/* SPDX-License-Identifier: MIT */
/*
 * The file is read whole and cut into lines in place. The array has room for all lines before the
 * first is looked at: one more than there are newlines.
 */
#include "tools/url_list.h"

#include <eddy.h>
#include <eddy/file.h>
#include <eddy/stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_LIMIT ((size_t)1 << 30) /* bytes of a file */

static int list_read_text(const char *path, char **text, size_t *size)
{
    eddy_stream *input;

    if (strcmp(path, "-") != 0)
        return eddy_read_file(path, LIST_LIMIT, text, size);
    EDDY_TRY(eddy_stdin(&input));
    return eddy_read_all(input, LIST_LIMIT, text, size);
}

/* Cuts the blanks around a line. */
static char *line_trim(char *line)
{
    size_t size;

    line += strspn(line, " \t\r\f\v");
    size = strlen(line);
    while (size > 0 && strchr(" \t\r\f\v", line[size - 1]))
        size--;
    line[size] = '\0';
    return line;
}

static void list_add_lines(struct ed_url_list *list)
{
    char *rest = list->text, *line;

    while ((line = strsep(&rest, "\n"))) {
        line = line_trim(line);
        if (*line && *line != '#')
            list->urls[list->count++] = line;
    }
}

static size_t count_lines(const char *text, size_t size)
{
    size_t lines = 1;

    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    return lines;
}

int ed_url_list_read(struct ed_url_list *list, char **operands, const char *path)
{
    size_t size = 0, count = 0;

    *list = (struct ed_url_list){0};
    if (path)
        EDDY_TRY(list_read_text(path, &list->text, &size));
    if (path && strlen(list->text) != size)
        return eddy_raise(-EINVAL, "%s: it is no text: it has a NUL", path);
    while (operands[count])
        count++;
    list->urls = calloc(count + count_lines(list->text, size), sizeof *list->urls);
    if (!list->urls)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        list->urls[list->count++] = operands[i];
    if (path)
        list_add_lines(list);
    return 0;
}

void ed_url_list_free(struct ed_url_list *list)
{
    eddy_free(list->text);
    free(list->urls);
    *list = (struct ed_url_list){0};
}
