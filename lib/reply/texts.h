/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file texts.h
 * What pages say, one set for each language: strings/TAG.json of the shipped templates, and over it
 * that of the administrator. What neither has is said in English.
 */
#ifndef OAS_REPLY_TEXTS_H
#define OAS_REPLY_TEXTS_H

#include <apr_hash.h>
#include <apr_tables.h>
#include <jansson.h>
#include "../base/words.h"
#include "loader.h"
#include "mustache.h"

typedef struct {
    const char *tag;
    json_t *common; /**< {"t": {name: text}, "lang": tag, "dir": direction}: what every page sees */
    apr_hash_t *strings; /**< name -> oas_mustache_t *: the same texts as partials */
} oas_texts_t;

/**
 * Loads the texts of each language.
 * @param languages tags, the first one for those whose wish cannot be met; NULL: all that there are
 * files of, English first
 * @param out of oas_texts_t, in that order; in l->pool
 * @return APR_EINVAL with l->why
 */
apr_status_t oas_texts_load(oas_loader_t *l, const oas_words_t *languages,
                            apr_array_header_t **out);

/** A text as a partial, or NULL. */
const oas_mustache_t *oas_texts_find(const oas_texts_t *texts, const char *name);

/** A text as it stands, or NULL. */
const char *oas_texts_plain(const oas_texts_t *texts, const char *name);

#endif
