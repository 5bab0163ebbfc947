/* SPDX-License-Identifier: MIT */
/* Bytes in several parts, as writev(2) has them. */
#ifndef ED_IO_PARTS_H
#define ED_IO_PARTS_H

#include <sys/uio.h>

#include "base/compat.h"

#define ED_PARTS_TRANSFER ((size_t)1 << 30) /* bytes of a part that are asked for at once */

/* Describes what is left behind `skip` bytes, up to `room` parts of it, without those that are
 * empty: returns how many. */
size_t ed_parts_rest(const struct iovec *parts, size_t count, size_t skip, struct iovec *rest,
                     size_t room);

#endif
