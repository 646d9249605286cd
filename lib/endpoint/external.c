/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include "../check/client.h"
#include "../check/params.h"
#include "../login/cookie.h"
#include "../login/external.h"
#include "../login/interaction.h"
#include "../reply/reply.h"
#include "endpoint.h"
#include "interaction.h"
#include "login.h"
#include "pipeline.h"

/* What the browser was sent here with; a module that logs in by a form of its own may have made a
 * POST of it, whose body is not ours. */
static oas_outcome_t load_query(oas_tx_t *tx)
{
    const char *method = tx->request.method;
    oas_outcome_t outcome;

    tx->request.method = "GET";
    outcome = oas_load_form(tx);
    tx->request.method = method;
    return outcome;
}

/* The login that this browser began, and that led to this very Location. */
static oas_outcome_t load_external(oas_tx_t *tx)
{
    apr_status_t rv;

    if (oas_params_get(tx->form, OAS_FIELD_INTERACTION) == NULL) {
        return oas_refuse(tx, OAS_TAG(00931), OAS_E_BARE, "a login option's Location opened bare");
    }
    oas_cookie_read(tx);
    if (tx->browser == NULL) {
        return oas_refuse(tx, OAS_TAG(00932), OAS_E_COOKIES_OFF, NULL);
    }
    rv = oas_interaction_reopen(tx);
    if (rv == APR_TIMEUP) {
        return oas_refuse(tx, OAS_TAG(00933), OAS_E_FORM_STALE, NULL);
    }
    if (rv != APR_SUCCESS) {
        return oas_refuse(tx, OAS_TAG(00934), OAS_E_FORM_FOREIGN, NULL);
    }
    if (!tx->host->is_here(tx, tx->option)) {
        return oas_refuse(tx, OAS_TAG(00935), OAS_E_FORM_FOREIGN,
                          "this is not the Location of the login option that was chosen");
    }
    return OAS_NEXT;
}

static oas_outcome_t load_client(oas_tx_t *tx)
{
    return oas_params_get(tx->params, "client_id") != NULL ? oas_load_client(tx) : OAS_NEXT;
}

static oas_outcome_t check_user(oas_tx_t *tx)
{
    if (tx->request.user == NULL || tx->request.user[0] == '\0') {
        oas_login_audit_failure(tx, OAS_METRIC_LOGIN_UNAVAILABLE, tx->option->id);
        return oas_fault(tx, OAS_TAG(00936), OAS_E_SERVER, APR_EGENERAL,
                         "nobody was authenticated at the Location of a login option: it needs an "
                         "authentication module that sets REMOTE_USER, and Require valid-user");
    }
    return OAS_NEXT;
}

/* Nothing was typed here that could be wrong: it is this person who may not. */
static oas_outcome_t accept_user(oas_tx_t *tx)
{
    oas_login_result_t result = oas_login_external(tx);

    if (result == OAS_LOGIN_WRONG) {
        return oas_refuse(tx, OAS_TAG(01292), OAS_E_OPTION_REFUSED, NULL);
    }
    return oas_login_settle(tx, result);
}

static const oas_step_t steps[] = {
    {"check_method_get_post", oas_check_method_get_post, OAS_ALWAYS, "RFC 9110 9.1"},
    {"load_query", load_query, OAS_ALWAYS, "RFC 6749 appendix B"},
    {"check_duplicates", oas_check_duplicates, OAS_ALWAYS, "RFC 6749 3.1"},
    {"load_external", load_external, OAS_ALWAYS, "RFC 9700 4.7"},
    {"load_client", load_client, OAS_ALWAYS, "RFC 6749 4.1.1"},
    {"check_user", check_user, OAS_ALWAYS, "OIDC Core 3.1.2.3"},
    {"accept_user", accept_user, OAS_ALWAYS, "OIDC Core 3.1.2.3"},
    {"respond_resume", oas_interaction_resume, OAS_ALWAYS, "RFC 9700 4.7"},
    {NULL, NULL, 0, NULL}};

void oas_external_run(oas_tx_t *tx)
{
    tx->carrier = OAS_CARRIER_PAGE;
    tx->methods = "GET, POST";
    tx->max_age = -1;
    tx->elsewhere = 1;
    oas_pipeline_run(tx, steps);
}

/* The option whose Location this is, or NULL. */
static const oas_login_option_t *option_here(oas_tx_t *tx)
{
    int i;

    for (i = 0; i < tx->issuer->login_options->nelts; i++) {
        const oas_login_option_t *option =
            &APR_ARRAY_IDX(tx->issuer->login_options, i, oas_login_option_t);
        if (option->url != NULL && tx->host->is_here(tx, option)) {
            return option;
        }
    }
    return NULL;
}

/*
 * The login that this browser began: the page can then lead back to it. Without the database, since
 * each login by Kerberos begins with such a page, which nobody sees.
 */
static void reopen(oas_tx_t *tx, const oas_login_option_t *here)
{
    const char *client_id;

    tx->elsewhere = 1;
    if (load_query(tx) != OAS_NEXT) {
        return;
    }
    oas_cookie_read(tx);
    if (oas_interaction_reopen(tx) != APR_SUCCESS || tx->option != here) {
        tx->restart_url = NULL;
        return;
    }
    client_id = oas_params_get(tx->params, "client_id");
    if (client_id != NULL) {
        tx->client = apr_hash_get(tx->issuer->clients, client_id, APR_HASH_KEY_STRING);
    }
}

/* A page in the place of httpd's, for whoever does not get in here. */
static const char *stop(oas_tx_t *tx, const char *tag, oas_error_id_t id, const char *why)
{
    const oas_login_option_t *here = option_here(tx);
    const char *name = here != NULL ? here->id : NULL;

    tx->carrier = OAS_CARRIER_PAGE;
    reopen(tx, here);
    oas_refuse(tx, tag, id,
               name != NULL ? apr_pstrcat(tx->pool, "login option ", name, ": ", why, NULL) : why);
    oas_reply_error(tx);
    return name;
}

void oas_external_challenged(oas_tx_t *tx)
{
    stop(tx, OAS_TAG(01040), OAS_E_OPTION_REFUSED, "the browser is asked to authenticate");
}

void oas_external_refused(oas_tx_t *tx)
{
    const char *option = stop(tx, OAS_TAG(01041), OAS_E_OPTION_REFUSED,
                              "the authentication module, or Require, let nobody in");

    oas_login_audit_failure(tx, OAS_METRIC_LOGIN_REFUSED, option);
}

void oas_external_unavailable(oas_tx_t *tx)
{
    const char *option = stop(tx, OAS_TAG(00939), OAS_E_OPTION_UNAVAILABLE,
                              "the authentication module failed, or is not loaded");

    oas_login_audit_failure(tx, OAS_METRIC_LOGIN_UNAVAILABLE, option);
}
