/* SPDX-License-Identifier: Apache-2.0 */
#include "permission.h"

#include "../reply/reply.h"

json_t *oas_permission(oas_tx_t *tx, const oas_resource_t *resource, const char *scope)
{
    return json_pack("{ss}", "text", oas_page_permission(tx, resource, scope));
}
