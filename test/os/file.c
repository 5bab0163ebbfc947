/* SPDX-License-Identifier: MIT */
/* Files as streams: rules F-4, F-6, F-10 to F-16, F-18, F-20, F-21, F-24, F-25, F-31, F-33. */
#include "os/files.h"

#include "base/fault.h"

/* F-12: reads return what there is, then 0 again and again; and more when the file grows. */
TEST(file_read_goes_to_the_end_and_on_when_it_grows)
{
    FILES();

    FOR_EACH_WAY(way) {
        EDDY_STREAM file = NULL;
        char data[8192];
        int more;

        CHECK_OK(eddy_open(files_put("file", "hello"), "r", &file));
        CHECK_EQ(eddy_read(file, data, sizeof data), 5);
        CHECK(memcmp(data, "hello", 5) == 0);
        CHECK(!eddy_at_eof(file));
        CHECK_EQ(eddy_read(file, data, sizeof data), 0);
        CHECK_EQ(eddy_read(file, data, sizeof data), 0);
        CHECK(eddy_at_eof(file));
        more = open(files_path("file"), O_WRONLY | O_APPEND | O_CLOEXEC);
        CHECK_EQ(write(more, " more", 5), 5);
        close(more);
        CHECK_EQ(eddy_read(file, data, 1), 1);
        CHECK_EQ(eddy_read(file, data, sizeof data), 4);
        CHECK(memcmp(data, "more", 4) == 0);
        CHECK_EQ(eddy_read_exactly(file, data, 1), EDDY_EINCOMPLETE);
    }
}

/* F-18, F-20, F-25: small reads, tell and writes in turns. */
TEST(file_tell_and_writes_do_not_see_what_was_read_ahead)
{
    FILES();

    FOR_EACH_WAY(way) {
        EDDY_STREAM file = NULL;
        char data[16];

        CHECK_OK(eddy_open(files_put("file", "0123456789"), "r+", &file));
        CHECK_EQ(eddy_read(file, data, 3), 3);
        CHECK_EQ(eddy_tell(file), 3);
        CHECK_OK(eddy_write(file, "ab", 2));
        CHECK_EQ(eddy_tell(file), 5);
        CHECK_EQ(eddy_read(file, data, 2), 2);
        CHECK(memcmp(data, "56", 2) == 0);
        CHECK_OK(eddy_write(file, "XYZxyz", 6));
        CHECK_EQ(eddy_tell(file), 13);
        CHECK_EQ(eddy_read(file, data, 1), 0);
        CHECK_STR(files_get("file"), "012ab56XYZxyz");
    }
}

/* F-13, F-24, F-25: lines, with the position behind the last one that was given. */
TEST(file_lines_leave_the_position_behind_the_last)
{
    FILES();

    FOR_EACH_WAY(way) {
        EDDY_STREAM file = NULL;
        eddy_line line;
        int rc, count = 0;
        int64_t at = 0;

        CHECK_OK(eddy_open(files_put("file", "one\ntwo\r\n\nfour"), "r+", &file));
        EDDY_FOR_EACH(rc, line, eddy_lines(file)) {
            at += (int64_t)line.size;
            CHECK_EQ(eddy_tell(file), at);
            count++;
        }
        CHECK_OK(rc);
        CHECK_EQ(count, 4);
        CHECK_EQ(eddy_seek(file, 0, SEEK_SET), 0);
        EDDY_FOR_EACH(rc, line, eddy_lines(file))
            break;
        CHECK_EQ(eddy_tell(file), 4);
        CHECK_OK(eddy_write(file, "TWO", 3));
        CHECK_STR(files_get("file"), "one\nTWO\r\n\nfour");
    }
}

/* A write in the body of the loop: the next line is read behind it. */
TEST(file_lines_with_a_write_between_them)
{
    FILES();
    EDDY_STREAM file = NULL;
    eddy_line line;
    int rc, count = 0;

    CHECK_OK(eddy_open(files_put("file", "aa\nbb\ncc\ndd\n"), "r+", &file));
    EDDY_FOR_EACH(rc, line, eddy_lines(file)) {
        if (count++ == 0)
            CHECK_OK(eddy_write(file, "XX\n", 3));
        if (count == 1)
            CHECK_STR(line.text, "aa\n");
        if (count == 2)
            CHECK_STR(line.text, "cc\n");
    }
    CHECK_OK(rc);
    CHECK_EQ(count, 3);
    CHECK_STR(files_get("file"), "aa\nXX\ncc\ndd\n");
}

