/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <http_core.h>
#include <ap_provider.h>
#include <apr_file_info.h>
#include <apr_strings.h>
#include <mod_auth.h>
#include "../base/words.h"
#include "../endpoint/endpoint.h"
#include "../issue/keyring.h"
#include "../reply/templates.h"
#include "authn.h"
#include "complete.h"
#include "directives.h"

static void report(const oas_check_t *check, int level, const char *tag,
                   const ap_directive_t *where, const char *text)
{
    if (where != NULL) {
        ap_log_error(APLOG_MARK, APLOG_STARTUP | level, 0, check->server, "%s: %s:%d: %s", tag,
                     where->filename, where->line_num, text);
    } else {
        ap_log_error(APLOG_MARK, APLOG_STARTUP | level, 0, check->server, "%s: server %s: %s", tag,
                     check->server->server_hostname != NULL ? check->server->server_hostname : "-",
                     text);
    }
}

void oas_complain(oas_check_t *check, const char *tag, const ap_directive_t *where,
                  const char *format, ...)
{
    va_list args;

    va_start(args, format);
    report(check, APLOG_EMERG, tag, where, apr_pvsprintf(check->pool, format, args));
    va_end(args);
    check->faults++;
}

void oas_advise(oas_check_t *check, const char *tag, const ap_directive_t *where,
                const char *format, ...)
{
    va_list args;

    /* httpd reads its configuration twice when it starts; once is enough to say it */
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_CONFIG &&
        ap_state_query(AP_SQ_CONFIG_GEN) <= 1) {
        return;
    }
    va_start(args, format);
    report(check, APLOG_WARNING, tag, where, apr_pvsprintf(check->pool, format, args));
    va_end(args);
}

static int has_argument(const ap_directive_t *node, const char *word, apr_pool_t *pool)
{
    const char *rest = node->args;

    while (*rest != '\0') {
        if (strcmp(ap_getword_conf(pool, &rest), word) == 0) {
            return 1;
        }
    }
    return 0;
}

/** Where the directives of this block begin, or NULL. */
static const ap_directive_t *first_of(const oas_block_t *block, oas_directive_id_t id)
{
    if (block->section != NULL) {
        return block->section->first_child;
    }
    if (block->where[id] == NULL) {
        return NULL;
    }
    return block->where[id]->parent != NULL ? block->where[id]->parent->first_child : ap_conftree;
}

const ap_directive_t *oas_place_of(const oas_block_t *block, oas_directive_id_t id,
                                   const char *word)
{
    const ap_directive_t *node = first_of(block, id);
    apr_pool_t *pool;

    if (node != NULL && word != NULL && apr_pool_create(&pool, NULL) == APR_SUCCESS) {
        while (node != NULL && (strcasecmp(node->directive, oas_directives[id].name) != 0 ||
                                !has_argument(node, word, pool))) {
            node = node->next;
        }
        apr_pool_destroy(pool);
        if (node != NULL) {
            return node;
        }
    }
    if (block->where[id] != NULL) {
        return block->where[id];
    }
    return block->section != NULL ? block->section : block->where[OAS_D_ISSUER];
}

const ap_directive_t *oas_find_directive(const ap_directive_t *node, const char *name,
                                         const char *first, const char *second, apr_pool_t *pool)
{
    for (; node != NULL; node = node->next) {
        const ap_directive_t *inner =
            oas_find_directive(node->first_child, name, first, second, pool);

        if (inner != NULL) {
            return inner;
        }
        if (strcasecmp(node->directive, name) == 0) {
            const char *rest = node->args;
            const char *one = ap_getword_conf(pool, &rest);
            int fits = first == NULL || strcasecmp(one, first) == 0;
            if (fits && second != NULL) {
                const char *word = ap_getword_conf(pool, &rest);
                apr_size_t len = strlen(second);
                fits = strncmp(word, second, len) == 0 && (word[len] == '\0' || word[len] == '>');
            }
            if (fits) {
                return node;
            }
        }
    }
    return NULL;
}

static void check_secret(oas_check_t *check)
{
    if (check->config->issuer.secrets == NULL) {
        oas_complain(check, OAS_TAG(00300), oas_place_of(&check->config->block, OAS_D_ISSUER, NULL),
                     "this issuer needs an OAuth2ASSecret (oauth2asctl secret generate)");
    }
}

