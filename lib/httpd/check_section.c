/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <string.h>
#include <strings.h>
#include <apr_fnmatch.h>
#include "../endpoint/endpoint.h"

/* Which <Location> is for which path, and whether one says who may come. */

/** The arguments of a section, the '>' at their end left out. */
static const char *section_arguments(const ap_directive_t *section, apr_pool_t *pool)
{
    apr_size_t len = strlen(section->args);

    return len > 0 && section->args[len - 1] == '>' ? apr_pstrmemdup(pool, section->args, len - 1)
                                                    : section->args;
}

static int matches(const char *pattern, const char *path, apr_pool_t *pool)
{
    ap_regex_t *regex = ap_pregcomp(pool, pattern, AP_REG_EXTENDED);

    return regex != NULL && ap_regexec(regex, path, 0, NULL, 0) == 0;
}

static int is_below(const char *given, const char *path)
{
    apr_size_t len = strlen(given);

    return strncmp(given, path, len) == 0 &&
           (path[len] == '\0' || path[len] == '/' || (len > 0 && given[len - 1] == '/'));
}

int oas_section_fits(const ap_directive_t *section, const char *path, apr_pool_t *pool)
{
    int regex = section != NULL && strcasecmp(section->directive, "<LocationMatch") == 0;
    const char *rest;
    const char *given;

    if (section == NULL || (!regex && strcasecmp(section->directive, "<Location") != 0)) {
        return 1;
    }
    rest = section_arguments(section, pool);
    given = ap_getword_conf(pool, &rest);
    if (strcmp(given, "~") == 0) {
        regex = 1;
        given = ap_getword_conf(pool, &rest);
    }
    if (regex) {
        return matches(given, path, pool);
    }
    return apr_fnmatch_test(given) ? apr_fnmatch(given, path, APR_FNM_PATHNAME) == APR_SUCCESS
                                   : is_below(given, path);
}

/** 1 for a directive that says who may come: Require and its sections, or those before httpd 2.4 */
static int is_access_rule(const char *name)
{
    static const char *const before[] = {"Order", "Allow", "Deny"};
    apr_size_t i;

    if (strncasecmp(name + (*name == '<'), "Require", strlen("Require")) == 0) {
        return 1;
    }
    for (i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        if (strcasecmp(name, before[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

/** 1 for a section that does not hold for an endpoint: it is no file, and in one virtual host. */
static int is_for_others(const char *name)
{
    static const char *const others[] = {"<VirtualHost", "<Directory", "<Files", "<Proxy"};
    apr_size_t i;

    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (strncasecmp(name, others[i], strlen(others[i])) == 0) {
            return 1;
        }
    }
    return 0;
}

/** 1 when some section among these directives says who may ask for `path`. */
static int is_ruled(const ap_directive_t *node, const char *path, apr_pool_t *pool)
{
    for (; node != NULL; node = node->next) {
        if (is_access_rule(node->directive) ||
            (!is_for_others(node->directive) && oas_section_fits(node, path, pool) &&
             is_ruled(node->first_child, path, pool))) {
            return 1;
        }
    }
    return 0;
}

void oas_check_metrics(oas_check_t *check)
{
    const char *path = check->config->issuer.endpoint_paths[OAS_EP_METRICS];
    const ap_directive_t *issuer = oas_place_of(&check->config->block, OAS_D_ISSUER, NULL);

    if (path != NULL && !is_ruled(ap_conftree, path, check->pool) &&
        (issuer->parent == NULL || !is_ruled(issuer->parent->first_child, path, check->pool))) {
        oas_advise(check, OAS_TAG(01200),
                   oas_place_of(&check->config->block, OAS_D_ENDPOINT, "metrics"),
                   "anybody can read the metrics: no <Location \"%s\"> has a Require (Require ip "
                   "ADDRESS..., or Require all granted where that is meant)",
                   path);
    }
}
