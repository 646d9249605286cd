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

struct oas_jwks;
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
    OAS_EP_REVOKE,
    OAS_EP_INTROSPECT,
    OAS_EP_ACCOUNT,
    OAS_EP_LOGOUT,
    OAS_EP_V2LOGOUT, /**< Auth0's; profile auth0 only */
    OAS_EP_JWKS,
    OAS_EP_OPENID_CONFIGURATION,
    OAS_EP_OAUTH_METADATA,
    OAS_EP_HEALTH,
    OAS_EP_READY,
    OAS_EP_METRICS, /**< only where OAuth2ASEndpoint says so */
    OAS_EP_COUNT
} oas_endpoint_id_t;

typedef enum {
    OAS_LIFETIME_CODE,
    OAS_LIFETIME_ACCESS_TOKEN,
    OAS_LIFETIME_ID_TOKEN,
    OAS_LIFETIME_REFRESH_TOKEN,      /**< of a whole family, from its first token on */
    OAS_LIFETIME_REFRESH_TOKEN_IDLE, /**< since the last use */
    OAS_LIFETIME_SESSION,
    OAS_LIFETIME_SESSION_IDLE,
    OAS_LIFETIME_JWKS, /**< of the key set in caches; the issuer's only */
    OAS_LIFETIME_COUNT
} oas_lifetime_t;

#define OAS_CLIENT_ID_MAX 255 /* bytes */

/** "Not set here": the next wider scope (client, resource, issuer) decides. */
#define OAS_LIFETIME_UNSET ((apr_interval_time_t)-1)

/** Reuse windows (OAuth2ASRefreshReuseWindow): how long a refresh token that was replaced gets the
 * same replacement again. 0: never. */
#define OAS_WINDOW_UNSET      ((apr_interval_time_t)-1) /**< the issuer's */
#define OAS_WINDOW_UNTIL_USED ((apr_interval_time_t)-2) /**< until the replacement was used */

typedef enum {
    OAS_CLIENT_WEB,
    OAS_CLIENT_SPA,
    OAS_CLIENT_NATIVE,
    OAS_CLIENT_MACHINE
} oas_client_type_t;

/** token_endpoint_auth_method values, as bits. */
enum {
    OAS_AUTH_NONE = 1 << 0,
    OAS_AUTH_SECRET_BASIC = 1 << 1,
    OAS_AUTH_SECRET_POST = 1 << 2,
    OAS_AUTH_SECRET_JWT = 1 << 3,
    OAS_AUTH_PRIVATE_KEY_JWT = 1 << 4,
    OAS_AUTH_TLS = 1 << 5,
    OAS_AUTH_SELF_SIGNED_TLS = 1 << 6,
    OAS_AUTH_ANY_SECRET = OAS_AUTH_SECRET_BASIC | OAS_AUTH_SECRET_POST | OAS_AUTH_SECRET_JWT,
    OAS_AUTH_ANY_TLS = OAS_AUTH_TLS | OAS_AUTH_SELF_SIGNED_TLS
};

/** grant_type values, as bits. */
enum {
    OAS_GRANT_AUTHORIZATION_CODE = 1 << 0,
    OAS_GRANT_REFRESH_TOKEN = 1 << 1,
    OAS_GRANT_CLIENT_CREDENTIALS = 1 << 2,
    OAS_GRANT_PASSWORD = 1 << 3,
    OAS_GRANT_PASSWORD_REALM = 1 << 4 /**< Auth0's: password with a realm */
};

/** The words of a response_type, as bits. */
enum { OAS_PART_CODE = 1, OAS_PART_ID_TOKEN = 2, OAS_PART_TOKEN = 4 };

/** response_type values, as bits: 1 << the parts they are made of. */
#define OAS_RESPONSE_OF(parts) (1u << (parts))
enum {
    OAS_RESPONSE_CODE = 1 << OAS_PART_CODE,
    OAS_RESPONSE_ID_TOKEN = 1 << OAS_PART_ID_TOKEN,
    OAS_RESPONSE_ID_TOKEN_TOKEN = 1 << (OAS_PART_ID_TOKEN | OAS_PART_TOKEN),
    OAS_RESPONSE_CODE_ID_TOKEN = 1 << (OAS_PART_CODE | OAS_PART_ID_TOKEN),
    OAS_RESPONSE_CODE_TOKEN = 1 << (OAS_PART_CODE | OAS_PART_TOKEN),
    OAS_RESPONSE_CODE_ID_TOKEN_TOKEN = 1 << (OAS_PART_CODE | OAS_PART_ID_TOKEN | OAS_PART_TOKEN)
};

/** How the claims of an access token are named. */
typedef enum { OAS_DIALECT_RFC9068, OAS_DIALECT_AUTH0 } oas_dialect_t;

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
    oas_dialect_t dialect;
    int offline_access;                 /**< 1: offline_access may be granted together with it */
    oas_words_t *introspection_clients; /**< client_ids that may introspect its tokens, or NULL */
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

