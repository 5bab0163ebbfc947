/* SPDX-License-Identifier: MIT */
/*
 * The start of a program. Most children here are a `sleep`, of which the kernel tells what it
 * has; it is killed by what a failed start is undone with.
 */
#include "os/spawn.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/stats.h"
#include "os/child.h"

static const char *const sleeper[] = {"sleep", "100", NULL};
static const char *const usual[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C", NULL};

#define SPAWN_DEFAULTS .argv = sleeper, .env = usual

/* Waits until a child ends, and gives up its pidfd. Its code, or the negative signal. */
static int end_of(struct ed_child *child)
{
    siginfo_t info = {.si_pid = 0};

    if (waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED) < 0)
        test_fail(__FILE__, __LINE__, "waitid: %s", strerror(errno));
    close(child->pidfd);
    ed_stats_add(ED_STAT_DESCRIPTORS, -1);
    return info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
}

/* Runs a program that is to end by itself: its code, or why it does not run. */
static int run(const char *const *argv, const char *const *env)
{
    struct ed_spawn spawn = {.argv = argv, .env = env};
    struct ed_child child;
    int rc = ed_spawn(&spawn, &child);

    return rc < 0 ? rc : end_of(&child);
}

#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL}, usual)
#define RUN_IN(path, ...)                                                                          \
    run((const char *const[]){__VA_ARGS__, NULL}, (const char *const[]){path, NULL})

RAW_TEST(spawn_runs_a_program_by_its_path_or_from_PATH)
{
    CHECK_EQ(RUN("true"), 0);
    CHECK_EQ(RUN("/bin/sh", "-c", "exit 7"), 7);
    CHECK_EQ(RUN("sh", "-c", "kill -9 $$"), -9);
    CHECK_EQ(RUN("sh", "-c", "test $LANG = C && test -z \"$HOME\""), 0);
    CHECK(no_child_is_left());
}

/* The PATH is the child's. */
RAW_TEST(spawn_searches_PATH_in_order)
{
    if (test_is_on_valgrind())
        test_skip("valgrind finds no program by a relative path");
    CHECK_FAILS(RUN_IN("PATH=/nowhere:/proc", "true"), -ENOENT, "cannot run true: No such file");
    CHECK_EQ(RUN_IN("PATH=/nowhere:/bin", "true"), 0);
    CHECK_EQ(RUN_IN("PATH=/etc/passwd:/bin", "true"), 0); /* ENOTDIR */
    CHECK_EQ(RUN_IN("LANG=C", "true"), 0);                /* none: that of the system */
    CHECK_EQ(chdir("/bin"), 0);
    CHECK_EQ(RUN_IN("PATH=", "true"), 0); /* an empty one is the working directory */
    CHECK_EQ(RUN_IN("PATH=/nowhere::/proc", "true"), 0);
    CHECK_EQ(RUN_IN("PATH=/nowhere:", "true"), 0);
    CHECK_FAILS(RUN_IN("PATH=/bin", "./nothing"), -ENOENT, "cannot run ./nothing");
}

/* A folder of the test's, with a script without #! and a file that nobody may execute. */
static void with_folder(char *folder)
{
    char path[200];
    FILE *file;

    memcpy(folder, "/tmp/eddy-spawn-XXXXXX", 23);
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/script", folder);
    file = fopen(path, "we");
    fputs("exit $(($1 + $#))\n", file);
    fclose(file);
    CHECK_EQ(chmod(path, 0700), 0);
    snprintf(path, sizeof path, "%s/true", folder);
    file = fopen(path, "we");
    fclose(file);
    CHECK_EQ(chmod(path, 0600), 0);
}

