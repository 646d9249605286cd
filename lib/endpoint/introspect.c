/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/json.h"
#include "../base/subject.h"
#include "../check/client_auth.h"
#include "../check/introspection.h"
#include "../check/params.h"
#include "../check/salt.h"
#include "../check/token.h"
#include "../reply/reply.h"
#include "pipeline.h"

/* An API is told what it would read in the token itself, so nothing comes out that it does not
 * carry. */
static void describe_access_token(const oas_token_t *token, oas_members_t *answer)
{
    oas_members_update(answer, token->claims);
    oas_members_string(answer, "client_id", token->client_id);
    oas_members_string(answer, "token_type", "Bearer");
}

/* No token_type: RFC 7662 section 2.2 means that of an access token. */
static void describe_refresh_token(const oas_tx_t *tx, oas_members_t *answer)
{
    const oas_grant_t *grant = tx->grant;

    oas_members_string(answer, "iss", tx->issuer->url);
    oas_members_string(answer, "aud", tx->issuer->url); /* nobody else takes it */
    oas_members_string(answer, "sub", oas_subject_for(tx, tx->client, grant->sub));
    oas_members_string(answer, "client_id", grant->client_id);
    oas_members_string(answer, "scope", oas_words_join(grant->scopes, tx->pool));
    oas_members_integer(answer, "exp", grant->refresh_expires);
}

static oas_outcome_t respond_introspection(oas_tx_t *tx)
{
    const oas_token_t *token = tx->token;
    oas_members_t *answer = oas_members_create(tx->pool);

    if (token->active && token->kind == OAS_TOKEN_HANDLE) {
        describe_refresh_token(tx, answer);
    } else if (token->active) {
        describe_access_token(token, answer);
    }
    oas_members_boolean(answer, "active", token->active);
    oas_reply_json(tx, 200, oas_members_text(answer));
    return OAS_ANSWERED;
}

const oas_step_t oas_introspect_steps[] = {
    {"check_method_post", oas_check_method_post, OAS_ALWAYS, "RFC 7662 2.1"},
    {"load_form", oas_load_form, OAS_ALWAYS, "RFC 7662 2.1"},
    {"check_duplicates", oas_check_duplicates, OAS_ALWAYS, "RFC 6749 3.2"},
    {"check_client_auth", oas_check_client_auth, OAS_ALWAYS, "RFC 7662 2.1"},
    {"check_introspection_client", oas_check_introspection_client, OAS_ALWAYS, "RFC 7662 2.1, 4"},
    {"check_token", oas_check_token, OAS_ALWAYS, "RFC 7662 2.1"},
    {"load_token_state", oas_load_token_state, OAS_ALWAYS, "RFC 7662 2.2, 4"},
    {"load_salt", oas_load_salt, OAS_ALWAYS, "OIDC Core 8.1"},
    {"respond_introspection", respond_introspection, OAS_ALWAYS, "RFC 7662 2.2"},
    {NULL, NULL, 0, NULL}};