/** How a client is recognised by its certificate (RFC 8705 section 2). */
typedef enum {
    OAS_CERTIFICATE_NONE,
    OAS_CERTIFICATE_SUBJECT,    /**< value: the subject as RFC 4514 text */
    OAS_CERTIFICATE_SAN_DNS,    /**< value: a DNS name */
    OAS_CERTIFICATE_SELF_SIGNED /**< value NULL: its key is one of the client's keys */
} oas_certificate_kind_t;

/** Which audience an assertion of the client may have. */
typedef enum {
    OAS_ASSERTION_ANY,   /**< the issuer or the token endpoint, alone or in an array */
    OAS_ASSERTION_ISSUER /**< the issuer alone, as a string (FAPI 2.0) */
} oas_assertion_audience_t;

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
    const char *sector;       /**< its subjects are pairwise, alike for all clients of this host
                                 (base/subject.h); NULL: public */
    int require_pkce;
    oas_words_t *required_acr; /**< one of these has to be reached (OAuth2ASRequire acr=), best
                                  first; NULL: none */
    apr_interval_time_t lifetimes[OAS_LIFETIME_COUNT]; /**< OAS_LIFETIME_UNSET: issuer's */
    /* refresh tokens */
    int rotation;                     /**< 1: single-use; always for public clients */
    apr_interval_time_t reuse_window; /**< OAS_WINDOW_UNSET: issuer's */
    /* client authentication beyond secrets */
    apr_array_header_t *hmac_secrets; /**< of oas_bytes_t, for client_secret_jwt; NULL: none */
    const char *jwks_json; /**< its key set as given (OAuth2ASClientKeys file:), or NULL */
    struct oas_jwks *jwks; /**< the same, read (jose/jwks.h), or NULL */
    const char *jwks_uri;  /**< or NULL */
    oas_certificate_kind_t certificate;
    const char *certificate_value;
    oas_assertion_audience_t assertion_audience;
    int bound_tokens; /**< 1: access tokens are bound to its certificate (OAuth2ASRequire mtls) */
    /* front channel */
    int web_message;   /**< 1: response_mode=web_message may be used (OAuth2ASWebMessage) */
    int query_token;   /**< 1: /userinfo?access_token= is taken (OAuth2ASQueryToken) */
    int forwarded_for; /**< 1: it names its user's address (OAuth2ASForwardedFor) */
    const char *refresh_allowed; /**< oas_refresh_allowed of issue/refresh.h, made at start-up; NULL
                                    for clients of the database */
    /* logout */
    oas_words_t *post_logout_redirect_uris;
    const char *backchannel_logout_uri, *frontchannel_logout_uri; /**< or NULL */
    const char *config_hash; /**< hex SHA-256 of its metadata JSON, for the clients table */
    const char *config_json; /**< its metadata JSON (store/client.h) */
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
    oas_expr_t
        *directory;   /**< taken when `value` gives nothing, or NULL: what a directory calls it */
    const char *ends; /**< characters before which that ends: the first of several values */
} oas_claim_t;

/** Before the name of a claim that was asked for by itself (parameter claims), among the scopes
 * that a consent remembers. No scope begins with it. */
#define OAS_CLAIM_WORD "claim:"

typedef struct {
    int pair, account, address; /**< failures before waiting starts */
    apr_interval_time_t max;    /**< longest wait */
} oas_throttle_t;

/** OAuth2ASSubjectRecheck: who is asked at refresh whether a subject is still one of ours. */
typedef enum {
    OAS_RECHECK_NONE,
    OAS_RECHECK_EXPR, /**< expr; true: still ours */
    OAS_RECHECK_EXEC, /**< program; exit status 0: ours, 1: gone, others: cannot tell */
    OAS_RECHECK_SQL   /**< the function oas_subject_recheck of the schema, within the refresh */
} oas_recheck_kind_t;

typedef struct {
    oas_recheck_kind_t kind;
    oas_expr_t *expr;
    const char *const *program; /**< argument vector, ends with NULL */
} oas_recheck_t;

/** A way to sign in (OAuth2ASLoginOption). */
typedef struct {
    const char *id;        /**< OAS_OPTION_PASSWORD, or the administrator's name for it */
    const char *label;     /**< what its button says, or NULL */
    const char *url;       /**< whole URL of its Location; NULL: password */
    const char *path;      /**< the path in it; NULL: password */
    oas_words_t *amr;      /**< RFC 8176 values, or NULL */
    const char *acr;       /**< or NULL */
    int reauth;            /**< 1: whoever comes back has just authenticated */
    oas_expr_t *auth_time; /**< when that was, in seconds since 1970, or NULL */
    int metric;            /**< its id as OAS_LABEL_OPTION (base/metrics.h) */
} oas_login_option_t;

