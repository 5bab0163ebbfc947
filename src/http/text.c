/* SPDX-License-Identifier: MIT */
/*
 * Bytes of a charset as UTF-8, by iconv(3); what is not valid becomes U+FFFD. UTF-8 itself is only
 * looked through: each longest beginning of a character that does not go on becomes one U+FFFD
 * (Unicode 15, 3.9, table 3-8).
 */
#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/compat.h"
#include "http/client.h"

#define TEXT_STEP 8192 /* bytes that iconv(3) is given room for at once */

static const char replacement[] = "\xef\xbf\xbd";

/* How many bytes from `data` on are a character, or with *valid false the beginning of one. */
static size_t utf8_step(const unsigned char *data, size_t size, bool *valid)
{
    unsigned char first = data[0], low = 0x80, high = 0xbf;
    size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    *valid = false;
    if (length == 0 || first > 0xf4)
        return 1;
    if (first == 0xe0)
        low = 0xa0;
    else if (first == 0xed)
        high = 0x9f;
    else if (first == 0xf0)
        low = 0x90;
    else if (first == 0xf4)
        high = 0x8f;
    for (size_t i = 1; i < length; i++) {
        if (i == size || data[i] < low || data[i] > high)
            return i;
        low = 0x80;
        high = 0xbf;
    }
    *valid = true;
    return length;
}

/* Adds UTF-8 that may not be valid. */
static int text_add_utf8(struct eddy_buffer_ *text, const char *data, size_t size)
{
    size_t at = 0, from = 0;
    int rc = 0;

    while (at < size && rc == 0) {
        bool valid;
        size_t step = utf8_step((const unsigned char *)data + at, size - at, &valid);

        if (!valid) {
            rc = ed_buffer_append(text, data + from, at - from);
            if (rc == 0)
                rc = ed_buffer_append(text, replacement, 3);
            from = at + step;
        }
        at += step;
    }
    return rc < 0 ? rc : ed_buffer_append(text, data + from, at - from);
}

/* Adds what the converter has kept of the last characters. */
static int text_flush(struct eddy_buffer_ *text, iconv_t converter)
{
    size_t room = 64, left = room;
    int rc = ed_buffer_reserve(text, room);
    char *out = ed_buffer_free_space(text);

    if (rc == 0 && iconv(converter, NULL, NULL, &out, &left) != (size_t)-1)
        ed_buffer_commit(text, room - left);
    return rc;
}

/* Adds bytes of another charset. */
static int text_add(struct eddy_buffer_ *text, iconv_t converter, const char *data, size_t size)
{
    char *in = (char *)(uintptr_t)data;
    int rc = 0;

    while (size > 0 && rc == 0) {
        size_t room = TEXT_STEP, left = room;
        char *out;

        rc = ed_buffer_reserve(text, room);
        if (rc < 0)
            return rc;
        out = ed_buffer_free_space(text);
        if (iconv(converter, &in, &size, &out, &left) != (size_t)-1 || errno == E2BIG) {
            ed_buffer_commit(text, room - left);
            continue;
        }
        ed_buffer_commit(text, room - left);
        if (errno == EINVAL)
            size = 0; /* the last character is not whole */
        else
            in++, size--;
        rc = ed_buffer_append(text, replacement, 3);
    }
    return rc < 0 ? rc : text_flush(text, converter);
}

/* A name of a charset as the registry has them, not one of iconv's own with slashes. */
static bool charset_is_name(const char *charset)
{
    size_t size = strlen(charset);

    return size > 0 && size <= 40 &&
           strspn(charset, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:+") ==
               size;
}

static int
text_convert(struct eddy_buffer_ *text, const char *charset, const char *data, size_t size)
{
    iconv_t converter = (iconv_t)-1;
    int rc;

    if (!charset || strcasecmp(charset, "utf-8") == 0 || strcasecmp(charset, "utf8") == 0)
        return text_add_utf8(text, data, size);
    if (charset_is_name(charset))
        converter = iconv_open("UTF-8", charset);
    if (converter == (iconv_t)-1)
        return -EINVAL;
    rc = text_add(text, converter, data, size);
    iconv_close(converter);
    return rc;
}

int ed_text_decode(const char *charset, const char *data, size_t size, char **out)
{
    struct eddy_buffer_ text = {.data = NULL};
    int rc = text_convert(&text, charset, data, size);

    if (rc == 0)
        rc = ed_buffer_append(&text, "", 1);
    if (rc < 0)
        ed_buffer_release(&text);
    else
        *out = ed_buffer_hand_over(&text);
    return rc;
}
