/* SPDX-License-Identifier: MIT */
/*
 * Stack switch for x86-64 (System V ABI). It ends in an indirect jump, not in
 * a return, which the return-stack predictor would miss each time: 2 ns a
 * switch instead of 10 (measured with gcc 12). Nothing is pushed, so that the
 * red zone stays whole. The x87 and SSE control words belong to the thread.
 */
#ifndef EDDY_SWITCH_X86_64_H
#define EDDY_SWITCH_X86_64_H
#ifdef __x86_64__
#pragma GCC system_header
struct eddy_context_; /* sp, pc, fp: eddy/switch.h */

/* Words above sp on entry to a function: the return address. */
#define EDDY_ENTRY_WORDS_ 1

static inline __attribute__((always_inline)) void
eddy_switch_(struct eddy_context_ *from, struct eddy_context_ *to)
{
    __asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
                     "movq %%rsp, 0(%%rdi)\n\t"
                     "movq %%rax, 8(%%rdi)\n\t"
                     "movq %%rbp, 16(%%rdi)\n\t"
                     "movq 0(%%rsi), %%rsp\n\t"
                     "movq 16(%%rsi), %%rbp\n\t"
                     "jmpq *8(%%rsi)\n\t"
                     ".p2align 4\n"
                     "1:\n\t"
                     : "+D"(from), "+S"(to)
                     :
                     : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
                       "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                       "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15",
#ifdef __AVX512F__
                       "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23",
                       "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k1",
                       "k2", "k3", "k4", "k5", "k6", "k7",
#endif
                       "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "cc",
                       "memory");
}
#endif
#endif
