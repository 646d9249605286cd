/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file post.h
 * Forms that are posted to clients, many at once and by one thread: none waits for another. The
 * rules are those of fetch.h; what counts is the status of the answer, its body is not read.
 * Never to be called while a database connection is held.
 */
#ifndef OAS_FETCH_POST_H
#define OAS_FETCH_POST_H

#include "../base/model.h"

#define OAS_POST_TIME apr_time_from_sec(5) /**< name, connection, TLS and answer together */

/** Requests under way; for one thread. */
typedef struct oas_posts oas_posts_t;

/** What became of one. */
typedef struct {
    void *baton;         /**< of oas_posts_add */
    apr_status_t status; /**< APR_SUCCESS: there was an answer; APR_TIMEUP; APR_EACCES: the address
                            is not allowed; APR_EGENERAL: everything else */
    int answer;          /**< HTTP status, or 0 */
    const char *why;     /**< in words, without input, when there was no answer */
} oas_post_result_t;

/** What is still under way ends with `pool`. */
apr_status_t oas_posts_create(oas_posts_t **out, apr_pool_t *pool);

/**
 * Begins one. `pool` is a subpool of that of `posts`, for this one alone: destroying it before the
 * result is taken gives it up.
 * @param issuer whose OAuth2ASOutboundAllow counts
 * @param body application/x-www-form-urlencoded; lives as long as `pool`
 * @return APR_EINVAL: the URL is none that may be asked; APR_EGENERAL; `why` in words
 */
apr_status_t oas_posts_add(oas_posts_t *posts, const oas_issuer_t *issuer, const char *url,
                           const char *body, void *baton, const char **why, apr_pool_t *pool);

/** How many have begun, and their results are not taken yet. */
int oas_posts_count(const oas_posts_t *posts);

/** Lets them go on until one has ended, for `time` at most. */
void oas_posts_wait(oas_posts_t *posts, apr_interval_time_t time);

/** Takes the result of one that has ended; 0 when there is none. */
int oas_posts_take(oas_posts_t *posts, oas_post_result_t *out);

#endif