#define OAS_OPTION_PASSWORD  "password"
#define OAS_BUILTIN_PROVIDER "oauth2as" /**< the authn provider of the users table */

/** What a signing key is for: it signs; it will, and is published already; it did, and is published
 * until the last token that it signed has ended. */
typedef enum { OAS_KEY_ACTIVE, OAS_KEY_NEXT, OAS_KEY_RETIRED, OAS_KEY_STATES } oas_key_state_t;

extern const char *const oas_key_state_names[OAS_KEY_STATES];

/** The state called `name`, or OAS_KEY_STATES. */
oas_key_state_t oas_key_state_find(const char *name);

/** When things happened to a key of the database, and will, in seconds since 1970 by its clock; 0:
 * nobody knows, or never. */
typedef struct {
    apr_int64_t created;
    apr_int64_t usable;    /**< next: not before it may sign; 0: no node has said when */
    apr_int64_t activated; /**< it signs, or signed, since */
    apr_int64_t retired;
    apr_int64_t ends; /**< retired: published until then */
} oas_key_times_t;

/** OAuth2ASKey: where the keys are that sign. */
typedef struct {
    struct oas_keyset *keys; /**< those of the configuration, or NULL */
    oas_words_t *ring; /**< algorithms whose keys are in the database; NULL: there is no keyring */
    apr_interval_time_t rotate; /**< age at which keys of the keyring are replaced; 0: by hand */
} oas_signing_t;

/** A virtual host that is an authorization server. */
typedef struct {
    const char *url;    /**< exactly as configured: the iss value */
    const char *origin; /**< scheme://host[:port] of url */
    const char *path;   /**< path of url without its last slash: "" or "/tenant" */
    int metric;         /**< its id as OAS_LABEL_ISSUER (base/metrics.h) */
    oas_profile_t profile;
    apr_array_header_t *secrets; /**< of oas_secret_t *; the first one seals */
    oas_signing_t signing;
    const char *endpoint_paths[OAS_EP_COUNT]; /**< whole paths on this host, NULL when off */
    const char *endpoint_urls[OAS_EP_COUNT];  /**< the same as URLs */
    const char *mtls_url;                     /**< OAuth2ASMutualTLS, or NULL */
    const char *mtls_urls[OAS_EP_COUNT]; /**< where clients with certificates find an endpoint (RFC
                                            8705 section 5), or NULL */
    apr_interval_time_t lifetimes[OAS_LIFETIME_COUNT];
    apr_interval_time_t clock_skew;
    oas_words_t *password_providers;
    int names_ignore_case;             /**< 1: all of these take Alice and alice for one */
    apr_array_header_t *login_options; /**< of oas_login_option_t, in the order of the page */
    oas_expr_t *subject;               /**< NULL: provider|canonical name */
    apr_array_header_t *claims;        /**< of oas_claim_t */
    oas_expr_t *skip_consent;          /**< NULL: never */
    int keep_signed_in; /**< 1: the login page offers a session that outlives the browser */
    oas_throttle_t throttle;
    int password_cost; /**< of the built-in users' hashes (login/hash.h); 0: libxcrypt's default */
    apr_interval_time_t database_wait;
    apr_interval_time_t database_timeout;
    const char *help_forgot_password, *help_signup, *help_help; /**< URLs or NULL */
    const char *default_resource;                               /**< or NULL */
    apr_interval_time_t reuse_window;                           /**< never OAS_WINDOW_UNSET */
    int refresh_limit; /**< live families per user and client */
    oas_recheck_t recheck;
    int revoke_consent; /**< 1: revoking a refresh token withdraws the consent too */
    apr_array_header_t
        *outbound_allow;      /**< of const char *: host or CIDR (OAuth2ASOutboundAllow) */
    int web_message;          /**< 1: some client uses response_mode=web_message; set at start-up */
    apr_hash_t *resources;    /**< uri -> oas_resource_t * */
    apr_hash_t *clients;      /**< client_id -> oas_client_t * */
    oas_words_t *web_origins; /**< of all configured clients: answered in preflights */
    const char *cookie_name;  /**< __Host-oas-<hash>, or oas-<hash> for a loopback http issuer */
    int cookie_secure;
    struct oas_templates *templates;
    oas_words_t
        *languages; /**< of the pages, tags; the first one for those whose wish cannot be met */
    const char *stylesheet;                    /**< URL instead of the built-in one, or NULL */
    const char *logo;                          /**< URL or NULL */
    const char *metadata_json, *metadata_etag; /**< made at start-up */
    const char *jwks_max_age; /**< Cache-Control of the key set; made at start-up */
} oas_issuer_t;

