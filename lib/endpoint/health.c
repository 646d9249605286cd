/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/json.h"
#include "../check/params.h"
#include "../jose/keyset.h"
#include "../reply/reply.h"
#include "../store/readiness.h"
#include "pipeline.h"

static const char *const database_words[] = {
    [OAS_READY_UNKNOWN] = "unknown",
    [OAS_READY_YES] = "ok",
    [OAS_READY_UNREACHABLE] = "unreachable",
    [OAS_READY_READ_ONLY] = "read-only",
    [OAS_READY_SCHEMA] = "ok",
    [OAS_READY_ISSUER] = "ok",
    [OAS_READY_PRIVILEGE] = "ok",
    [OAS_READY_REFUSED] = "error",
};

static const char *const schema_words[] = {
    [OAS_READY_UNKNOWN] = "unknown",     [OAS_READY_YES] = "ok",
    [OAS_READY_UNREACHABLE] = "unknown", [OAS_READY_READ_ONLY] = "ok",
    [OAS_READY_SCHEMA] = "unfit",        [OAS_READY_ISSUER] = "other issuer",
    [OAS_READY_PRIVILEGE] = "no rights", [OAS_READY_REFUSED] = "unknown",
};

static oas_outcome_t respond_health(oas_tx_t *tx)
{
    oas_members_t *body = oas_members_create(tx->pool);

    oas_members_string(body, "status", "ok");
    oas_reply_json(tx, 200, oas_members_text(body));
    return OAS_ANSWERED;
}

static oas_outcome_t respond_ready(oas_tx_t *tx)
{
    const char *leaving = tx->host->leaving(tx);
    oas_keys_state_t keys = oas_keyset_state(tx->keys);
    oas_ready_t database = oas_readiness_ask(tx->readiness, tx->db, tx->pool);
    /* with incomplete keys too: other nodes may lack the same one, and all would be taken out */
    int ready = leaving == NULL && keys != OAS_KEYS_NONE && database == OAS_READY_YES;
    oas_members_t *body = oas_members_create(tx->pool);
    oas_members_t *checks = oas_members_create(tx->pool);

    oas_members_string(body, "status", ready ? "ready" : "not ready");
    oas_members_object(body, "checks", checks);
    oas_members_string(checks, "database", database_words[database]);
    oas_members_string(checks, "schema", schema_words[database]);
    oas_members_string(checks, "keys", oas_keys_state_names[keys]);
    oas_members_string(checks, "draining", leaving != NULL ? leaving : "no");
    oas_reply_json(tx, ready ? 200 : 503, oas_members_text(body));
    return OAS_ANSWERED;
}

const oas_step_t oas_health_steps[] = {
    {"check_method_get", oas_check_method_get, OAS_ALWAYS, "RFC 9110 9.3.1"},
    {"respond_health", respond_health, OAS_ALWAYS, "RFC 9110 15.3.1"},
    {NULL, NULL, 0, NULL}};

const oas_step_t oas_ready_steps[] = {
    {"check_method_get", oas_check_method_get, OAS_ALWAYS, "RFC 9110 9.3.1"},
    {"respond_ready", respond_ready, OAS_ALWAYS, "RFC 9110 15.6.4"},
    {NULL, NULL, 0, NULL}};