/** A client may be known to the database only, so this is no mistake for certain. */
static void check_introspection(oas_check_t *check, const oas_resource_config_t *entry)
{
    const oas_words_t *ids = entry->resource.introspection_clients;
    int i;

    for (i = 0; ids != NULL && i < ids->nelts; i++) {
        const char *id = OAS_WORD(ids, i);
        if (apr_hash_get(check->config->issuer.clients, id, APR_HASH_KEY_STRING) == NULL) {
            oas_advise(check, OAS_TAG(00372),
                       oas_place_of(&entry->block, OAS_D_INTROSPECTION_CLIENT, id),
                       "API %s: there is no <OAuth2ASClient \"%s\"> here; it can introspect when "
                       "the database has it",
                       entry->resource.uri, id);
        }
    }
}

static void check_resources(oas_check_t *check)
{
    const oas_issuer_t *issuer = &check->config->issuer;
    const char *wanted = issuer->default_resource;
    int i;

    for (i = 0; i < check->config->resources->nelts; i++) {
        const oas_resource_config_t *entry =
            APR_ARRAY_IDX(check->config->resources, i, oas_resource_config_t *);
        const char *alg = entry->resource.token_alg;
        const char *uri = entry->resource.uri;
        const char *userinfo = issuer->endpoint_urls[OAS_EP_USERINFO];

        if (alg != NULL && oas_has_keys(issuer) && !oas_issuer_signs(issuer, alg)) {
            oas_complain(check, OAS_TAG(00303), oas_place_of(&entry->block, OAS_D_TOKEN_ALG, NULL),
                         "API %s wants %s access tokens, but there is no active key for it", uri,
                         alg);
        }
        if (strcmp(uri, issuer->url) == 0 || (userinfo != NULL && strcmp(uri, userinfo) == 0)) {
            oas_complain(check, OAS_TAG(00304), entry->block.section,
                         "%s names this server itself and cannot be an API", uri);
        }
    }
    for (i = 0; i < check->config->resources->nelts; i++) {
        check_introspection(check,
                            APR_ARRAY_IDX(check->config->resources, i, oas_resource_config_t *));
    }
    if (wanted != NULL && oas_resource_find(issuer, wanted) == NULL) {
        oas_complain(check, OAS_TAG(00305),
                     oas_place_of(&check->config->block, OAS_D_DEFAULT_RESOURCE, NULL),
                     "there is no <OAuth2ASResource \"%s\">", wanted);
    }
}

static const char *provider_names(apr_pool_t *pool)
{
    apr_array_header_t *names =
        ap_list_provider_names(pool, AUTHN_PROVIDER_GROUP, AUTHN_PROVIDER_VERSION);
    const char *list = "";
    int i;

    for (i = 0; i < names->nelts; i++) {
        list = apr_pstrcat(pool, list, i > 0 ? ", " : "",
                           APR_ARRAY_IDX(names, i, ap_list_provider_names_t).provider_name, NULL);
    }
    return list;
}

/** The provider that `name` is an alias of, or NULL. */
static const char *base_of_alias(const ap_directive_t *node, const char *name, apr_pool_t *pool)
{
    const ap_directive_t *alias = oas_find_directive(node, "<AuthnProviderAlias", NULL, name, pool);
    const char *rest = alias != NULL ? alias->args : NULL;

    return rest != NULL ? ap_getword_conf(pool, &rest) : NULL;
}

static void check_providers(oas_check_t *check)
{
    const oas_words_t *names = check->config->issuer.password_providers;
    int i;

    for (i = 0; i < names->nelts; i++) {
        const char *name = OAS_WORD(names, i);
        const authn_provider *provider =
            ap_lookup_provider(AUTHN_PROVIDER_GROUP, name, AUTHN_PROVIDER_VERSION);

        if (provider == NULL || provider->check_password == NULL) {
            oas_complain(check, OAS_TAG(00306),
                         oas_place_of(&check->config->block, OAS_D_PASSWORD_PROVIDER, NULL),
                         "there is no password provider \"%s\"; loaded are: %s", name,
                         provider_names(check->pool));
        } else {
            const char *base = base_of_alias(ap_conftree, name, check->pool);

            if (base != NULL && strcmp(base, OAS_BUILTIN_PROVIDER) == 0) {
                oas_complain(check, OAS_TAG(01290),
                             oas_place_of(&check->config->block, OAS_D_PASSWORD_PROVIDER, NULL),
                             "%s is an <AuthnProviderAlias> of " OAS_BUILTIN_PROVIDER
                             ": its users could be neither locked nor change their passwords; name "
                             "the provider itself, which has no settings of its own",
                             name);
            } else if (base != NULL) {
                apr_table_set(check->config->aliases, name, base);
            }
        }
    }
    check->config->issuer.names_ignore_case = oas_authn_ignores_case(check->config);
}

