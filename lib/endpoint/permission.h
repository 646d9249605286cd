/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file permission.h
 * What a scope, or the word of a claim (OAS_CLAIM_WORD), allows, in words: on the consent page, and
 * on the account page.
 */
#ifndef OAS_ENDPOINT_PERMISSION_H
#define OAS_ENDPOINT_PERMISSION_H

#include "../base/tx.h"

/**
 * One entry of a page's list of permissions: {"text": words}, of a scope nobody has words for its
 * name.
 * @param resource the API that the scope belongs to, or NULL
 * @return new reference
 */
json_t *oas_permission(oas_tx_t *tx, const oas_resource_t *resource, const char *scope);

#endif
