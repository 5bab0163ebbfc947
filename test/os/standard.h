/* SPDX-License-Identifier: MIT */
/* For tests of the standard streams: descriptors in their place, and what is said to them. */
#ifndef STANDARD_H
#define STANDARD_H

#include "os/folder.h"

/* Descriptors of the test's own in the place of standard ones, until they are put back. */
static int standard_before[2] = {-1, -1};

/* Takes the descriptor. */
static inline void become(int number, int fd)
{
    standard_before[number] = fcntl(number, F_DUPFD_CLOEXEC, 100);
    dup2(fd, number);
    close(fd);
}

static inline void put_back(int number)
{
    dup2(standard_before[number], number);
    close(standard_before[number]);
}

#define STANDARD_TEXT ((size_t)1 << 20)

/* What comes from a descriptor up to its end; a buffer that is overwritten. */
static inline const char *all_of(int fd)
{
    static char *text;
    size_t size = 0;
    ssize_t n;

    text = text ? text : test_room(STANDARD_TEXT);
    while ((n = read(fd, text + size, STANDARD_TEXT - 1 - size)) > 0)
        size += (size_t)n;
    text[size] = '\0';
    return text;
}

/* Whether nobody has touched the flags of what is shared. */
static inline bool blocks(int fd)
{
    return !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static inline int say(const char *text)
{
    eddy_stream *output;

    EDDY_TRY(eddy_stdout(&output));
    EDDY_TRY(eddy_printf(output, "%s", text));
    REQUIRE(blocks(STDOUT_FILENO));
    return 0;
}
EDDY_ASYNC(say, const char *);

#endif
