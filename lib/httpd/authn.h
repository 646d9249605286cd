/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file authn.h
 * Passwords: asking Apache's authn providers, and being one.
 */
#ifndef OAS_HTTPD_AUTHN_H
#define OAS_HTTPD_AUTHN_H

#include "../base/tx.h"
#include "server_config.h"

/** Registers the built-in users as authn provider "oauth2as", usable by AuthBasicProvider too. */
void oas_authn_register(apr_pool_t *pool);

/** oas_host_t.check_password. */
oas_password_result_t oas_authn_check(oas_tx_t *tx, const char *provider, const char *user,
                                      const char *password, oas_identity_t *identity);

/** Whether all providers of the issuer take names that differ in case for one; the aliases must be
 * known. */
int oas_authn_ignores_case(const oas_server_config_t *config);

#endif