static void without_folder(char *folder)
{
    char path[200];

    snprintf(path, sizeof path, "%s/script", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/true", folder);
    unlink(path);
    rmdir(folder);
}

/* As execvp(3): the shell runs what is executable and no program, and another file of the same
 * name is taken when one must not be executed. */
RAW_TEST(spawn_treats_scripts_and_forbidden_files_as_execvp_does)
{
    char folder[64], path[200], setting[200], both[200];

    with_folder(folder);
    snprintf(path, sizeof path, "%s/script", folder);
    snprintf(setting, sizeof setting, "PATH=%s", folder);
    snprintf(both, sizeof both, "PATH=%s:/bin", folder);
    CHECK_EQ(RUN(path, "3", "more"), 5);
    CHECK_EQ(RUN_IN(setting, "script", "4"), 5);
    CHECK_EQ(RUN_IN(both, "true"), 0);
    CHECK_FAILS(RUN_IN(setting, "true"), -EACCES, "cannot run true: Permission denied");
    snprintf(setting, sizeof setting, "PATH=%s:/nowhere", folder);
    CHECK_FAILS(RUN_IN(setting, "true"), -EACCES, "cannot run true: Permission denied");
    CHECK_FAILS(RUN(folder), -EACCES, folder);
    without_folder(folder);
}

/* Issue, 3: a clear error that names the command, and nothing is left. */
RAW_TEST(spawn_that_fails_names_the_program_and_leaves_nothing)
{
    static const char *argv[] = {"true", NULL, NULL};
    struct ed_spawn spawn = {.argv = argv, .env = usual};
    struct ed_child child = {.pid = 1, .pidfd = -1};
    char *much = malloc(4 << 20);

    if (test_is_on_valgrind())
        test_skip("valgrind does not survive an execve(2) that fails late");
    memset(much, 'x', 4 << 20);
    much[(4 << 20) - 1] = '\0';
    argv[1] = much;
    CHECK_FAILS(ed_spawn(&spawn, &child), -E2BIG, "cannot run true: Argument list too long");
    free(much);
    argv[1] = NULL;
    spawn.directory = "/nowhere";
    CHECK_FAILS(ed_spawn(&spawn, &child), -ENOENT,
                "cannot run true in directory /nowhere: No such");
    spawn.directory = "/etc/passwd";
    CHECK_FAILS(ed_spawn(&spawn, &child), -ENOTDIR, "in directory /etc/passwd: Not a directory");
    spawn.directory = NULL;
    spawn.group = 1; /* that of another session */
    CHECK_FAILS(ed_spawn(&spawn, &child), -EPERM, "cannot run true in process group 1");
    CHECK(no_child_is_left());
}

RAW_TEST(spawn_says_when_there_is_no_room_for_a_process)
{
    static const char *const argv[] = {"true", NULL};
    struct ed_spawn spawn = {.argv = argv, .env = usual};
    struct rlimit limit, none;
    struct ed_child child;
    rlim_t lacks;

    (void)ed_fault_set(ED_FAULT_SPAWN, 1, -EAGAIN);
    CHECK_FAILS(ed_spawn(&spawn, &child), -EAGAIN, "cannot run true");
    (void)ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    CHECK_EQ(ed_spawn(&spawn, &child), -ENOMEM);
    (void)ed_fault_set(ED_FAULT_ALLOC, 0, 0);
    getrlimit(RLIMIT_NOFILE, &limit);
    lacks = test_is_on_valgrind() ? 2 : 3; /* a pipe; a pidfd, for want of which valgrind aborts */
    for (rlim_t more = 0; more < lacks; more++) {
        int first = dup(0);

        close(first);
        none = (struct rlimit){(rlim_t)first + more, limit.rlim_max};
        setrlimit(RLIMIT_NOFILE, &none);
        CHECK_EQ(ed_spawn(&spawn, &child), -EMFILE);
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    CHECK(no_child_is_left());
}

/* Files on the numbers 0 to 4, whose names tell which; the caller has saved what was there. */
static void place_files(void)
{
    for (int i = 0; i < 5; i++) {
        char name[8];
        int low, fd;

        snprintf(name, sizeof name, "file-%d", i);
        low = memfd_create(name, MFD_CLOEXEC);
        fd = fcntl(low, F_DUPFD_CLOEXEC, 50);
        close(low);
        dup3(fd, i, i == 3 ? O_CLOEXEC : 0); /* it must not matter */
        close(fd);
    }
}

static bool is_file(pid_t pid, int fd, int number)
{
    char name[32];

    snprintf(name, sizeof name, "/memfd:file-%d ", number);
    return strncmp(child_descriptor(pid, fd), name, strlen(name)) == 0;
}

/* All ways to take the three standard streams, and one more, from five descriptors that may be
 * among the targets: the classic bug is a source that was overwritten before its turn. */
static void map_descriptors(void)
{
    for (int way = 0; way < 5 * 5 * 5 * 5; way++) {
        int from[4] = {way % 5, way / 5 % 5, way / 25 % 5, way / 125};
        int order = way % 7 % 4, wrong = 0;
        struct ed_spawn_fd fds[4];
        struct ed_spawn spawn = {SPAWN_DEFAULTS, .fds = fds, .fd_count = 4};
        struct ed_child child;

        for (int i = 0; i < 4; i++)
            fds[(i + order) % 4] = (struct ed_spawn_fd){from[i], i};
        if (ed_spawn(&spawn, &child) < 0)
            _exit(4);
        for (int i = 0; i < 4; i++)
            wrong += !is_file(child.pid, i, from[i]);
        wrong += !child_has_descriptors(child.pid, 4);
        ed_spawn_undo(&child);
        if (wrong)
            _exit(5);
    }
    _exit(3);
}

static void map_in_a_child(void)
{
    place_files();
    map_descriptors();
}

RAW_TEST(spawn_maps_descriptors_in_any_permutation)
{
    char text[1000];
    int status;

    if (test_is_on_valgrind())
        test_skip("too many programs for valgrind");
    status = test_fork(map_in_a_child, text, sizeof text);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 3);
}

static void spawn_without_standard_streams(void)
{
    struct ed_spawn_fd out = {100, 1};
    struct ed_spawn spawn = {SPAWN_DEFAULTS, .fds = &out, .fd_count = 1};
    struct ed_child child;
    int rc;

    dup3(2, 100, O_CLOEXEC);
    for (int i = 0; i < 3; i++)
        close(i);
    if (ed_spawn(&spawn, &child) < 0)
        _exit(4);
    rc =
        child_has_descriptors(child.pid, 1) && !strncmp(child_descriptor(child.pid, 1), "pipe:", 5);
    ed_spawn_undo(&child);
    _exit(rc ? 3 : 5);
}

/* The pipe of the start may then be on one of their numbers. */
RAW_TEST(spawn_works_when_the_standard_streams_are_closed)
{
    char text[1000];
    int status = test_fork(spawn_without_standard_streams, text, sizeof text);

    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 3);
}

