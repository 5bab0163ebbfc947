/* SPDX-License-Identifier: MIT */
/*
 * The same with libcurl's multi interface: curl-get URL N CONCURRENCY. Easy handles are used again,
 * and so are their connections; it waits by curl_multi_poll.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned long long bytes;

static size_t take(char *data, size_t size, size_t count, void *unused)
{
    (void)data, (void)unused;
    bytes += size * count;
    return size * count;
}

static CURL *begin(CURLM *multi, const char *url)
{
    CURL *easy = curl_easy_init();

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_multi_add_handle(multi, easy);
    return easy;
}

/* Puts those that are done to use again, while there is something left: 0, or what failed. */
static int go_on(CURLM *multi, long *left, long *running)
{
    CURLMsg *message;
    int count;

    while ((message = curl_multi_info_read(multi, &count))) {
        CURL *easy = message->easy_handle;
        CURLcode rc = message->data.result;

        if (message->msg != CURLMSG_DONE)
            continue;
        if (rc != CURLE_OK) {
            fprintf(stderr, "curl-get: %s\n", curl_easy_strerror(rc));
            return 1;
        }
        curl_multi_remove_handle(multi, easy);
        if (*left > 0) {
            --*left;
            curl_multi_add_handle(multi, easy);
        } else {
            curl_easy_cleanup(easy);
            --*running;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    long left = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
    long concurrency = argc == 4 ? strtol(argv[3], NULL, 10) : 0, running = 0;
    CURLM *multi;
    int active;

    if (left < 1 || concurrency < 1)
        return 2;
    curl_global_init(CURL_GLOBAL_ALL);
    multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, concurrency);
    for (; running < concurrency && left > 0; running++, left--)
        begin(multi, argv[1]);
    while (running > 0) {
        if (curl_multi_perform(multi, &active) != CURLM_OK || go_on(multi, &left, &running))
            return 1;
        if (running > 0)
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    curl_multi_cleanup(multi);
    printf("%llu\n", bytes);
    return 0;
}
