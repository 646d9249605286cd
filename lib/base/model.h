/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file model.h
 * The configuration as a request sees it: issuer, client, resource. Written once at start-up by
 * httpd/ (or from the clients table by store/), immutable afterwards, shared by all threads.
 */
#ifndef OAS_BASE_MODEL_H
#define OAS_BASE_MODEL_H

#include <apr_hash.h>
#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>
#include "bytes.h"
#include "secret.h"
#include "words.h"

struct oas_keyset;
struct oas_templates;

/** An expression of the server around us (ap_expr in httpd); only the host can evaluate it. */
typedef struct {
    const char *text;
    void *compiled;
} oas_expr_t;

typedef enum { OAS_PROFILE_OAUTH21, OAS_PROFILE_AUTH0 } oas_profile_t;

/** Endpoints; their default paths are in endpoint/endpoint.c. */
typedef enum {
    OAS_EP_AUTHORIZE,
    OAS_EP_TOKEN,
    OAS_EP_USERINFO,
    OAS_EP_JWKS,
    OAS_EP_OPENID_CONFIGURATION,
    OAS_EP_OAUTH_METADATA,
    OAS_EP_COUNT
} oas_endpoint_id_t;

typedef enum {
    OAS_LIFETIME_CODE,
    OAS_LIFETIME_ACCESS_TOKEN,
    OAS_LIFETIME_ID_TOKEN,
    OAS_LIFETIME_SESSION,
    OAS_LIFETIME_SESSION_IDLE,
    OAS_LIFETIME_COUNT
} oas_lifetime_t;

/** "Not set here": the next wider scope (client, resource, issuer) decides. */
#define OAS_LIFETIME_UNSET ((apr_interval_time_t)-1)

typedef enum {
    OAS_CLIENT_WEB,
    OAS_CLIENT_SPA,
    OAS_CLIENT_NATIVE,
    OAS_CLIENT_MACHINE
} oas_client_type_t;

/** token_endpoint_auth_method values, as bits. */
enum { OAS_AUTH_NONE = 1 << 0, OAS_AUTH_SECRET_BASIC = 1 << 1, OAS_AUTH_SECRET_POST = 1 << 2 };

/** grant_type values, as bits. */
enum { OAS_GRANT_AUTHORIZATION_CODE = 1 << 0 };

/** response_type values, as bits. */
enum { OAS_RESPONSE_CODE = 1 << 0 };

typedef struct {
    const char *name;
    const char *text; /**< what the consent page says, or NULL */
} oas_scope_t;

/** An API (RFC 8707 resource, Auth0 audience). */
typedef struct {
    const char *uri;
    apr_array_header_t *scopes; /**< of oas_scope_t */
    const char *token_alg; /**< JWS alg of its access tokens, or NULL: the first active key's */
    apr_interval_time_t access_token_lifetime; /**< or OAS_LIFETIME_UNSET */
} oas_resource_t;

/** What one client may ask of one API. */
typedef struct {
    const char *resource;
    int all;             /**< every scope of the API */
    oas_words_t *scopes; /**< the scopes, when not all */
} oas_allow_t;

/** A client secret at rest. */
typedef struct {
    unsigned char sha256[OAS_SHA256_LEN];
} oas_client_secret_t;

/** A registered client (RFC 7591 names). */
typedef struct {
    const char *client_id;
    const char *name; /**< never NULL: the id when not given */
    const char *logo_uri, *client_uri, *policy_uri, *tos_uri;
    oas_client_type_t type;
    oas_words_t *redirect_uris;
    oas_words_t *web_origins;    /**< origins that may call with CORS, completed at start-up */
    apr_array_header_t *secrets; /**< of oas_client_secret_t, at most two */
    unsigned auth_methods;       /**< OAS_AUTH_ bits */
    unsigned grant_types;        /**< OAS_GRANT_ bits */
    unsigned response_types;     /**< OAS_RESPONSE_ bits */
    apr_array_header_t *allow;   /**< of oas_allow_t */
    int first_party;
    oas_expr_t *skip_consent; /**< NULL: the issuer's */
    const char *id_token_alg; /**< never NULL; RS256 when not given */
    int require_pkce;
    apr_interval_time_t lifetimes[OAS_LIFETIME_COUNT]; /**< OAS_LIFETIME_UNSET: issuer's */
    const char *config_hash; /**< hex SHA-256 of its metadata JSON, for the clients table */
    const char *config_json; /**< its metadata JSON (store/client_json.h) */
} oas_client_t;

