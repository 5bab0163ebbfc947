/* SPDX-License-Identifier: MIT */
/* Names by the system's name service; see system.c. */
#ifndef ED_NET_SYSTEM_H
#define ED_NET_SYSTEM_H

#include "net/channel.h"

/* Asks getaddrinfo(3) or getnameinfo(3) in a thread for names, as the question says, and waits
 * for the answer, which is in order. Suspends. Returns 0, or an error with its text. */
int ed_system_ask(struct ed_question *question);

#endif