/* With "a" every write goes to the end, wherever others have put it. */
TEST(file_appends_at_the_end)
{
    FILES();

    FOR_EACH_WAY(way) {
        EDDY_STREAM file = NULL;
        char data[8];
        int other;

        CHECK_OK(eddy_open(files_put("file", "start"), "a+", &file));
        CHECK_EQ(eddy_read(file, data, 2), 2);
        CHECK_OK(eddy_write(file, "-one", 4));
        CHECK_EQ(eddy_tell(file), 9);
        other = open(files_path("file"), O_WRONLY | O_APPEND | O_CLOEXEC);
        CHECK_EQ(write(other, "-other", 6), 6);
        close(other);
        CHECK_EQ(eddy_seek(file, 1, SEEK_SET), 1);
        CHECK_OK(eddy_write(file, "-two", 4));
        CHECK_OK(eddy_pwrite(file, "-p", 2, 0));
        CHECK_STR(files_get("file"), "start-one-other-two-p");
    }
}

/* F-15 with the option: gathered until something needs it written. */
TEST(file_write_buffer_gathers_until_it_is_full_or_flushed)
{
    FILES();

    FOR_EACH_WAY(way) {
        EDDY_STREAM file = NULL;
        eddy_open_options options = {.write_buffer = 16};
        char data[8];

        CHECK_OK(eddy_open_with(files_path("file"), "w+", &options, &file));
        CHECK_OK(eddy_write(file, "hello", 5));
        CHECK_STR(files_get("file"), "");
        CHECK_EQ(eddy_tell(file), 5);
        CHECK_EQ(eddy_stream_get_counters(file).to_send, 5);
        CHECK_OK(eddy_flush(file));
        CHECK_STR(files_get("file"), "hello");
        CHECK_OK(eddy_write(file, " 89012345", 9));
        CHECK_OK(eddy_write(file, "6789012345", 10));
        CHECK_STR(files_get("file"), "hello 89012345");
        CHECK_OK(eddy_write(file, "a very long text that goes at once", 34));
        CHECK_STR(files_get("file"), "hello 890123456789012345a very long text that goes at once");
        CHECK_OK(eddy_write(file, "x", 1));
        CHECK_EQ(eddy_read(file, data, 1), 0);
        CHECK_HAS(files_get("file"), "oncex");
        CHECK_OK(eddy_write(file, "y", 1));
        CHECK_EQ(eddy_seek(file, 0, SEEK_SET), 0);
        CHECK_HAS(files_get("file"), "oncexy");
        CHECK_OK(eddy_write(file, "H", 1));
        CHECK_EQ(eddy_pread(file, data, 1, 0), 1);
        CHECK_EQ(data[0], 'H');
        CHECK_OK(eddy_write(file, "E", 1));
        CHECK_OK(eddy_fsync(file));
        CHECK_HAS(files_get("file"), "HEllo");
        CHECK_OK(eddy_write(file, "L", 1));
        CHECK_OK(eddy_stream_close(&file));
        CHECK_HAS(files_get("file"), "HELlo");
    }
}

/* F-21. */
TEST(file_in_the_wrong_direction_is_refused_and_goes_on)
{
    FILES();
    EDDY_STREAM reads = NULL, writes = NULL;
    char data[8];

    CHECK_OK(eddy_open(files_put("file", "hello"), "r", &reads));
    CHECK_OK(eddy_open(files_path("other"), "w", &writes));
    CHECK_FAILS(eddy_write(reads, "x", 1), -EBADF, "not open for writing");
    CHECK_EQ(eddy_write_nowait(reads, "x", 1), -EBADF);
    CHECK_EQ(eddy_pwrite(reads, "x", 1, 0), -EBADF);
    CHECK_EQ(eddy_read(reads, data, sizeof data), 5);
    CHECK_FAILS((int)eddy_read(writes, data, sizeof data), -EBADF, "not open for reading");
    CHECK_EQ(eddy_pread(writes, data, 1, 0), -EBADF);
    CHECK_OK(eddy_write(writes, "x", 1));
    CHECK_EQ(eddy_write_eof(writes), -ENOTSUP);
}

