/* SPDX-License-Identifier: MIT */
/* An asynchronous function that simulates fetching data, and returns a record. */
#include "04_fetch_data.h"

static int amain(void)
{
    struct record data;
    return fetch_data(1, &data);
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
