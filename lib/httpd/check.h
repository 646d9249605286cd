/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file check.h
 * What no single directive can know: the checks across directives, sections and virtual hosts that
 * `apachectl configtest` runs too.
 */
#ifndef OAS_HTTPD_CHECK_H
#define OAS_HTTPD_CHECK_H

#include "server_config.h"

/** ap_hook_check_config: one line with file and line number for each mistake; !OK stops httpd. */
int oas_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                     server_rec *main_server);

/** A check that is under way. */
typedef struct {
    apr_pool_t *pool; /**< of the configuration */
    server_rec *server;
    oas_server_config_t *config;
    int faults;
} oas_check_t;

/** Reports a mistake, at `where` when that is known. */
void oas_complain(oas_check_t *check, const char *tag, const ap_directive_t *where,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

/** The same for what works but is not wise; nothing is stopped. */
void oas_advise(oas_check_t *check, const char *tag, const ap_directive_t *where,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

/**
 * Where `id` was written in a block or server with `word` among its arguments (NULL: any, the last
 * one), else the block's own line.
 */
const ap_directive_t *oas_place_of(const oas_block_t *block, oas_directive_id_t id,
                                   const char *word);

/**
 * Finds a directive anywhere below and behind `node` whose first argument is `first` and whose
 * second one is `second` (NULL: any).
 */
const ap_directive_t *oas_find_directive(const ap_directive_t *node, const char *name,
                                         const char *first, const char *second, apr_pool_t *pool);

/**
 * An issuer's URL names one virtual host only: a schema, a cookie, a key set belong to it. But one
 * with OAuth2ASMutualTLS, or with a login option at another port, has a second one there, with the
 * same directives (check_twin.c).
 * @param seen URL -> ap_directive_t * of the virtual hosts before
 */
void oas_check_unique(oas_check_t *check, apr_hash_t *seen);

/** What OAuth2ASMutualTLS cannot know by itself: the issuer's URL. */
void oas_check_mutual_tls(oas_check_t *check);

/** The signing keys (check_keys.c). */
void oas_check_keys(oas_check_t *check);

/** 1 when the issuer has any OAuth2ASKey. */
int oas_has_keys(const oas_issuer_t *issuer);

/**
 * 1 when the section may hold requests for `path`: a <Location> or <LocationMatch> that does, and
 * any other one, NULL included (check_section.c).
 */
int oas_section_fits(const ap_directive_t *section, const char *path, apr_pool_t *pool);

/** The metrics are for everybody unless a Require says otherwise; that is to be meant. */
void oas_check_metrics(oas_check_t *check);

/** What is known of the database before anybody connects (check_database.c). */
void oas_check_database(oas_check_t *check);

/** Will httpd's processes see OAuth2ASDrainFile? */
void oas_check_drain_file(oas_check_t *check);

/** The login options (check_option.c). */
void oas_check_login_options(oas_check_t *check);

/** 1 for an option whose Location is not where the issuer is, but at another port. */
int oas_option_elsewhere(const oas_issuer_t *issuer, const oas_login_option_t *option);

/** Checks one client section (check_client.c). */
void oas_check_client(oas_check_t *check, const oas_client_config_t *entry);

#endif
