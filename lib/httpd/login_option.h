/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file login_option.h
 * The handler behind OAuth2ASLoginOption: whoever an authentication module of httpd has let through
 * is signed in.
 */
#ifndef OAS_HTTPD_LOGIN_OPTION_H
#define OAS_HTTPD_LOGIN_OPTION_H

#include "../base/tx.h"
#include "server_config.h"

#define OAS_LOGIN_OPTION_NAME "oauth2as-login"

/** ap_hook_handler. */
int oas_login_handler(request_rec *r);

/** oas_host_t.is_here: this request's Location is that of the option, so that what protects it is
 * what the option stands for. */
int oas_login_option_here(oas_tx_t *tx, const oas_login_option_t *option);

/** Notes which issuers have two virtual hosts, where the port tells options apart; in post_config.
 */
void oas_login_option_find_twins(server_rec *main_server);

/**
 * ap_hook_insert_error_filter, and the registration of its filter: where what protects a Location
 * refuses (401, 403) or fails (5xx: its module is not loaded, its server is down), people see a
 * page of ours that leads back to the other ways to sign in. Status and headers stay, so that
 * browsers go on negotiating; an ErrorDocument goes before it.
 */
void oas_login_option_error_insert(request_rec *r);
void oas_login_option_register(void);

#endif
