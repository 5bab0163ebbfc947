/* SPDX-License-Identifier: MIT */
/*
 * A walk over the arguments with two fingers: `next` is the one to be looked at, `kept` where the
 * next operand goes. kept <= next always, so that operands are gathered in the same array.
 */
#include "tools/option.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct walk {
    const struct ed_usage *usage;
    char **next, **kept;
};

int ed_usage_fail(const struct ed_usage *usage, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "%s: ", usage->command);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nSee %s --help.\n", usage->command);
    return ED_EXIT_USAGE;
}

/* Help --------------------------------------------------------------------------------- */

static void option_print(const struct ed_option *option)
{
    char left[64];
    int size = 0;

    if (option->letter)
        size += snprintf(left, sizeof left, "-%c%s", option->letter, option->name ? ", " : "");
    if (option->name)
        size += snprintf(left + size, sizeof left - (size_t)size, "--%s", option->name);
    if (option->value)
        snprintf(left + size, sizeof left - (size_t)size, " %s", option->value);
    printf("  %-24s %s\n", left, option->help);
}

static void usage_print(const struct ed_usage *usage)
{
    printf("Usage: %s [OPTION...] %s\n\n%s\n", usage->command, usage->operands, usage->about);
    for (size_t i = 0; i < usage->count; i++)
        option_print(&usage->options[i]);
    printf("  %-24s %s\n", "--help", "print this and end");
    if (usage->more)
        printf("\n%s", usage->more);
}

/* Values ------------------------------------------------------------------------------- */

/* How users write it: "-c", "--timeout". */
static void option_name(const struct ed_option *option, char name[32])
{
    if (option->name)
        snprintf(name, 32, "--%s", option->name);
    else
        snprintf(name, 32, "-%c", option->letter);
}

static bool count_read(const struct ed_option *option, const char *text)
{
    char *end;
    long value;

    errno = 0;
    value = strtol(text, &end, 10);
    if (end == text || *end || errno || (double)value < option->least ||
        (double)value > option->most)
        return false;
    *(long *)option->out = value;
    return true;
}

static bool seconds_read(const struct ed_option *option, const char *text)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end || !isfinite(value) || value <= 0 || value > option->most)
        return false;
    *(double *)option->out = value;
    return true;
}

/* Takes the value, or says what one would be. */
static int
option_set(const struct ed_usage *usage, const struct ed_option *option, const char *text)
{
    char name[32];

    option_name(option, name);
    if (option->kind == ED_OPTION_COUNT && !count_read(option, text))
        return ed_usage_fail(usage, "%s: '%s' is not a whole number from %.0f to %.0f", name, text,
                             option->least, option->most);
    if (option->kind == ED_OPTION_SECONDS && !seconds_read(option, text))
        return ed_usage_fail(usage, "%s: '%s' is not a number of seconds up to %.0f", name, text,
                             option->most);
    if (option->kind == ED_OPTION_TEXT && !*text)
        return ed_usage_fail(usage, "%s: the value is empty", name);
    if (option->kind == ED_OPTION_TEXT)
        *(const char **)option->out = text;
    return ED_OPTION_GO_ON;
}

/* The walk ----------------------------------------------------------------------------- */

/* The next argument as a value; NULL when there is none. */
static const char *walk_value(struct walk *walk)
{
    return *walk->next ? *walk->next++ : NULL;
}

/* Gives an option its value: `attached` is what stands in the same argument, or NULL. */
static int walk_give(struct walk *walk, const struct ed_option *option, const char *attached)
{
    const char *value = attached, *second = NULL;
    char name[32];

    option_name(option, name);
    if (option->kind == ED_OPTION_FLAG) {
        if (attached)
            return ed_usage_fail(walk->usage, "%s: takes no value, not '%s'", name, attached);
        *(bool *)option->out = true;
        return ED_OPTION_GO_ON;
    }
    if (!value)
        value = walk_value(walk);
    if (value && option->kind == ED_OPTION_TEXTS)
        second = walk_value(walk);
    if (!value || (option->kind == ED_OPTION_TEXTS && !second))
        return ed_usage_fail(walk->usage, "%s: needs %s", name, option->value);
    if (option->kind != ED_OPTION_TEXTS)
        return option_set(walk->usage, option, value);
    ((const char **)option->out)[0] = value;
    ((const char **)option->out)[1] = second;
    return ED_OPTION_GO_ON;
}

static const struct ed_option *
option_find(const struct ed_usage *usage, char letter, const char *name, size_t size)
{
    for (size_t i = 0; i < usage->count; i++) {
        const struct ed_option *option = &usage->options[i];

        if (letter && option->letter == letter)
            return option;
        if (name && option->name && strncmp(option->name, name, size) == 0 && !option->name[size])
            return option;
    }
    return NULL;
}

/* "--name", "--name=value". */
static int walk_long(struct walk *walk, const char *argument)
{
    const char *name = argument + 2, *equal = strchr(name, '=');
    size_t size = equal ? (size_t)(equal - name) : strlen(name);
    const struct ed_option *option = option_find(walk->usage, 0, name, size);

    if (!option)
        return ed_usage_fail(walk->usage, "there is no option '--%.*s'", (int)size, name);
    return walk_give(walk, option, equal ? equal + 1 : NULL);
}

/* "-c N", "-cN", and flags together. */
static int walk_letters(struct walk *walk, const char *argument)
{
    for (const char *letter = argument + 1; *letter; letter++) {
        const struct ed_option *option = option_find(walk->usage, *letter, NULL, 0);
        int rc;

        if (!option)
            return ed_usage_fail(walk->usage, "there is no option '-%c'", *letter);
        if (option->kind != ED_OPTION_FLAG)
            return walk_give(walk, option, letter[1] ? letter + 1 : NULL);
        rc = walk_give(walk, option, NULL);
        if (rc != ED_OPTION_GO_ON)
            return rc;
    }
    return ED_OPTION_GO_ON;
}

/* Takes one argument. */
static int walk_step(struct walk *walk)
{
    char *argument = *walk->next++;

    if (strcmp(argument, "--help") == 0) {
        usage_print(walk->usage);
        return 0;
    }
    if (strcmp(argument, "--") == 0) {
        while (*walk->next)
            *walk->kept++ = *walk->next++;
        return ED_OPTION_GO_ON;
    }
    if (strncmp(argument, "--", 2) == 0)
        return walk_long(walk, argument);
    if (argument[0] == '-' && argument[1])
        return walk_letters(walk, argument);
    *walk->kept++ = argument;
    return ED_OPTION_GO_ON;
}

int ed_option_parse(const struct ed_usage *usage, char **argv)
{
    struct walk walk = {usage, argv + 1, argv};
    int rc = ED_OPTION_GO_ON;

    while (*walk.next && rc == ED_OPTION_GO_ON)
        rc = walk_step(&walk);
    *walk.kept = NULL;
    return rc;
}
