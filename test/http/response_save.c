/* SPDX-License-Identifier: MIT */
/* Bodies into files, whole or not at all. */
#include <eddy/directory.h>
#include <eddy/filesystem.h>
#include <eddy/tempfile.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "stand.h"

#define STAND(name)                                                                                \
    EDDY_GROUP(name##_group);                                                                      \
    struct stand name = {.group = &name##_group};                                                  \
    EDDY_HTTP_SESSION session = NULL;                                                              \
    EDDY_HTTP_RESPONSE response = NULL;                                                            \
    EDDY_TEMPORARY(folder);                                                                        \
    char path[256], other[256];                                                                    \
    CHECK_OK(stand_open(&stand, NULL, &session));                                                  \
    CHECK_OK(eddy_temporary_directory(&folder, NULL));                                             \
    snprintf(path, sizeof path, "%s/page", folder.path);                                           \
    snprintf(other, sizeof other, "%s/link", folder.path)

static int check_file(const char *path, const char *expected)
{
    char *data = NULL;
    size_t size;
    int differs;

    EDDY_TRY(eddy_read_file(path, 0, &data, &size));
    differs = strcmp(data, expected);
    eddy_free(data);
    return differs ? EDDY_ETEST : 0;
}

/* How many names there are in a folder. */
static int count_names(const char *path)
{
    char **names = NULL;
    size_t count = 0;
    int rc = eddy_listdir(path, &names, &count);

    eddy_free(names);
    return rc < 0 ? rc : (int)count;
}

TEST(response_is_saved_to_a_file_in_place_of_the_old_one)
{
    STAND(stand);
    struct stat known;

    CHECK_OK(eddy_http_get(session, "http://a.test/", &response));
    CHECK_EQ(eddy_http_save(response, path), 5);
    CHECK_OK(check_file(path, "hello"));
    eddy_http_response_close(&response);
    CHECK_OK(eddy_chmod(path, 0640));
    CHECK_OK(eddy_symlink("page", other));
    stand.answer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew";
    CHECK_OK(eddy_http_get(session, "http://a.test/", &response));
    CHECK_EQ(eddy_http_save(response, other), 3);
    CHECK_OK(check_file(path, "new"));
    CHECK_OK(eddy_stat(path, &known));
    CHECK_EQ(known.st_mode & 07777, 0640);
    CHECK_EQ(count_names(folder.path), 2);
}

static int serve_half(struct stand *stand, eddy_stream *stream, int number)
{
    (void)number;
    EDDY_TRY(stand_read(stand, stream));
    return eddy_printf(stream, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
}

TEST(response_that_ends_early_leaves_the_old_file_and_nothing_else)
{
    STAND(stand);

    CHECK_OK(eddy_replace_file(path, "old", 3, 0));
    stand.serve = serve_half;
    CHECK_OK(eddy_http_get(session, "http://a.test/", &response));
    CHECK_EQ(eddy_http_save(response, path), EDDY_EHTTP_PAYLOAD);
    CHECK_OK(check_file(path, "old"));
    CHECK_EQ(count_names(folder.path), 1);
}

/* Memory that is short at the end, too, leaves no half file. */
TEST(response_that_ends_early_leaves_nothing_when_memory_is_short)
{
    STAND(stand);

    stand.serve = serve_half;
    CHECK_OK(eddy_http_get(session, "http://a.test/", &response));
    (void)ed_fault_set(ED_FAULT_UNLINK, 1, -ENOMEM);
    CHECK_EQ(eddy_http_save(response, path), EDDY_EHTTP_PAYLOAD);
    CHECK_EQ(count_names(folder.path), 0);
}

TEST(response_is_not_saved_to_what_is_no_file)
{
    STAND(stand);

    CHECK_OK(eddy_http_get(session, "http://a.test/", &response));
    CHECK_FAILS((int)eddy_http_save(response, folder.path), -EISDIR, "no file");
    CHECK_EQ(eddy_http_save(response, "/dev/null"), -EINVAL);
    snprintf(other, sizeof other, "%s/none/page", folder.path);
    CHECK_EQ(eddy_http_save(response, other), -ENOENT);
    CHECK_EQ(eddy_http_save(response, path), 5); /* the body is still there */
}
