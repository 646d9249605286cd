/* SPDX-License-Identifier: Apache-2.0 */
#include "endpoint.h"

#include <string.h>
#include "../reply/reply.h"
#include "pipeline.h"

static const struct {
    const char *name;
    const char *path;
    oas_carrier_t carrier;
    const char *methods;
    const oas_step_t *steps;
    int keyless; /**< 1: works without the issuer's keys */
} endpoints[OAS_EP_COUNT] = {
    [OAS_EP_AUTHORIZE] = {"authorize", "/authorize", OAS_CARRIER_PAGE, "GET, POST",
                          .steps = oas_authorize_steps},
    [OAS_EP_TOKEN] = {"token", "/oauth/token", OAS_CARRIER_JSON, "POST", .steps = oas_token_steps},
    [OAS_EP_USERINFO] = {"userinfo", "/userinfo", OAS_CARRIER_BEARER, "GET, POST",
                         .steps = oas_userinfo_steps},
    [OAS_EP_REVOKE] = {"revoke", "/oauth/revoke", OAS_CARRIER_JSON, "POST",
                       .steps = oas_revoke_steps},
    [OAS_EP_INTROSPECT] = {"introspect", "/oauth/introspect", OAS_CARRIER_JSON, "POST",
                           .steps = oas_introspect_steps},
    [OAS_EP_ACCOUNT] = {"account", "/account", OAS_CARRIER_PAGE, "GET, POST",
                        .steps = oas_account_steps},
    [OAS_EP_LOGOUT] = {"logout", "/oidc/logout", OAS_CARRIER_PAGE, "GET, POST",
                       .steps = oas_logout_steps},
    [OAS_EP_V2LOGOUT] = {"v2logout", "/v2/logout", OAS_CARRIER_PAGE, "GET",
                         .steps = oas_v2logout_steps},
    [OAS_EP_JWKS] = {"jwks", "/.well-known/jwks.json", OAS_CARRIER_JSON, "GET",
                     .steps = oas_document_steps},
    [OAS_EP_OPENID_CONFIGURATION] = {"openid-configuration", "/.well-known/openid-configuration",
                                     OAS_CARRIER_JSON, "GET", .steps = oas_document_steps,
                                     .keyless = 1},
    [OAS_EP_OAUTH_METADATA] = {"oauth-authorization-server",
                               "/.well-known/oauth-authorization-server", OAS_CARRIER_JSON, "GET",
                               .steps = oas_document_steps, .keyless = 1},
    [OAS_EP_HEALTH] = {"health", "/oauth2as/health", OAS_CARRIER_JSON, "GET",
                       .steps = oas_health_steps, .keyless = 1},
    [OAS_EP_METRICS] = {"metrics", "/oauth2as/metrics", OAS_CARRIER_JSON, "GET",
                        .steps = oas_metrics_steps, .keyless = 1},
    [OAS_EP_READY] = {"ready", "/oauth2as/ready", OAS_CARRIER_JSON, "GET", .steps = oas_ready_steps,
                      .keyless = 1},
};

const char *oas_endpoint_name(oas_endpoint_id_t id)
{
    return endpoints[id].name;
}

const char *oas_endpoint_default_path(oas_endpoint_id_t id)
{
    return endpoints[id].path;
}

int oas_endpoint_is_api(oas_endpoint_id_t id)
{
    return endpoints[id].carrier != OAS_CARRIER_PAGE;
}

void oas_endpoint_run(oas_tx_t *tx)
{
    tx->carrier = endpoints[tx->endpoint].carrier;
    tx->methods = endpoints[tx->endpoint].methods;
    tx->max_age = -1;
    if (strcmp(tx->request.method, "OPTIONS") == 0) {
        oas_reply_preflight(tx);
        return;
    }
    if (tx->keys == NULL && !endpoints[tx->endpoint].keyless) {
        /* before anything is used up: a code, a refresh token */
        oas_store_fault(tx, OAS_TAG(01071), OAS_DB_UNAVAILABLE,
                        "the keyring could not be read yet");
        oas_reply_error(tx);
        return;
    }
    oas_pipeline_run(tx, endpoints[tx->endpoint].steps);
}