/* Errors of the moment: a later call may succeed. */
TEST(file_error_is_not_final)
{
    FILES();
    static const int codes[] = {-EIO, -ENOSPC, -EDQUOT};

    FOR_EACH_WAY(way)
        for (int i = 0; i < 3; i++) {
            EDDY_STREAM file = NULL;
            char data[8];

            CHECK_OK(eddy_open(files_put("file", "hello"), "r+", &file));
            (void)ed_fault_set(ED_FAULT_READ, 1, codes[i]);
            CHECK_FAILS((int)eddy_read(file, data, sizeof data), codes[i], "file");
            CHECK_EQ(eddy_read(file, data, sizeof data), 5);
            (void)ed_fault_set(ED_FAULT_READ, 0, 0);
            (void)ed_fault_set(ED_FAULT_WRITE, 1, codes[i]);
            CHECK_FAILS(eddy_write(file, "x", 1), codes[i], "file");
            CHECK_EQ(eddy_stream_partial(file), 0);
            CHECK_OK(eddy_write(file, "x", 1));
            (void)ed_fault_set(ED_FAULT_WRITE, 0, 0);
            (void)ed_fault_set(ED_FAULT_FSYNC, 1, codes[i]);
            CHECK_FAILS(eddy_fsync(file), codes[i], "fsync");
            CHECK_OK(eddy_fsync(file));
            (void)ed_fault_set(ED_FAULT_FSYNC, 0, 0);
            CHECK_STR(files_get("file"), "hellox");
        }
}

/* Short transfers are gone on with. */
TEST(file_short_transfers_are_continued)
{
    FILES();

    FOR_EACH_WAY(way) {
        EDDY_STREAM file = NULL;
        char data[16] = "";

        CHECK_OK(eddy_open(files_path("file"), "w+", &file));
        (void)ed_fault_set(ED_FAULT_WRITE, 1, ED_FAULT_SHORT);
        CHECK_OK(eddy_write(file, "hello", 5));
        (void)ed_fault_set(ED_FAULT_WRITE, 0, 0);
        CHECK_STR(files_get("file"), "hello");
        CHECK_EQ(eddy_seek(file, 0, SEEK_SET), 0);
        (void)ed_fault_set(ED_FAULT_READ, 1, ED_FAULT_SHORT);
        CHECK_OK(eddy_read_exactly(file, data, 5));
        CHECK_STR(data, "hello");
        (void)ed_fault_set(ED_FAULT_READ, 1, ED_FAULT_SHORT);
        CHECK_EQ(eddy_pread(file, data, 5, 0), 5);
        (void)ed_fault_set(ED_FAULT_READ, 0, 0);
        (void)ed_fault_set(ED_FAULT_WRITE, 1, ED_FAULT_SHORT);
        CHECK_OK(eddy_pwrite(file, "HELLO", 5, 0));
        (void)ed_fault_set(ED_FAULT_WRITE, 0, 0);
        CHECK_STR(files_get("file"), "HELLO");
    }
}

/* F-4, F-15: what was gathered is written by the close; its error is the close's. */
TEST(file_close_fails_when_what_was_gathered_cannot_be_written)
{
    FILES();
    eddy_open_options options = {.write_buffer = 100};

    FOR_EACH_WAY(way) {
        EDDY_STREAM file = NULL;

        CHECK_OK(eddy_open_with(files_path("file"), "w", &options, &file));
        CHECK_OK(eddy_write(file, "hello", 5));
        (void)ed_fault_set(ED_FAULT_WRITE, 1, -ENOSPC);
        CHECK_FAILS(eddy_stream_close(&file), -ENOSPC, "file");
        (void)ed_fault_set(ED_FAULT_WRITE, 0, 0);
    }
}

static int write_and_leave(int cancelled)
{
    eddy_open_options options = {.write_buffer = 100};
    EDDY_STREAM file = NULL;

    EDDY_TRY(eddy_open_with(files_path("file"), "w", &options, &file));
    EDDY_TRY(eddy_write(file, "hello", 5));
    return cancelled ? eddy_sleep(EDDY_FOREVER) : 0;
}
EDDY_ASYNC(write_and_leave, int);

/* F-4: at the end of a block nobody gets the error, so it is reported. */
TEST(file_close_at_the_end_of_a_block_reports_its_error)
{
    FILES();

    (void)ed_fault_set(ED_FAULT_WRITE, 1, -ENOSPC);
    CHECK_OK(write_and_leave(0));
    (void)ed_fault_set(ED_FAULT_WRITE, 0, 0);
    CHECK_HAS(test_report(), "ENOSPC");
    CHECK_OK(write_and_leave(0));
    CHECK_STR(test_report(), "");
}

