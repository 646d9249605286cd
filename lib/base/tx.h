/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file tx.h
 * One request, from the bytes that came in to the reply that goes out. Members are grouped by the
 * step that sets them; a member is NULL (or 0) until its step has run.
 */
#ifndef OAS_BASE_TX_H
#define OAS_BASE_TX_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>
#include <jansson.h>
#include "error.h"
#include "log.h"
#include "members.h"
#include "model.h"
#include "params.h"
#include "reserve.h"
#include "words.h"

struct oas_client_cache;
struct oas_db;
struct oas_end_session;
struct oas_desk;
struct oas_hasher;
struct oas_jwks_cache;
struct oas_login;
struct oas_pace;
struct oas_readiness;
struct oas_salt;
struct oas_token;
typedef struct oas_tx oas_tx_t;

/** What came over the wire. Set by httpd/ before the first step. */
typedef struct {
    const char *method; /**< "GET", "HEAD" comes as "GET", but not at authorize */
    const char *query;  /**< raw, without '?', or NULL */
    const char *content_type;
    const char *body; /**< NULL when there is none; NUL-terminated behind body_len bytes */
    apr_size_t body_len;
    int body_too_large; /**< the body was longer than OAS_PARAMS_MAX_LEN and was thrown away */
    const char *authorization;
    const char *cookie;
    const char *origin;
    const char *if_none_match;
    const char *access_control_request_method;
    const char *address; /**< the peer's, by mod_remoteip where that is loaded; or the user's, when
                            address_forwarded */
    int address_forwarded; /**< 1: a client that may has named its user's address; by assign_address
                            */
    const char *forwarded_for; /**< header auth0-forwarded-for, not believed yet */
    const char *user_agent;
    const char *user; /**< whom httpd's own authentication names; at login options only */
    const char *accept_language;
    const char *accept;            /**< at the metrics endpoint only */
    const struct oas_trace *trace; /**< of a valid traceparent header (base/trace.h), or NULL */
    oas_bytes_t certificate;       /**< the TLS client certificate as DER; len 0: none */
    int certificate_verified; /**< 1: it was issued by a CA that the server trusts (RFC 8705 2.1) */
} oas_request_t;

/** What goes back. Written by reply/ only, sent by httpd/. */
typedef struct {
    int status; /**< 0: not written yet */
    const char *content_type;
    apr_table_t *headers;
    const char *body; /**< may be NULL */
    apr_size_t body_len;
} oas_reply_t;

/** How an error of this endpoint leaves (reply/error.h). */
typedef enum { OAS_CARRIER_PAGE, OAS_CARRIER_JSON, OAS_CARRIER_BEARER } oas_carrier_t;

/** Who somebody is, as a login source said. */
typedef struct {
    const char *provider; /**< name of the authn provider */
    const char *name;     /**< canonical name */
    int ignores_case;     /**< the provider takes Alice and alice for one */
    /** The built-in provider: hex SHA-256 of the password hash that was checked against, by which
     * the store knows whether it still counts when the login is written; others NULL. */
    const char *proof;
} oas_identity_t;

/** Outcome of asking an authn provider. */
typedef enum {
    OAS_PASSWORD_GRANTED,
    OAS_PASSWORD_DENIED,
    OAS_PASSWORD_UNKNOWN,     /**< no such user here: the next provider is asked */
    OAS_PASSWORD_UNAVAILABLE, /**< the provider could not tell */
    OAS_PASSWORD_BUSY         /**< too many are being checked at once; nobody was asked */
} oas_password_result_t;

/** Outcome of asking whether a subject is still one of ours. */
typedef enum { OAS_SUBJECT_OURS, OAS_SUBJECT_GONE, OAS_SUBJECT_UNCLEAR } oas_recheck_result_t;

