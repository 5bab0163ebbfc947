/* SPDX-License-Identifier: MIT */
/* Texts that others have made, on their way to a terminal. */
#ifndef ED_TOOLS_ESCAPE_H
#define ED_TOOLS_ESCAPE_H

#include <stddef.h>

/*
 * Copies a text, with what could steer a terminal or turn the order of letters as "\x1b": controls
 * (C0, DEL, C1), what is no UTF-8, and Unicode's controls of direction. `room` bytes at most, with
 * the NUL; what does not fit is left out.
 */
void ed_escape(const char *text, char *out, size_t room);

#endif
