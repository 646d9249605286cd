/* SPDX-License-Identifier: Apache-2.0 */
#include "../check/body.h"
#include "../check/client_auth.h"
#include "../check/params.h"
#include "../check/token.h"
#include "../issue/revocation.h"
#include "../reply/reply.h"
#include "pipeline.h"

static oas_outcome_t respond_revocation(oas_tx_t *tx)
{
    oas_reply_empty(tx, 200);
    return OAS_ANSWERED;
}

const oas_step_t oas_revoke_steps[] = {
    {"check_method_post", oas_check_method_post, OAS_ALWAYS, "RFC 7009 2"},
    {"load_body", oas_load_body, OAS_ALWAYS, "RFC 7009 2.1"},
    {"check_duplicates", oas_check_duplicates, OAS_ALWAYS, "RFC 6749 3.2"},
    {"check_client_auth", oas_check_client_auth, OAS_ALWAYS, "RFC 7009 2.1"},
    {"check_token", oas_check_token, OAS_ALWAYS, "RFC 7009 2.1"},
    {"issue_revocation", oas_issue_revocation, OAS_ALWAYS, "RFC 7009 2.1"},
    {"respond_revocation", respond_revocation, OAS_ALWAYS, "RFC 7009 2.2"},
    {NULL, NULL, 0, NULL}};
