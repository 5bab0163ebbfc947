/* SPDX-License-Identifier: MIT */
/* base64 and quoted-printable, in any pieces. */
#include "http/transfer.h"

#include "harness.h"

/* Decodes a text in pieces: its bytes with a NUL, or the name of the error. */
static const char *decoded(enum ed_transfer_kind kind, const char *text, size_t piece, size_t room)
{
    struct ed_transfer transfer = {.kind = kind};
    static char out[1000];
    size_t size = 0, left = strlen(text);

    while (left > 0) {
        size_t take = left < piece ? left : piece;

        left -= take;
        while (take > 0) {
            ssize_t n = ed_transfer_step(&transfer, &text, &take, out + size, room);

            if (n < 0)
                return eddy_error_name((int)n);
            size += (size_t)n;
        }
    }
    if (ed_transfer_end(&transfer) < 0)
        return transfer.broken ? "EDDY_EHTTP_PAYLOAD" : "early";
    out[size] = '\0';
    return out;
}

/* H-FORM-10 */
RAW_TEST(parts_are_decoded_in_any_pieces)
{
    static const struct {
        enum ed_transfer_kind kind;
        const char *text, *bytes;
    } cases[] = {
        {ED_TRANSFER_BASE64, "", ""},
        {ED_TRANSFER_BASE64, "aGVsbG8gd29ybGQ=", "hello world"},
        {ED_TRANSFER_BASE64, "aGVs\r\nbG8g\r\n d29y\tbGQ=\r\n", "hello world"},
        {ED_TRANSFER_BASE64, "YQ==", "a"},
        {ED_TRANSFER_BASE64, "/+8=", "\xff\xef"},
        {ED_TRANSFER_BASE64, "YQ=", "early"},
        {ED_TRANSFER_BASE64, "YQ", "early"},
        {ED_TRANSFER_BASE64, "YWI", "early"},
        {ED_TRANSFER_BASE64, "Y", "early"},
        {ED_TRANSFER_BASE64, "YQ===", "EDDY_EHTTP_PAYLOAD"},
        {ED_TRANSFER_BASE64, "YQ==YQ==", "EDDY_EHTTP_PAYLOAD"},
        {ED_TRANSFER_BASE64, "=", "EDDY_EHTTP_PAYLOAD"},
        {ED_TRANSFER_BASE64, "Y===", "EDDY_EHTTP_PAYLOAD"},
        {ED_TRANSFER_BASE64, "aGV*", "EDDY_EHTTP_PAYLOAD"},
        {ED_TRANSFER_BASE64, "aGV\xc3", "EDDY_EHTTP_PAYLOAD"},
        {ED_TRANSFER_QUOTED, "", ""},
        {ED_TRANSFER_QUOTED, "caf=C3=A9 =3d", "caf\xc3\xa9 ="},
        {ED_TRANSFER_QUOTED, "one =\r\nline=\n\r\ntwo", "one line\r\ntwo"},
        {ED_TRANSFER_QUOTED, "=4", "early"},
        {ED_TRANSFER_QUOTED, "=", "early"},
        {ED_TRANSFER_QUOTED, "=\r", "early"},
        {ED_TRANSFER_QUOTED, "=4x", "EDDY_EHTTP_PAYLOAD"},
        {ED_TRANSFER_QUOTED, "=xx", "EDDY_EHTTP_PAYLOAD"},
        {ED_TRANSFER_QUOTED, "=\rx", "EDDY_EHTTP_PAYLOAD"},
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(cases); i++)
        for (size_t piece = 1; piece < 100; piece += 7)
            for (size_t room = 1; room < 30; room += 13)
                CHECK_STR(decoded(cases[i].kind, cases[i].text, piece, room), cases[i].bytes);
}

RAW_TEST(encodings_have_names)
{
    enum ed_transfer_kind kind;

    CHECK(ed_transfer_by_name(NULL, &kind) && kind == ED_TRANSFER_NONE);
    CHECK(ed_transfer_by_name("Base64", &kind) && kind == ED_TRANSFER_BASE64);
    CHECK(ed_transfer_by_name("quoted-printable", &kind) && kind == ED_TRANSFER_QUOTED);
    CHECK(ed_transfer_by_name("8BIT", &kind) && kind == ED_TRANSFER_NONE);
    CHECK(!ed_transfer_by_name("uuencode", &kind));
}
