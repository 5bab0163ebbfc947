/* SPDX-License-Identifier: MIT */
/*
 * Percent-encoding (RFC 3986, 2.1), and the encoding of forms (WHATWG, URL, 5): pairs of names and
 * values, "&" between them, where a blank is a plus. What is decoded is never longer than it was.
 */
#include <errno.h>
#include <string.h>

#include "base/buffer.h"
#include "eddy/url.h"

#define PERCENT_PAIRS 1000 /* of a form, if nothing else is said */

static bool percent_is_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int percent_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Adds a text, of which letters, digits and the bytes of `always` and `safe` stay, and if `plus`
 * a blank becomes one: 0 or -ENOMEM. */
static int percent_append(struct eddy_buffer_ *out, const char *text, const char *always,
                          const char *safe, bool plus)
{
    static const char digits[] = "0123456789ABCDEF";

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        char encoded[3] = {'%', digits[c >> 4], digits[c & 15]};
        int rc;

        if (percent_is_alphanumeric(*text) || strchr(always, *text) || strchr(safe, *text))
            rc = ed_buffer_append(out, text, 1);
        else if (plus && c == ' ')
            rc = ed_buffer_append(out, "+", 1);
        else
            rc = ed_buffer_append(out, encoded, 3);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Hands a text over, or NULL behind an error. */
static char *percent_finish(struct eddy_buffer_ *out, int rc)
{
    if (rc == 0)
        rc = ed_buffer_append(out, "", 1);
    if (rc == 0)
        return ed_buffer_hand_over(out);
    ed_buffer_release(out);
    return NULL;
}

char *eddy_percent_encode(const char *text, const char *safe)
{
    struct eddy_buffer_ out = {.data = NULL};

    return percent_finish(&out, percent_append(&out, text, "-._~", safe ? safe : "", false));
}

/* Decodes into memory of the same size, and puts a NUL behind it. Returns how many bytes. */
static size_t percent_decode(const char *text, size_t size, bool plus, char *out)
{
    size_t used = 0;

    for (size_t i = 0; i < size; i++) {
        int high = size - i > 2 && text[i] == '%' ? percent_digit(text[i + 1]) : -1;
        int low = high >= 0 ? percent_digit(text[i + 2]) : -1;

        out[used++] = plus && text[i] == '+' ? ' ' : text[i];
        if (low < 0)
            continue;
        out[used - 1] = (char)(16 * high + low);
        i += 2;
    }
    out[used] = '\0';
    return used;
}

int eddy_percent_decode(const char *text, bool plus, char **data, size_t *size)
{
    size_t count = strlen(text);
    char *out = eddy_alloc_(count + 1);

    if (!out)
        return -ENOMEM;
    count = percent_decode(text, count, plus, out);
    if (!size && memchr(out, '\0', count)) {
        eddy_free(out);
        return eddy_raise(EDDY_EURL, "a text has an encoded NUL");
    }
    *data = out;
    if (size)
        *size = count;
    return 0;
}

/* Forms. */

static const char form_safe[] = "*-._";

char *eddy_form_encode(const eddy_pair *pairs)
{
    struct eddy_buffer_ out = {.data = NULL};
    int rc = 0;

    for (; rc == 0 && pairs && pairs->name; pairs++) {
        if (ed_buffer_size(&out) > 0)
            rc = ed_buffer_append(&out, "&", 1);
        if (rc == 0)
            rc = percent_append(&out, pairs->name, form_safe, "", true);
        if (rc == 0)
            rc = ed_buffer_append(&out, "=", 1);
        if (rc == 0)
            rc = percent_append(&out, pairs->value ? pairs->value : "", form_safe, "", true);
    }
    return percent_finish(&out, rc);
}

/* How many pairs there are; those that are empty do not count. */
static size_t form_count(const char *text)
{
    size_t count = 0;

    while (*text) {
        size_t size = strcspn(text, "&");

        count += size > 0;
        text += size + (text[size] == '&');
    }
    return count;
}

/* Decodes one part behind the others: false when it has a NUL. */
static bool form_decode_part(const char *text, size_t size, char **next, const char **out)
{
    size_t count = percent_decode(text, size, true, *next);

    *out = *next;
    *next += count + 1;
    return !memchr(*out, '\0', count);
}

ssize_t eddy_form_decode(const char *text, size_t limit, eddy_pair **out)
{
    size_t count = form_count(text), i = 0;
    eddy_pair *pairs;
    bool valid = true;
    char *next;

    if (limit == 0)
        limit = PERCENT_PAIRS;
    if (count > limit)
        return eddy_raise(EDDY_ELIMIT, "a form has %zu fields, more than %zu", count, limit);
    /* behind the list its texts: a part loses its "&" or "=", and gets a NUL */
    pairs = eddy_alloc_((count + 1) * sizeof *pairs + strlen(text) + count + 2);
    if (!pairs)
        return -ENOMEM;
    next = (char *)(pairs + count + 1);
    while (*text && valid) {
        size_t size = strcspn(text, "&"), name = strcspn(text, "&=");

        if (size > 0)
            valid = form_decode_part(text, name, &next, &pairs[i].name) &&
                    form_decode_part(text + name + (name < size), size - name - (name < size),
                                     &next, &pairs[i++].value);
        text += size + (text[size] == '&');
    }
    if (!valid) {
        eddy_free(pairs);
        return eddy_raise(EDDY_EURL, "a form has an encoded NUL");
    }
    *out = pairs;
    return (ssize_t)count;
}

const char *eddy_pair_get(const eddy_pair *pairs, const char *name)
{
    for (; pairs && pairs->name; pairs++) {
        if (strcmp(pairs->name, name) == 0)
            return pairs->value;
    }
    return NULL;
}
