/* SPDX-License-Identifier: MIT */
/* HTTP clients that get a small page from nginx. */
#ifndef BENCH_HTTP_GET_H
#define BENCH_HTTP_GET_H

#include <stdbool.h>

/* Finds the programs. */
void http_get_prepare(bool peers);

/* Plays the contest: processor time for a GET with 64 in flight. False when one has failed. */
bool http_get_play(unsigned rounds, double seconds);

#endif
