/* SPDX-License-Identifier: Apache-2.0 */
#include "client_grant.h"

#include <apr_strings.h>
#include "../base/json.h"

oas_outcome_t oas_issue_client_grant(oas_tx_t *tx)
{
    const char *id = tx->client->client_id;
    oas_grant_t *grant = apr_pcalloc(tx->pool, sizeof(*grant));

    grant->client_id = id;
    grant->sub = tx->resource->dialect == OAS_DIALECT_AUTH0
                     ? apr_pstrcat(tx->pool, id, "@clients", NULL)
                     : id;
    grant->scopes = tx->scopes;
    grant->resource = tx->resource->uri;
    grant->now = apr_time_sec(apr_time_now());
    grant->claims = oas_json_object(tx->pool);
    tx->grant = grant;
    return OAS_NEXT;
}
