/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/audit.h"
#include "../base/metrics.h"
#include "../check/body.h"
#include "../check/client_auth.h"
#include "../check/code.h"
#include "../check/grant_type.h"
#include "../check/params.h"
#include "../check/password.h"
#include "../check/refresh.h"
#include "../check/salt.h"
#include "../check/scope.h"
#include "../issue/access_token.h"
#include "../issue/client_grant.h"
#include "../issue/code.h"
#include "../issue/id_token.h"
#include "../issue/password_grant.h"
#include "../issue/refresh.h"
#include "../login/password.h"
#include "../login/recheck.h"
#include "../reply/reply.h"
#include "pipeline.h"

static oas_outcome_t respond_token(oas_tx_t *tx)
{
    if (tx->mask != OAS_GRANT_REFRESH_TOKEN) { /* which has an event of its own */
        oas_audit(tx, OAS_AUDIT_TOKEN, NULL, NULL);
    }
    oas_count(OAS_M_GRANTS, __builtin_ctz(tx->mask), 0);
    oas_reply_json(tx, 200, oas_members_text(tx->answer));
    return OAS_ANSWERED;
}

#define CODE     OAS_GRANT_AUTHORIZATION_CODE
#define REFRESH  OAS_GRANT_REFRESH_TOKEN
#define CLIENT   OAS_GRANT_CLIENT_CREDENTIALS
#define REALM    OAS_GRANT_PASSWORD_REALM
#define PASSWORD (OAS_GRANT_PASSWORD | REALM)

const oas_step_t oas_token_steps[] = {
    {"check_method_post", oas_check_method_post, OAS_ALWAYS, "RFC 6749 3.2"},
    {"load_body", oas_load_body, OAS_ALWAYS, "RFC 6749 appendix B"},
    {"check_duplicates", oas_check_duplicates, OAS_ALWAYS, "RFC 6749 3.2"},
    {"check_client_auth", oas_check_client_auth, OAS_ALWAYS, "RFC 6749 2.3, 3.2.1"},
    {"check_grant_type", oas_check_grant_type, OAS_ALWAYS, "RFC 6749 4, 5.2"},
    {"assign_address", oas_assign_address, PASSWORD, "Auth0 auth0-forwarded-for"},
    {"check_code", oas_check_code, CODE, "RFC 6749 4.1.3, RFC 7636 4.5"},
    {"check_refresh_token", oas_check_refresh_token, REFRESH, "RFC 6749 6, RFC 8707 2.2"},
    {"check_password", oas_check_password, PASSWORD, "RFC 6749 4.3.2"},
    {"check_realm", oas_check_realm, REALM, "Auth0 password-realm"},
    {"check_resource", oas_check_resource, CLIENT | PASSWORD, "RFC 8707 2.2"},
    {"check_own_scope", oas_check_own_scope, CLIENT, "RFC 6749 3.3, 4.4.2"},
    {"check_scope", oas_check_scope, PASSWORD, "RFC 6749 3.3, 4.3.2"},
    {"load_salt", oas_load_salt, CODE | REFRESH | PASSWORD, "OIDC Core 8.1"},
    {"check_subject", oas_check_subject, REFRESH, "RFC 9700 4.14"},
    {"accept_password", oas_accept_password, PASSWORD, "RFC 6749 4.3.2"},
    {"issue_redemption", oas_issue_redemption, CODE, "RFC 6749 4.1.2, 4.1.3, RFC 7636 4.6"},
    {"issue_rotation", oas_issue_rotation, REFRESH, "RFC 6749 6, RFC 9700 4.14.2"},
    {"issue_client_grant", oas_issue_client_grant, CLIENT, "RFC 6749 4.4.3"},
    {"issue_password_grant", oas_issue_password_grant, PASSWORD, "RFC 6749 4.3.3"},
    {"issue_access_token", oas_issue_access_token, OAS_ALWAYS, "RFC 6749 5.1, RFC 9068 2"},
    {"issue_id_token", oas_issue_id_token, OAS_ALWAYS, "OIDC Core 2, 3.1.3.3, 12.2"},
    {"issue_refresh_token", oas_issue_refresh_token, OAS_ALWAYS, "RFC 6749 1.5, 5.1"},
    {"respond_token", respond_token, OAS_ALWAYS, "RFC 6749 5.1"},
    {NULL, NULL, 0, NULL}};
