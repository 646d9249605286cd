/* SPDX-License-Identifier: Apache-2.0 */
#include "consent.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/audit.h"
#include "../base/json.h"
#include "../base/uri.h"
#include "../login/consent.h"
#include "../reply/reply.h"
#include "interaction.h"
#include "permission.h"

/* The permissions in words; those the user has not allowed before are marked when some were. */
static void add_permissions(oas_tx_t *tx, json_t *data)
{
    const oas_words_t *known = tx->session->consented;
    json_t *permissions = json_array();
    int widened = 0;
    int i;

    for (i = 0; i < tx->permissions->nelts; i++) {
        const char *scope = OAS_WORD(tx->permissions, i);
        int is_new = known != NULL && known->nelts > 0 && !oas_words_has(known, scope);
        json_t *permission;

        widened |= is_new;
        if (strcmp(scope, "offline_access") == 0) {
            json_object_set_new(data, "offline", json_true());
            json_object_set_new(data, "offline_new", json_boolean(is_new));
            continue;
        }
        permission = oas_permission(tx, tx->resource, scope);
        json_object_set_new(permission, "new", json_boolean(is_new));
        json_array_append_new(permissions, permission);
    }
    json_object_set_new(data, "permissions", permissions);
    json_object_set_new(data, "widened", json_boolean(widened));
}

static void add_links(const oas_tx_t *tx, json_t *data)
{
    json_t *links = json_object();

    oas_json_set(links, "switch_account", oas_interaction_restart_url(tx));
    oas_json_set(links, "account", tx->issuer->endpoint_paths[OAS_EP_ACCOUNT]);
    json_object_set_new(data, "links", links);
}

/* Of a custom scheme what stands where web addresses have their host says nothing: whichever
 * program has the scheme gets the answer. */
static void add_destination(const oas_tx_t *tx, json_t *data)
{
    oas_uri_t uri;
    int web;

    if (oas_uri_parse(&uri, tx->redirect_uri, tx->pool) == APR_SUCCESS) {
        web = strcmp(uri.scheme, "https") == 0 || strcmp(uri.scheme, "http") == 0;
        oas_json_set(data, "destination", web ? uri.host : uri.scheme);
    }
}

static oas_outcome_t consent_page(oas_tx_t *tx)
{
    oas_page_policy_t policy = {.form_target = tx->redirect_uri};
    json_t *data = oas_json_object(tx->pool);
    json_t *form = oas_interaction_form(tx, OAS_FORM_CONSENT);

    if (form == NULL) {
        return OAS_FAILED;
    }
    json_object_set_new(data, "form", form);
    json_object_set_new(data, "user", oas_page_user(tx->session));
    add_links(tx, data);
    add_permissions(tx, data);
    add_destination(tx, data);
    oas_reply_page(tx, 200, "consent", data, &policy);
    return OAS_ANSWERED;
}

oas_outcome_t oas_accept_consent(oas_tx_t *tx)
{
    const char *decision = oas_params_get(tx->form, "decision");

    if (tx->form_step != OAS_FORM_CONSENT || decision == NULL) {
        return OAS_NEXT;
    }
    if (strcmp(decision, "deny") == 0) {
        oas_audit(tx, OAS_AUDIT_CONSENT_DENIED, NULL, NULL);
        return oas_refuse(tx, OAS_TAG(00760), OAS_E_ACCESS_DENIED, NULL);
    }
    tx->consent_given = strcmp(decision, "allow") == 0;
    return OAS_NEXT;
}

oas_outcome_t oas_require_consent(oas_tx_t *tx)
{
    if (oas_consent_covers(tx)) {
        return OAS_NEXT;
    }
    if (tx->prompt & OAS_PROMPT_NONE) {
        return oas_refuse(tx, OAS_TAG(00761), OAS_E_CONSENT_REQUIRED, NULL);
    }
    return tx->form_step == OAS_FORM_LOGIN || tx->form_step == OAS_FORM_STEP
               ? oas_interaction_resume(tx)
               : consent_page(tx);
}