/* A-SUBP-13: the others are closed, even those that are not close-on-exec. */
RAW_TEST(spawn_gives_the_child_no_other_descriptors)
{
    struct ed_spawn_fd kept[2] = {{20, 20}, {21, 7}};
    struct ed_spawn spawn = {SPAWN_DEFAULTS, .fds = kept, .fd_count = 2};
    struct ed_child child;

    for (int fd = 20; fd < 40; fd++)
        CHECK_EQ(dup2(1, fd), fd);
    CHECK_OK(ed_spawn(&spawn, &child));
    CHECK(child_has_descriptors(child.pid, 5));
    CHECK(child_descriptor(child.pid, 20)[0] && child_descriptor(child.pid, 7)[0]);
    CHECK_EQ(fcntl(child.pidfd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(21, F_GETFD), 0); /* ours are as they were */
    ed_spawn_undo(&child);
    kept[1].source = 50;
    CHECK_FAILS(ed_spawn(&spawn, &child), -EBADF, "cannot run sleep with its descriptors");
    for (int fd = 20; fd < 40; fd++)
        close(fd);
}

RAW_TEST(spawn_closes_the_others_without_close_range_too)
{
    struct ed_spawn spawn = {SPAWN_DEFAULTS};
    struct ed_child child;

    without_call(SYS_close_range);
    CHECK_EQ(dup2(1, 20), 20);
    CHECK_OK(ed_spawn(&spawn, &child));
    CHECK(child_has_descriptors(child.pid, 3));
    ed_spawn_undo(&child);
    close(20);
}

static void ignore(int number)
{
    (void)number;
}

/* Whatever this process, or this thread, has set. */
RAW_TEST(spawn_gives_the_child_default_dispositions_and_an_empty_mask)
{
    struct ed_spawn spawn = {SPAWN_DEFAULTS};
    struct ed_child child;
    sigset_t set, before = {{0}}, after = {{0}};

    if (test_is_on_valgrind())
        test_skip("valgrind has handlers of its own in the child");
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGRTMIN + 3, SIG_IGN);
    signal(SIGUSR1, ignore);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGRTMAX);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    CHECK_OK(ed_spawn(&spawn, &child));
    CHECK_STR(child_status(child.pid, "SigIgn"), "0000000000000000");
    CHECK_STR(child_status(child.pid, "SigBlk"), "0000000000000000");
    CHECK_STR(child_status(child.pid, "SigCgt"), "0000000000000000");
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    CHECK(memcmp(&before, &after, sizeof before) == 0);
    CHECK(signal(SIGINT, SIG_DFL) == SIG_IGN);
    ed_spawn_undo(&child);
    CHECK(no_child_is_left());
}