/** What the library asks of the server it runs in. Every function may use tx->host_baton. */
typedef struct {
    /** Asks one provider. Fills *identity when granted; afterwards claims can be evaluated. */
    oas_password_result_t (*check_password)(oas_tx_t *tx, const char *provider, const char *user,
                                            const char *password, oas_identity_t *identity);
    /** Evaluates to a string in tx->pool; APR_EGENERAL (logged) when it cannot. */
    apr_status_t (*eval)(oas_tx_t *tx, const oas_expr_t *expr, const char **out);
    /** Evaluates to a truth value; an expression that cannot be evaluated is false (logged). */
    int (*test)(oas_tx_t *tx, const oas_expr_t *expr);
    /** Asks OAS_RECHECK_EXPR or OAS_RECHECK_EXEC about a subject, in a bounded time; no connection
     * may be held. The subject's names are in OAUTH2AS_SUBJECT, _PROVIDER and _NAME. */
    oas_recheck_result_t (*recheck)(oas_tx_t *tx, const char *sub, const char *provider,
                                    const char *name);
    /** 1 when this request came to the Location of the option; at login options only. */
    int (*is_here)(oas_tx_t *tx, const oas_login_option_t *option);
    /** NULL, or a word for why this node is about to go and wants no new work. */
    const char *(*leaving)(oas_tx_t *tx);
    /** 1 when that holds for some issuer of this node. */
    int (*draining)(oas_tx_t *tx);
    /** Shows the key set of each issuer of this node; it lives as long as tx->pool. */
    void (*each_keys)(oas_tx_t *tx,
                      void (*visit)(void *baton, const char *issuer, const struct oas_keyset *keys),
                      void *baton);
    /** Writes one line (without its end) to the audit log. */
    void (*audit)(oas_tx_t *tx, const char *line);
} oas_host_t;

/** A signed-in browser. */
typedef struct {
    const char *id; /**< the sid claim: base64url of the 16-byte session_id */
    const char *sub;
    const char *provider;       /**< authn provider or login option of the user's last login */
    const char *name;           /**< what the user is called on pages */
    const char *login;          /**< what that provider knows the user by */
    const char *builtin;        /**< the built-in user that this person is, or NULL */
    apr_int64_t auth_time, now; /**< seconds since 1970 by the database's clock; auth_time 0: nobody
                                   knows */
    const char *amr;            /**< space-delimited (RFC 8176 values), or NULL */
    const char *acr;            /**< or NULL */
    const char *option;         /**< id of the login option used last; NULL: not known */
    int persistent;             /**< 1: its cookie outlives the browser */
    apr_int64_t expires;        /**< when it ends at the latest; 0: it was opened just now */
    oas_words_t *consented;     /**< scopes remembered for this client and API; NULL: no consent */
} oas_session_t;

/** prompt values, as bits. */
enum {
    OAS_PROMPT_NONE = 1,
    OAS_PROMPT_LOGIN = 2,
    OAS_PROMPT_CONSENT = 4,
    OAS_PROMPT_SELECT_ACCOUNT = 8,
    OAS_PROMPT_CREATE = 16
};

/** The cookies of an issuer (login/cookie.h, login/known.h). */
enum { OAS_COOKIE_BROWSER, OAS_COOKIE_FRAMED, OAS_COOKIE_KNOWN, OAS_COOKIES };

typedef enum {
    OAS_MODE_QUERY,
    OAS_MODE_FRAGMENT,
    OAS_MODE_FORM_POST,
    OAS_MODE_WEB_MESSAGE
} oas_response_mode_t;

/** Which form came back, or why a sealed one is opened (login/interaction.h). */
typedef enum {
    OAS_FORM_NONE,
    OAS_FORM_LOGIN,
    OAS_FORM_CONSENT,
    OAS_FORM_RESUME,   /**< the same request, after a login */
    OAS_FORM_SELECT,   /**< which account (prompt=select_account) */
    OAS_FORM_EXTERNAL, /**< on the way to the Location of a login option */
    OAS_FORM_STEP,     /**< a further step of a login (login/steps.h) */
    OAS_FORM_CONFIRM,  /**< a page that only asks whether to (logout, account) */
    OAS_FORMS
} oas_form_t;

