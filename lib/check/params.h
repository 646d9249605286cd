/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file params.h
 * Steps: method, body and parameters of a request. All set tx->error when they fail.
 */
#ifndef OAS_CHECK_PARAMS_H
#define OAS_CHECK_PARAMS_H

#include "../base/tx.h"

/** GET or POST (RFC 6749 section 3.1, OIDC Core 3.1.2.1, 5.3). */
oas_outcome_t oas_check_method_get_post(oas_tx_t *tx);

/** POST only (RFC 6749 section 3.2). */
oas_outcome_t oas_check_method_post(oas_tx_t *tx);

/** GET only: documents. */
oas_outcome_t oas_check_method_get(oas_tx_t *tx);

/**
 * Reads tx->form and tx->params: the query of a GET, the form body of a POST (whose query is not
 * looked at). Content type, size, encoding and number of parameters are checked.
 */
oas_outcome_t oas_load_form(oas_tx_t *tx);

/** No parameter that we know may occur twice (RFC 6749 section 3.1); `resource` is left to
 * check_resource. */
oas_outcome_t oas_check_duplicates(oas_tx_t *tx);

/** The request is short enough to travel through a login and a consent page. */
oas_outcome_t oas_check_length(oas_tx_t *tx);

/** 1 when a Content-Type is `type`, with or without parameters. */
int oas_is_media_type(const char *content_type, const char *type);

/** 1 for a parameter that some endpoint reads. */
int oas_param_is_known(const char *name);

/** Has passwords, secrets, codes and tokens in tx->form wiped with the request. */
void oas_wipe_secret_params(const oas_tx_t *tx);

/** 1 when the Content-Type is application/x-www-form-urlencoded, with or without parameters. */
int oas_is_form(const char *content_type);

#endif
