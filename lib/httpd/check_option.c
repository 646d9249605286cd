/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <string.h>
#include <strings.h>
#include <apr_strings.h>
#include "../base/uri.h"
#include "login_option.h"

/* The login options of an issuer, together with all that stands beside them. */

static const ap_directive_t *place_of(const oas_check_t *check, const oas_login_option_t *option)
{
    return oas_place_of(&check->config->block, OAS_D_LOGIN_OPTION, option->id);
}

static int has_handler(const ap_directive_t *node, const char *path, apr_pool_t *pool)
{
    for (; node != NULL; node = node->next) {
        const char *rest = node->args;

        if (has_handler(node->first_child, path, pool) ||
            (strcasecmp(node->directive, "SetHandler") == 0 &&
             strcmp(ap_getword_conf(pool, &rest), OAS_LOGIN_OPTION_NAME) == 0 &&
             oas_section_fits(node->parent, path, pool))) {
            return 1;
        }
    }
    return 0;
}

int oas_option_elsewhere(const oas_issuer_t *issuer, const oas_login_option_t *option)
{
    apr_size_t len = strlen(issuer->origin);

    return option->url != NULL &&
           (strncmp(option->url, issuer->origin, len) != 0 || option->url[len] != '/');
}

/** A URL is for another port of the issuer's host: the browser has to send the cookie there. */
static void check_host(oas_check_t *check, const oas_login_option_t *option)
{
    const oas_issuer_t *issuer = &check->config->issuer;
    oas_uri_t here, there;

    if (oas_uri_parse(&here, issuer->url, check->pool) == APR_SUCCESS &&
        oas_uri_parse(&there, option->url, check->pool) == APR_SUCCESS &&
        (strcmp(here.scheme, there.scheme) != 0 || strcasecmp(here.host, there.host) != 0)) {
        oas_complain(check, OAS_TAG(00920), place_of(check, option),
                     "login option %s: %s is not on the issuer's host %s; only the port may differ",
                     option->id, option->url, issuer->origin);
    }
}

static void check_path(oas_check_t *check, const oas_login_option_t *option)
{
    const oas_issuer_t *issuer = &check->config->issuer;
    int i;

    for (i = 0; i < OAS_EP_COUNT; i++) {
        if (issuer->endpoint_paths[i] != NULL &&
            strcmp(issuer->endpoint_paths[i], option->path) == 0) {
            oas_complain(check, OAS_TAG(00921), place_of(check, option),
                         "login option %s: %s is an endpoint of this issuer", option->id,
                         option->path);
            return;
        }
    }
    if (!has_handler(ap_conftree, option->path, check->pool)) {
        oas_advise(check, OAS_TAG(00922), place_of(check, option),
                   "login option %s: there is no <Location \"%s\"> with SetHandler %s", option->id,
                   option->path, OAS_LOGIN_OPTION_NAME);
    }
}

/** The name of an option goes before the user's in a subject, as a provider's does. */
static void check_name(oas_check_t *check, const oas_login_option_t *option)
{
    if (strcmp(option->id, OAS_BUILTIN_PROVIDER) == 0 ||
        oas_words_has(check->config->issuer.password_providers, option->id)) {
        oas_complain(
            check, OAS_TAG(00923), place_of(check, option),
            "login option %s has the name of a password provider: its users would be taken "
            "for that provider's",
            option->id);
    }
}

static void check_double(oas_check_t *check, int index)
{
    const apr_array_header_t *options = check->config->issuer.login_options;
    const oas_login_option_t *option = &APR_ARRAY_IDX(options, index, oas_login_option_t);
    int i;

    for (i = 0; i < index; i++) {
        const oas_login_option_t *other = &APR_ARRAY_IDX(options, i, oas_login_option_t);
        if (other->url != NULL && strcmp(other->url, option->url) == 0) {
            oas_complain(check, OAS_TAG(00924), place_of(check, option),
                         "login options %s and %s have the same place %s", other->id, option->id,
                         option->url);
        }
    }
}

void oas_check_login_options(oas_check_t *check)
{
    const oas_issuer_t *issuer = &check->config->issuer;
    int i;

    if (issuer->login_options->nelts == 0) {
        oas_complain(check, OAS_TAG(00925),
                     oas_place_of(&check->config->block, OAS_D_PASSWORD_PROVIDER, NULL),
                     "nobody could sign in: without password providers there has to be an "
                     "OAuth2ASLoginOption");
    }
    for (i = 0; i < issuer->login_options->nelts; i++) {
        const oas_login_option_t *option =
            &APR_ARRAY_IDX(issuer->login_options, i, oas_login_option_t);

        if (option->url != NULL) {
            check_host(check, option);
            check_path(check, option);
            check_name(check, option);
            check_double(check, i);
        } else if (issuer->password_providers->nelts == 0) {
            oas_complain(check, OAS_TAG(00926), place_of(check, option),
                         "there is no password form with OAuth2ASPasswordProvider none");
        }
    }
}