/** What a redeemed code or a live grant gives (store/grant.h), or a client's own (no grant_id). */
typedef struct {
    const char *grant_id; /**< base64url of 16 bytes; NULL: client credentials */
    const char *client_id;
    const char *sub;
    const char *sid; /**< base64url of the session, or NULL */
    oas_words_t *scopes;
    const char *resource;       /**< API, or NULL */
    const char *nonce;          /**< or NULL */
    apr_int64_t auth_time, now; /**< auth_time 0: nobody signed in */
    const char *amr, *acr;
    json_t *claims;              /**< as evaluated at login; owned by the pool */
    json_t *claims_request;      /**< as in tx: claims asked for by themselves, or NULL */
    int offline;                 /**< 1: it has a family of refresh tokens */
    apr_int64_t refresh_expires; /**< absolute end of the family, when offline */
} oas_grant_t;

struct oas_tx {
    apr_pool_t *pool;
    const oas_issuer_t *issuer;
    const oas_host_t *host;
    void *host_baton;
    const oas_log_t *log;
    const char *request_id; /**< short, printable; shown on error pages and in every log line */
    struct oas_db *db;
    oas_reserve_t random;
    const struct oas_keyset *keys; /**< what signs now and verifies; NULL: not known yet. The same
                                      for the whole request, whatever changes meanwhile */
    oas_request_t request;
    oas_endpoint_id_t endpoint;
    oas_carrier_t carrier;
    const char *methods; /**< what the endpoint takes, for Allow: "GET, POST" */
    unsigned mask;       /**< which rows of the endpoint's table apply (endpoint/pipeline.h) */

    oas_params_t *form;         /**< what this request carries; by load_form */
    oas_params_t *params;       /**< the OAuth request: the same, or what a sealed form held */
    oas_form_t form_step;       /**< by load_interaction */
    const char *browser;        /**< browser binding from the cookie, or NULL; by load_cookie */
    const char *session_handle; /**< session part of the cookie, or NULL; by load_cookie */
    const char
        *set_cookie[OAS_COOKIES]; /**< Set-Cookie values that the reply must carry, or NULL */
    apr_int64_t started; /**< database time when the consent form was made; by load_interaction */
    int keep; /**< 1: the user asks for a session that outlives the browser; by accept_login,
                 load_interaction */
    apr_int64_t login_time; /**< auth_time of a login made during this interaction, or 0 */

    struct oas_client_cache *clients; /**< this process's, or NULL (check/client_cache.h) */
    struct oas_jwks_cache *jwks;      /**< this process's, or NULL (fetch/jwks.h) */
    struct oas_hasher
        *hasher;           /**< this process's, or NULL: hashing in this thread (login/hasher.h) */
    struct oas_desk *desk; /**< this process's, or NULL: no bounds (login/desk.h) */
    struct oas_pace *pace; /**< this process's, or NULL (login/pace.h) */
    apr_interval_time_t waited; /**< for room to check a password; by host->check_password */
    struct oas_readiness
        *readiness;             /**< this process's; set for OAS_EP_READY (store/readiness.h) */
    struct oas_salt *salts;     /**< this process's, or NULL (check/salt.h) */
    const unsigned char *salt;  /**< of pairwise subjects (base/subject.h); by load_salt */
    const oas_client_t *client; /**< by load_client, check_client_auth; NULL: no application
                                   takes part (account, logout) */
    unsigned auth_method;       /**< OAS_AUTH_ bit used; by check_client_auth */
    const char *cnf;          /**< x5t#S256 of the certificate that tokens are bound to, or NULL; by
                                 check_client_auth (RFC 8705 section 3.1) */
    const char *redirect_uri; /**< validated: errors may travel there; by check_redirect_uri */
    int redirect_uri_sent;    /**< 0: the client's only one was taken */
    unsigned response;        /**< OAS_PART_ bits; by assign_response_mode */
    oas_response_mode_t response_mode; /**< by assign_response_mode */
    const char *message_origin;        /**< who gets the answer of OAS_MODE_WEB_MESSAGE; by
                                          check_web_message */
    const char *state;
    const char *nonce;
    oas_words_t *scopes;            /**< requested, then what may be granted; by check_scope */
    const oas_resource_t *resource; /**< API, or NULL; by check_resource */
    const char *code_challenge;
    unsigned prompt;        /**< OAS_PROMPT_ bits */
    const char *hinted_sub; /**< sub of id_token_hint, "" when it is no ID token of ours, or NULL */
    const oas_client_t *hinted_client; /**< whose ID token id_token_hint is */
    apr_int64_t max_age;               /**< seconds, -1: not asked */
    json_t *claims_request;     /**< claims asked for by themselves, or NULL; by check_claims */
    oas_words_t *permissions;   /**< what the user is asked for: tx->scopes, and claims beyond
                                   them; by check_claims */
    oas_words_t *expected_subs; /**< who it has to be, or NULL; by check_claims */
    oas_words_t *acr_values;    /**< best first, NULL: no wish; by check_claims, check_acr */
    int acr_essential;          /**< 1: one of acr_values has to be reached */
    int other_account;          /**< select_account: the user wants another one */
    int account_chosen;         /**< select_account: the user goes on as who is signed in */
    const oas_login_option_t *option; /**< what the user chose to sign in with; by accept_login,
                                         load_external */
    apr_int64_t asked;                /**< when the form that came back was made, by a node's clock;
                                         by load_interaction */
    int elsewhere;                    /**< 1: this came to the Location of a login option, not to
                                         tx->endpoint, for which the login is made */
    oas_session_t *session;           /**< by load_session or accept_login */
    int consent_given;                /**< the consent form said allow; by accept_consent */
    int consent_skipped;              /**< by load_consent */

