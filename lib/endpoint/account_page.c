/* SPDX-License-Identifier: Apache-2.0 */
#include "account.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/json.h"
#include "../base/uri.h"
#include "../check/client.h"
#include "../login/cookie.h"
#include "../login/device.h"
#include "../login/own_password.h"
#include "../login/seal.h"
#include "../reply/reply.h"
#include "../store/account.h"
#include "interaction.h"
#include "permission.h"

#define NOTICE_LIFETIME 60 /* seconds in which a reloaded page still says what was done */
#define PART_MAX        100000

/* ---- which parts of long lists are shown ---- */

typedef struct {
    const char *name; /* of the parameter that says which part, and of the section */
    const char *more; /* of the member that leads to the other parts */
} list_t;

static const list_t sessions_list = {"sessions", "more_sessions"};
static const list_t applications_list = {"applications", "more_applications"};
static const list_t *const lists[] = {&sessions_list, &applications_list};

#define LISTS (sizeof(lists) / sizeof(lists[0]))

/* The part that is asked for, from 1 on; a number that is none is the first one. */
static int part_of(const oas_tx_t *tx, const list_t *list)
{
    const char *text = oas_params_get(tx->form, list->name);
    apr_int64_t part = text != NULL ? apr_atoi64(text) : 1;

    return part >= 1 && part <= PART_MAX ? (int)part : 1;
}

/* Asks for the same parts again, or of `list` (NULL: none) for `part`. */
static void add_parts(const oas_tx_t *tx, const list_t *list, int part, oas_params_t *params)
{
    apr_size_t i;

    for (i = 0; i < LISTS; i++) {
        int wanted = lists[i] == list ? part : part_of(tx, lists[i]);

        if (wanted > 1) {
            oas_params_add(params, lists[i]->name, apr_itoa(tx->pool, wanted));
        }
    }
}

static void add_languages(const oas_tx_t *tx, oas_params_t *params)
{
    const char *languages = oas_params_get(tx->params, "ui_locales");

    if (languages != NULL) {
        oas_params_add(params, "ui_locales", languages);
    }
}

static const char *part_url(const oas_tx_t *tx, const list_t *list, int part)
{
    oas_params_t *params = oas_params_create(tx->pool);
    const char *query;

    add_languages(tx, params);
    add_parts(tx, list, part, params);
    query = oas_params_encode(params, tx->pool);
    return apr_pstrcat(tx->pool, tx->issuer->endpoint_paths[OAS_EP_ACCOUNT],
                       *query != '\0' ? "?" : "", query, "#", list->name, NULL);
}

/* The ways to the parts before and behind, where there are any. */
static void add_ways(const oas_tx_t *tx, json_t *data, const list_t *list, int part, int more)
{
    json_t *ways;

    if (part == 1 && !more) {
        return;
    }
    ways = json_object();
    if (part > 1) {
        oas_json_set(ways, "previous", part_url(tx, list, part - 1));
    }
    if (more) {
        oas_json_set(ways, "next", part_url(tx, list, part + 1));
    }
    json_object_set_new(data, list->more, ways);
}

/* Whatever is done by the form, the same parts are shown afterwards. */
static void keep_parts(const oas_tx_t *tx, json_t *form)
{
    oas_params_t *params = oas_params_create(tx->pool);
    int i;

    add_parts(tx, NULL, 0, params);
    for (i = 0; i < params->list->nelts; i++) {
        const oas_param_t *param = &APR_ARRAY_IDX(params->list, i, oas_param_t);

        json_array_append_new(json_object_get(form, "hidden"),
                              json_pack("{ssss}", "name", param->name, "value", param->value));
    }
}

typedef apr_status_t read_list_t(oas_db_t *db, const char *sub, int skip, apr_array_header_t **out,
                                 int *more, apr_pool_t *pool);

/* The part of a list that is asked for, or the first one when there is no such part any more. */
static apr_status_t read_part(const oas_tx_t *tx, json_t *data, const list_t *list,
                              read_list_t *read, apr_array_header_t **rows)
{
    int part = part_of(tx, list);
    int more;
    apr_status_t rv =
        read(tx->db, tx->session->sub, (part - 1) * OAS_LIST_PART, rows, &more, tx->pool);

    if (rv == APR_SUCCESS && (*rows)->nelts == 0 && part > 1) {
        part = 1;
        rv = read(tx->db, tx->session->sub, 0, rows, &more, tx->pool);
    }
    if (rv == APR_SUCCESS) {
        add_ways(tx, data, list, part, more);
    }
    return rv;
}

