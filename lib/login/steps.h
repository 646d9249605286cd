/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file steps.h
 * The steps of a login after the first factor (password or login option). Each may say that it is
 * not needed, show a page, or take what that page's form says; it adds what it has proven to amr
 * and acr. Nothing is stored before the last one is done: meanwhile the login travels sealed in the
 * form (interaction.h).
 *
 * That form can be sent any number of times while it is good. It opens one session only; but what a
 * step writes into the login is gone with the answer that was wrong, so attempts cannot be counted
 * there. A step whose answer can be guessed counts each one in the store before it looks at it
 * (oas_store_throttle_attempt), under keys of its own made from its name and login->sub, and gives
 * it back when it was right (oas_store_throttle_forgive); when these say to wait, it sets
 * tx->retry_after and fails with OAS_E_THROTTLED. login->attempt is the password's: it is given
 * back when the session opens, and never by a step. An answer that may count once only is used up
 * in the store by the step.
 *
 * A step may set login->acr to one that some login option declares (acr= of OAuth2ASLoginOption).
 * One that only steps reach has to be known wherever declarations are looked at: by oas_acr_offered
 * (whether a wish or OAuth2ASRequire can be met), by acr_values_supported of the metadata, and by
 * fits of options.c, which shows the first factors that lead there; and its step is needed whenever
 * tx->acr_values has it. Without that applications are told that nothing reaches it.
 */
#ifndef OAS_LOGIN_STEPS_H
#define OAS_LOGIN_STEPS_H

#include "signin.h"

typedef enum {
    OAS_STEP_NOT_NEEDED,
    OAS_STEP_ASK,   /**< its page is to be shown (again); login->page has the members */
    OAS_STEP_DONE,  /**< proven */
    OAS_STEP_FAILED /**< the login ends; tx->error is set */
} oas_login_step_result_t;

typedef struct {
    const char *name;
    const char *page; /**< its template */
    /**
     * @param login  who it is so far; the step adds to amr and acr (oas_login_add_method)
     * @param answer fields of its form, NULL when the page has not been shown yet
     */
    oas_login_step_result_t (*run)(oas_tx_t *tx, oas_login_t *login, const oas_params_t *answer);
} oas_login_step_t;

/** The steps in their order; ends with a NULL name. A second factor is a row of this table. */
extern const oas_login_step_t oas_login_steps[];

/**
 * Goes on with a login from login->step, and opens the session after the last step.
 * @param answer what the form of that step said, or NULL
 * @return OAS_LOGIN_STEP: tx->login is the login, its step's page has to be shown
 */
oas_login_result_t oas_login_go_on(oas_tx_t *tx, const oas_login_step_t *steps, oas_login_t *login,
                                   const oas_params_t *answer);

/** Adds a value to amr when it is not there yet. */
void oas_login_add_method(oas_tx_t *tx, oas_login_t *login, const char *method);

/** A login between two steps, as it travels in a seal; owned by tx->pool. */
json_t *oas_login_to_json(oas_tx_t *tx, const oas_login_step_t *steps, const oas_login_t *login);

/** The same back; NULL when there is no such step any more. */
oas_login_t *oas_login_from_json(oas_tx_t *tx, const oas_login_step_t *steps, const json_t *json);

#endif
