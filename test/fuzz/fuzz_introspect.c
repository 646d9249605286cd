/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies of introspection and revocation requests, up to the database: form, duplicates, and what
 * the token is. Only a text that our key has signed counts as an access token, only a handle as a
 * refresh token.
 */
#include "fuzz_keys.h"

#include <string.h>
#include "../../lib/base/handle.h"
#include "../../lib/base/json.h"
#include "../../lib/check/params.h"
#include "../../lib/check/token.h"
#include "../../lib/jose/jws.h"
#include "../unit/fake_tx.h"

static apr_pool_t *global;
static oas_keyset_t *keys;

static void release(void)
{
    apr_pool_destroy(global);
}

static oas_tx_t *new_tx(apr_pool_t *pool, const uint8_t *data, size_t size)
{
    oas_tx_t *tx = fake_tx(pool);
    oas_resource_t *api = (oas_resource_t *)oas_resource_find(tx->issuer, "https://api.example/");

    tx->keys = keys;
    api->dialect = OAS_DIALECT_AUTH0;
    tx->request.method = "POST";
    tx->request.content_type = "application/x-www-form-urlencoded";
    tx->request.body = apr_pstrmemdup(pool, (const char *)data, size);
    tx->request.body_len = size;
    return tx;
}

static void check_access_token(const oas_tx_t *tx, const char *text)
{
    const oas_token_t *token = tx->token;
    const char *iss = oas_json_string(token->claims, "iss");
    oas_jws_t *jws;

    FUZZ_HOLDS(oas_jws_parse(&jws, text, strlen(text), tx->pool) == APR_SUCCESS);
    FUZZ_HOLDS(oas_jws_verify_own(jws, keys) == APR_SUCCESS);
    FUZZ_HOLDS(jws->typ != NULL && json_is_object(token->claims));
    FUZZ_HOLDS(iss != NULL && strcmp(iss, tx->issuer->url) == 0);
}

static void check_token(const oas_tx_t *tx)
{
    const char *text = oas_params_get(tx->params, "token");
    const oas_token_t *token = tx->token;

    FUZZ_HOLDS(!token->active);
    switch (token->kind) {
    case OAS_TOKEN_NONE:
        FUZZ_HOLDS(token->why != NULL);
        break;
    case OAS_TOKEN_HANDLE:
        FUZZ_HOLDS(token->has_grant && strlen(text) == OAS_HANDLE_LEN && !strchr(text, '.'));
        break;
    case OAS_TOKEN_ACCESS:
        check_access_token(tx, text);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    oas_tx_t *tx;

    if (global == NULL) {
        global = fuzz_global_pool();
        keys = fuzz_keys(global);
        atexit(release); /* after OpenSSL has registered its own, so it runs before */
    }
    tx = new_tx(pool, data, size);
    if (oas_load_form(tx) == OAS_NEXT && oas_check_duplicates(tx) == OAS_NEXT &&
        oas_check_token(tx) == OAS_NEXT) {
        check_token(tx);
    } else {
        FUZZ_HOLDS(tx->error != OAS_E_NONE && oas_error_row(tx->error)->status < 500);
    }
    apr_pool_destroy(pool);
    return 0;
}
