/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/json.h"
#include "../base/subject.h"
#include "../check/bearer.h"
#include "../check/params.h"
#include "../check/salt.h"
#include "../issue/claims.h"
#include "../reply/reply.h"
#include "pipeline.h"

static oas_outcome_t respond_userinfo(oas_tx_t *tx)
{
    oas_members_t *answer = oas_members_create(tx->pool);

    oas_members_string(answer, "sub", oas_subject_for(tx, tx->client, tx->grant->sub));
    oas_release_claims(tx, tx->scopes, OAS_IN_USERINFO, answer);
    oas_reply_json(tx, 200, oas_members_text(answer));
    return OAS_ANSWERED;
}

const oas_step_t oas_userinfo_steps[] = {
    {"check_method_get_post", oas_check_method_get_post, OAS_ALWAYS, "OIDC Core 5.3.1"},
    {"load_form", oas_load_form, OAS_ALWAYS, "RFC 6750 2.2"},
    {"check_duplicates", oas_check_duplicates, OAS_ALWAYS, "RFC 6750 3.1"},
    {"check_access_token", oas_check_access_token, OAS_ALWAYS, "RFC 6750 2, RFC 9068 4"},
    {"load_grant", oas_load_grant, OAS_ALWAYS, "RFC 6750 3.1"},
    {"load_salt", oas_load_salt, OAS_ALWAYS, "OIDC Core 8.1"},
    {"respond_userinfo", respond_userinfo, OAS_ALWAYS, "OIDC Core 5.3.2"},
    {NULL, NULL, 0, NULL}};
