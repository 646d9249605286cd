/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <string.h>
#include "../base/uri.h"
#include "../base/words.h"

/* How a client signs people out, and hears of it. */

static const char *origin_of(const char *text, apr_pool_t *pool)
{
    oas_uri_t uri;

    return oas_uri_parse(&uri, text, pool) == APR_SUCCESS ? oas_uri_origin(&uri, pool) : NULL;
}

/** Front-Channel Logout 1.0 section 2: it is of the application that the user signed in to. */
static void check_frontchannel(oas_check_t *check, const oas_client_config_t *entry)
{
    const oas_client_t *client = &entry->client;
    const char *origin;
    int i;

    if (client->frontchannel_logout_uri == NULL) {
        return;
    }
    origin = origin_of(client->frontchannel_logout_uri, check->pool);
    for (i = 0; i < client->redirect_uris->nelts; i++) {
        const char *known = origin_of(OAS_WORD(client->redirect_uris, i), check->pool);
        if (known != NULL && strcmp(known, origin) == 0) {
            return;
        }
    }
    oas_complain(check, OAS_TAG(00971),
                 oas_place_of(&entry->block, OAS_D_FRONTCHANNEL_LOGOUT_URI, NULL),
                 "client \"%s\": none of its redirect URIs has the origin of \"%s\" (Front-Channel "
                 "Logout section 2)",
                 client->client_id, client->frontchannel_logout_uri);
}

/** A machine signs nobody in. */
static void check_machine(oas_check_t *check, const oas_client_config_t *entry)
{
    static const oas_directive_id_t rows[] = {OAS_D_POST_LOGOUT_REDIRECT_URI,
                                              OAS_D_BACKCHANNEL_LOGOUT_URI,
                                              OAS_D_FRONTCHANNEL_LOGOUT_URI};
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const ap_directive_t *where = entry->block.where[rows[i]];
        if (entry->client.type == OAS_CLIENT_MACHINE && where != NULL) {
            oas_complain(check, OAS_TAG(00972), where,
                         "client \"%s\": nobody signs in at a machine, so nobody signs out",
                         entry->client.client_id);
        }
    }
}

void oas_check_logout(oas_check_t *check, const oas_client_config_t *entry)
{
    check_machine(check, entry);
    check_frontchannel(check, entry);
}
