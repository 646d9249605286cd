/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The door: the module record, its hooks and its life cycle. What happens behind each is in
 * lib/httpd.
 */
#include <stdlib.h>
#include <httpd.h>
#include <http_config.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <http_core.h>
#include "lib/base/metrics.h"
#include "lib/base/words.h"
#include "lib/fetch/fetch.h"
#include "lib/httpd/audit_log.h"
#include "lib/httpd/authn.h"
#include "lib/httpd/caches.h"
#include "lib/httpd/certificate.h"
#include "lib/httpd/check.h"
#include "lib/httpd/complete.h"
#include "lib/httpd/database.h"
#include "lib/httpd/delivery.h"
#include "lib/httpd/directives.h"
#include "lib/httpd/keyring.h"
#include "lib/httpd/log.h"
#include "lib/httpd/login_option.h"
#include "lib/httpd/metrics.h"
#include "lib/httpd/notes.h"
#include "lib/httpd/recovery.h"
#include "lib/httpd/request.h"
#include "lib/httpd/status.h"
#include "lib/httpd/watchdog.h"
#include "lib/issue/keyring.h"

static void announce(const oas_server_config_t *config, apr_pool_t *pool)
{
    const oas_issuer_t *issuer = &config->issuer;

    ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, config->server,
                 OAS_TAG(00345) ": issuer %s: %u clients, %u APIs, keys for %s", issuer->url,
                 apr_hash_count(issuer->clients), apr_hash_count(issuer->resources),
                 oas_words_join(oas_issuer_algs(issuer, pool), pool));
}

static int finish_server(oas_server_config_t *config, int first_pass, apr_pool_t *pconf,
                         apr_pool_t *ptemp)
{
    apr_status_t rv;

    oas_log_to_server(&config->log, config->server);
    if (config->issuer.url == NULL) {
        return OK;
    }
    rv = oas_finish_issuer(config, pconf);
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_EMERG, rv, config->server,
                     OAS_TAG(00346) ": issuer %s cannot be set up", config->issuer.url);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    if (!first_pass) {
        announce(config, ptemp);
    }
    return OK;
}

static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                       server_rec *main_server)
{
    int first_pass = ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG;
    int issuers = 0;
    server_rec *s;

    oas_database_find(ptemp);
    oas_certificate_find(ptemp);
    oas_login_option_find_twins(main_server);
    for (s = main_server; s != NULL; s = s->next) {
        if (finish_server(oas_server_config(s), first_pass, pconf, ptemp) != OK) {
            return HTTP_INTERNAL_SERVER_ERROR;
        }
        issuers += oas_server_config(s)->issuer.url != NULL;
    }
    if (first_pass || issuers == 0) {
        return OK;
    }
    if (oas_fetch_init(pconf) != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_EMERG, 0, main_server,
                     OAS_TAG(00402) ": libcurl cannot be used");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    if (oas_caches_prepare(pconf) != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_EMERG, 0, main_server,
                     OAS_TAG(01011) ": no shared memory to bound the hashing of passwords with");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    oas_metrics_prepare(main_server);
    oas_notes_find();
    if (oas_keyring_register(pconf, main_server) != APR_SUCCESS) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    oas_watchdog_register(pconf, main_server);
    oas_delivery_register(pconf, main_server);
    oas_recovery_register(pconf, main_server);
    return oas_audit_logs_open(pconf, main_server);
}

static void child_init(apr_pool_t *pchild, server_rec *main_server)
{
    apr_status_t rv;

    oas_metrics_child(pchild);
    oas_audit_logs_child(main_server);
    rv = oas_database_child(pchild, main_server);
    if (rv == APR_SUCCESS) {
        rv = oas_caches_child(pchild, main_server);
    }
    if (rv != APR_SUCCESS) {
        ap_log_error(
            APLOG_MARK, APLOG_ALERT, rv, main_server,
            OAS_TAG(00347) ": no mutex or thread for database, clients, keys and passwords");
        /* as an MPM's child that can make no thread: the node goes on, and tries again in a while;
         * after APEXIT_CHILDFATAL it would end, with the children that are well */
        exit(APEXIT_CHILDSICK);
    }
}

static void register_hooks(apr_pool_t *pool)
{
    /* mod_dbd connects in its own child_init; the gates have to be there before */
    static const char *const dbd[] = {"mod_dbd.c", NULL};

    ap_hook_check_config(oas_check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(child_init, NULL, dbd, APR_HOOK_MIDDLE);
    ap_hook_child_init(oas_watchdog_child, dbd, NULL, APR_HOOK_LAST);
    ap_hook_child_init(oas_delivery_child, dbd, NULL, APR_HOOK_LAST);
    ap_hook_child_init(oas_keyring_child, dbd, NULL, APR_HOOK_LAST);
    ap_hook_child_init(oas_recovery_child, dbd, NULL, APR_HOOK_LAST);
    /* an endpoint is an endpoint whatever ProxyPass, Alias or RewriteRule stand beside it */
    ap_hook_translate_name(oas_translate_name, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_translate_name(oas_translate_absent, NULL, NULL, APR_HOOK_LAST);
    ap_hook_map_to_storage(oas_map_to_storage, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(oas_handler, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_handler(oas_login_handler, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_log_transaction(oas_notes_leave, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_log_transaction(oas_metrics_request, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_insert_error_filter(oas_api_error_insert, NULL, NULL, APR_HOOK_LAST);
    ap_hook_insert_error_filter(oas_login_option_error_insert, NULL, NULL, APR_HOOK_LAST);
    oas_api_error_register();
    oas_login_option_register();
    oas_authn_register(pool);
    oas_database_listen();
    oas_status_register();
}

module AP_MODULE_DECLARE_DATA oauth2as_module = {
    STANDARD20_MODULE_STUFF, NULL,         NULL,           oas_server_config_create,
    oas_server_config_merge, oas_commands, register_hooks,
#ifdef AP_MODULE_FLAG_NONE
    AP_MODULE_FLAG_NONE
#endif
};
