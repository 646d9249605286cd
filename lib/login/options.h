/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file options.h
 * Which login options can give what a request needs.
 */
#ifndef OAS_LOGIN_OPTIONS_H
#define OAS_LOGIN_OPTIONS_H

#include "../base/tx.h"

/**
 * The issuer's login options that can give what this request needs, in the order of the page: for
 * prompt=login those that can authenticate anew, for max_age also those that say when the user did,
 * for essential acr values those with one of them. Options with a wished acr come first, the more
 * wished the earlier.
 * @return array of const oas_login_option_t *; empty when there is none
 */
apr_array_header_t *oas_login_options(const oas_tx_t *tx, apr_pool_t *pool);

#endif
