/* SPDX-License-Identifier: MIT */
/*
 * Causes are told apart by their texts, of which cause.c has fewer than there is room for here.
 */
#include "tools/tally.h"

#include <string.h>

#include "tools/cause.h"

void ed_tally_add_status(struct ed_tally *tally, int status)
{
    tally->whole++;
    if (status >= 0 && status < (int)(sizeof tally->statuses / sizeof *tally->statuses))
        tally->statuses[status]++;
}

void ed_tally_add_error(struct ed_tally *tally, int code)
{
    const char *text = ed_cause_of(code)->text;

    tally->failed++;
    for (size_t i = 0; i < ED_TALLY_CAUSES; i++) {
        if (tally->causes[i].text && strcmp(tally->causes[i].text, text) != 0)
            continue;
        tally->causes[i].text = text;
        tally->causes[i].count++;
        return;
    }
}

static void print_statuses(const struct ed_tally *tally, FILE *out)
{
    const char *before = "statuses: ";

    if (tally->whole == tally->statuses[200])
        return;
    for (int status = 0; status < 600; status++)
        if (tally->statuses[status]) {
            fprintf(out, "%s%zu of %d", before, tally->statuses[status], status);
            before = ", ";
        }
    fputc('\n', out);
}

void ed_tally_print(const struct ed_tally *tally, FILE *out)
{
    print_statuses(tally, out);
    if (!tally->failed)
        return;
    fprintf(out, "%zu failed: ", tally->failed);
    for (size_t i = 0; i < ED_TALLY_CAUSES && tally->causes[i].text; i++)
        fprintf(out, "%s%zu %s", i > 0 ? ", " : "", tally->causes[i].count, tally->causes[i].text);
    fputc('\n', out);
}

const char *ed_bytes_text(uint64_t bytes, char text[32])
{
    static const char units[] = "kMGTPE";
    double value = (double)bytes / 1000;
    size_t unit = 0;

    if (bytes < 1000) {
        snprintf(text, 32, "%u B", (unsigned)bytes);
        return text;
    }
    for (; value >= 999.95 && units[unit + 1]; unit++)
        value /= 1000;
    snprintf(text, 32, "%.1f %cB", value, units[unit]);
    return text;
}
