/* SPDX-License-Identifier: MIT */
/*
 * Both decoders go character by character, and keep what of a group is not whole: four digits of
 * base64, or the escape "=41" or "=", CR, LF. Of base64 blanks and line ends count for nothing, but
 * other characters are errors, and so is a last group without its padding: else a text that was cut
 * off would pass for a shorter one.
 */
#include "http/transfer.h"

#include <string.h>
#include <strings.h>

#include "eddy/error.h"

bool ed_transfer_by_name(const char *name, enum ed_transfer_kind *out)
{
    static const struct {
        const char *name;
        enum ed_transfer_kind kind;
    } names[] = {
        {"base64", ED_TRANSFER_BASE64}, {"quoted-printable", ED_TRANSFER_QUOTED},
        {"binary", ED_TRANSFER_NONE},   {"8bit", ED_TRANSFER_NONE},
        {"7bit", ED_TRANSFER_NONE},
    };

    *out = ED_TRANSFER_NONE;
    if (!name)
        return true;
    for (size_t i = 0; i < ED_ARRAY_LENGTH(names); i++) {
        if (strcasecmp(name, names[i].name) == 0) {
            *out = names[i].kind;
            return true;
        }
    }
    return false;
}

/* The value of a digit of base64; -1: none. */
static int transfer_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static int transfer_hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Takes a character of base64: 1 with a byte at `out`, 0 without, or -1. */
static int transfer_take_base64(struct ed_transfer *transfer, char c, char *out)
{
    int value = transfer_digit(c);

    if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
        return 0;
    if (c == '=' && transfer->digits + transfer->padded >= 2 &&
        transfer->digits + transfer->padded < 4) {
        transfer->padded++;
        transfer->bit_count = 0;
        return 0;
    }
    if (value < 0 || transfer->padded > 0)
        return -1;
    transfer->digits = (transfer->digits + 1) % 4;
    transfer->bits = transfer->bits << 6 | (unsigned)value;
    transfer->bit_count += 6;
    if (transfer->bit_count < 8)
        return 0;
    transfer->bit_count -= 8;
    *out = (char)(transfer->bits >> transfer->bit_count);
    transfer->bits &= 0xff;
    return 1;
}

/* The same of quoted-printable. */
static int transfer_take_quoted(struct ed_transfer *transfer, char c, char *out)
{
    int high;

    if (transfer->held_size == 0) {
        *out = c;
        transfer->held_size = c == '=';
        return c != '=';
    }
    if (transfer->held_size == 1) {
        transfer->held[0] = c;
        transfer->held_size = c == '\n' ? 0 : 2;
        return c == '\n' || c == '\r' || transfer_hex(c) >= 0 ? 0 : -1;
    }
    transfer->held_size = 0;
    if (transfer->held[0] == '\r')
        return c == '\n' ? 0 : -1;
    high = transfer_hex(transfer->held[0]);
    if (transfer_hex(c) < 0)
        return -1;
    *out = (char)(high * 16 + transfer_hex(c));
    return 1;
}

static int transfer_refuse(const struct ed_transfer *transfer, const char *why)
{
    return eddy_raise(EDDY_EHTTP_PAYLOAD, "a part is not valid %s: %s",
                      transfer->kind == ED_TRANSFER_BASE64 ? "base64" : "quoted-printable", why);
}

ssize_t ed_transfer_step(struct ed_transfer *transfer, const char **in, size_t *in_size, char *out,
                         size_t size)
{
    size_t made = 0;

    for (; *in_size > 0 && made < size && !transfer->broken; (*in)++, (*in_size)--) {
        int n = transfer->kind == ED_TRANSFER_BASE64
                    ? transfer_take_base64(transfer, **in, out + made)
                    : transfer_take_quoted(transfer, **in, out + made);

        transfer->broken = n < 0;
        if (transfer->broken)
            break; /* the character stays, for the next step to fail at */
        made += (size_t)n;
    }
    if (transfer->broken && made == 0) /* what came before it is given first */
        return transfer_refuse(transfer, "it has a character that has no place there");
    return (ssize_t)made;
}

int ed_transfer_end(const struct ed_transfer *transfer)
{
    if (transfer->broken)
        return transfer_refuse(transfer, "it has a character that has no place there");
    if (transfer->held_size == 0 && (transfer->digits + transfer->padded) % 4 == 0)
        return 0;
    return transfer_refuse(transfer, "it ends early");
}