/** The API called `uri`, or NULL. */
const oas_resource_t *oas_resource_find(const oas_issuer_t *issuer, const char *uri);

/** The login option called `id` in a list of them, or NULL. */
const oas_login_option_t *oas_login_option_in(const apr_array_header_t *options, const char *id);

/** The issuer's login option called `id`, or NULL. */
const oas_login_option_t *oas_login_option_find(const oas_issuer_t *issuer, const char *id);

/** 1 when some way to sign in has this acr. */
int oas_acr_offered(const oas_issuer_t *issuer, const char *acr);

/** The scope `name` of an API, or NULL. */
const oas_scope_t *oas_scope_find(const oas_resource_t *resource, const char *name);

/** The scopes of OpenID Connect; how many there are. */
int oas_oidc_scopes(const oas_scope_t **scopes);

/** The text of an OpenID Connect scope (openid, profile, email, address, phone, offline_access), or
 * NULL. */
const char *oas_oidc_scope_text(const char *name);

/** 1 when the client may ask for `scope` of `resource` (OAuth2ASAllow). */
int oas_client_allows(const oas_client_t *client, const oas_resource_t *resource,
                      const char *scope);

/** 1 when the client may ask for `scope` in a user's name: OpenID Connect's, or of the API (may be
 * NULL) those of OAuth2ASAllow. */
int oas_client_may(const oas_client_t *client, const oas_resource_t *resource, const char *scope);

/** 1 when the client may ask for `resource` at all. */
int oas_client_allows_resource(const oas_client_t *client, const char *uri);

/** The grants (OAS_GRANT_ bits) that this issuer's token endpoint has: profile oauth21 knows no
 * password grants. */
unsigned oas_issuer_grants(const oas_issuer_t *issuer);

/** The claim called `name` (OAuth2ASClaim), or NULL. */
const oas_claim_t *oas_claim_find(const oas_issuer_t *issuer, const char *name);

/** 1 when the client may ask for this claim by itself (OIDC Core section 5.5): it is one for
 * applications, not for access tokens only, and the client may ask for its scope, too. */
int oas_claim_requestable(const oas_claim_t *claim, const oas_client_t *client,
                          const oas_resource_t *resource);

/** 1 for a client that authenticates itself (RFC 6749 section 2.1: confidential). */
int oas_client_confidential(const oas_client_t *client);

/** 1 for what a client_id may be: VSCHAR of RFC 6749 A.1 without '|', which separates the parts of
 * a subject, at most OAS_CLIENT_ID_MAX bytes. */
int oas_client_id_valid(const char *client_id);

/** 1 when the client wants to know of the end of sessions that it took part in. */
int oas_client_tracked(const oas_client_t *client);

/** 1 when refresh tokens of this client are single-use. */
int oas_client_rotates(const oas_client_t *client);

/** The longest reuse window of a client whose refresh tokens whoever holds them can use: public,
 * and bound to no certificate (law 5: inside the window a thief is not seen). */
#define OAS_WINDOW_BEARER_MAX apr_time_from_sec(60)

/** 1 when the client may have this reuse window: until-used, and more than OAS_WINDOW_BEARER_MAX,
 * only when it authenticates or its tokens are bound. */
int oas_reuse_window_allowed(const oas_client_t *client, apr_interval_time_t window);

/** The reuse window that counts: the client's, then the issuer's; never more than is allowed. */
apr_interval_time_t oas_reuse_window(const oas_issuer_t *issuer, const oas_client_t *client);

/** The lifetime that counts: the client's, then (access token) the API's, then the issuer's. */
apr_interval_time_t oas_lifetime(const oas_issuer_t *issuer, const oas_client_t *client,
                                 const oas_resource_t *resource, oas_lifetime_t kind);

/** The longest lifetime that an access or ID token can have by the configuration. */
apr_interval_time_t oas_longest_token(const oas_issuer_t *issuer);

/** Names of enum values on the wire and in the configuration; NULL where there is none. */
typedef struct {
    const char *name;
    unsigned bit;
} oas_name_bit_t;

extern const oas_name_bit_t oas_auth_method_names[];   /**< ends with {NULL, 0} */
extern const oas_name_bit_t oas_grant_type_names[];    /**< ends with {NULL, 0} */
extern const oas_name_bit_t oas_response_type_names[]; /**< ends with {NULL, 0} */
extern const char *const oas_lifetime_names[OAS_LIFETIME_COUNT];
extern const char *const oas_dialect_names[];            /**< ends with NULL */
extern const char *const oas_assertion_audience_names[]; /**< ends with NULL */
extern const char
    *const oas_client_type_names[]; /**< indexed by oas_client_type_t, ends with NULL */

/** The bit of `name` in a table, or 0. */
unsigned oas_name_bit(const oas_name_bit_t *table, const char *name);

#endif
