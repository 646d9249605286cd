/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file interaction.h
 * A login or consent in progress, or a question whether to do something. Nothing of it is stored:
 * the request travels sealed in the form itself, bound to issuer, endpoint, step, client (or none),
 * browser and (after login) session, until it expires.
 */
#ifndef OAS_LOGIN_INTERACTION_H
#define OAS_LOGIN_INTERACTION_H

#include "../base/tx.h"

#define OAS_INTERACTION_MAX      3400 /**< bytes of an authorization request that can be carried */
#define OAS_INTERACTION_LIFETIME 3600 /**< seconds a form may stay open */
#define OAS_STEP_LIFETIME        600  /**< seconds for each further step of a login */

/** Names of the form fields that carry an interaction. */
#define OAS_FIELD_INTERACTION "interaction"
#define OAS_FIELD_STEP        "step"

/**
 * Seals the request in tx->params for one step of tx->endpoint. tx->browser must be set; all steps
 * after the login are bound to the session in tx->session_handle too. OAS_FORM_EXTERNAL carries
 * tx->option, OAS_FORM_STEP tx->login.
 * @return APR_ENOSPC: the request is longer than OAS_INTERACTION_MAX
 */
apr_status_t oas_interaction_seal(oas_tx_t *tx, oas_form_t step, const char **out);

/**
 * Opens what came in tx->form, sets tx->form_step, tx->params, tx->asked, tx->started,
 * tx->login_time, tx->keep. OAS_FORM_EXTERNAL is opened at a Location (tx->elsewhere) only; for
 * OAS_FORM_EXTERNAL also tx->endpoint and tx->option, for OAS_FORM_STEP tx->login.
 * @return APR_EMISMATCH: an authentic login form of another browser, or of this one before it got
 * another cookie (two tabs opened at once): tx->params is set, but what was typed must not count;
 *         APR_EACCES: not of this issuer, endpoint, step, client, browser or session, or altered;
 *         APR_TIMEUP: authentic, but expired: tx->params is set, tx->form_step too when the form
 * was this browser's
 */
apr_status_t oas_interaction_open(oas_tx_t *tx);

/** Those parameters of a request that are carried on, in the order of the list; the rest is not
 * ours. */
oas_params_t *oas_interaction_params(const oas_params_t *params, apr_pool_t *pool);

/** "login", "consent", "resume" ...: the value of OAS_FIELD_STEP. */
const char *oas_form_name(oas_form_t step);

/** 1 when this step comes by GET: it only goes on. Whatever acts is posted. */
int oas_form_by_get(oas_form_t step);

#endif
