/* SPDX-License-Identifier: MIT */
/* Going through a tree by a generator: F-37. */
#include "base/fault.h"
#include "os/place.h"

#include <sys/resource.h>

static void put_tree(void)
{
    put_folder("tree");
    put_folder("tree/b");
    put_file("tree/b/x", "");
    put_folder("tree/b/deep");
    put_file("tree/b/deep/y", "");
    put_file("tree/a", "");
    put_file("tree/c", "");
    put_link("..", "tree/up");
    put_folder("tree/empty");
}

/* Appends a word for each entry. */
static void note(char *text, size_t size, const eddy_walk_entry *found)
{
    size_t length = strlen(text);

    snprintf(text + length, size - length, "%s%s%s ", found->path, found->type == DT_DIR ? "/" : "",
             found->error < 0 ? eddy_error_name(found->error) : "");
}

TEST(walk_gives_each_folder_before_what_is_in_it_and_names_in_order)
{
    eddy_walk_entry found;
    char text[512] = "";
    int rc;

    PLACE;
    put_tree();
    EDDY_FOR_EACH(rc, found, eddy_walk("tree")) {
        const char *slash = strrchr(found.path, '/');

        note(text, sizeof text, &found);
        CHECK_STR(found.name, slash + 1);
        CHECK_EQ(found.depth, found.name[0] == 'x' || strcmp(found.name, "deep") == 0 ? 2
                              : found.name[0] == 'y'                                  ? 3
                                                                                      : 1);
    }
    CHECK_OK(rc);
    CHECK_STR(text,
              "tree/a tree/b/ tree/b/deep/ tree/b/deep/y tree/b/x tree/c tree/empty/ tree/up ");
}

TEST(walk_leaves_out_what_it_is_told_to)
{
    eddy_walk_entry found;
    char text[512] = "";
    int rc;

    PLACE;
    put_tree();
    EDDY_FOR_EACH(rc, found, eddy_walk("tree/")) {
        if (strcmp(found.name, "b") == 0)
            *found.enter = false;
        if (strcmp(found.name, "a") == 0)
            *found.enter = true; /* which means nothing: it is no folder */
        note(text, sizeof text, &found);
    }
    CHECK_OK(rc);
    CHECK_STR(text, "tree/a tree/b/ tree/c tree/empty/ tree/up ");
}

/* The folder of the walk is followed, and none else. */
TEST(walk_does_not_follow_links)
{
    eddy_walk_entry found;
    char text[512] = "";
    int rc, count = 0;

    PLACE;
    put_folder("tree");
    put_link(".", "tree/self");
    put_link("/", "tree/root");
    put_link("tree", "link");
    EDDY_FOR_EACH(rc, found, eddy_walk("link")) {
        CHECK_EQ(found.type, DT_LNK);
        note(text, sizeof text, &found);
        CHECK(++count < 10);
    }
    CHECK_OK(rc);
    CHECK_STR(text, "link/root link/self ");
}

TEST(walk_of_no_folder_says_so_at_the_first_step)
{
    eddy_walk_entry found;

    PLACE;
    put_file("file", "");
    EDDY_GENERATOR none = eddy_walk("none");
    EDDY_GENERATOR file = eddy_walk("file");
    EDDY_GENERATOR empty = eddy_walk("");
    CHECK_FAILS(eddy_next(none, &found), -ENOENT, "walk \"none\": No such file or directory");
    CHECK_EQ(eddy_next(none, &found), 0);
    CHECK_FAILS(eddy_next(file, &found), -ENOTDIR, "walk \"file\"");
    CHECK_FAILS(eddy_next(empty, &found), -ENOENT, "walk \"\"");
}

/* The second open is that of "b"; the first one's error ends the walk. */
TEST(walk_gives_a_folder_that_cannot_be_read_again_with_the_error)
{
    eddy_walk_entry found;
    char text[512] = "";
    int rc;

    PLACE;
    put_tree();
    (void)ed_fault_set(ED_FAULT_OPENAT, 2, -EACCES);
    EDDY_FOR_EACH(rc, found, eddy_walk("tree"))
        note(text, sizeof text, &found);
    CHECK_OK(rc);
    CHECK_STR(text, "tree/a tree/b/ tree/b/EACCES tree/c tree/empty/ tree/up ");
    text[0] = '\0';
    (void)ed_fault_set(ED_FAULT_LIST, 4, -EIO); /* that of "deep", after two for each above */
    EDDY_FOR_EACH(rc, found, eddy_walk("tree/b"))
        note(text, sizeof text, &found);
    CHECK_OK(rc);
    CHECK_STR(text, "tree/b/deep/ tree/b/deep/EIO tree/b/x ");
}

