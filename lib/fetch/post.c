/* SPDX-License-Identifier: Apache-2.0 */
#include "post.h"

#include <string.h>
#include <openssl/err.h>
#include "transfer.h"

typedef struct post {
    oas_transfer_t transfer;
    oas_posts_t *posts;
    void *baton;
    CURLcode code;
    struct post *next; /* of those that have ended */
} post_t;

struct oas_posts {
    CURLM *multi;
    int count;
    post_t *ended;
};

static apr_status_t multi_cleanup(void *baton)
{
    curl_multi_cleanup(baton);
    return APR_SUCCESS;
}

apr_status_t oas_posts_create(oas_posts_t **out, apr_pool_t *pool)
{
    oas_posts_t *posts = apr_pcalloc(pool, sizeof(*posts));

    *out = posts;
    posts->multi = curl_multi_init();
    if (posts->multi == NULL) {
        return APR_EGENERAL;
    }
    apr_pool_cleanup_register(pool, posts->multi, multi_cleanup, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

/* The status is known when the body begins; how long that is does not matter. */
static size_t refuse_body(char *data, size_t unit, size_t count, void *baton)
{
    return 0;
}

/* No connection is used twice: the next request may be of an issuer that must not go there. */
static int set_post(post_t *post, const char *body)
{
    CURL *curl = post->transfer.curl;

    return curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body)) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PRIVATE, post) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           oas_transfer_give(&post->transfer, refuse_body, NULL);
}

static void unlink_ended(post_t *post)
{
    post_t **at = &post->posts->ended;

    while (*at != NULL && *at != post) {
        at = &(*at)->next;
    }
    if (*at == post) {
        *at = post->next;
    }
}

static apr_status_t leave(void *baton)
{
    post_t *post = baton;

    curl_multi_remove_handle(post->posts->multi, post->transfer.curl);
    unlink_ended(post);
    post->posts->count--;
    return APR_SUCCESS;
}

apr_status_t oas_posts_add(oas_posts_t *posts, const oas_issuer_t *issuer, const char *url,
                           const char *body, void *baton, const char **why, apr_pool_t *pool)
{
    static const char *const headers[] = {
        "Content-Type: application/x-www-form-urlencoded", "Accept: */*",
        "Expect:", /* the answer is wanted, not a permission to send */
        NULL};
    post_t *post = apr_pcalloc(pool, sizeof(*post));
    apr_status_t rv;

    post->transfer.issuer = issuer;
    post->transfer.pool = pool;
    post->posts = posts;
    post->baton = baton;
    rv = oas_transfer_prepare(&post->transfer, url, OAS_POST_TIME, headers, why);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!set_post(post, body) ||
        curl_multi_add_handle(posts->multi, post->transfer.curl) != CURLM_OK) {
        *why = "libcurl does not take the options";
        return APR_EGENERAL;
    }
    posts->count++;
    apr_pool_cleanup_register(pool, post, leave, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

int oas_posts_count(const oas_posts_t *posts)
{
    return posts->count;
}

static void collect(oas_posts_t *posts)
{
    const CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(posts->multi, &left)) != NULL) {
        char *found = NULL;
        post_t *post;

        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &found);
        post = (post_t *)(void *)found;
        post->code = message->data.result;
        post->next = posts->ended;
        posts->ended = post;
    }
}

void oas_posts_wait(oas_posts_t *posts, apr_interval_time_t time)
{
    apr_time_t until = apr_time_now() + time;
    apr_interval_time_t left = time;
    int running;

    while (left > 0 && left <= time) {
        curl_multi_perform(posts->multi, &running);
        collect(posts);
        if (posts->ended != NULL || running == 0) {
            break;
        }
        curl_multi_poll(posts->multi, NULL, 0, (int)apr_time_as_msec(left), NULL);
        left = until - apr_time_now();
    }
    ERR_clear_error(); /* what is left in this thread's queue would be taken for mod_ssl's */
}

int oas_posts_take(oas_posts_t *posts, oas_post_result_t *out)
{
    post_t *post = posts->ended;
    long status = 0;

    if (post == NULL) {
        return 0;
    }
    memset(out, 0, sizeof(*out));
    out->baton = post->baton;
    curl_easy_getinfo(post->transfer.curl, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200) {
        out->answer = (int)status;
    } else {
        out->status = oas_transfer_explain(&post->transfer, post->code, &out->why);
    }
    apr_pool_cleanup_run(post->transfer.pool, post, leave);
    return 1;
}
