/* SPDX-License-Identifier: MIT */
/* Bytes that grow. */
#include <errno.h>

#include "base/fault.h"
#include "harness.h"

TEST(bytes_grow_by_what_is_appended)
{
    EDDY_BYTES bytes = {0};

    CHECK_OK(eddy_bytes_append(&bytes, "", 0));
    CHECK_EQ(bytes.size, 0);
    CHECK_STR((char *)bytes.data, "");
    for (int i = 0; i < 1000; i++)
        CHECK_OK(eddy_bytes_append(&bytes, "0123456789", 10));
    CHECK_EQ(bytes.size, 10000);
    CHECK_EQ(strlen(bytes.data), 10000);
    CHECK(memcmp((char *)bytes.data + 9990, "0123456789", 11) == 0);
}

TEST(bytes_are_made_longer_and_shorter)
{
    EDDY_BYTES bytes = {0};

    CHECK_OK(eddy_bytes_append(&bytes, "abc", 3));
    CHECK_OK(eddy_bytes_resize(&bytes, 1000));
    CHECK_EQ(((char *)bytes.data)[3], 0);
    CHECK_EQ(((char *)bytes.data)[999], 0);
    CHECK_OK(eddy_bytes_resize(&bytes, 2));
    CHECK_STR((char *)bytes.data, "ab");
    eddy_bytes_free(&bytes);
    CHECK(!bytes.data && !bytes.size);
}

TEST(bytes_without_memory_are_unchanged)
{
    EDDY_BYTES bytes = {0};
    EDDY_BYTES none = {0};

    CHECK_OK(eddy_bytes_append(&bytes, "abc", 3));
    ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    CHECK_EQ(eddy_bytes_resize(&bytes, 1000), -ENOMEM);
    CHECK_EQ(eddy_bytes_resize(&bytes, SIZE_MAX), -ENOMEM);
    CHECK_EQ(eddy_bytes_append(&bytes, "abc", SIZE_MAX - 1), -ENOMEM);
    CHECK_STR((char *)bytes.data, "abc");
    ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    CHECK_EQ(eddy_bytes_append(&none, "abc", 3), -ENOMEM);
    CHECK(!none.data);
}
