/* SPDX-License-Identifier: MIT */
/* What conditions need of a lock. */
#ifndef ED_SYNC_LOCK_H
#define ED_SYNC_LOCK_H

#include "sync/waiters.h"

/* Takes a lock as part of a release: no cancel or timeout cuts it short. */
void ed_lock_take_shielded(eddy_lock *lock);

#endif