/* ---- what was done ---- */

static const char *notice_context(const oas_tx_t *tx)
{
    return apr_pstrcat(tx->pool, "account notice\n", tx->issuer->url, "\n",
                       tx->browser != NULL ? tx->browser : "", "\n", oas_cookie_sid(tx), NULL);
}

/* Sealed, so that no link from elsewhere makes the page say what did not happen. */
static const char *seal_notice(const oas_tx_t *tx, const char *done)
{
    const char *text = apr_psprintf(tx->pool, "%" APR_TIME_T_FMT " %s",
                                    apr_time_sec(apr_time_now()) + NOTICE_LIFETIME, done);
    const char *sealed;

    return oas_seal(&sealed, tx->issuer, notice_context(tx), text, tx->pool) == APR_SUCCESS ? sealed
                                                                                            : NULL;
}

const char *oas_account_notice(const oas_tx_t *tx)
{
    const char *sealed = oas_params_get(tx->form, "notice");
    const char *text;
    const char *space;

    if (sealed == NULL ||
        oas_unseal(&text, tx->issuer, notice_context(tx), sealed, tx->pool) != APR_SUCCESS) {
        return NULL;
    }
    space = strchr(text, ' ');
    return space != NULL && apr_atoi64(text) >= apr_time_sec(apr_time_now()) ? space + 1 : NULL;
}

oas_outcome_t oas_account_done(oas_tx_t *tx, const char *done)
{
    oas_params_t *params = oas_params_create(tx->pool);
    const char *sealed = done != NULL ? seal_notice(tx, done) : NULL;
    const char *url = tx->issuer->endpoint_urls[OAS_EP_ACCOUNT];

    add_languages(tx, params);
    add_parts(tx, NULL, 0, params);
    if (sealed != NULL) {
        oas_params_add(params, "notice", sealed);
    }
    if (params->list->nelts > 0) {
        url = oas_uri_append(url, oas_params_encode(params, tx->pool), 0, tx->pool);
    }
    oas_reply_redirect(tx, url);
    return OAS_ANSWERED;
}

/* ---- where somebody is signed in ---- */

static json_t *session_json(const oas_tx_t *tx, const oas_session_row_t *row)
{
    json_t *json = json_object();

    oas_json_set(json, "id", row->id);
    oas_json_set(json, "device", oas_device_text(row->user_agent, tx->pool));
    oas_json_set(json, "place", row->address);
    json_object_set_new(json, "time", oas_page_time(row->last_used));
    json_object_set_new(json, "current", json_boolean(strcmp(row->id, tx->session->id) == 0));
    return json;
}

static oas_outcome_t add_sessions(oas_tx_t *tx, json_t *data)
{
    json_t *sessions = json_array();
    apr_array_header_t *rows;
    apr_status_t rv;
    int i;

    json_object_set_new(data, "sessions", sessions);
    rv = read_part(tx, data, &sessions_list, oas_store_sessions_list, &rows);
    if (rv != APR_SUCCESS) {
        return oas_store_fault(tx, OAS_TAG(00995), rv, "sessions not listed");
    }
    for (i = 0; i < rows->nelts; i++) {
        const oas_session_row_t *row = &APR_ARRAY_IDX(rows, i, oas_session_row_t);

        json_array_append_new(sessions, session_json(tx, row));
    }
    json_object_set_new(
        data, "others",
        json_boolean(rows->nelts > 1 || json_object_get(data, "more_sessions") != NULL));
    return OAS_NEXT;
}

/* ---- which applications have access ---- */

/* An application that is registered no more is shown by its id: its access can still be ended. */
static oas_outcome_t application_json(oas_tx_t *tx, const char *client_id, json_t **out)
{
    const oas_client_t *client;
    apr_status_t rv = oas_client_find(tx, client_id, &client);

    if (rv != APR_SUCCESS && rv != APR_ENOENT) {
        return oas_store_fault(tx, OAS_TAG(00996), rv, "client not looked up");
    }
    *out = json_object();
    oas_json_set(*out, "client_id", client_id);
    oas_json_set(*out, "name", rv == APR_SUCCESS ? client->name : client_id);
    oas_json_set(*out, "logo_uri", rv == APR_SUCCESS ? client->logo_uri : NULL);
    json_object_set_new(*out, "permissions", json_array());
    return OAS_NEXT;
}

