/* SPDX-License-Identifier: MIT */
/* Temporary files and folders: rules F-42, F-44, F-45. */
#include <dirent.h>

#include "base/fault.h"
#include "engine/engine.h"
#include "os/folder.h"

/* How many names there are in a folder. */
static int count_in(const struct folder *folder)
{
    DIR *names = opendir(folder->path);
    int count = -2;

    while (names && readdir(names))
        count++;
    closedir(names);
    return count;
}

#define IN(folder) (&(eddy_temporary_options){.dir = (folder).path})

/* F-42: a file that nobody sees, open for reading and writing. */
TEST(temporary_file_has_no_name)
{
    FOLDER(folder);
    EDDY_STREAM file = NULL;
    char data[10];
    struct stat status;

    CHECK_OK(eddy_temporary_file(IN(folder), &file));
    CHECK_EQ(count_in(&folder), 0);
    CHECK_OK(eddy_write(file, "hello", 5));
    CHECK_EQ(eddy_seek(file, 0, SEEK_SET), 0);
    CHECK_EQ(eddy_read(file, data, sizeof data), 5);
    CHECK_OK(fstat(eddy_stream_fd(file), &status));
    CHECK_EQ(status.st_mode & 0777, 0600);
    CHECK_EQ(status.st_nlink, 0);
    CHECK(fcntl(eddy_stream_fd(file), F_GETFD) & FD_CLOEXEC);
}

/* F-42, F-45. */
TEST(named_temporary_file_is_removed_with_its_block)
{
    FOLDER(folder);
    char path[PATH_MAX];
    struct stat status;

    {
        EDDY_TEMPORARY(file);
        CHECK_OK(eddy_named_temporary_file(
            &file, &(eddy_temporary_options){folder.path, "before-", ".after"}));
        snprintf(path, sizeof path, "%s", file.path);
        CHECK(strncmp(path, in(&folder, "before-"), strlen(in(&folder, "before-"))) == 0);
        CHECK_STR(path + strlen(path) - 6, ".after");
        CHECK_OK(eddy_printf(file.stream, "hello"));
        CHECK_OK(eddy_stream_close(&file.stream)); /* it stays for others */
        CHECK_STR(file_text(path), "hello");
        CHECK_OK(stat(path, &status));
        CHECK_EQ(status.st_mode & 0777, 0600);
        CHECK_FAILS(eddy_named_temporary_file(&file, NULL), -EINVAL, path);
    }
    CHECK_EQ(count_in(&folder), 0);
}

static void free_text(char **text)
{
    eddy_free(*text);
}

TEST(named_temporary_file_goes_early_or_stays)
{
    FOLDER(folder);
    char *path = NULL;
    EDDY_DEFER(free_text, &path);

    {
        EDDY_TEMPORARY(early);
        EDDY_TEMPORARY(kept);
        EDDY_TEMPORARY(gone);
        EDDY_TEMPORARY(empty);
        CHECK_OK(eddy_named_temporary_file(&early, IN(folder)));
        CHECK_OK(eddy_temporary_cleanup(&early));
        CHECK(!early.path && !early.stream);
        CHECK_OK(eddy_temporary_cleanup(&early));
        CHECK_OK(eddy_named_temporary_file(&early, IN(folder))); /* again */
        CHECK_OK(eddy_named_temporary_file(&gone, IN(folder)));
        CHECK_OK(unlink(gone.path));
        CHECK_OK(eddy_named_temporary_file(&kept, IN(folder)));
        path = eddy_temporary_keep(&kept);
        CHECK_OK(eddy_printf(kept.stream, "kept"));
        CHECK(eddy_temporary_keep(&empty) == NULL);
    }
    CHECK_EQ(count_in(&folder), 1);
    CHECK_STR(file_text(path), "kept");
}

/* What is kept matters: that it is not whole is told. */
TEST(temporary_file_that_is_kept_reports_what_was_not_written)
{
    FOLDER(folder);
    char *path = NULL;
    EDDY_DEFER(free_text, &path);

    {
        EDDY_TEMPORARY(kept);
        CHECK_OK(eddy_named_temporary_file(&kept, IN(folder)));
        path = eddy_temporary_keep(&kept);
        ed_file_never_ready = true;
        CHECK_OK(eddy_write_nowait(kept.stream, "gathered", 8));
        (void)ed_fault_set(ED_FAULT_WRITE, 1, -ENOSPC);
    }
    (void)ed_fault_set(ED_FAULT_WRITE, 0, 0);
    CHECK_HAS(test_report(), "ENOSPC");
}

