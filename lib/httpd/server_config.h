/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file server_config.h
 * The configuration of one server_rec: the issuer it may be, and where each setting was written, so
 * that every complaint names a file and a line.
 */
#ifndef OAS_HTTPD_SERVER_CONFIG_H
#define OAS_HTTPD_SERVER_CONFIG_H

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>
#include "../base/log.h"
#include "../base/model.h"

/* the only symbol that the module shows */
extern module AP_MODULE_DECLARE_DATA oauth2as_module __attribute__((visibility("default")));
APLOG_USE_MODULE(oauth2as);

/** Numbers the rows of directives.def. */
typedef enum {
#define OAS_DIRECTIVE(id, ...) OAS_D_##id,
#define OAS_SECTION(id, ...)   OAS_D_##id,
#include "directives.def"
#undef OAS_DIRECTIVE
#undef OAS_SECTION
    OAS_D_COUNT
} oas_directive_id_t;

/** The three places a directive can stand in. */
typedef enum { OAS_LEVEL_ISSUER, OAS_LEVEL_RESOURCE, OAS_LEVEL_CLIENT, OAS_LEVELS } oas_level_t;

/**
 * What one server or section was given: `where[id]` is the last directive with that id, NULL when
 * there was none.
 */
typedef struct {
    oas_level_t level;
    void *base;                    /**< what member offsets count from */
    const ap_directive_t *section; /**< the opening line; NULL for a server */
    const ap_directive_t *where[OAS_D_COUNT];
} oas_block_t;

typedef struct {
    oas_resource_t resource;
    oas_block_t block;
} oas_resource_config_t;

/** OAuth2ASRequire. */
typedef struct {
    int pkce; /**< 1 pkce, -1 -pkce, 0 by profile */
    int mtls;
    oas_words_t *acr; /**< or NULL */
} oas_require_t;

typedef struct {
    oas_client_t client;
    oas_block_t block;
    oas_require_t require;
    /** The clear secrets, in the order of client.secrets (len 0: given as hash); after completion
     * only where client_secret_jwt needs them. */
    apr_array_header_t *clear_secrets; /**< of oas_bytes_t */
} oas_client_config_t;

/** OAuth2ASTrustedCertificateHeader. */
typedef struct {
    const char *name;          /**< NULL: none is trusted */
    apr_array_header_t *peers; /**< of apr_ipsubnet_t * */
    const char *verified_name; /**< header that says SUCCESS, or NULL */
    int verified_always;
} oas_certificate_header_t;

struct oas_audit_log;

struct oas_child;

typedef struct {
    oas_issuer_t issuer; /**< issuer.url is NULL where there is no issuer */
    oas_block_t block;
    oas_block_t *current;          /**< where directives go while the configuration is read */
    const ap_directive_t *own;     /**< the first directive of this server itself; not inherited */
    apr_array_header_t *resources; /**< of oas_resource_config_t * */
    apr_array_header_t *clients;   /**< of oas_client_config_t * */
    const char *template_dir;
    const char *drain_file; /**< or NULL */
    oas_certificate_header_t certificate_header;
    const char *audit_log;       /**< as given; NULL: the error log */
    struct oas_audit_log *audit; /**< opened at start-up (audit_log.h), or NULL */
    apr_table_t *aliases; /**< <AuthnProviderAlias>: its name -> what it is another name of */
    server_rec *server;
    int has_twin;            /**< 1: a second virtual host is this issuer too, at another port */
    oas_log_t log;           /**< lines that belong to no request */
    struct oas_child *child; /**< set in each child process, database.h */
    struct oas_client_cache *client_cache; /**< likewise, caches.h; NULL where there is no issuer */
    struct oas_jwks_cache *jwks_cache;     /**< likewise */
    struct oas_salt *salts;                /**< likewise, check/salt.h */
    struct oas_pace *pace;                 /**< likewise */
    struct oas_readiness *readiness;       /**< likewise */
    struct oas_hasher *hasher;             /**< likewise; all servers of a process have the same */
    struct oas_keyring_area *keyring_area; /**< keyring.h; NULL where there is no keyring */
    struct oas_keyring *keyring;           /**< set in each child process, likewise */
    struct oas_undo_area *undo_area;       /**< settle.h; NULL: there is none */
    struct oas_desk *desk;                 /**< likewise */
} oas_server_config_t;

/** The configuration of a server; never NULL. */
static inline oas_server_config_t *oas_server_config(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &oauth2as_module);
}

/** Hook bodies for module.create_server_config and module.merge_server_config. */
void *oas_server_config_create(apr_pool_t *pool, server_rec *s);
void *oas_server_config_merge(apr_pool_t *pool, void *base, void *over);

#endif
