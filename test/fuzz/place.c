/* SPDX-License-Identifier: MIT */
/* Places to connect to: what is accepted has no byte that was not in the text, and reads the
 * same when it is written again. */
#include "net/place.h"

#include "fuzz.h"

static void write_place(const struct ed_place *place, char *text, size_t size)
{
    if (strcmp(place->scheme, "unix") == 0)
        snprintf(text, size, "unix:%s", place->host);
    else
        snprintf(text, size, strchr(place->host, ':') ? "%s://[%s]:%u" : "%s://%s:%u",
                 place->scheme, place->host, place->port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ed_place place, again;
    char text[2 * ED_PLACE_HOST];

    if (ed_place_parse((const char *)data, size, &place) < 0)
        return 0;
    FUZZ_CHECK(strlen(place.host) < sizeof place.host);
    write_place(&place, text, sizeof text);
    FUZZ_CHECK(ed_place_parse(text, strlen(text), &again) == 0);
    FUZZ_CHECK(strcmp(place.scheme, again.scheme) == 0);
    FUZZ_CHECK(strcmp(place.host, again.host) == 0 && place.port == again.port);
    return 0;
}
