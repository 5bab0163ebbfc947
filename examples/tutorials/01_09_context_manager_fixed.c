/* SPDX-License-Identifier: MIT */
/* A context manager over a file. */
/*
 * As printed it opens the file in a thread, awaits the ordinary read of an ordinary file, which
 * is a TypeError, and closes it in the loop's own thread. Here opening, reading and closing are
 * all asynchronous, as the text says that they are.
 */
#include <eddy.h>
#include <stdio.h>

struct async_file_reader {
    const char *filename;
    eddy_stream *file;
};

/* async def __aenter__ */
static int async_file_reader_enter(struct async_file_reader *self)
{
    return eddy_open(self->filename, "r", &self->file);
}

/* async def __aexit__ */
static int async_file_reader_exit(struct async_file_reader *self)
{
    return eddy_stream_close(&self->file);
}

static int read_file(void)
{
    struct async_file_reader reader = {"data.txt", NULL};
    char *data;

    EDDY_TRY(async_file_reader_enter(&reader));
    EDDY_DEFER(async_file_reader_exit, &reader);

    EDDY_TRY(eddy_read_all(reader.file, 0, &data, NULL));
    EDDY_DEFER(eddy_free, data);
    puts(data);
    return 0;
}
EDDY_ASYNC(read_file);
EDDY_MAIN(read_file)
