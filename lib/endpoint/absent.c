/* SPDX-License-Identifier: Apache-2.0 */
#include "absent.h"

#include <string.h>
#include <apr_strings.h>
#include "../reply/reply.h"

static const struct {
    const char *path;
    int below; /* 1: what lies below it, 0: this path itself */
} apis[] = {
    {"/mfa", 1},       {"/dbconnections", 1}, {"/passwordless", 1},    {"/passkey", 1},
    {"/me", 1},        {"/api/v2", 1},        {"/anonymous/token", 0}, {"/oauth/device/code", 0},
    {"/oauth/par", 0}, {"/bc-authorize", 0},  {"/oidc/register", 0},
};

const char *oas_absent_api(const oas_issuer_t *issuer, const char *path, apr_pool_t *pool)
{
    apr_size_t outer = strlen(issuer->path);
    apr_size_t i;

    if (issuer->profile != OAS_PROFILE_AUTH0 || strncmp(path, issuer->path, outer) != 0) {
        return NULL;
    }
    for (i = 0; i < sizeof(apis) / sizeof(apis[0]); i++) {
        apr_size_t len = strlen(apis[i].path);
        if (strncmp(path + outer, apis[i].path, len) == 0 &&
            path[outer + len] == (apis[i].below ? '/' : '\0')) {
            return apr_pstrmemdup(pool, path, outer + len);
        }
    }
    return NULL;
}

void oas_absent_run(oas_tx_t *tx)
{
    const char *origin = tx->request.origin;

    tx->carrier = OAS_CARRIER_JSON;
    tx->methods = "GET, POST, PUT, PATCH, DELETE";
    if (strcmp(tx->request.method, "OPTIONS") == 0) {
        oas_reply_preflight(tx);
        return;
    }
    oas_refuse(tx, OAS_TAG(00455), OAS_E_NOT_FOUND, NULL);
    oas_reply_error(tx);
    if (origin != NULL && oas_words_has(tx->issuer->web_origins, origin)) {
        oas_reply_header(tx, "Access-Control-Allow-Origin", origin);
    }
}
