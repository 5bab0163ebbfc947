/* SPDX-License-Identifier: MIT */
/* Options of the command line. */
#include "tools/option.h"

#include "harness.h"

static struct {
    long count;
    double seconds;
    const char *text, *texts[2];
    bool flag, other;
} got;
static char *words[16];

static const struct ed_option table[] = {
    {'c', NULL, ED_OPTION_COUNT, &got.count, "N", "so many", 1, 100},
    {0, "timeout", ED_OPTION_SECONDS, &got.seconds, "S", "seconds", 0, 1000},
    {'o', "out", ED_OPTION_TEXT, &got.text, "DIR", "a folder", 0, 0},
    {0, "tls", ED_OPTION_TEXTS, got.texts, "CERT KEY", "two files", 0, 0},
    {'f', "fail", ED_OPTION_FLAG, &got.flag, NULL, "fails", 0, 0},
    {'q', NULL, ED_OPTION_FLAG, &got.other, NULL, "is quiet", 0, 0},
};
static const struct ed_usage usage = {"eddy test",   "URL...", "Tests.",
                                      "And more.\n", table,    sizeof table / sizeof *table};

/* Parses words that are parted by blanks. */
static int parse(const char *line)
{
    static char text[256];
    char *rest = text;
    size_t count = 0;

    snprintf(text, sizeof text, "eddy-test %s", line);
    memset(&got, 0, sizeof got);
    while (count < 15 && (words[count] = strsep(&rest, " ")))
        count += *words[count] != '\0';
    words[count] = NULL;
    return ed_option_parse(&usage, words);
}

RAW_TEST(option_values_stand_behind_or_in_the_argument)
{
    CHECK_EQ(parse("-c 7 --timeout=2.5 --tls a b -oout"), ED_OPTION_GO_ON);
    CHECK_EQ(got.count, 7);
    CHECK(got.seconds == 2.5);
    CHECK_STR(got.texts[0], "a");
    CHECK_STR(got.texts[1], "b");
    CHECK_STR(got.text, "out");
    CHECK(!got.flag && !got.other && !words[0]);
    CHECK_EQ(parse("-qfc100 --out x"), ED_OPTION_GO_ON);
    CHECK(got.flag && got.other);
    CHECK_EQ(got.count, 100);
    CHECK_STR(got.text, "x");
}

RAW_TEST(option_operands_are_gathered_in_their_order)
{
    CHECK_EQ(parse("one -c 2 two --fail - -- -c --fail"), ED_OPTION_GO_ON);
    CHECK_STR(words[0], "one");
    CHECK_STR(words[1], "two");
    CHECK_STR(words[2], "-");
    CHECK_STR(words[3], "-c");
    CHECK_STR(words[4], "--fail");
    CHECK(!words[5]);
    CHECK(got.flag);
}

static const char *wrong_line;
static void parse_wrong(void)
{
    _exit(parse(wrong_line));
}

/* Checks that a line is refused, and with which words. */
static void check_refused(const char *line, const char *part)
{
    char text[1024];
    int status;

    wrong_line = line;
    status = test_fork(parse_wrong, text, sizeof text);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), ED_EXIT_USAGE);
    CHECK_HAS(text, part);
    CHECK_HAS(text, "eddy test: ");
    CHECK_HAS(text, "See eddy test --help.");
}

RAW_TEST(option_complaints_name_option_and_value)
{
    check_refused("-c x", "-c: 'x' is not a whole number from 1 to 100");
    check_refused("-c 0", "-c: '0' is not");
    check_refused("-c101", "-c: '101' is not");
    check_refused("-c 99999999999999999999", "-c: '99999999999999999999' is not");
    check_refused("-c", "-c: needs N");
    check_refused("--timeout 0", "--timeout: '0' is not a number of seconds up to 1000");
    check_refused("--timeout nan", "--timeout: 'nan' is not");
    check_refused("--timeout=", "--timeout: '' is not");
    check_refused("--out=", "--out: the value is empty");
    check_refused("--tls a", "--tls: needs CERT KEY");
    check_refused("--fail=yes", "--fail: takes no value, not 'yes'");
    check_refused("--nothing=1", "there is no option '--nothing'");
    check_refused("-fx", "there is no option '-x'");
    check_refused("--time 1", "there is no option '--time'");
}
