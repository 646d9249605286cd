/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/metrics.h"
#include "../check/acr.h"
#include "../check/claims.h"
#include "../check/client.h"
#include "../check/params.h"
#include "../check/pkce.h"
#include "../check/prompt.h"
#include "../check/redirect_uri.h"
#include "../check/response.h"
#include "../check/salt.h"
#include "../check/scope.h"
#include "../issue/access_token.h"
#include "../issue/code.h"
#include "../issue/id_token.h"
#include "../login/consent.h"
#include "../login/session.h"
#include "../reply/reply.h"
#include "consent.h"
#include "interaction.h"
#include "login.h"
#include "pipeline.h"
#include "wishes.h"

static oas_outcome_t respond_authorization(oas_tx_t *tx)
{
    if (tx->response & (OAS_PART_TOKEN | OAS_PART_ID_TOKEN)) {
        oas_count(OAS_M_GRANTS, OAS_METRIC_GRANT_FRONT, 0);
    }
    oas_reply_authorization(tx, tx->answer);
    return OAS_ANSWERED;
}

#define CODE     OAS_PART_CODE
#define ID_TOKEN OAS_PART_ID_TOKEN
#define TOKEN    OAS_PART_TOKEN

const oas_step_t oas_authorize_steps[] = {
    /* trust: until here an error is a page, from here on it may travel to the client */
    {"check_method_get_post", oas_check_method_get_post, OAS_ALWAYS, "RFC 6749 3.1"},
    {"load_form", oas_load_form, OAS_ALWAYS, "RFC 6749 appendix B"},
    {"check_duplicates", oas_check_duplicates, OAS_ALWAYS, "RFC 6749 3.1"},
    {"load_interaction", oas_load_interaction, OAS_ALWAYS, "RFC 9700 4.7"},
    {"load_client", oas_load_client, OAS_ALWAYS, "RFC 6749 4.1.1"},
    {"check_redirect_uri", oas_check_redirect_uri, OAS_ALWAYS, "RFC 9700 4.1.3, RFC 8252 7"},
    {"assign_response_mode", oas_assign_response_mode, OAS_ALWAYS, "OAuth Multiple Responses 2.1"},
    {"check_web_message", oas_check_web_message, OAS_ALWAYS, "draft-sakimura-oauth-wmrm-00 4"},
    /* rules */
    {"check_request_object", oas_check_request_object, OAS_ALWAYS, "OIDC Core 3.1.2.6"},
    {"check_response_mode", oas_check_response_mode, OAS_ALWAYS, "OAuth Multiple Responses 2.1"},
    {"check_response_type", oas_check_response_type, OAS_ALWAYS, "RFC 6749 3.1.1"},
    {"check_length", oas_check_length, OAS_ALWAYS, "RFC 9126 1"},
    {"check_resource", oas_check_resource, OAS_ALWAYS, "RFC 8707 2.1"},
    {"check_scope", oas_check_scope, OAS_ALWAYS, "RFC 6749 3.3, OIDC Core 11"},
    {"check_id_token_request", oas_check_id_token_request, ID_TOKEN, "OIDC Core 3.2.2.1, 3.3.2.11"},
    {"check_code_challenge", oas_check_code_challenge, CODE, "RFC 7636 4.3, RFC 9700 2.1.1"},
    {"check_prompt", oas_check_prompt, OAS_ALWAYS, "OIDC Core 3.1.2.1"},
    {"check_max_age", oas_check_max_age, OAS_ALWAYS, "OIDC Core 3.1.2.1"},
    {"check_claims", oas_check_claims, OAS_ALWAYS, "OIDC Core 5.5"},
    {"check_acr", oas_check_acr, OAS_ALWAYS, "OIDC Core 5.5.1.1, RFC 9470 4"},
    {"load_id_token_hint", oas_load_id_token_hint, OAS_ALWAYS, "OIDC Core 3.1.2.1, 3.1.2.2"},
    {"load_salt", oas_load_salt, OAS_ALWAYS, "OIDC Core 8.1"},
    /* session and consent */
    {"accept_login", oas_accept_login, OAS_ALWAYS, "OIDC Core 3.1.2.3"},
    {"accept_selection", oas_accept_selection, OAS_ALWAYS, "OIDC Core 3.1.2.1"},
    {"load_session", oas_load_session, OAS_ALWAYS, "OIDC Core 3.1.2.3"},
    {"accept_consent", oas_accept_consent, OAS_ALWAYS, "OIDC Core 3.1.2.4"},
    {"require_acr", oas_require_acr, OAS_ALWAYS, "OIDC Core 5.5.1.1"},
    {"require_registration", oas_require_registration, OAS_ALWAYS, "OIDC Prompt Create 4"},
    {"require_login", oas_require_login, OAS_ALWAYS, "OIDC Core 3.1.2.3"},
    {"require_selection", oas_require_selection, OAS_ALWAYS, "OIDC Core 3.1.2.1"},
    {"load_consent", oas_load_consent, OAS_ALWAYS, "RFC 8252 8.6"},
    {"require_consent", oas_require_consent, OAS_ALWAYS, "OIDC Core 3.1.2.4"},
    /* issue */
    {"issue_code", oas_issue_code, OAS_ALWAYS, "RFC 6749 4.1.2"},
    {"issue_access_token", oas_issue_access_token, TOKEN, "RFC 6749 4.2.2, RFC 9068 2"},
    {"issue_id_token", oas_issue_id_token, ID_TOKEN, "OIDC Core 3.2.2.10, 3.3.2.11"},
    {"respond_authorization", respond_authorization, OAS_ALWAYS, "RFC 6749 4.1.2, RFC 9207 2"},
    {NULL, NULL, 0, NULL}};
