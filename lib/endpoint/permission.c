/* SPDX-License-Identifier: Apache-2.0 */
#include "permission.h"

static const char *scope_text(const oas_resource_t *resource, const char *scope)
{
    const char *text = oas_oidc_scope_text(scope);
    const oas_scope_t *row;

    if (text != NULL) {
        return text;
    }
    row = resource != NULL ? oas_scope_find(resource, scope) : NULL;
    return row != NULL && row->text != NULL ? row->text : scope;
}

json_t *oas_permission(const oas_tx_t *tx, const oas_resource_t *resource, const char *scope)
{
    return json_pack("{ss}", "text", scope_text(resource, scope));
}
