/* SPDX-License-Identifier: MIT */
/*
 * Stack switch for aarch64 (AAPCS64). As on x86-64 it ends in an indirect branch
 * and leaves saving to the compiler, which on Linux also uses x18; x29 is the frame
 * pointer. FPCR belongs to the thread. x16 carries the target, which a landing pad
 * (BTI "jc") accepts.
 */
#ifndef EDDY_SWITCH_AARCH64_H
#define EDDY_SWITCH_AARCH64_H
#ifdef __aarch64__
#pragma GCC system_header
struct eddy_context_; /* sp, pc, fp: eddy/switch.h */

/* Words above sp on entry to a function: none, x30 has the return address. */
#define EDDY_ENTRY_WORDS_ 0

static inline __attribute__((always_inline)) void
eddy_switch_(struct eddy_context_ *from, struct eddy_context_ *to)
{
    register struct eddy_context_ *eddy_from __asm__("x0") = from;
    register struct eddy_context_ *eddy_to __asm__("x1") = to;
    __asm__ volatile("adr x9, 1f\n\t"
                     "mov x10, sp\n\t"
                     "stp x10, x9, [x0]\n\t"
                     "str x29, [x0, #16]\n\t"
                     "ldp x10, x16, [x1]\n\t"
                     "ldr x29, [x1, #16]\n\t"
                     "mov sp, x10\n\t"
                     "mov x30, xzr\n\t" /* ends the backtrace of what starts there */
                     "br x16\n"
                     "1:\n\t"
                     "hint #36\n\t" /* bti j */
                     : "+r"(eddy_from), "+r"(eddy_to)
                     :
                     : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
                       "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24",
                       "x25", "x26", "x27", "x28", "x30", "v0", "v1", "v2", "v3", "v4", "v5", "v6",
                       "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17",
                       "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28",
                       "v29", "v30", "v31",
#ifdef __ARM_FEATURE_SVE
                       "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10", "p11",
                       "p12", "p13", "p14", "p15",
#endif
                       "cc", "memory");
}
#endif
#endif
