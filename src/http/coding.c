/* SPDX-License-Identifier: MIT */
/*
 * The names of content codings, the choice among them, and what is the same for all: that a body
 * may neither end before its data do nor go on behind them. A body of no bytes at all is taken for
 * an empty one; servers send such to save themselves the frame.
 */
#include "http/coding.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/coder.h"

#define CODING_WHOLE 1000 /* a weight of 1 */
#define CODING_UNSAID (-1)

const char ed_codings[] = "gzip, deflate, br, zstd";

static const char *const coding_names[] = {
    [ED_CODING_IDENTITY] = "identity", [ED_CODING_GZIP] = "gzip", [ED_CODING_DEFLATE] = "deflate",
    [ED_CODING_BROTLI] = "br",         [ED_CODING_ZSTD] = "zstd", [ED_CODING_UNKNOWN] = "",
};

enum ed_coding ed_coding_by_name(const char *name, size_t size)
{
    if (size == 0)
        return ED_CODING_IDENTITY;
    for (int i = 0; i < ED_CODING_UNKNOWN; i++)
        if (strlen(coding_names[i]) == size && strncasecmp(coding_names[i], name, size) == 0)
            return (enum ed_coding)i;
    return size == 6 && strncasecmp(name, "x-gzip", 6) == 0 ? ED_CODING_GZIP : ED_CODING_UNKNOWN;
}

const char *ed_coding_name(enum ed_coding coding)
{
    return coding_names[coding];
}

/* The weights that an Accept-Encoding field gives, in thousandths. */
struct coding_wish {
    int weights[ED_CODING_UNKNOWN];
    int others; /* of "*" */
};

/* "0.25" as 250; what is no weight (RFC 9110, 12.4.2) is 0. */
static int coding_parse_weight(const char *text, size_t size)
{
    int weight = 0, unit = CODING_WHOLE / 10;

    if (size == 0 || size > 5 || (text[0] != '0' && text[0] != '1') || (size > 1 && text[1] != '.'))
        return 0;
    for (size_t i = 2; i < size; i++, unit /= 10) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        weight += (text[i] - '0') * unit;
    }
    return text[0] == '1' ? CODING_WHOLE : weight;
}

/* Behind a member's name: "; q=0.5", or nothing. */
static int coding_member_weight(const char *text, const char *end)
{
    while (text < end && (*text == ' ' || *text == '\t' || *text == ';'))
        text++;
    if (text == end)
        return CODING_WHOLE;
    if (end - text < 3 || strncasecmp(text, "q=", 2) != 0)
        return 0;
    return coding_parse_weight(text + 2, (size_t)(end - text) - 2);
}

static bool coding_take_member(const char *member, size_t size, void *argument)
{
    struct coding_wish *wish = argument;
    const char *end = member + size;
    size_t name = 0;
    enum ed_coding coding;
    int weight;

    while (name < size && !strchr(" \t;", member[name]))
        name++;
    weight = coding_member_weight(member + name, end);
    coding = ed_coding_by_name(member, name);
    if (name == 1 && *member == '*')
        wish->others = weight;
    else if (coding != ED_CODING_UNKNOWN)
        wish->weights[coding] = weight;
    return true;
}

static int coding_weight(const struct coding_wish *wish, enum ed_coding coding)
{
    if (wish->weights[coding] != CODING_UNSAID)
        return wish->weights[coding];
    return wish->others == CODING_UNSAID ? 0 : wish->others;
}

/* What an Accept-Encoding value says. */
static struct coding_wish coding_read_wish(const char *accepted)
{
    struct coding_wish wish = {.others = CODING_UNSAID};

    for (int i = 0; i < ED_CODING_UNKNOWN; i++)
        wish.weights[i] = CODING_UNSAID;
    ed_each_member(accepted, coding_take_member, &wish);
    return wish;
}

bool ed_coding_is_accepted(const char *accepted, enum ed_coding coding)
{
    struct coding_wish wish;

    if (!accepted)
        return false;
    wish = coding_read_wish(accepted);
    return coding_weight(&wish, coding) > 0;
}

enum ed_coding ed_coding_choose(const char *accepted)
{
    static const enum ed_coding order[] = {ED_CODING_BROTLI, ED_CODING_ZSTD, ED_CODING_GZIP,
                                           ED_CODING_DEFLATE};
    enum ed_coding best = ED_CODING_IDENTITY;
    struct coding_wish wish;
    int most;

    if (!accepted)
        return ED_CODING_IDENTITY;
    wish = coding_read_wish(accepted);
    /* identity is chosen for a weight of its own that is above all others */
    most = wish.weights[ED_CODING_IDENTITY] - 1;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        int weight = coding_weight(&wish, order[i]);

        if (weight > 0 && weight > most) {
            most = weight;
            best = order[i];
        }
    }
    return best;
}

int ed_coder_refuse(const struct ed_coder *coder, const char *why)
{
    return eddy_raise(EDDY_EHTTP_PAYLOAD, "the body is not valid %s: %s", coder->name, why);
}

static int coder_finish_new(enum ed_coding coding, bool encodes, int rc, struct ed_coder *coder,
                            struct ed_coder **out)
{
    if (rc < 0)
        return rc;
    coder->name = coding_names[coding];
    coder->encodes = encodes;
    *out = coder;
    return 0;
}

int ed_encoder_new(enum ed_coding coding, int level, struct ed_coder **out)
{
    struct ed_coder *coder = NULL;
    int rc = -EINVAL;

    switch (coding) {
    case ED_CODING_GZIP:
    case ED_CODING_DEFLATE:
        rc = ed_zlib_encoder_new(coding == ED_CODING_GZIP, level, &coder);
        break;
    case ED_CODING_BROTLI: rc = ed_brotli_encoder_new(level, &coder); break;
    case ED_CODING_ZSTD: rc = ed_zstd_encoder_new(level, &coder); break;
    case ED_CODING_IDENTITY:
    case ED_CODING_UNKNOWN: break;
    }
    return coder_finish_new(coding, true, rc, coder, out);
}

int ed_decoder_new(enum ed_coding coding, struct ed_coder **out)
{
    struct ed_coder *coder = NULL;
    int rc = -EINVAL;

    switch (coding) {
    case ED_CODING_GZIP:
    case ED_CODING_DEFLATE: rc = ed_zlib_decoder_new(coding == ED_CODING_GZIP, &coder); break;
    case ED_CODING_BROTLI: rc = ed_brotli_decoder_new(&coder); break;
    case ED_CODING_ZSTD: rc = ed_zstd_decoder_new(&coder); break;
    case ED_CODING_IDENTITY:
    case ED_CODING_UNKNOWN: break;
    }
    return coder_finish_new(coding, false, rc, coder, out);
}

void ed_coder_free(struct ed_coder *coder)
{
    if (coder)
        coder->kind->free(coder);
}

ssize_t ed_coder_step(struct ed_coder *coder, const char **in, size_t *in_size, void *out,
                      size_t size, bool flush, bool last)
{
    ssize_t n;

    coder->begun = coder->begun || *in_size > 0;
    if (!coder->encodes && !coder->begun) {
        coder->ended = last;
        return 0;
    }
    n = coder->kind->step(coder, in, in_size, out, size, flush, last);
    if (n != 0 || coder->encodes)
        return n;
    if (*in_size > 0)
        return ed_coder_refuse(coder, "there are bytes behind its end");
    if (last && !coder->ended)
        return ed_coder_refuse(coder, "it ends early");
    return 0;
}

bool ed_coder_ended(const struct ed_coder *coder)
{
    return coder->ended;
}