static void check_endpoints(oas_check_t *check)
{
    const char *const *paths = check->config->issuer.endpoint_paths;
    int i, k;

    if (paths[OAS_EP_V2LOGOUT] != NULL && check->config->issuer.profile != OAS_PROFILE_AUTH0) {
        oas_complain(check, OAS_TAG(00970),
                     oas_place_of(&check->config->block, OAS_D_ENDPOINT, NULL),
                     "v2logout signs people out without asking; it is there in profile auth0 only");
    }
    for (i = 0; i < OAS_EP_COUNT; i++) {
        for (k = 0; k < i; k++) {
            if (paths[i] != NULL && paths[k] != NULL && strcmp(paths[i], paths[k]) == 0) {
                oas_complain(check, OAS_TAG(00307),
                             oas_place_of(&check->config->block, OAS_D_ENDPOINT, NULL),
                             "endpoints %s and %s have the same path %s", oas_endpoint_name(k),
                             oas_endpoint_name(i), paths[i]);
            }
        }
    }
}

/** The installed templates; where none are installed, the administrator's folder has to have them
 * all. */
static const char *shipped_templates(const oas_check_t *check)
{
    const char *own = check->config->template_dir;
    apr_finfo_t info;

    return own != NULL && APR_STATUS_IS_ENOENT(apr_stat(&info, OAS_DATADIR "/templates",
                                                        APR_FINFO_TYPE, check->pool))
               ? own
               : OAS_DATADIR "/templates";
}

static void check_templates(oas_check_t *check)
{
    const char *why = NULL;

    oas_issuer_t *issuer = &check->config->issuer;

    if (oas_templates_load(&issuer->templates, check->config->template_dir,
                           shipped_templates(check), issuer->languages, &why,
                           check->pool) != APR_SUCCESS) {
        int missing_language = issuer->languages != NULL && strstr(why, "/strings/") != NULL &&
                               strstr(why, ": is missing") != NULL;

        oas_complain(check, OAS_TAG(00308),
                     oas_place_of(&check->config->block,
                                  missing_language ? OAS_D_LANGUAGES : OAS_D_TEMPLATE_DIR, NULL),
                     "templates cannot be used: %s", why);
        return;
    }
    issuer->languages = oas_templates_languages(issuer->templates);
}

static void check_clients(oas_check_t *check)
{
    int i;

    for (i = 0; i < check->config->clients->nelts; i++) {
        oas_check_client(check, APR_ARRAY_IDX(check->config->clients, i, oas_client_config_t *));
    }
}

static void check_issuer(oas_check_t *check)
{
    static void (*const checks[])(oas_check_t * check) = {
        check_secret,         oas_check_keys,          check_resources,
        check_providers,      oas_check_login_options, check_endpoints,
        oas_check_metrics,    check_templates,         oas_check_database,
        oas_check_drain_file, check_clients,           oas_check_mutual_tls};
    const char *why = oas_complete_issuer(check->config, check->pool);
    apr_size_t i;

    if (why != NULL) {
        oas_complain(check, OAS_TAG(00311), NULL, "%s", why);
        return;
    }
    for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        checks[i](check);
    }
}

int oas_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                     server_rec *main_server)
{
    apr_hash_t *seen = apr_hash_make(ptemp);
    int faults = 0;
    server_rec *s;

    oas_detach_servers(pconf, main_server);
    for (s = main_server; s != NULL; s = s->next) {
        oas_check_t check = {pconf, s, oas_server_config(s), 0};

        if (check.config->issuer.url != NULL) {
            oas_check_unique(&check, seen);
            check_issuer(&check);
        } else if (s != main_server && check.config->own != NULL) {
            oas_complain(&check, OAS_TAG(00313), check.config->own,
                         "%s here, but this virtual host has no OAuth2ASIssuer",
                         check.config->own->directive);
        }
        faults += check.faults;
    }
    if (apr_hash_count(seen) == 0 && oas_server_config(main_server)->own != NULL) {
        oas_check_t check = {pconf, main_server, oas_server_config(main_server), 0};
        oas_complain(&check, OAS_TAG(00314), check.config->own,
                     "%s here, but no virtual host has an OAuth2ASIssuer",
                     check.config->own->directive);
        faults++;
    }
    return faults == 0 ? OK : HTTP_INTERNAL_SERVER_ERROR;
}
