/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file kinds.h
 * The kinds of value that a directive can have. Each reads its arguments into the member that the
 * descriptor points at and says in plain words what is wrong with them.
 */
#ifndef OAS_HTTPD_KINDS_H
#define OAS_HTTPD_KINDS_H

#include "directives.h"

/* kind_basic.c: const char * */
extern const oas_kind_t oas_kind_text;      /**< UTF-8 text for people */
extern const oas_kind_t oas_kind_web_url;   /**< http or https URL */
extern const oas_kind_t oas_kind_picture;   /**< https URL or absolute path */
extern const oas_kind_t oas_kind_uri;       /**< absolute URI without fragment */
extern const oas_kind_t oas_kind_directory; /**< relative to ServerRoot */
extern const oas_kind_t oas_kind_mark; /**< a file whose being there says something; likewise */
extern const oas_kind_t oas_kind_alg;  /**< a JWS algorithm of the allow-list */
/* kind_basic.c: others */
extern const oas_kind_t oas_kind_flag;               /**< int: on or off */
extern const oas_kind_t oas_kind_profile;            /**< oas_profile_t */
extern const oas_kind_t oas_kind_type;               /**< oas_client_type_t */
extern const oas_kind_t oas_kind_dialect;            /**< oas_dialect_t */
extern const oas_kind_t oas_kind_assertion_audience; /**< oas_assertion_audience_t */
extern const oas_kind_t oas_kind_refresh_limit;      /**< int, 1 to 10000 */
extern const oas_kind_t oas_kind_password_cost;      /**< int, 1 to 11 */
extern const oas_kind_t oas_kind_names;              /**< oas_words_t *: replaced as a whole */
extern const oas_kind_t oas_kind_languages;          /**< oas_words_t *: language tags */
extern const oas_kind_t oas_kind_auth;               /**< unsigned: OAS_AUTH_ bits */
extern const oas_kind_t oas_kind_grants;             /**< unsigned: OAS_GRANT_ bits */
extern const oas_kind_t oas_kind_responses;          /**< unsigned: OAS_RESPONSE_ bits */
/* kind_time.c */
extern const oas_kind_t oas_kind_skew; /**< apr_interval_time_t, up to 5 minutes */
extern const oas_kind_t oas_kind_wait; /**< apr_interval_time_t, up to 1 minute */
extern const oas_kind_t oas_kind_timeout; /**< apr_interval_time_t, 1 second to 1 minute */
extern const oas_kind_t
    oas_kind_lifetimes; /**< lifetimes[] of issuer or client, one lifetime of a resource */
extern const oas_kind_t oas_kind_window;   /**< apr_interval_time_t: a reuse window */
extern const oas_kind_t oas_kind_throttle; /**< oas_throttle_t */
/* kind_issuer.c */
extern const oas_kind_t oas_kind_issuer;     /**< url, origin, path of the issuer */
extern const oas_kind_t oas_kind_secrets;    /**< array of oas_secret_t * */
extern const oas_kind_t oas_kind_mutual_tls; /**< const char *: https URL without its last slash */
extern const oas_kind_t oas_kind_endpoints;  /**< endpoint_paths[], "" for off */
extern const oas_kind_t oas_kind_help_links; /**< help_forgot_password and its two neighbours */
/* kind_key.c */
extern const oas_kind_t oas_kind_keys; /**< oas_signing_t */
/* kind_login.c */
extern const oas_kind_t oas_kind_subject; /**< oas_expr_t *: a string */
extern const oas_kind_t oas_kind_skip;    /**< oas_expr_t *: a truth value, on or off */
extern const oas_kind_t oas_kind_claims;  /**< array of oas_claim_t */
extern const oas_kind_t oas_kind_recheck; /**< oas_recheck_t */
/* kind_option.c */
extern const oas_kind_t oas_kind_login_options; /**< array of oas_login_option_t */
/* kind_peer.c */
extern const oas_kind_t oas_kind_outbound;           /**< array of const char * */
extern const oas_kind_t oas_kind_certificate_header; /**< oas_certificate_header_t */
extern const oas_kind_t oas_kind_audit_log;          /**< const char *: a path, or "|PROGRAM" */
/* kind_client.c */
extern const oas_kind_t oas_kind_redirects;     /**< oas_words_t * */
extern const oas_kind_t oas_kind_origins;       /**< oas_words_t * */
extern const oas_kind_t oas_kind_logout_uri;    /**< const char *: where we or browsers go */
extern const oas_kind_t oas_kind_client_secret; /**< array of oas_client_secret_t */
extern const oas_kind_t oas_kind_allow;         /**< array of oas_allow_t */
extern const oas_kind_t oas_kind_require;       /**< oas_require_t */
extern const oas_kind_t oas_kind_subject_type;  /**< const char *: sector, "" until completed */
extern const oas_kind_t oas_kind_scopes;        /**< array of oas_scope_t of a resource */

/* kind_credential.c */
extern const oas_kind_t oas_kind_client_keys;        /**< oas_client_t: jwks_json or jwks_uri */
extern const oas_kind_t oas_kind_client_certificate; /**< oas_client_t: certificate and its value */

/**
 * Reads a value that may be secret: file:PATH (only root or whoever runs httpd may be able to read
 * it), env:NAME, exec:PROGRAM [ARGUMENT...]. A line end behind text is cut off. The bytes are wiped
 * with setting->pool. @return NULL or what is wrong
 */
const char *oas_source_read(const oas_setting_t *setting, const char *source, oas_bytes_t *out);

/** Reads a file that is no secret, up to `max` bytes, relative to ServerRoot. @return NULL or what
 * is wrong */
const char *oas_file_read(const oas_setting_t *setting, const char *name, apr_size_t max,
                          oas_bytes_t *out);

/** The whole path of a program that can be run; NULL with *why. */
const char *oas_program_path(const oas_setting_t *setting, const char *name, const char **why);

/** "500ms", "30s", "5min", "12h", "30d" or "0". @return APR_EINVAL for anything else */
apr_status_t oas_duration_parse(const char *text, apr_interval_time_t *out);

/** The names of a table, joined by ", ". */
const char *oas_names_of_bits(const oas_name_bit_t *table, apr_pool_t *pool);

/** OpenID Connect's own claims with their scopes and types (OIDC Core 5.1, 5.4), ending with NULL.
 */
typedef struct {
    const char *name;
    const char *scope;
    oas_claim_type_t type;
    const char *attribute; /**< of a directory's entry (RFC 4519, RFC 2798), in capitals; or NULL */
    const char *ends;      /**< oas_claim_t */
} oas_standard_claim_t;
extern const oas_standard_claim_t oas_standard_claims[];

/** An expression that is a string; NULL with *why when it does not compile. */
oas_expr_t *oas_string_expr(const oas_setting_t *setting, const char *text, const char **why);

#endif
