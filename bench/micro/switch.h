/* SPDX-License-Identifier: MIT */
/*
 * The two measurements that need no library at run time: a bare switch between
 * two stacks, which is the unit of all goals, and the library's own switch.
 *
 * Each starts a partner on a stack of its own whose whole life is to switch
 * back, and counts the switches of both. The partner is never finished: its
 * stack is simply used again.
 */
#ifndef BENCH_MICRO_SWITCH_H
#define BENCH_MICRO_SWITCH_H

#include <eddy/switch.h>
#include <stdalign.h>
#include <stdint.h>

/* Saves the callee-saved registers on the running stack and its pointer in
 * *from, goes on with the stack `to`. Out of line, as a library's would be, and
 * ending in an indirect jump, as a careful library's would. */
void unit_switch(void **from, void *to);

#if defined(__x86_64__)
__asm__(".text\n"
        ".p2align 4\n"
        ".type unit_switch, @function\n"
        "unit_switch:\n\t"
        "pushq %rbp\n\t"
        "pushq %rbx\n\t"
        "pushq %r12\n\t"
        "pushq %r13\n\t"
        "pushq %r14\n\t"
        "pushq %r15\n\t"
        "movq %rsp, (%rdi)\n\t"
        "movq %rsi, %rsp\n\t"
        "popq %r15\n\t"
        "popq %r14\n\t"
        "popq %r13\n\t"
        "popq %r12\n\t"
        "popq %rbx\n\t"
        "popq %rbp\n\t"
        "popq %rcx\n\t"
        "jmpq *%rcx\n"
        ".size unit_switch, . - unit_switch\n");
enum {
    UNIT_SAVED = 8, /* words on a new stack: six registers, the entry, no return address */
    UNIT_ENTRY = 6, /* which of them is the entry */
    ENTRY_GAP = 8,  /* bytes from the aligned top to the stack pointer at an entry */
};
#elif defined(__aarch64__)
__asm__(".text\n"
        ".p2align 4\n"
        ".type unit_switch, %function\n"
        "unit_switch:\n\t"
        "sub sp, sp, #160\n\t"
        "stp x19, x20, [sp]\n\t"
        "stp x21, x22, [sp, #16]\n\t"
        "stp x23, x24, [sp, #32]\n\t"
        "stp x25, x26, [sp, #48]\n\t"
        "stp x27, x28, [sp, #64]\n\t"
        "stp x29, x30, [sp, #80]\n\t"
        "stp d8, d9, [sp, #96]\n\t"
        "stp d10, d11, [sp, #112]\n\t"
        "stp d12, d13, [sp, #128]\n\t"
        "stp d14, d15, [sp, #144]\n\t"
        "mov x9, sp\n\t"
        "str x9, [x0]\n\t"
        "mov sp, x1\n\t"
        "ldp x19, x20, [sp]\n\t"
        "ldp x21, x22, [sp, #16]\n\t"
        "ldp x23, x24, [sp, #32]\n\t"
        "ldp x25, x26, [sp, #48]\n\t"
        "ldp x27, x28, [sp, #64]\n\t"
        "ldp x29, x30, [sp, #80]\n\t"
        "ldp d8, d9, [sp, #96]\n\t"
        "ldp d10, d11, [sp, #112]\n\t"
        "ldp d12, d13, [sp, #128]\n\t"
        "ldp d14, d15, [sp, #144]\n\t"
        "add sp, sp, #160\n\t"
        "mov x16, x30\n\t"
        "br x16\n"
        ".size unit_switch, . - unit_switch\n");
enum {
    UNIT_SAVED = 20,
    UNIT_ENTRY = 11,
    ENTRY_GAP = 0,
};
#endif

#define PARTNER_STACK ((size_t)64 * 1024)
static alignas(64) unsigned char partner_stack[PARTNER_STACK];

/* What both sides of a ping-pong see; one runs at a time. */
static struct {
    void *mine, *partners;                /* of unit */
    struct eddy_context_ caller, partner; /* of bare */
    uint64_t switches;                    /* made by the partner */
} pong;

static void unit_partner(void)
{
    for (;;) {
        pong.switches++;
        unit_switch(&pong.partners, pong.mine);
    }
}

/* Switches there and back until `count` switches are made; returns how many. */
static uint64_t unit_play(uint64_t count)
{
    void **saved = (void **)(void *)(partner_stack + PARTNER_STACK) - UNIT_SAVED;

    saved[UNIT_SAVED - 1] = NULL;
    saved[UNIT_ENTRY] = (void *)(uintptr_t)unit_partner;
    pong.partners = saved;
    pong.switches = 0;
    for (uint64_t i = 0; i < count; i += 2)
        unit_switch(&pong.mine, pong.partners);
    return 2 * pong.switches;
}

static void bare_partner(void)
{
    for (;;) {
        pong.switches++;
        eddy_switch_(&pong.partner, &pong.caller);
    }
}

/* The same with the library's switch. Not inlined, since the switch clobbers
 * every register of the function that it stands in. */
static __attribute__((noinline)) uint64_t bare_play(uint64_t count)
{
    pong.partner.sp = partner_stack + PARTNER_STACK - ENTRY_GAP;
    pong.partner.pc = (void *)(uintptr_t)bare_partner;
    pong.partner.fp = NULL;
    pong.switches = 0;
    for (uint64_t i = 0; i < count; i += 2)
        eddy_switch_(&pong.caller, &pong.partner);
    return 2 * pong.switches;
}

#endif