/* The same words for scopes of several APIs are said once. */
static void add_permission(json_t *permissions, json_t *permission)
{
    json_t *known;
    apr_size_t i;

    json_array_foreach(permissions, i, known)
    {
        if (json_equal(known, permission)) {
            json_decref(permission);
            return;
        }
    }
    json_array_append_new(permissions, permission);
}

static void add_access(oas_tx_t *tx, json_t *application, const oas_access_row_t *row)
{
    const oas_resource_t *resource =
        row->resource != NULL ? oas_resource_find(tx->issuer, row->resource) : NULL;
    json_t *permissions = json_object_get(application, "permissions");
    int i;

    for (i = 0; i < row->scopes->nelts; i++) {
        const char *scope = OAS_WORD(row->scopes, i);

        if (strcmp(scope, "offline_access") == 0) {
            json_object_set_new(application, "offline", json_true());
        } else {
            add_permission(permissions, oas_permission(tx, resource, scope));
        }
    }
    if (row->offline) {
        json_object_set_new(application, "offline", json_true());
    }
}

/* Rows come by client; since when is the oldest of a client's. */
static oas_outcome_t add_applications(oas_tx_t *tx, json_t *data)
{
    json_t *applications = json_array();
    json_t *application = NULL;
    const oas_access_row_t *before = NULL;
    apr_int64_t since = 0;
    apr_array_header_t *rows;
    apr_status_t rv;
    int i;

    json_object_set_new(data, "applications", applications);
    rv = read_part(tx, data, &applications_list, oas_store_access_list, &rows);
    if (rv != APR_SUCCESS) {
        return oas_store_fault(tx, OAS_TAG(00997), rv, "access not listed");
    }
    for (i = 0; i < rows->nelts; i++) {
        const oas_access_row_t *row = &APR_ARRAY_IDX(rows, i, oas_access_row_t);

        if (before == NULL || strcmp(before->client_id, row->client_id) != 0) {
            if (application_json(tx, row->client_id, &application) != OAS_NEXT) {
                return OAS_FAILED;
            }
            json_array_append_new(applications, application);
            since = row->since;
        }
        since = row->since < since ? row->since : since;
        json_object_set_new(application, "since", oas_page_time(since));
        add_access(tx, application, row);
        before = row;
    }
    return OAS_NEXT;
}

/* ---- the page ---- */

static void add_user(const oas_tx_t *tx, json_t *data)
{
    json_t *user = oas_page_user(tx->session);

    /* the password form's, which is not the name of the last login when that was another way in */
    oas_json_set(user, "login",
                 tx->session->builtin != NULL ? tx->session->builtin : tx->session->login);
    json_object_set_new(data, "user", user);
}

static void add_links(const oas_tx_t *tx, json_t *data)
{
    json_t *links = json_object();

    oas_json_set(links, "logout", tx->issuer->endpoint_paths[OAS_EP_LOGOUT]);
    json_object_set_new(data, "links", links);
}

oas_outcome_t oas_account_page(oas_tx_t *tx, const char *done, const char *error)
{
    oas_page_policy_t policy = {0};
    int throttled = error != NULL && strcmp(error, "throttled") == 0;
    json_t *data = oas_json_object(tx->pool);
    json_t *form = oas_interaction_form(tx, OAS_FORM_CONFIRM);

    if (form == NULL) {
        return OAS_FAILED;
    }
    keep_parts(tx, form);
    json_object_set_new(data, "form", form);
    add_user(tx, data);
    add_links(tx, data);
    if (add_sessions(tx, data) != OAS_NEXT || add_applications(tx, data) != OAS_NEXT) {
        return OAS_FAILED;
    }
    json_object_set_new(data, "password", json_boolean(oas_own_password_is_ours(tx)));
    if (done != NULL) {
        json_object_set_new(data, "notice", json_pack("{sb}", done, 1));
    }
    if (error != NULL) {
        json_object_set_new(data, "error", json_pack("{sb}", error, 1));
    }
    if (throttled) {
        json_object_set_new(data, "wait", oas_page_wait(tx->retry_after));
    }
    oas_reply_page(tx, throttled ? 429 : 200, "account", data, &policy);
    if (throttled) {
        oas_reply_header(tx, "Retry-After", apr_itoa(tx->pool, tx->retry_after));
    }
    return OAS_ANSWERED;
}
