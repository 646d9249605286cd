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

typedef struct oas_templates oas_templates_t;

/**
 * Loads layout.mustache, the pages (login, consent, error, form_post, web_message, continue) and
 * style.css.
 * @param dir the administrator's folder, or NULL
 * @param shipped the installed templates
 * @return APR_EINVAL with *why ("file:line: what", in pool) when one is missing, unreadable or
 * wrong
 */
apr_status_t oas_templates_load(oas_templates_t **out, const char *dir, const char *shipped,
                                const char **why, apr_pool_t *pool);

/** Renders page `name` inside the layout. `data` is a JSON object (templates/README.md lists
 * members). */
apr_status_t oas_templates_render(const oas_templates_t *templates, const char *name,
                                  const json_t *data, const char **html, apr_size_t *len,
                                  apr_pool_t *pool);

/** 'sha256-...' CSP source of the built-in style sheet, computed at load. */
const char *oas_templates_style_hash(const oas_templates_t *templates);

/** 'sha256-...' CSP source of the script of page `name` (form_post, web_message, continue), which
 * must be one of the pages; for a page without script that of the empty text. */
const char *oas_templates_script_hash(const oas_templates_t *templates, const char *name);

#endif
