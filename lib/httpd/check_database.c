/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "../store/conninfo.h"
#include "as_user.h"

/* The database of an issuer, as far as it can be known without asking it. */

/** The last directive of that name in this list, which is the one that counts. */
static const ap_directive_t *last_of(const ap_directive_t *node, const char *name)
{
    const ap_directive_t *last = NULL;

    for (; node != NULL; node = node->next) {
        if (strcasecmp(node->directive, name) == 0) {
            last = node;
        }
    }
    return last;
}

/** A directive as mod_dbd sees it in the virtual host of `issuer`: its own, else the main server's.
 */
static const ap_directive_t *setting_of(const ap_directive_t *issuer, const char *name)
{
    const ap_directive_t *own = issuer != NULL && issuer->parent != NULL
                                    ? last_of(issuer->parent->first_child, name)
                                    : NULL;

    return own != NULL ? own : last_of(ap_conftree, name);
}

/** A keyword of these DBDParams, or NULL. */
static const char *value_of(const ap_directive_t *params, const char *keyword, apr_pool_t *pool)
{
    const char *rest = params->args;
    const char *value;

    return oas_conninfo_value(ap_getword_conf(pool, &rest), keyword, &value, pool) == APR_SUCCESS
               ? value
               : NULL;
}

/** mod_dbd connects under its pool's lock, so that a database host that is silent stops the child.
 */
static void check_connect_timeout(oas_check_t *check, const ap_directive_t *params)
{
    if (value_of(params, "connect_timeout", check->pool) == NULL &&
        value_of(params, "service", check->pool) == NULL && getenv("PGCONNECT_TIMEOUT") == NULL) {
        oas_advise(check, OAS_TAG(00315), params,
                   "DBDParams without connect_timeout: while the database's host does not answer, "
                   "requests wait as long as the system tries to connect (connect_timeout=2)");
    }
}

/** libpq goes on without a file that it cannot read, and all that is said then is that there was
 * no password. */
static void check_passfile(oas_check_t *check, const ap_directive_t *params)
{
    const char *path = value_of(params, "passfile", check->pool);
    const char *why = path != NULL ? oas_as_user(path, oas_user_reads_alone, check->pool) : NULL;

    if (why != NULL) {
        oas_advise(check, OAS_TAG(01201), params,
                   "the passfile %s is of no use: httpd's processes run as %s, and %s", path,
                   oas_user_name(check->pool), why);
    }
}

static void check_persist(oas_check_t *check, const ap_directive_t *issuer)
{
    const ap_directive_t *persist = setting_of(issuer, "DBDPersist");

    if (persist != NULL && strcasecmp(persist->args, "off") == 0) {
        oas_advise(check, OAS_TAG(01240), persist,
                   "DBDPersist Off: each request connects to the database and prepares all "
                   "statements anew, which takes many times as long as its work; leave it On");
    }
}

static void check_params(oas_check_t *check, const ap_directive_t *issuer)
{
    const ap_directive_t *params = setting_of(issuer, "DBDParams");
    const char *rest, *value;

    if (params == NULL) {
        oas_complain(check, OAS_TAG(01202), issuer,
                     "an issuer needs a PostgreSQL database: DBDParams \"host=... dbname=... "
                     "user=...\"");
        return;
    }
    rest = params->args;
    if (oas_conninfo_value(ap_getword_conf(check->pool, &rest), "host", &value, check->pool) !=
        APR_SUCCESS) {
        oas_complain(check, OAS_TAG(01203), params,
                     "DBDParams are KEYWORD=VALUE... in one pair of double quotes, with keywords "
                     "that libpq knows and values with blanks in single quotes");
        return;
    }
    check_connect_timeout(check, params);
    check_passfile(check, params);
}

void oas_check_database(oas_check_t *check)
{
    const ap_directive_t *where = oas_place_of(&check->config->block, OAS_D_ISSUER, NULL);

    if (ap_find_linked_module("mod_dbd.c") == NULL) {
        oas_complain(check, OAS_TAG(00309), where,
                     "an issuer needs mod_dbd: LoadModule dbd_module modules/mod_dbd.so (Debian: "
                     "a2enmod dbd)");
    } else if (oas_find_directive(ap_conftree, "DBDriver", "pgsql", NULL, check->pool) == NULL) {
        oas_complain(check, OAS_TAG(00310), where,
                     "an issuer needs a PostgreSQL database: DBDriver pgsql, and DBDParams");
    } else {
        check_params(check, where);
        check_persist(check, where);
    }
}

void oas_check_drain_file(oas_check_t *check)
{
    const char *path = check->config->drain_file;
    const char *why = path != NULL ? oas_as_user(path, oas_user_sees, check->pool) : NULL;

    if (why != NULL) {
        oas_advise(check, OAS_TAG(01204),
                   oas_place_of(&check->config->block, OAS_D_DRAIN_FILE, NULL),
                   "OAuth2ASDrainFile would go unseen: httpd's processes run as %s, and %s",
                   oas_user_name(check->pool), why);
    }
}
