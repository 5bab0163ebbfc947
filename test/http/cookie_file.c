/* SPDX-License-Identifier: MIT */
/* Jars in files. */
#include "http/cookies.h"
#include "os/files.h"

/* H-COOK-10, H-SEC-21 */
TEST(a_jar_is_saved_and_loaded_again)
{
    EDDY_COOKIE_JAR jar = jar_of(NULL);
    EDDY_COOKIE_JAR other = jar_of(NULL);
    struct stat status;
    eddy_cookie cookie;

    FILES();
    CHECK_OK(set_by(jar, "https://www.x.org/", "host=1; Secure; HttpOnly; SameSite=None"));
    CHECK_OK(set_by(jar, "http://www.x.org/", "domain=2; Domain=x.org; Max-Age=100; Path=/p"));
    CHECK_OK(set_by(jar, "http://www.x.org/", "latin=caf\xe9 \xc3\xa9"));
    CHECK_OK(eddy_cookie_jar_set(jar, &(eddy_cookie){.name = "all", .value = "4"}, NULL));
    CHECK_OK(set_by(other, "http://gone.org/", "gone=1"));
    CHECK_OK(eddy_cookie_jar_save(jar, files_path("jar.json")));
    CHECK_EQ(stat(files_path("jar.json"), &status), 0);
    CHECK_EQ(status.st_mode & 0777, 0600);
    CHECK_OK(eddy_cookie_jar_load(other, files_path("jar.json")));
    CHECK_EQ(other->count, 4);
    CHECK_STR(sent_to(other, "https://www.x.org/p"),
              "domain=2; host=1; latin=caf\xe9 \xc3\xa9; all=4");
    CHECK_STR(sent_to(other, "https://x.org/p"), "domain=2; all=4"); /* host-only stays so */
    CHECK(eddy_cookie_jar_at(other, 1, &cookie));
    CHECK_EQ(cookie.expires, COOKIES_NOW + 100);
    CHECK(eddy_cookie_jar_at(other, 0, &cookie));
    CHECK(cookie.secure && cookie.http_only && cookie.host_only && cookie.expires == 0);
    CHECK_STR(cookie.same_site, "None");
    cookies_time += 100; /* absolute times */
    CHECK_OK(eddy_cookie_jar_load(other, files_path("jar.json")));
    CHECK_EQ(other->count, 3);
}

/* H-COOK-10, H-SEC-21 */
TEST(what_no_host_could_set_is_not_loaded)
{
    EDDY_COOKIE_JAR jar = jar_of(NULL);

    FILES();
    files_put(
        "jar.json",
        "{\"version\":1,\"cookies\":["
        "{\"name\":\"a\",\"value\":\"1\",\"domain\":\"co.uk\",\"path\":\"/\"},"
        "{\"name\":\"b\",\"value\":\"1\",\"domain\":\"127.0.0.1\",\"path\":\"/\"},"
        "{\"name\":\"c\",\"value\":\"1\\r\\nX: y\",\"domain\":\"x.org\",\"path\":\"/\"},"
        "{\"name\":\"d\",\"value\":\"1\",\"domain\":5,\"path\":\"/\"},"
        "{\"name\":\"e\",\"domain\":\"x.org\",\"path\":\"/\"},"
        "{\"name\":\"f\",\"value\":\"1\",\"domain\":\"x.org\",\"path\":\"/\",\"expires\":-5},"
        "{\"name\":\"g\",\"value_latin1\":\"\xe2\x82\xac\",\"domain\":\"x.org\",\"path\":\"/\"},"
        "7,[],"
        "{\"name\":\"z\",\"value\":\"1\",\"domain\":\"x.org\",\"path\":\"/\"}]}");
    CHECK_OK(eddy_cookie_jar_load(jar, files_path("jar.json")));
    CHECK_EQ(jar->count, 1);
    CHECK_STR(sent_to(jar, "http://www.x.org/"), "z=1");
}

TEST(a_file_that_is_none_leaves_the_jar_as_it_was)
{
    static const char *const bad[] = {"",
                                      "[]",
                                      "{}",
                                      "{\"version\":2,\"cookies\":[]}",
                                      "{\"version\":1,\"cookies\":{}}",
                                      "{\"version\":1"};
    EDDY_COOKIE_JAR jar = jar_of(NULL);

    FILES();
    CHECK_OK(set_by(jar, "http://x.org/", "a=1"));
    for (size_t i = 0; i < ED_ARRAY_LENGTH(bad); i++) {
        files_put("jar.json", bad[i]);
        CHECK_FAILS(eddy_cookie_jar_load(jar, files_path("jar.json")), EDDY_EJSON, "jar.json");
    }
    CHECK_EQ(eddy_cookie_jar_load(jar, files_path("missing")), -ENOENT);
    CHECK_STR(sent_to(jar, "http://x.org/"), "a=1");
}

/* H-COOK-10: whole or not at all. */
TEST(a_jar_that_cannot_be_saved_leaves_the_old_file)
{
    EDDY_COOKIE_JAR jar = jar_of(NULL);

    FILES();
    CHECK_OK(set_by(jar, "http://x.org/", "a=1"));
    CHECK_EQ(eddy_cookie_jar_save(jar, files_path("no/folder")), -ENOENT);
    CHECK_EQ(eddy_cookie_jar_save(jar, files_path("")), -EISDIR);
}

static int save_and_load(void)
{
    EDDY_COOKIE_JAR jar = NULL;
    char path[300];

    snprintf(path, sizeof path, "%s", files_path("jar.json"));
    EDDY_TRY(eddy_cookie_jar_new(NULL, &jar));
    EDDY_TRY(set_by(jar, "http://x.org/", "a=\xe9"));
    EDDY_TRY(eddy_cookie_jar_save(jar, path));
    return eddy_cookie_jar_load(jar, path);
}
EDDY_ASYNC(save_and_load);

RAW_TEST(saving_and_loading_survive_each_failing_allocation_and_cancel)
{
    FILES();
    CHECK_OK(eddy_test_allocations(save_and_load));
    CHECK_OK(eddy_test_cancels(save_and_load));
}
