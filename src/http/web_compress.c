/* SPDX-License-Identifier: MIT */
/*
 * Compression of answers that are set as a whole: texts of 1 KiB and more, in the coding that the
 * client likes best. Large ones let others run in between.
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

static bool compress_is_wanted(const eddy_web_request *request)
{
    const struct ed_web_answer *answer = &request->answer;
    const eddy_headers *fields = &answer->fields;
    const char *type = eddy_headers_get(fields, "Content-Type");

    return answer->fd < 0 && !answer->cached && answer->size >= COMPRESS_FROM &&
           answer->status != 206 && type && type_is_text(type) &&
           !eddy_headers_get(fields, "Content-Encoding") &&
           !eddy_headers_has_token(fields, "Cache-Control", "no-transform");
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

    if (!compress_is_wanted(request))
        return 0;
    EDDY_TRY(eddy_headers_add(&answer->fields, "Vary", "Accept-Encoding"));
    coding = ed_coding_choose(eddy_web_header(request, "Accept-Encoding"));
    if (coding == ED_CODING_IDENTITY)
        return 0;
    EDDY_TRY(ed_encoder_new(coding, 0, &coder));
    rc = compress_all(coder, answer->data, answer->size, &out);
    ed_coder_free(coder);
    if (rc == 0)
        rc = ed_web_answer_put(request, "Content-Encoding", ed_coding_name(coding));
    if (rc < 0) {
        ed_buffer_release(&out);
        return rc;
    }
    eddy_free(answer->taken);
    answer->size = ed_buffer_size(&out);
    answer->data = answer->taken = ed_buffer_hand_over(&out);
    return 0;
}