static int denied_inside(void)
{
    eddy_walk_entry found;
    char text[512] = "";
    int rc;

    EDDY_FOR_EACH(rc, found, eddy_walk("tree"))
        note(text, sizeof text, &found);
    EDDY_TRY(rc);
    return strcmp(text, "tree/a/ tree/a/EACCES tree/b ") == 0 ? 0 : eddy_raise(-EDOM, "%s", text);
}

RAW_TEST(walk_goes_on_where_permission_is_denied)
{
    place_enter();
    put_folder("tree");
    put_folder("tree/a");
    put_file("tree/b", "");
    chmod("tree/a", 0700);
    chmod(".", 0755);
    if (geteuid() == 0)
        CHECK_UNPRIVILEGED(denied_inside);
    place_leave(NULL);
}

TEST(walk_passes_what_is_gone_or_swapped_meanwhile)
{
    eddy_walk_entry found;
    char text[512] = "";
    int rc;

    PLACE;
    put_tree();
    put_folder("outside");
    put_file("outside/precious", "");
    EDDY_FOR_EACH(rc, found, eddy_walk("tree")) {
        note(text, sizeof text, &found);
        if (found.error == 0 && strcmp(found.name, "b") == 0) {
            CHECK_OK(eddy_rename("tree/b", "aside"));
            CHECK_OK(eddy_symlink("../outside", "tree/b"));
        } else if (strcmp(found.name, "empty") == 0) {
            CHECK_OK(eddy_rmdir("tree/empty"));
        }
    }
    CHECK_OK(rc);
    CHECK_STR(text, "tree/a tree/b/ tree/b/ENOTDIR tree/c tree/empty/ tree/up ");
}

TEST(walk_of_a_folder_that_is_moved_does_not_go_back_elsewhere)
{
    eddy_walk_entry found;
    char path[256] = "tree";
    int rc, count = 0;

    PLACE;
    for (int i = 0; i < 60; i++)
        snprintf(path + strlen(path), 3, "/d");
    CHECK_OK(eddy_makedirs(path, 0777, false));
    EDDY_FOR_EACH(rc, found, eddy_walk("tree"))
        if (++count == 60)
            CHECK_OK(eddy_rename("tree/d/d", "aside"));
    CHECK_EQ(count, 60);
    CHECK_EQ(rc, -ESTALE);
    CHECK_HAS(eddy_error_message(-ESTALE), "walk \"tree/d\": Stale file handle");
}

/* "many deep levels": neither descriptors nor PATH_MAX nor the stack end it. */
static int walks_deep(void)
{
    enum { DEEP = 10000 };
    struct rlimit few = {.rlim_cur = 128, .rlim_max = 128};
    eddy_walk_entry found;
    size_t deepest = 0, length = 0;
    int rc, count = 0, fd, next;

    EDDY_DEFER(remove_deep, "tree");
    put_folder("tree");
    fd = open("tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < DEEP; i++) {
        REQUIRE(mkdirat(fd, "d", 0777) == 0);
        next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(fd);
        fd = next;
    }
    close(fd);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
    EDDY_FOR_EACH(rc, found, eddy_walk("tree")) {
        REQUIRE(found.error == 0);
        count++;
        deepest = found.depth;
        length = strlen(found.path);
    }
    EDDY_TRY(rc);
    REQUIRE(count == DEEP && deepest == DEEP && length == 4 + 2 * DEEP);
    EDDY_TRY(eddy_rmtree("tree"));
    return 0;
}
EDDY_ASYNC(walks_deep);

RAW_TEST(walk_of_a_deep_tree_comes_to_its_end)
{
    if (test_is_on_valgrind())
        test_skip("valgrind keeps to the limit itself");
    place_enter();
    CHECK_OK(eddy_run(walks_deep));
    place_leave(NULL);
}

TEST(walk_that_is_left_early_closes_its_folders)
{
    PLACE;
    put_tree();
    LEAVE_EARLY(eddy_walk_entry, eddy_walk("tree"), 4); /* in the innermost folder */
}

static int walks_thoroughly(void)
{
    eddy_walk_entry found;
    int rc, count = 0;

    EDDY_FOR_EACH(rc, found, eddy_walk("tree"))
        count++;
    EDDY_TRY(rc);
    return eddy_expect_equal(count, 8);
}
EDDY_ASYNC(walks_thoroughly);

RAW_TEST(walk_stands_the_testing_kit)
{
    place_enter();
    put_tree();
    CHECK_OK(eddy_test_thoroughly(walks_thoroughly));
    place_leave(NULL);
}
