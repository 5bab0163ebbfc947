/* SPDX-License-Identifier: MIT */
/* Sets of local values: shared until changed. */
#include "base/locals.h"

#include "base/fault.h"
#include "base/memory.h"
#include "harness.h"

static int keys[40], values[40];

/* The index of a key's value, or -1. */
static int value_of(const struct ed_locals *locals, int key)
{
    void *value = NULL;

    return ed_locals_get(locals, &keys[key], &value) ? (int)((int *)value - values) : -1;
}

static int set(struct ed_locals **locals, int key, int value)
{
    return ed_locals_set(locals, &keys[key], &values[value]);
}

RAW_TEST(locals_none_is_the_empty_set)
{
    struct ed_locals *locals = NULL;

    CHECK_EQ(value_of(NULL, 0), -1);
    CHECK(!ed_locals_ref(NULL));
    ed_locals_unref(NULL);
    CHECK_EQ(ed_locals_unset(&locals, &keys[0]), 0);
    CHECK(!locals);
    CHECK_OK(ed_locals_copy(&locals, NULL)); /* a set of one's own, empty */
    CHECK_EQ(value_of(locals, 0), -1);
    CHECK_OK(set(&locals, 0, 1));
    CHECK_EQ(value_of(locals, 0), 1);
    ed_locals_unref(locals);
}

RAW_TEST(locals_hold_many_keys_and_replace_and_remove_them)
{
    struct ed_locals *locals = NULL;

    for (int i = 0; i < 40; i++)
        CHECK_OK(set(&locals, i, i));
    for (int i = 0; i < 40; i += 2)
        CHECK_OK(set(&locals, i, 39 - i));
    for (int i = 0; i < 40; i += 4)
        CHECK_OK(ed_locals_unset(&locals, &keys[i]));
    for (int i = 0; i < 40; i++)
        CHECK_EQ(value_of(locals, i), i % 4 == 0 ? -1 : i % 2 == 0 ? 39 - i : i);
    ed_locals_unref(locals);
}

RAW_TEST(locals_may_hold_null)
{
    struct ed_locals *locals = NULL;
    void *value = &keys[0];

    CHECK_OK(ed_locals_set(&locals, &keys[0], NULL));
    CHECK(ed_locals_get(locals, &keys[0], &value));
    CHECK(!value);
    ed_locals_unref(locals);
}

/* A-CTX: what one user changes, the others do not see. */
RAW_TEST(locals_that_are_shared_are_copied_by_who_changes_them)
{
    struct ed_locals *mine = NULL, *yours, *theirs;

    CHECK_OK(set(&mine, 0, 1));
    CHECK_OK(set(&mine, 1, 2));
    yours = ed_locals_ref(mine);
    theirs = ed_locals_ref(mine);
    CHECK_EQ(ed_memory_blocks(), 1);
    CHECK_OK(set(&yours, 0, 9));
    CHECK_OK(ed_locals_unset(&theirs, &keys[1]));
    CHECK_EQ(value_of(mine, 0), 1);
    CHECK_EQ(value_of(mine, 1), 2);
    CHECK_EQ(value_of(yours, 0), 9);
    CHECK_EQ(value_of(yours, 1), 2);
    CHECK_EQ(value_of(theirs, 0), 1);
    CHECK_EQ(value_of(theirs, 1), -1);
    CHECK_EQ(ed_memory_blocks(), 3);
    ed_locals_unref(mine);
    CHECK_EQ(value_of(yours, 0), 9);
    ed_locals_unref(yours);
    ed_locals_unref(theirs);
    CHECK_EQ(ed_memory_blocks(), 0);
}

RAW_TEST(locals_of_one_user_are_changed_in_place)
{
    struct ed_locals *locals = NULL, *before;

    CHECK_OK(set(&locals, 0, 1));
    before = locals;
    CHECK_OK(set(&locals, 0, 2));
    CHECK_OK(set(&locals, 1, 3));
    CHECK(locals == before);
    ed_locals_unref(ed_locals_ref(locals)); /* two users for a moment */
    CHECK_OK(set(&locals, 0, 4));
    CHECK(locals == before);
    ed_locals_unref(locals);
}

RAW_TEST(locals_copy_has_the_values_and_no_users_in_common)
{
    struct ed_locals *locals = NULL, *copy;

    CHECK_OK(set(&locals, 3, 4));
    CHECK_OK(ed_locals_copy(&copy, locals));
    CHECK(copy != locals);
    CHECK_OK(set(&copy, 3, 5));
    CHECK_EQ(value_of(locals, 3), 4);
    ed_locals_unref(locals);
    CHECK_EQ(value_of(copy, 3), 5);
    ed_locals_unref(copy);
}

RAW_TEST(locals_without_memory_stay_as_they_were)
{
    struct ed_locals *locals = NULL, *shared, *copy;

    (void)ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    CHECK_EQ(set(&locals, 0, 1), -ENOMEM);
    CHECK(!locals);
    CHECK_OK(set(&locals, 0, 1));
    shared = ed_locals_ref(locals);
    (void)ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    CHECK_EQ(set(&shared, 0, 2), -ENOMEM);
    (void)ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    CHECK_EQ(ed_locals_unset(&shared, &keys[0]), -ENOMEM);
    (void)ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    CHECK_EQ(ed_locals_copy(&copy, locals), -ENOMEM);
    CHECK(!copy);
    CHECK(shared == locals);
    CHECK_EQ(value_of(locals, 0), 1);
    ed_locals_unref(shared);
    ed_locals_unref(locals);
}
