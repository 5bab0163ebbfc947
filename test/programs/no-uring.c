/* SPDX-License-Identifier: MIT */
/*
 * Runs a command without some system calls, which fail with EPERM as under a
 * container's seccomp filter:
 *
 *     no-uring COMMAND [ARGUMENT...]           without io_uring_*
 *     no-uring --old COMMAND [ARGUMENT...]     and without epoll_pwait2, as filters
 *                                              that are older than kernel 5.11 do it
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int old = argc > 1 && strcmp(argv[1], "--old") == 0;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_enter, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_register, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, old ? SYS_epoll_pwait2 : SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};

    if (argc < 2 + old)
        return 2;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
        perror("no-uring: seccomp");
        return 77;
    }
    execvp(argv[1 + old], argv + 1 + old);
    perror(argv[1 + old]);
    return 127;
}
