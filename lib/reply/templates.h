/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file templates.h
 * The set of page templates of one issuer: loaded and compiled at start-up, the administrator's
 * folder (OAuth2ASTemplateDir) before the shipped one, file by file.
 */
#ifndef OAS_REPLY_TEMPLATES_H
#define OAS_REPLY_TEMPLATES_H

#include <apr_errno.h>
#include <apr_pools.h>
#include <jansson.h>
#include "../base/words.h"

typedef struct oas_templates oas_templates_t;

/**
 * Loads layout.mustache, the pages, style.css and the texts of each language.
 * @param dir the administrator's folder, or NULL
 * @param shipped the installed templates
 * @param languages tags, the first one for those whose wish cannot be met; NULL: all that there are
 * texts for, English first
 * @return APR_EINVAL with *why ("file:line: what", in pool) when one is missing, unreadable or
 * wrong
 */
apr_status_t oas_templates_load(oas_templates_t **out, const char *dir, const char *shipped,
                                const oas_words_t *languages, const char **why, apr_pool_t *pool);

/** The languages that pages can have, the first one for those whose wish cannot be met. */
oas_words_t *oas_templates_languages(const oas_templates_t *templates);

/** The best of them for ui_locales and the header Accept-Language (may be NULL); see language.h. */
const char *oas_templates_choose(const oas_templates_t *templates, const char *ui_locales,
                                 const char *accept_language);

/** A text of strings/TAG.json as it stands, or NULL. */
const char *oas_templates_text(const oas_templates_t *templates, const char *language,
                               const char *name);

/** Renders page `name` in a language (NULL: the first one) inside the layout. `data` is a JSON
 * object (templates/README.md lists members). */
apr_status_t oas_templates_render(const oas_templates_t *templates, const char *language,
                                  const char *name, const json_t *data, const char **html,
                                  apr_size_t *len, apr_pool_t *pool);

/** 'sha256-...' CSP source of the built-in style sheet, computed at load. */
const char *oas_templates_style_hash(const oas_templates_t *templates);

/** 'sha256-...' CSP source of the script of page `name` (form_post and the like), which
 * must be one of the pages; for a page without script that of the empty text. */
const char *oas_templates_script_hash(const oas_templates_t *templates, const char *name);

#endif