/* F-44: with all that is in it, but nothing that a link in it leads to. */
TEST(temporary_directory_is_removed_with_its_contents)
{
    FOLDER(folder);
    FOLDER(other);
    struct stat status;
    struct folder work;

    CHECK_OK(file_add(in(&other, "precious"), "x"));
    {
        EDDY_TEMPORARY(made);
        CHECK_OK(eddy_temporary_directory(&made, IN(folder)));
        snprintf(work.path, sizeof work.path, "%s", made.path);
        CHECK_OK(stat(made.path, &status));
        CHECK_EQ(status.st_mode & 0777, 0700);
        CHECK(S_ISDIR(status.st_mode) && made.is_dir && !made.stream);
        CHECK_OK(mkdir(in(&work, "a"), 0700));
        CHECK_OK(mkdir(in(&work, "a/b"), 0500));
        CHECK_OK(file_add(in(&work, "a/c"), "x"));
        CHECK_OK(symlink(other.path, in(&work, "a/link")));
        CHECK_OK(symlink(in(&other, "precious"), in(&work, "file")));
    }
    CHECK_EQ(count_in(&folder), 0);
    CHECK_STR(file_text(in(&other, "precious")), "x");
}

TEST(temporary_directory_that_is_gone_is_no_error)
{
    FOLDER(folder);
    EDDY_TEMPORARY(made);

    CHECK_OK(eddy_temporary_directory(&made, IN(folder)));
    CHECK_OK(rmdir(made.path));
    CHECK_OK(eddy_temporary_cleanup(&made));
}

static int work_for_long(const char *dir)
{
    EDDY_TEMPORARY(made);
    EDDY_TEMPORARY(file);

    EDDY_TRY(eddy_temporary_directory(&made, &(eddy_temporary_options){.dir = dir}));
    EDDY_TRY(eddy_named_temporary_file(&file, &(eddy_temporary_options){.dir = made.path}));
    return eddy_sleep(1000);
}
EDDY_ASYNC(work_for_long, const char *);

/* F-45 */
TEST(temporary_directory_is_removed_when_its_task_is_cancelled)
{
    FOLDER(folder);
    EDDY_TASK worker = eddy_create_task(work_for_long, folder.path);

    for (int i = 0; i < 1000 && count_in(&folder) == 0; i++)
        CHECK_OK(eddy_sleep(0.001));
    CHECK_OK(eddy_sleep(1));
    CHECK_EQ(count_in(&folder), 1);
    eddy_cancel(worker);
    CHECK_EQ(eddy_await(worker), -ECANCELED);
    CHECK_EQ(count_in(&folder), 0);
}

/* F-45: where they are. */
TEST(temporary_files_are_where_tmpdir_says)
{
    FOLDER(folder);
    EDDY_TEMPORARY(one);
    EDDY_TEMPORARY(two);
    EDDY_TEMPORARY(three);
    char *here = get_current_dir_name();
    EDDY_DEFER(free, here);
    EDDY_DEFER(chdir, here);
    EDDY_DEFER(unsetenv, "TMPDIR");

    CHECK_OK(setenv("TMPDIR", folder.path, 1));
    CHECK_OK(eddy_named_temporary_file(&one, NULL));
    CHECK(strncmp(one.path, in(&folder, "tmp"), strlen(folder.path) + 4) == 0);
    CHECK_OK(unsetenv("TMPDIR"));
    CHECK_OK(eddy_named_temporary_file(&two, NULL));
    CHECK(strncmp(two.path, "/tmp/tmp", 8) == 0);
    CHECK_OK(chdir(folder.path));
    CHECK_OK(eddy_temporary_directory(&three, &(eddy_temporary_options){.dir = "."}));
    CHECK_OK(chdir(here));
    CHECK(three.path[0] == '/');
}

TEST(temporary_file_that_cannot_be_made_says_why)
{
    FOLDER(folder);
    EDDY_TEMPORARY(made);
    EDDY_STREAM file = NULL;
    eddy_temporary_options none = {.dir = in(&folder, "none")};

    CHECK_FAILS(eddy_temporary_file(&none, &file), -ENOENT, none.dir);
    CHECK_FAILS(eddy_named_temporary_file(&made, &none), -ENOENT, none.dir);
    CHECK_FAILS(eddy_temporary_directory(&made, &none), -ENOENT, none.dir);
    none = (eddy_temporary_options){folder.path, "../x", NULL};
    CHECK_FAILS(eddy_temporary_directory(&made, &none), -EINVAL, "../x");
    CHECK(!made.path && !file);
}

