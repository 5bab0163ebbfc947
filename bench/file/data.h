/* SPDX-License-Identifier: MIT */
/* The files of work.h: made once, brought into the page cache or out of it. */
#ifndef BENCH_FILE_DATA_H
#define BENCH_FILE_DATA_H

/* Make them, unless they are there; what they have is on the disk then. */
void data_make_small(void);
void data_make_big(void);
void data_make_lines(void);
void data_make_fifo(void);

/* Read all that there are. */
void data_warm_small(void);
void data_warm_big(void);
void data_warm_lines(void);

/* The same for the big file, and removes its copy. */
void data_prepare_copy(void);

/* Take their bytes out of the page cache, as far as the kernel follows. */
void data_evict_small(void);
void data_evict_big(void);

#endif
