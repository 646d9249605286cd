/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file external.h
 * Signing in by a login option: what httpd's authentication says of somebody becomes a login.
 */
#ifndef OAS_LOGIN_EXTERNAL_H
#define OAS_LOGIN_EXTERNAL_H

#include "signin.h"

/**
 * Signs in tx->request.user by tx->option, to whose Location the browser was sent at tx->asked.
 * When the user authenticated: now for an option that can authenticate anew and says no time of its
 * own; else what its auth_time= says, unless that lies ahead of the clock; else unknown. It counts
 * as a new authentication (prompt=login, max_age=0) only when the option can do that and it is not
 * older than tx->asked.
 * @return OAS_LOGIN_DONE with tx->session set, OAS_LOGIN_STEP, or OAS_LOGIN_FAILED
 */
oas_login_result_t oas_login_external(oas_tx_t *tx);

#endif
