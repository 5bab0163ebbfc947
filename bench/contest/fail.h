/* SPDX-License-Identifier: MIT */
/* The end of a benchmark that cannot go on: a measurement that met an error is worth nothing. */
#ifndef BENCH_CONTEST_FAIL_H
#define BENCH_CONTEST_FAIL_H

/* Prints the program's name and what failed, with the text of the error number, and exits. */
_Noreturn void fail(const char *what, int error);

#endif