RAW_TEST(spawn_makes_sessions_and_groups)
{
    struct ed_spawn spawn = {SPAWN_DEFAULTS, .new_session = true};
    struct ed_child one, two, three, four;

    CHECK_OK(ed_spawn(&spawn, &one));
    spawn.new_session = false;
    CHECK_OK(ed_spawn(&spawn, &two));
    spawn.new_group = true;
    CHECK_OK(ed_spawn(&spawn, &three));
    spawn.new_group = false;
    spawn.group = three.pid;
    CHECK_OK(ed_spawn(&spawn, &four));
    CHECK(getsid(one.pid) == one.pid && getpgid(one.pid) == one.pid);
    CHECK(getsid(two.pid) == getsid(0) && getpgid(two.pid) == getpgid(0));
    CHECK(getsid(three.pid) == getsid(0) && getpgid(three.pid) == three.pid);
    CHECK_EQ(getpgid(four.pid), three.pid);
    ed_spawn_undo(&one);
    ed_spawn_undo(&two);
    ed_spawn_undo(&three);
    ed_spawn_undo(&four);
}

RAW_TEST(spawn_sets_directory_and_umask)
{
    struct ed_spawn spawn = {SPAWN_DEFAULTS, .directory = "/proc", .set_umask = true, .umask = 027};
    struct ed_child child;
    char path[64], folder[64] = "";

    CHECK_OK(ed_spawn(&spawn, &child));
    CHECK_STR(child_status(child.pid, "Umask"), "0027");
    snprintf(path, sizeof path, "/proc/%d/cwd", (int)child.pid);
    CHECK(readlink(path, folder, sizeof folder - 1) > 0);
    CHECK_STR(folder, "/proc");
    ed_spawn_undo(&child);
}

/* With none of our groups; and what the kernel takes from a process that changes its user, it does
 * not take from us. */
RAW_TEST(spawn_becomes_another_user)
{
    struct ed_spawn spawn = {SPAWN_DEFAULTS, .set_user = true, .user = 65534, .gid = 65533};
    int dumpable = prctl(PR_GET_DUMPABLE);
    struct ed_child child;

    if (geteuid() != 0)
        test_skip("only root may become another user");
    CHECK_OK(ed_spawn(&spawn, &child));
    CHECK_STR(child_status(child.pid, "Uid"), "65534\t65534\t65534\t65534");
    CHECK_STR(child_status(child.pid, "Gid"), "65533\t65533\t65533\t65533");
    CHECK_STR(child_status(child.pid, "Groups"), "");
    CHECK_EQ(prctl(PR_GET_DUMPABLE), dumpable);
    ed_spawn_undo(&child);
    spawn.directory = "/nowhere"; /* an error comes back from a child without our memory, too */
    CHECK_FAILS(ed_spawn(&spawn, &child), -ENOENT, "in directory /nowhere");
}

static void become_nobody_twice(void)
{
    struct ed_spawn spawn = {SPAWN_DEFAULTS, .set_user = true, .user = 1, .gid = 1};
    struct ed_child child;

    if (setgid(65534) < 0 || setuid(65534) < 0)
        _exit(2);
    if (ed_spawn(&spawn, &child) != -EPERM ||
        !strstr(eddy_error_message(-EPERM), "cannot run sleep as user 1 and group 1"))
        _exit(4);
    _exit(3);
}

RAW_TEST(spawn_says_when_it_must_not_become_another_user)
{
    char text[1000];
    int status;

    if (geteuid() != 0)
        test_skip("only root may become another user");
    status = test_fork(become_nobody_twice, text, sizeof text);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 3);
}

static void *spawn_many(void *unused)
{
    for (int i = 0; i < (test_is_slow() ? 20 : 100); i++)
        if (RUN("true") != 0)
            return (void *)(uintptr_t)1;
    return unused;
}

RAW_TEST(spawn_may_be_called_by_many_threads_at_once)
{
    pthread_t threads[4];
    void *failure = NULL;

    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, spawn_many, NULL), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &failure);
        CHECK(failure == NULL);
    }
    CHECK(no_child_is_left());
}
