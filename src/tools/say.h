/* SPDX-License-Identifier: MIT */
/*
 * What a command prints on standard error while its loop runs. That may be a pipe or a terminal of
 * which nobody takes anything: no more than the caller waits for it then, and a signal ends that.
 */
#ifndef ED_TOOLS_SAY_H
#define ED_TOOLS_SAY_H

#include <eddy.h>

/* Prints; lost when it cannot be. Suspends while too much is kept. */
EDDY_AWAITS void ed_say(const char *format, ...) EDDY_PRINTF_(1, 2);
/* The same for bytes. Suspends. */
EDDY_AWAITS void ed_say_bytes(const char *data, size_t size);
/* The same without a wait. Returns whether it was taken, or can never be. */
bool ed_say_now(const char *data, size_t size);

/* Waits until all has gone, for so many seconds at most, or for one behind a stop; drops the rest,
 * for which the end of the loop would wait. Suspends. */
EDDY_AWAITS void ed_say_end(double seconds);

#endif