    const char *code;           /**< by issue_code, check_code */
    const char *refresh_token;  /**< presented: by check_refresh_token; then the one to hand out */
    const char *grant_resource; /**< refresh: the API that the grant has to be for, "" for none,
                                   NULL when the request names none; by check_refresh_token */
    struct oas_login *login;    /**< whose password was right; by accept_password. Or a login with
                                   a step left; by accept_login, accept_user */
    oas_grant_t *grant;
    oas_members_t
        *answer; /**< members of the token reply or of the authorization answer; by issue_ steps */
    struct oas_token *token; /**< one that came back; by check_access_token, check_token */

    const char *language; /**< of the pages, a tag; NULL: not chosen yet (reply/reply.h) */
    struct oas_end_session *ending; /**< a logout (check/logout.h); by load_logout_hint */

    const char *outcome;     /**< what came of it, in a word, where that is more than "ok"; for the
                                access log */
    oas_error_id_t error;    /**< by oas_refuse, oas_fault */
    const char *detail;      /**< what the log said of it, or NULL */
    const char *restart_url; /**< where the request of the form that came back begins anew, or
                                NULL; by load_interaction, load_external */
    int retry_after;         /**< seconds, for 429 and 503 */
    oas_reply_t reply;
};

/** What a step tells the loop that walks the table. */
typedef enum {
    OAS_NEXT,     /**< go on */
    OAS_ANSWERED, /**< the reply is written */
    OAS_FAILED    /**< tx->error is set */
} oas_outcome_t;

/** The grant_type of a request at the token endpoint once it is known, as on the wire; or NULL. */
const char *oas_grant_type(const oas_tx_t *tx);

/** 1 when a browser's page (it has an Origin) sent this request with what only a server can keep: a
 * secret, a key or a certificate. Such a page neither gets nor uses refresh tokens. */
int oas_secret_in_page(const oas_tx_t *tx);

/**
 * Their fault: records the error, logs it once with tag, request id and client id.
 * @param detail for the log only, may be NULL; contains no secret
 */
oas_outcome_t oas_refuse(oas_tx_t *tx, const char *tag, oas_error_id_t id, const char *detail);

/** Ours: as above with an APR status; the wire gets OAS_E_SERVER or OAS_E_UNAVAILABLE. */
oas_outcome_t oas_fault(oas_tx_t *tx, const char *tag, oas_error_id_t id, apr_status_t status,
                        const char *detail);

/** Maps a store status to the error it means: OAS_DB_UNAVAILABLE is OAS_E_UNAVAILABLE, else
 * OAS_E_SERVER. */
oas_outcome_t oas_store_fault(oas_tx_t *tx, const char *tag, apr_status_t status,
                              const char *detail);

/** The store could not be reached, or not in time (base/status of store verbs). */
#define OAS_DB_UNAVAILABLE (APR_OS_START_USERERR + 4000)

#endif
