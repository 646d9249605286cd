/* SPDX-License-Identifier: Apache-2.0 */
#include "words.h"

#include <string.h>
#include <apr_strings.h>

oas_words_t *oas_words_create(apr_pool_t *pool)
{
    return apr_array_make(pool, 4, sizeof(const char *));
}

/* scope-token of RFC 6749 appendix A.4. */
static int word_char(unsigned char c)
{
    return c > 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static apr_status_t split(oas_words_t **out, const char *text, int max, apr_pool_t *pool)
{
    oas_words_t *words = oas_words_create(pool);
    const char *p = text != NULL ? text : "";

    *out = words;
    while (*p != '\0') {
        const char *start;

        while (*p == ' ') {
            p++;
        }
        for (start = p; word_char((unsigned char)*p); p++) {
        }
        if (*p != '\0' && *p != ' ') {
            return APR_EINVAL;
        }
        if (p > start) {
            if (words->nelts == max) {
                return APR_ENOSPC;
            }
            oas_words_add(words, apr_pstrmemdup(pool, start, p - start));
        }
    }
    return APR_SUCCESS;
}

apr_status_t oas_words_parse(oas_words_t **out, const char *text, apr_pool_t *pool)
{
    return split(out, text, OAS_WORDS_MAX, pool);
}

apr_status_t oas_words_parse_own(oas_words_t **out, const char *text, apr_pool_t *pool)
{
    apr_status_t rv = split(out, text, OAS_WORDS_OWN_MAX, pool);

    return rv == APR_ENOSPC ? APR_SUCCESS : rv;
}

int oas_words_has(const oas_words_t *words, const char *word)
{
    int i;

    for (i = 0; words != NULL && i < words->nelts; i++) {
        if (strcmp(OAS_WORD(words, i), word) == 0) {
            return 1;
        }
    }
    return 0;
}

void oas_words_add(oas_words_t *words, const char *word)
{
    if (!oas_words_has(words, word)) {
        APR_ARRAY_PUSH(words, const char *) = word;
    }
}

int oas_words_subset(const oas_words_t *part, const oas_words_t *whole)
{
    int i;

    for (i = 0; part != NULL && i < part->nelts; i++) {
        if (!oas_words_has(whole, OAS_WORD(part, i))) {
            return 0;
        }
    }
    return 1;
}

char *oas_words_join(const oas_words_t *words, apr_pool_t *pool)
{
    return words != NULL ? apr_array_pstrcat(pool, words, ' ') : apr_pstrdup(pool, "");
}
