/* SPDX-License-Identifier: MIT */
/*
 * The negotiation of permessage-deflate.
 *
 * An offer is taken only if each of its parameters is known, comes once, and has a value where and
 * as it must; else the next one counts. An answer must be one, with nothing in it that was not
 * offered. Of windows of 8 bits zlib has none: an offer that asks a server for one is taken only if
 * there is no other, and then its own messages are not compressed.
 */
#include "http/websocket_extension.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "http/headers.h"

#define NAME "permessage-deflate"
#define BITS 15 /* where nothing is said */

/* Parameters of an offer or an answer. */
struct parameters {
    bool server_alone, client_alone;
    int server_bits, client_bits; /* 0: not said; -1: said without a value */
};

/* A text within another. */
struct slice {
    const char *text;
    size_t size;
};

static struct slice slice_trim(const char *text, size_t size)
{
    while (size > 0 && (*text == ' ' || *text == '\t')) {
        text++;
        size--;
    }
    while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\t'))
        size--;
    return (struct slice){text, size};
}

static bool slice_is(struct slice slice, const char *text)
{
    return slice.size == strlen(text) && strncasecmp(slice.text, text, slice.size) == 0;
}

/* Takes what is in front of the next separator off a slice. */
static struct slice slice_take(struct slice *rest, char separator)
{
    const char *end = memchr(rest->text, separator, rest->size);
    size_t size = end ? (size_t)(end - rest->text) : rest->size;
    struct slice taken = slice_trim(rest->text, size);

    size += end ? 1 : 0;
    *rest = (struct slice){rest->text + size, rest->size - size};
    return taken;
}

/* 8 to 15, without a leading zero, in quotes or not; 0 for anything else. */
static int bits_parse(struct slice value)
{
    int bits = 0;

    if (value.size >= 2 && value.text[0] == '"' && value.text[value.size - 1] == '"')
        value = (struct slice){value.text + 1, value.size - 2};
    if (value.size == 0 || value.size > 2 || value.text[0] == '0')
        return 0;
    for (size_t i = 0; i < value.size; i++) {
        if (value.text[i] < '0' || value.text[i] > '9')
            return 0;
        bits = 10 * bits + (value.text[i] - '0');
    }
    return bits >= 8 && bits <= 15 ? bits : 0;
}

/* One parameter; false for one that is unknown, comes twice, or has a wrong value. */
static bool parameter_read(struct slice text, struct parameters *out)
{
    bool has_value = memchr(text.text, '=', text.size) != NULL;
    struct slice name = slice_take(&text, '=');
    int bits = has_value ? bits_parse(slice_trim(text.text, text.size)) : -1;
    bool *flag = slice_is(name, "server_no_context_takeover")   ? &out->server_alone
                 : slice_is(name, "client_no_context_takeover") ? &out->client_alone
                                                                : NULL;
    int *number = slice_is(name, "server_max_window_bits")   ? &out->server_bits
                  : slice_is(name, "client_max_window_bits") ? &out->client_bits
                                                             : NULL;

    if (flag) {
        if (*flag || has_value)
            return false;
        *flag = true;
        return true;
    }
    if (!number || *number != 0 || bits == 0)
        return false;
    *number = bits;
    return true;
}

/* The parameters of a permessage-deflate, which stand behind its name. */
static bool parameters_read(struct slice rest, struct parameters *out)
{
    *out = (struct parameters){.server_bits = 0};
    if (rest.text[rest.size - 1] == ';') /* there is a name before, so there is a byte */
        return false;
    while (rest.size > 0)
        if (!parameter_read(slice_take(&rest, ';'), out))
            return false;
    return out->server_bits >= 0; /* of this one a value is always said */
}

const char *ed_extension_offer(const eddy_websocket_options *options)
{
    if (options->no_compression)
        return NULL;
    return options->no_context ? NAME "; server_no_context_takeover; client_no_context_takeover; "
                                      "client_max_window_bits"
                               : NAME "; client_max_window_bits";
}

