/* SPDX-License-Identifier: Apache-2.0 */
#include "body.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/json.h"
#include "params.h"

#define NUMBER_MAX 64 /* characters of a number or boolean as jansson writes it */

/* A member as the text of a parameter: "" for null, NULL for an array or object. A string is wiped
 * where it was read, for it may be a secret. */
static const char *member_text(json_t *value, apr_pool_t *pool)
{
    char text[NUMBER_MAX];
    size_t len;

    if (json_is_string(value)) {
        const char *copy =
            apr_pstrmemdup(pool, json_string_value(value), json_string_length(value));
        oas_wipe((char *)json_string_value(value), json_string_length(value));
        return copy;
    }
    if (json_is_null(value)) {
        return "";
    }
    if (!json_is_number(value) && !json_is_boolean(value)) {
        return NULL;
    }
    len = json_dumpb(value, text, sizeof(text), JSON_ENCODE_ANY);
    return len <= sizeof(text) ? apr_pstrmemdup(pool, text, len) : NULL;
}

static oas_outcome_t take_members(oas_tx_t *tx, json_t *object)
{
    const char *name;
    json_t *value;

    json_object_foreach(object, name, value)
    {
        const char *text = member_text(value, tx->pool);

        if (text != NULL) {
            oas_params_add(tx->form, apr_pstrdup(tx->pool, name), text);
        } else if (oas_param_is_known(name)) {
            return oas_refuse(tx, OAS_TAG(00820), OAS_E_JSON_MEMBER,
                              "a parameter is an array or an object");
        }
    }
    return OAS_NEXT;
}

static oas_outcome_t load_json(oas_tx_t *tx)
{
    json_t *object;
    oas_outcome_t outcome;
    apr_status_t rv;

    tx->form = tx->params = oas_params_create(tx->pool);
    if (tx->request.body_too_large) {
        return oas_refuse(tx, OAS_TAG(00821), OAS_E_BODY_TOO_LARGE, NULL);
    }
    rv = oas_json_parse(&object, tx->request.body, tx->request.body_len, OAS_PARAMS_MAX_LEN,
                        tx->pool);
    if (rv == APR_EEXIST) {
        return oas_refuse(tx, OAS_TAG(00891), OAS_E_DUPLICATE_PARAMETER, "in the JSON body");
    }
    if (rv != APR_SUCCESS || !json_is_object(object)) {
        return oas_refuse(tx, OAS_TAG(00822), OAS_E_JSON_MALFORMED, NULL);
    }
    if (json_object_size(object) > OAS_PARAMS_MAX) {
        return oas_refuse(tx, OAS_TAG(00823), OAS_E_TOO_MANY_PARAMETERS, NULL);
    }
    outcome = take_members(tx, object);
    oas_wipe_secret_params(tx);
    return outcome;
}

oas_outcome_t oas_load_body(oas_tx_t *tx)
{
    if (tx->issuer->profile != OAS_PROFILE_AUTH0 || tx->request.body == NULL ||
        oas_is_form(tx->request.content_type)) {
        return oas_load_form(tx);
    }
    if (oas_is_media_type(tx->request.content_type, "application/json")) {
        return load_json(tx);
    }
    tx->form = tx->params = oas_params_create(tx->pool);
    return oas_refuse(tx, OAS_TAG(00892), OAS_E_CONTENT_TYPE_JSON, NULL);
}