enum {
    OAS_IN_ID_TOKEN = 1,
    OAS_IN_USERINFO = 2,
    OAS_IN_ACCESS_TOKEN = 4,
    OAS_IN_DEFAULT = OAS_IN_ID_TOKEN | OAS_IN_USERINFO /**< applications read either */
};

typedef enum {
    OAS_CLAIM_STRING,
    OAS_CLAIM_BOOLEAN,
    OAS_CLAIM_INTEGER,
    OAS_CLAIM_JSON
} oas_claim_type_t;

/** OAuth2ASClaim: how one claim is made at login, and when it is released. */
typedef struct {
    const char *name;
    oas_expr_t *value;
    const char *scope; /**< released only with this scope; NULL: with openid */
    oas_claim_type_t type;
    unsigned in; /**< OAS_IN_ bits */
} oas_claim_t;

typedef struct {
    int pair, account, address; /**< failures before waiting starts */
    apr_interval_time_t max;    /**< longest wait */
} oas_throttle_t;

/** A virtual host that is an authorization server. */
typedef struct {
    const char *url;    /**< exactly as configured: the iss value */
    const char *origin; /**< scheme://host[:port] of url */
    const char *path;   /**< path of url without its last slash: "" or "/tenant" */
    oas_profile_t profile;
    apr_array_header_t *secrets; /**< of oas_secret_t *; the first one seals */
    struct oas_keyset *keys;
    const char *endpoint_paths[OAS_EP_COUNT]; /**< whole paths on this host, NULL when off */
    const char *endpoint_urls[OAS_EP_COUNT];  /**< the same as URLs */
    apr_interval_time_t lifetimes[OAS_LIFETIME_COUNT];
    apr_interval_time_t clock_skew;
    oas_words_t *password_providers;
    oas_expr_t *subject;        /**< NULL: provider|canonical name */
    apr_array_header_t *claims; /**< of oas_claim_t */
    oas_expr_t *skip_consent;   /**< NULL: never */
    oas_throttle_t throttle;
    apr_interval_time_t database_wait;
    const char *help_forgot_password, *help_signup, *help_help; /**< URLs or NULL */
    const char *default_resource;                               /**< or NULL */
    apr_hash_t *resources;                                      /**< uri -> oas_resource_t * */
    apr_hash_t *clients;                                        /**< client_id -> oas_client_t * */
    oas_words_t *web_origins; /**< of all configured clients: answered in preflights */
    const char *cookie_name;  /**< __Host-oas-<hash>, or oas-<hash> for a loopback http issuer */
    int cookie_secure;
    struct oas_templates *templates;
    const char *stylesheet; /**< URL instead of the built-in one, or NULL */
    const char *logo;       /**< URL or NULL */
    const char *metadata_json, *jwks_json, *jwks_etag, *metadata_etag; /**< made at start-up */
} oas_issuer_t;

/** The API called `uri`, or NULL. */
const oas_resource_t *oas_resource_find(const oas_issuer_t *issuer, const char *uri);

/** The scope `name` of an API, or NULL. */
const oas_scope_t *oas_scope_find(const oas_resource_t *resource, const char *name);

/** The text of an OpenID Connect scope (openid, profile, email, address, phone, offline_access), or
 * NULL. */
const char *oas_oidc_scope_text(const char *name);

/** 1 when the client may ask for `scope` of `resource` (OAuth2ASAllow). */
int oas_client_allows(const oas_client_t *client, const oas_resource_t *resource,
                      const char *scope);

/** 1 when the client may ask for `resource` at all. */
int oas_client_allows_resource(const oas_client_t *client, const char *uri);

/** 1 for a client that authenticates itself (RFC 6749 section 2.1: confidential). */
int oas_client_confidential(const oas_client_t *client);

/** The lifetime that counts: the client's, then (access token) the API's, then the issuer's. */
apr_interval_time_t oas_lifetime(const oas_issuer_t *issuer, const oas_client_t *client,
                                 const oas_resource_t *resource, oas_lifetime_t kind);

/** Names of enum values on the wire and in the configuration; NULL where there is none. */
typedef struct {
    const char *name;
    unsigned bit;
} oas_name_bit_t;

extern const oas_name_bit_t oas_auth_method_names[];   /**< ends with {NULL, 0} */
extern const oas_name_bit_t oas_grant_type_names[];    /**< ends with {NULL, 0} */
extern const oas_name_bit_t oas_response_type_names[]; /**< ends with {NULL, 0} */
extern const char *const oas_lifetime_names[OAS_LIFETIME_COUNT];
extern const char
    *const oas_client_type_names[]; /**< indexed by oas_client_type_t, ends with NULL */

/** The bit of `name` in a table, or 0. */
unsigned oas_name_bit(const oas_name_bit_t *table, const char *name);

#endif