/* F-4: a cancelled task's close still writes. */
TEST(file_close_in_a_cancelled_task_writes_what_was_gathered)
{
    FILES();

    FOR_EACH_WAY(way) {
        files_put("file", "");
        EDDY_TASK task = eddy_create_task(write_and_leave, 1);
        CHECK_OK(eddy_sleep(1));
        CHECK_STR(files_get("file"), "");
        eddy_cancel(task);
        CHECK_EQ(eddy_await(task), -ECANCELED);
        CHECK_STR(files_get("file"), "hello");
    }
}

/* F-6. */
TEST(file_closed_twice_and_used_by_others_meanwhile)
{
    FILES();
    eddy_stream *file = NULL;

    CHECK_OK(eddy_open(files_put("file", "hello"), "r", &file));
    CHECK_OK(eddy_stream_close(&file));
    CHECK_OK(eddy_stream_close(&file));
}

/* Never waits, also from callbacks; the bytes are there behind a flush. */
TEST(file_write_nowait_takes_all_of_it)
{
    FILES();

    FOR_EACH_WAY(way) {
        EDDY_STREAM file = NULL;

        CHECK_OK(eddy_open(files_path("file"), "w", &file));
        CHECK_OK(eddy_write_nowait(file, "hello", 5));
        CHECK_OK(eddy_printf_nowait(file, " %d", 17));
        CHECK_EQ(eddy_tell(file), 8);
        CHECK_OK(eddy_write(file, "!", 1));
        CHECK_OK(eddy_write_nowait(file, "?", 1));
        CHECK_OK(eddy_flush(file));
        CHECK_STR(files_get("file"), "hello 17!?");
    }
}

/* F-16; many parts are one write. */
TEST(file_writev_writes_all_parts_in_order)
{
    FILES();
    enum { COUNT = 100 };
    struct iovec parts[COUNT];
    char digits[COUNT];

    for (int i = 0; i < COUNT; i++) {
        digits[i] = (char)('0' + i % 10);
        parts[i] = (struct iovec){&digits[i], i % 7 ? 1 : 0};
    }
    FOR_EACH_WAY(way) {
        EDDY_STREAM file = NULL;

        CHECK_OK(eddy_open(files_path("file"), "w", &file));
        CHECK_OK(eddy_writev(file, parts, COUNT));
        CHECK_EQ(strlen(files_get("file")), COUNT - COUNT / 7 - 1);
    }
}

/* From files and to files. */
TEST(file_copies_and_sends)
{
    FILES();
    EDDY_STREAM from = NULL, to = NULL;
    char line[8];

    CHECK_OK(eddy_open(files_put("from", "one\ntwo\nthree"), "r", &from));
    CHECK_OK(eddy_open(files_path("to"), "w+", &to));
    CHECK_EQ(eddy_read_line(from, line, sizeof line), 4);
    CHECK_EQ(eddy_stream_copy(from, to), 9);
    CHECK_STR(files_get("to"), "two\nthree");
    CHECK_EQ(eddy_tell(from), 13);
    CHECK_EQ(eddy_sendfile(to, eddy_stream_fd(from), 0, 3), 3);
    CHECK_STR(files_get("to"), "two\nthreeone");
    CHECK_EQ(eddy_stream_copy(to, to), -EINVAL);
}

/* F-24 with options: lines without their ends. */
TEST(file_lines_can_be_had_without_their_newline)
{
    FILES();
    static const char *const expected[] = {"one", "", "two", "\r", "last\r"};
    EDDY_STREAM file = NULL;
    eddy_line line;
    char text[] = "\n", crlf[] = "\r\n";
    int rc, count = 0;

    CHECK_OK(eddy_open(files_put("file", "one\n\ntwo\r\n\r\r\nlast\r"), "r", &file));
    EDDY_FOR_EACH(rc, line, eddy_stripped_lines(file)) {
        CHECK_STR(line.text, expected[count]);
        CHECK_EQ(line.size, strlen(expected[count]));
        count++;
    }
    CHECK_OK(rc);
    CHECK_EQ(count, 5);
    CHECK_EQ(eddy_strip_newline(text, 1), 0);
    CHECK_EQ(eddy_strip_newline(crlf, 2), 0);
    CHECK_STR(crlf, "");
    CHECK_EQ(eddy_strip_newline(text, 0), 0);
}
