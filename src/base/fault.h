/* SPDX-License-Identifier: MIT */
/*
 * Injected faults: EDDY_FAULT=op:error:nth[,op:error:nth...] makes the nth
 * operation of a kind fail, counted from 1 in the whole process. The error is an errno
 * name, or "short": a transfer of one byte only. The seam stands
 * above the kernel interface, so that the same faults hit both engines.
 */
#ifndef ED_BASE_FAULT_H
#define ED_BASE_FAULT_H

#include "base/compat.h"

enum ed_fault {
    ED_FAULT_ALLOC, /* heap memory and mappings */
    ED_FAULT_NOP,   /* engine operations, named as in ed_op_kind */
    ED_FAULT_POLL,
    ED_FAULT_ACCEPT,
    ED_FAULT_CONNECT,
    ED_FAULT_RECV,
    ED_FAULT_SEND,
    ED_FAULT_SENDFILE,
    ED_FAULT_READ,
    ED_FAULT_WRITE,
    ED_FAULT_SHUTDOWN,
    ED_FAULT_CLOSE,
    ED_FAULT_OPENAT,
    ED_FAULT_FSYNC,
    ED_FAULT_CANCEL,
    ED_FAULT_THREAD, /* making a thread */
    ED_FAULT_SPAWN,  /* making a process */
    ED_FAULT_STAT,   /* of the file system: all that asks about a name, */
    ED_FAULT_CHMOD,  /* chown and utime too, */
    ED_FAULT_LINK,   /* symbolic ones too, */
    ED_FAULT_RENAME,
    ED_FAULT_UNLINK, /* of files and folders, */
    ED_FAULT_MKDIR,
    ED_FAULT_LIST, /* reading a folder, */
    ED_FAULT_COPY, /* in the kernel */
    ED_FAULT_COUNT,
};

#define ED_FAULT_SHORT 1

/* Whether operations are counted, which some fault or somebody's interest in the counts begins;
 * -1: EDDY_FAULT was not read yet. Atomic. */
extern int ed_faults_counted;
int ed_fault_count_one(enum ed_fault kind);

/* Counts one operation of this kind: 0, or the negative error it must fail
 * with, or ED_FAULT_SHORT. Any thread. */
ED_INLINE int ed_fault_check(enum ed_fault kind)
{
    if (ed_likely(__atomic_load_n(&ed_faults_counted, __ATOMIC_RELAXED) == 0))
        return 0;
    return ed_fault_count_one(kind);
}

/* Counts one of a kind for which nothing is planned: false, and not counted, if something is. */
bool ed_fault_count_unplanned_one(enum ed_fault kind);
ED_INLINE bool ed_fault_count_unplanned(enum ed_fault kind)
{
    return ed_likely(__atomic_load_n(&ed_faults_counted, __ATOMIC_RELAXED) == 0) ||
           ed_fault_count_unplanned_one(kind);
}

/* What EDDY_FAULT calls this kind. */
const char *ed_fault_name(enum ed_fault kind);

/* How many were counted so far; those that come are from now on. */
uint64_t ed_fault_count(enum ed_fault kind);

/* What is planned for a kind, for those who plan something else for a while. */
struct ed_fault_plan {
    uint64_t count; /* of operations so far */
    size_t planned;
    struct {
        uint64_t nth;
        int code;
    } plan[8];
};

/* Takes the plan of a kind away, and puts it back as if nothing had been counted since. */
void ed_fault_save(enum ed_fault kind, struct ed_fault_plan *plan);
void ed_fault_restore(enum ed_fault kind, const struct ed_fault_plan *plan);

/* For tests: the nth operation from now fails with `code`, once; nth 0: none
 * does. Returns how many were counted since the last call. */
uint64_t ed_fault_set(enum ed_fault kind, uint64_t nth, int code);

#endif
