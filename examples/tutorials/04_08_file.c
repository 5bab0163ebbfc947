/* SPDX-License-Identifier: MIT */
/* Reading a file without blocking the loop: aiofiles. */
#include <eddy.h>
#include <stdio.h>

static int read_file(const char *file_path)
{
    EDDY_STREAM f = NULL; /* async with aiofiles.open(...) as f */
    char *contents;

    EDDY_TRY(eddy_open(file_path, "r", &f));
    EDDY_TRY(eddy_read_all(f, 0, &contents, NULL));
    EDDY_DEFER(eddy_free, contents);
    puts(contents);
    return 0;
}

static int amain(void)
{
    return read_file("example.txt");
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
