/* SPDX-License-Identifier: MIT */
/* Addresses as texts: what is accepted is written, and read again as the same address. */
#include "eddy/address.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), written[EDDY_ADDRESS_TEXT];
    eddy_address address, again;

    FUZZ_CHECK(text);
    memcpy(text, data, size);
    text[size] = '\0';
    if (eddy_address_parse(text, &address) == 0) {
        FUZZ_CHECK(address.size > 0 && address.size <= sizeof address.as);
        eddy_address_text(&address, written, sizeof written);
        FUZZ_CHECK(eddy_address_parse(written, &again) == 0);
        FUZZ_CHECK(eddy_address_equal(&address, &again));
    }
    free(text);
    return 0;
}
