/* SPDX-License-Identifier: MIT */
/*
 * Sets of local values: small immutable-when-shared maps from a variable's
 * address to a pointer. NULL is the empty set. Sharing is a count, so that a
 * task or callback inherits its creator's values in O(1); a set that is shared
 * is copied when it is changed. One thread at a time.
 */
#ifndef ED_BASE_LOCALS_H
#define ED_BASE_LOCALS_H

#include "base/compat.h"

struct ed_locals;

/* One more user of a set; returns it. */
struct ed_locals *ed_locals_ref(struct ed_locals *locals);
void ed_locals_unref(struct ed_locals *locals);

/* A set of one's own with the same values, for another thread: 0 or -ENOMEM. */
int ed_locals_copy(struct ed_locals **copy, const struct ed_locals *locals);

/* Whether `key` is set, and then its value in *value. */
bool ed_locals_get(const struct ed_locals *locals, const void *key, void **value);

/* Sets or, with unset, removes a key in *locals, which is replaced if it is
 * shared or must grow. 0 or -ENOMEM. */
int ed_locals_set(struct ed_locals **locals, const void *key, void *value);
int ed_locals_unset(struct ed_locals **locals, const void *key);

#endif
