/* SPDX-License-Identifier: MIT */
/* Sequential execution: the second fetch starts when the first has ended; 6 seconds. */
#include "04_fetch_data.h"

static int amain(void)
{
    struct record data_one, data_two;
    EDDY_TRY(fetch_data(1, &data_one));
    EDDY_TRY(fetch_data(2, &data_two));

    print_record("Data one", data_one);
    print_record("Data two", data_two);
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
