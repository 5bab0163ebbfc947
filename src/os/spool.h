/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a file that is in memory yet: file->spool, until it rolls over; see spool.c.
 *
 *     rc = ed_spool_admit(f, size);                    suspends; it may roll over
 *     if (rc == 0 && f->spool)
 *         rc = ed_spool_truncate(f->spool, size);      else the kernel is asked
 */
#ifndef ED_OS_SPOOL_H
#define ED_OS_SPOOL_H

#include "os/file.h"

/* Makes sure that a file may become `size` bytes long: waits while it rolls over, and rolls it
 * over if it is too long for memory. Suspends. 0, and then it may have no spool any more; or an
 * error, with nothing done. */
int ed_spool_admit(struct ed_file *f, int64_t size);

/* The same for a write; -EFBIG when there can be no such file. */
int64_t
ed_spool_admit_write(struct ed_file *f, const struct iovec *parts, size_t count, int64_t offset);

/* As a kernel would, at once: how much, or an error. */
int64_t ed_spool_read(const struct ed_spool *spool, const struct iovec *parts, size_t count,
                      int64_t offset);
int64_t
ed_spool_write(struct ed_spool *spool, const struct iovec *parts, size_t count, int64_t offset);
int64_t ed_spool_seek(const struct ed_spool *spool, int64_t offset, int whence);
int ed_spool_truncate(struct ed_spool *spool, size_t size);

/* -EAGAIN when it has to be admitted first. */
int64_t ed_spool_write_nowait(struct ed_spool *spool, const struct iovec *parts, size_t count,
                              int64_t offset);

/* Ends the spool of a file, if it has one. */
void ed_spool_free(struct ed_file *f);

#endif
