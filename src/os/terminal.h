/* SPDX-License-Identifier: MIT */
/* Pseudo-terminals for child processes; see terminal.c. */
#ifndef ED_OS_TERMINAL_H
#define ED_OS_TERMINAL_H

#include <stdint.h>

/* Both ends of a new one, close-on-exec. The master does not block. */
struct ed_terminal {
    int master, slave;
};

/* Opens one, as large as that; 0: 24 rows, 80 columns. 0, or an error with nothing left open:
 * -ENOSPC, the system has as many as it may; -ENOENT, it has none. */
int ed_terminal_open(struct ed_terminal *terminal, uint16_t rows, uint16_t columns);

#endif
