/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file words.h
 * Space-delimited lists as OAuth uses them: scope, prompt, response_type (RFC 6749 section 3.3).
 */
#ifndef OAS_BASE_WORDS_H
#define OAS_BASE_WORDS_H

#include <apr_errno.h>
#include <apr_pools.h>
#include <apr_tables.h>

#define OAS_WORDS_MAX     100  /**< words in one list */
#define OAS_WORDS_OWN_MAX 4096 /**< in one of our own */

/** An array of const char *, without repetitions, in the order given. */
typedef apr_array_header_t oas_words_t;

/** An empty list. */
oas_words_t *oas_words_create(apr_pool_t *pool);

/**
 * Splits at single or several spaces; NULL gives an empty list.
 * APR_EINVAL for a character outside %x21 / %x23-5B / %x5D-7E; APR_ENOSPC beyond OAS_WORDS_MAX.
 */
apr_status_t oas_words_parse(oas_words_t **out, const char *text, apr_pool_t *pool);

/** The same for a list that we have put together ourselves: what a consent remembers is the sum of
 * many requests. What is beyond OAS_WORDS_OWN_MAX is left out: it was not allowed, then. */
apr_status_t oas_words_parse_own(oas_words_t **out, const char *text, apr_pool_t *pool);

/** 1 when `word` is in the list (case-sensitive). NULL lists contain nothing. */
int oas_words_has(const oas_words_t *words, const char *word);

/** Appends a copy of the pointer unless it is there already. */
void oas_words_add(oas_words_t *words, const char *word);

/** 1 when each word of `part` is in `whole`. */
int oas_words_subset(const oas_words_t *part, const oas_words_t *whole);

/** Joined by single spaces; "" for an empty list. */
char *oas_words_join(const oas_words_t *words, apr_pool_t *pool);

/** The i-th word. */
#define OAS_WORD(words, i) APR_ARRAY_IDX((words), (i), const char *)

#endif
