/* SPDX-License-Identifier: MIT */
/* The fault seam: reliability, practice 2. */
#include "base/fault.h"

#include "harness.h"
#include "programs/program.h"

/* EDDY_FAULT is read once in a process, so these start one. Returns its wait
 * status; `text` is what it printed. */
static int with_faults(const char *faults, char *text, size_t size)
{
    char setting[1024];

    snprintf(setting, sizeof setting, "EDDY_FAULT=%s", faults);
    return program_run(text, size, setting, "fault", "checks", NULL);
}

#define CHECK_FAULTS(faults, expected)                                                             \
    do {                                                                                           \
        char text[4096];                                                                           \
        int status = with_faults((faults), text, sizeof text);                                     \
        CHECK_THAT(status == 0, "status %x: %s", (unsigned)status, text);                          \
        CHECK_STR(text, expected);                                                                 \
    } while (0)

#define CHECK_REFUSED(faults, sentence)                                                            \
    do {                                                                                           \
        char text[4096];                                                                           \
        int status = with_faults((faults), text, sizeof text);                                     \
        CHECK_THAT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "%s was accepted: %s",      \
                   (faults), text);                                                                \
        CHECK_HAS(text, sentence);                                                                 \
    } while (0)

RAW_TEST(fault_variable_unset_or_empty_injects_nothing)
{
    CHECK_FAULTS("", "alloc 0 0 0 0\nnop 0 0 0 0\npoll 0 0 0 0\ncancel 0 0 0 0\nthread 0 0 0 0\n");
}

RAW_TEST(fault_variable_fails_the_nth_operation_of_each_kind_it_names)
{
    CHECK_FAULTS("poll:EIO:2,cancel:EPERM:1,poll:ENOMEM:4",
                 "alloc 0 0 0 0\nnop 0 0 0 0\npoll 0 EIO 0 ENOMEM\ncancel EPERM 0 0 0\n"
                 "thread 0 0 0 0\n");
    CHECK_FAULTS("thread:EAGAIN:3,nop:ETIMEDOUT:1,alloc:ENOMEM:4",
                 "alloc 0 0 0 ENOMEM\nnop ETIMEDOUT 0 0 0\npoll 0 0 0 0\ncancel 0 0 0 0\n"
                 "thread 0 0 EAGAIN 0\n");
}

/* A fault test whose faults cannot be read must not pass. */
RAW_TEST(fault_variable_that_cannot_be_read_aborts_with_a_sentence)
{
    CHECK_REFUSED("poll", "EDDY_FAULT: \"poll\" is not op:error:nth");
    CHECK_REFUSED("poll:EIO", "is not op:error:nth");
    CHECK_REFUSED("poll:EIO:", "is not op:error:nth");
    CHECK_REFUSED("poll:EIO:0", "is not op:error:nth");
    CHECK_REFUSED("poll:EIO:x", "is not op:error:nth");
    CHECK_REFUSED("poll:EIO:1,", "is not op:error:nth");
    CHECK_REFUSED("poll:ENOSUCH:1", "EDDY_FAULT: \"ENOSUCH\" is not the name of an error");
    CHECK_REFUSED("fly:EIO:1", "EDDY_FAULT: there is no operation \"fly\"");
}

/* The same: a number with something behind it, or one that never comes. */
RAW_TEST(fault_variable_with_more_than_a_number_is_refused)
{
    CHECK_REFUSED("poll:EIO:1x", "is not op:error:nth");
    CHECK_REFUSED("poll:EIO:1:2", "is not op:error:nth");
    CHECK_REFUSED("poll:EIO:-1", "is not op:error:nth");
}

RAW_TEST(fault_variable_beyond_its_limits_is_refused)
{
    char long_one[700];

    CHECK_REFUSED("nop:EIO:1,nop:EIO:2,nop:EIO:3,nop:EIO:4,nop:EIO:5,nop:EIO:6,nop:EIO:7,nop:EIO:8,"
                  "nop:EIO:9",
                  "EDDY_FAULT: more than 8 faults for nop");
    memset(long_one, 'x', sizeof long_one);
    long_one[sizeof long_one - 1] = '\0';
    CHECK_REFUSED(long_one, "EDDY_FAULT is longer than");
}

/* Each operation that can be named is one that is counted somewhere. */
RAW_TEST(fault_variable_knows_no_operation_that_nothing_performs)
{
    CHECK_REFUSED("wake:EIO:1", "there is no operation \"wake\"");
}

RAW_TEST(fault_set_fails_the_nth_from_now_once)
{
    (void)ed_fault_set(ED_FAULT_NOP, 3, -EIO);
    CHECK_EQ(ed_fault_check(ED_FAULT_NOP), 0);
    CHECK_EQ(ed_fault_check(ED_FAULT_POLL), 0); /* kinds are counted apart */
    CHECK_EQ(ed_fault_check(ED_FAULT_NOP), 0);
    CHECK_EQ(ed_fault_check(ED_FAULT_NOP), -EIO);
    for (int i = 0; i < 100; i++)
        CHECK_EQ(ed_fault_check(ED_FAULT_NOP), 0);
}

RAW_TEST(fault_set_returns_how_many_were_counted)
{
    (void)ed_fault_set(ED_FAULT_NOP, 0, 0);
    for (int i = 0; i < 5; i++)
        CHECK_EQ(ed_fault_check(ED_FAULT_NOP), 0);
    CHECK_EQ(ed_fault_set(ED_FAULT_NOP, 1, -ENOSPC), 5);
    CHECK_EQ(ed_fault_check(ED_FAULT_NOP), -ENOSPC);
    CHECK_EQ(ed_fault_set(ED_FAULT_NOP, 0, 0), 1);
    CHECK_EQ(ed_fault_check(ED_FAULT_NOP), 0);
}

/* What nobody plans or counts costs no counter. */
RAW_TEST(fault_counts_from_when_somebody_asks)
{
    (void)ed_fault_count(ED_FAULT_NOP);
    (void)ed_fault_set(ED_FAULT_NOP, 0, 0);
    CHECK_EQ(ed_fault_check(ED_FAULT_NOP), 0);
    CHECK(ed_fault_count_unplanned(ED_FAULT_NOP));
    CHECK_EQ(ed_fault_set(ED_FAULT_NOP, 1, -EIO), 2);
    CHECK(!ed_fault_count_unplanned(ED_FAULT_NOP)); /* and is not counted */
    CHECK_EQ(ed_fault_check(ED_FAULT_NOP), -EIO);
    CHECK_EQ(ed_fault_set(ED_FAULT_NOP, 0, 0), 1);
}