/* Where the kernel knows no files without a name, one is taken away at once. */
TEST(temporary_file_loses_its_name_where_it_needs_one)
{
    FOLDER(folder);
    EDDY_STREAM file = NULL;
    struct stat status;

    (void)ed_fault_set(ED_FAULT_OPENAT, 1, -EOPNOTSUPP);
    CHECK_OK(eddy_temporary_file(IN(folder), &file));
    CHECK_EQ(count_in(&folder), 0);
    CHECK_OK(fstat(eddy_stream_fd(file), &status));
    CHECK_EQ(status.st_nlink, 0);
    CHECK_OK(eddy_printf(file, "hello"));
}

/* Other names are tried when one is taken; other errors end it. */
TEST(temporary_names_that_are_taken_are_left_alone)
{
    FOLDER(folder);
    EDDY_TEMPORARY(file);
    EDDY_TEMPORARY(made);

    (void)ed_fault_set(ED_FAULT_OPENAT, 1, -EEXIST);
    CHECK_OK(eddy_named_temporary_file(&file, IN(folder)));
    (void)ed_fault_set(ED_FAULT_MKDIR, 1, -EMFILE);
    CHECK_FAILS(eddy_temporary_directory(&made, IN(folder)), -EMFILE, folder.path);
    (void)ed_fault_set(ED_FAULT_OPENAT, 1, -EMFILE);
    CHECK_FAILS(eddy_named_temporary_file(&made, IN(folder)), -EMFILE, folder.path);
    CHECK_EQ(count_in(&folder), 1);
}

/* F-45: what cannot be removed is told, and not forgotten. */
TEST(temporary_file_that_cannot_be_removed_is_reported)
{
    FOLDER(folder);

    {
        EDDY_TEMPORARY(file);
        CHECK_OK(eddy_named_temporary_file(&file, IN(folder)));
        (void)ed_fault_set(ED_FAULT_UNLINK, 1, -EROFS);
        CHECK_FAILS(eddy_temporary_cleanup(&file), -EROFS, file.path);
        (void)ed_fault_set(ED_FAULT_UNLINK, 1, -EROFS);
    }
    CHECK_HAS(test_report(), "was not removed: ");
    CHECK_EQ(count_in(&folder), 1);
}

static struct folder small;

static int fill_up(const char *dir)
{
    eddy_temporary_options options = {.dir = dir};
    static char block[100000];
    EDDY_TEMPORARY(file);
    EDDY_TEMPORARY(made);
    int rc;

    EDDY_TRY(eddy_named_temporary_file(&file, &options));
    rc = eddy_write(file.stream, block, sizeof block);
    fprintf(stderr, "write %s\n", eddy_error_name(rc));
    while ((rc = eddy_temporary_directory(&made, &options)) == 0)
        eddy_free(eddy_temporary_keep(&made));
    fprintf(stderr, "%s\n", eddy_error_message(rc));
    return 0;
}
EDDY_ASYNC(fill_up, const char *);

static void use_a_small_file_system(void)
{
    int rc;

    folder_mount(&small, "size=64k,nr_inodes=8");
    rc = eddy_run(fill_up, small.path);
    fprintf(stderr, "left %d\n", count_in(&small));
    _exit(rc < 0);
}

RAW_TEST(temporary_files_on_a_full_file_system_leave_nothing)
{
    char text[4096];
    int status;

    small = folder_make();
    status = folder_fork(&small, use_a_small_file_system, "nothing can be mounted here", text,
                         sizeof text);
    CHECK_EQ(status, 0);
    CHECK_HAS(text, "write ENOSPC\nmake a temporary file in \"/tmp/eddy-test-");
    CHECK_HAS(text, "No space left on device\nleft 6\n");
}

/* Nothing is left behind by whatever fails. */
static int use_all_kinds(const char *dir)
{
    eddy_temporary_options options = {.dir = dir};
    EDDY_STREAM nameless = NULL;
    EDDY_TEMPORARY(file);
    EDDY_TEMPORARY(made);

    EDDY_TRY(eddy_temporary_file(&options, &nameless));
    EDDY_TRY(eddy_named_temporary_file(&file, &options));
    EDDY_TRY(eddy_temporary_directory(&made, &options));
    options.dir = made.path;
    {
        EDDY_TEMPORARY(inner);
        EDDY_TRY(eddy_named_temporary_file(&inner, &options));
        eddy_free(eddy_temporary_keep(&inner));
    }
    return eddy_temporary_cleanup(&file);
}
EDDY_ASYNC(use_all_kinds, const char *);

RAW_TEST(temporary_files_survive_every_cancel_and_every_failing_allocation)
{
    struct folder folder = folder_make();

    CHECK_OK(eddy_test_cancels(use_all_kinds, folder.path));
    CHECK_EQ(count_in(&folder), 0);
    CHECK_OK(eddy_test_allocations(use_all_kinds, folder.path));
    CHECK_EQ(count_in(&folder), 0);
    folder_remove(&folder);
}
