/* SPDX-License-Identifier: MIT */
/* A context manager over a file: open, read and close each wait for a thread. */
/*
 * As printed it awaits an ordinary read, which is a TypeError, and closes the
 * file in the loop's own thread. C has no such mistake to keep: a blocking
 * function is started by eddy_to_thread or simply called.
 */
#include <eddy.h>
#include <stdio.h>

struct text {
    char bytes[2000]; /* terminated; a longer file is cut */
};

static int open_file(const char *filename, FILE **file)
{
    *file = fopen(filename, "r");
    return *file != NULL ? 0 : -errno;
}
EDDY_ASYNC_RESULT(FILE *, open_file, const char *);

static int read_text(FILE *file, struct text *text)
{
    size_t length = fread(text->bytes, 1, sizeof text->bytes - 1, file);

    text->bytes[length] = '\0';
    return ferror(file) ? -EIO : 0;
}
EDDY_ASYNC_RESULT(struct text, read_text, FILE *);

static int close_file(FILE *file)
{
    return fclose(file) == 0 ? 0 : -errno;
}
EDDY_ASYNC(close_file, FILE *);

/* async def __aenter__ */
static int async_file_reader_enter(const char *filename, FILE **file)
{
    return eddy_to_thread(open_file, filename, file);
}

/* async def __aexit__ */
static int async_file_reader_exit(FILE *file)
{
    return eddy_to_thread(close_file, file);
}

static int read_file(void)
{
    FILE *file;
    EDDY_TRY(async_file_reader_enter("data.txt", &file));
    EDDY_DEFER(async_file_reader_exit, file);

    struct text data;
    EDDY_TRY(eddy_to_thread(read_text, file, &data));
    puts(data.bytes);
    return 0;
}
EDDY_ASYNC(read_file);
EDDY_MAIN(read_file)
