/* SPDX-License-Identifier: MIT */
/*
 * Compression of answers: texts of 1 KiB and more, or of a length that is not known, in the coding
 * that the client likes best; never those that are coded already, or parts. Such as are set as a
 * whole are compressed here, and large ones let others run in between; such as are written are by
 * their stream. Whatever is compressed is another representation: its tag becomes a weak one.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "http/web_exchange.h"

#define COMPRESS_FROM 1024               /* bytes */
#define COMPRESS_STEP ((size_t)64 << 10) /* bytes between two turns of the loop */

/* Texts, and formats that are made of them. */
static bool type_is_text(const char *type)
{
    static const char *const types[] = {"application/json", "application/javascript",
                                        "application/xml", "image/svg+xml",
                                        "application/manifest+json"};
    size_t size = strcspn(type, "; ");

    if (strncasecmp(type, "text/", 5) == 0 ||
        (size > 5 && strncasecmp(type + size - 5, "+json", 5) == 0))
        return true;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strlen(types[i]) == size && strncasecmp(type, types[i], size) == 0)
            return true;
    return false;
}

/* Whether the answer may be compressed, by its status and fields. */
static bool compress_suits(const eddy_web_request *request)
{
    const struct ed_web_answer *answer = &request->answer;
    const eddy_headers *fields = &answer->fields;
    const char *type = eddy_headers_get(fields, "Content-Type");

    return ed_web_status_has_body(answer->status) && answer->status != 206 && type &&
           type_is_text(type) && !eddy_headers_get(fields, "Content-Encoding") &&
           !eddy_headers_has_token(fields, "Cache-Control", "no-transform");
}

/* Says that the answer depends on what the client accepts, and in which coding it comes. */
static int compress_choose(eddy_web_request *request, enum ed_coding *coding)
{
    struct eddy_headers *fields = &request->answer.fields;
    const char *tag;

    if (!eddy_headers_has_token(fields, "Vary", "Accept-Encoding"))
        EDDY_TRY(eddy_headers_add(fields, "Vary", "Accept-Encoding"));
    *coding = ed_coding_choose(eddy_web_header(request, "Accept-Encoding"));
    if (*coding == ED_CODING_IDENTITY)
        return 0;
    EDDY_TRY(ed_web_answer_put(request, "Content-Encoding", ed_coding_name(*coding)));
    tag = eddy_headers_get(fields, "ETag");
    if (!tag || *tag != '"')
        return 0;
    tag = ed_arena_printf(&request->arena, "W/%s", tag);
    return tag ? ed_web_answer_put(request, "ETag", tag) : -ENOMEM;
}

int ed_web_compress_begun(eddy_web_request *request, int64_t size, enum ed_coding *coding)
{
    *coding = ED_CODING_IDENTITY;
    if (!request->connection->server->options.compress || (size >= 0 && size < COMPRESS_FROM) ||
        !compress_suits(request))
        return 0;
    return compress_choose(request, coding);
}

/* Compresses all of it into a buffer. */
static int
compress_all(struct ed_coder *coder, const char *data, size_t size, struct eddy_buffer_ *out)
{
    while (!ed_coder_ended(coder)) {
        size_t step = size < COMPRESS_STEP ? size : COMPRESS_STEP, left = step;
        ssize_t n;

        do {
            if (ed_buffer_reserve(out, ED_BUFFER_BLOCK) < 0)
                return -ENOMEM;
            n = ed_coder_step(coder, &data, &left, ed_buffer_free_space(out), ed_buffer_room(out),
                              false, step == size);
            if (n < 0)
                return (int)n;
            ed_buffer_commit(out, (size_t)n);
        } while (n > 0 || left > 0);
        size -= step;
        if (size > 0)
            EDDY_TRY(eddy_sleep(0));
    }
    return 0;
}

int ed_web_compress(eddy_web_request *request)
{
    struct ed_web_answer *answer = &request->answer;
    struct eddy_buffer_ out = {0};
    enum ed_coding coding;
    struct ed_coder *coder;
    int rc;

    if (answer->fd >= 0 || answer->cached || answer->size < COMPRESS_FROM ||
        !compress_suits(request))
        return 0;
    EDDY_TRY(compress_choose(request, &coding));
    if (coding == ED_CODING_IDENTITY)
        return 0;
    EDDY_TRY(ed_encoder_new(coding, 0, &coder));
    rc = compress_all(coder, answer->data, answer->size, &out);
    ed_coder_free(coder);
    if (rc < 0) {
        ed_buffer_release(&out);
        return rc;
    }
    eddy_free(answer->taken);
    answer->size = ed_buffer_size(&out);
    answer->data = answer->taken = ed_buffer_hand_over(&out);
    return 0;
}