/* The server's side ------------------------------------------------------------------------- */

struct chooser {
    const eddy_websocket_options *options;
    struct ed_deflate_terms *terms;
    char *answer;
    bool least; /* a window of 8 bits will do */
};

/* Takes an offer, if it can. Returns whether to look at the next one. */
static bool offer_look(const char *member, size_t size, void *argument)
{
    struct chooser *chooser = argument;
    struct ed_deflate_terms *terms = chooser->terms;
    struct slice rest = {member, size};
    struct parameters wanted;
    char bits[48] = "";

    if (!slice_is(slice_take(&rest, ';'), NAME) || !parameters_read(rest, &wanted) ||
        (wanted.server_bits == 8 && !chooser->least))
        return true;
    terms->agreed = true;
    terms->server_alone = wanted.server_alone || chooser->options->no_context;
    terms->client_alone = wanted.client_alone || chooser->options->no_context;
    terms->server_bits = wanted.server_bits ? wanted.server_bits : BITS;
    terms->client_bits = wanted.client_bits > 0 ? wanted.client_bits : BITS;
    if (wanted.server_bits)
        snprintf(bits, sizeof bits, "; server_max_window_bits=%d", wanted.server_bits);
    snprintf(chooser->answer, ED_EXTENSION_TEXT, NAME "%s%s%s",
             terms->server_alone ? "; server_no_context_takeover" : "",
             terms->client_alone ? "; client_no_context_takeover" : "", bits);
    return false;
}

void ed_extension_choose(const eddy_headers *headers, const eddy_websocket_options *options,
                         struct ed_deflate_terms *terms, char answer[ED_EXTENSION_TEXT])
{
    struct chooser chooser = {options, terms, answer, false};
    const char *value;

    *terms = (struct ed_deflate_terms){.agreed = false};
    *answer = '\0';
    for (int pass = 0; pass < 2 && !options->no_compression; pass++, chooser.least = true) {
        size_t at = 0;

        while (!terms->agreed &&
               (value = eddy_headers_next(headers, "Sec-WebSocket-Extensions", &at)))
            ed_each_member(value, offer_look, &chooser);
    }
}

/* The client's side -------------------------------------------------------------------------- */

struct agreement {
    const eddy_websocket_options *options;
    struct ed_deflate_terms *terms;
    const char *problem;
};

static bool answer_look(const char *member, size_t size, void *argument)
{
    struct agreement *agreement = argument;
    struct ed_deflate_terms *terms = agreement->terms;
    struct slice rest = {member, size};
    struct parameters said;

    if (!slice_is(slice_take(&rest, ';'), NAME) || agreement->options->no_compression)
        agreement->problem = "it uses an extension that was not offered";
    else if (terms->agreed)
        agreement->problem = "it uses an extension twice";
    else if (!parameters_read(rest, &said) || said.client_bits < 0)
        agreement->problem = "its parameters of " NAME " are none";
    else if (agreement->options->no_context && !said.server_alone)
        agreement->problem = "it does not take the offer of " NAME " as it is";
    if (agreement->problem)
        return false;
    *terms = (struct ed_deflate_terms){
        .agreed = true,
        .server_alone = said.server_alone,
        .client_alone = said.client_alone || agreement->options->no_context,
        .server_bits = said.server_bits ? said.server_bits : BITS,
        .client_bits = said.client_bits ? said.client_bits : BITS,
    };
    return true;
}

const char *ed_extension_agree(const eddy_headers *headers, const eddy_websocket_options *options,
                               struct ed_deflate_terms *terms)
{
    struct agreement agreement = {options, terms, NULL};
    const char *value;
    size_t at = 0;

    *terms = (struct ed_deflate_terms){.agreed = false};
    while (!agreement.problem &&
           (value = eddy_headers_next(headers, "Sec-WebSocket-Extensions", &at)))
        ed_each_member(value, answer_look, &agreement);
    return agreement.problem;
}
