/* SPDX-License-Identifier: Apache-2.0 */
/* What a request wishes of the sign-in: claims and acr_values. */
#include "check_test.h"

#include "../../lib/base/json.h"
#include "../../lib/check/acr.h"
#include "../../lib/check/claims.h"

static void add_claim(oas_tx_t *tx, const char *name, const char *scope, unsigned in)
{
    oas_claim_t *claim = apr_array_push(tx->issuer->claims);

    *claim = (oas_claim_t){.name = name, .scope = scope, .in = in};
}

/* A request with scope openid email of an issuer with some claims. */
static oas_tx_t *wishing_tx(const char *claims)
{
    oas_tx_t *tx = fake_tx(pool);

    oas_words_parse(&tx->scopes, "openid email", pool);
    add_claim(tx, "name", "profile", OAS_IN_DEFAULT);
    add_claim(tx, "email", "email", OAS_IN_DEFAULT);
    add_claim(tx, "groups", NULL, OAS_IN_USERINFO);
    add_claim(tx, "secret", "profile", OAS_IN_ACCESS_TOKEN);
    add_claim(tx, "level", "write:items", OAS_IN_DEFAULT);
    add_claim(tx, "caf\xc3\xa9", NULL, OAS_IN_DEFAULT);
    if (claims != NULL) {
        oas_params_add(tx->params, "claims", claims);
    }
    return tx;
}

static const struct {
    const char *claims; /* with ' for " */
    const char *request, *permissions;
} requests[] = {
    {"{}", NULL, "openid email"},
    {"{'id_token':null,'userinfo':{}}", NULL, "openid email"},
    {"{'id_token':{'name':null}}", "{'id_token':['name']}", "openid email claim:name"},
    {"{'userinfo':{'name':{'essential':true}},'id_token':{'name':null}}",
     "{'id_token':['name'],'userinfo':['name']}", "openid email claim:name"},
    {"{'id_token':{'email':{'value':5,'who':['knows']}}}", "{'id_token':['email']}",
     "openid email"},
    {"{'id_token':{'groups':null}}", "{'id_token':['groups']}", "openid email"},
    {"{'id_token':{'secret':null,'level':null,'made_up':null,'caf\xc3\xa9':null}}", NULL,
     "openid email"},
    {"{'later':5,'id_token':{'auth_time':{'essential':true}}}", NULL, "openid email"},
};

static char *quoted(const char *text)
{
    char *json = apr_pstrdup(pool, text);
    char *p;

    for (p = json; *p != '\0'; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    return json;
}

START_TEST(requested_claims)
{
    oas_tx_t *tx = wishing_tx(quoted(requests[_i].claims));

    ck_assert_int_eq(oas_check_claims(tx), OAS_NEXT);
    ck_assert_str_eq(oas_words_join(tx->permissions, pool), requests[_i].permissions);
    if (requests[_i].request == NULL) {
        ck_assert_ptr_null(tx->claims_request);
    } else {
        ck_assert_str_eq(oas_json_text(pool, tx->claims_request), quoted(requests[_i].request));
    }
    ck_assert_ptr_null(tx->expected_subs);
    ck_assert_ptr_null(tx->acr_values);
}
END_TEST

static const char *const malformed[] = {
    "{",
    "[]",
    "'id_token'",
    "{'id_token':[]}",
    "{'id_token':true}",
    "{'userinfo':{'name':true}}",
    "{'userinfo':{'made_up':'x'}}",
    "{'id_token':{'name':null,'name':null}}",
    "{'id_token':{'sub':{'value':5}}}",
    "{'id_token':{'sub':{'values':'x'}}}",
    "{'id_token':{'acr':{'values':['x',5]}}}",
};

START_TEST(malformed_claims)
{
    oas_tx_t *tx = wishing_tx(quoted(malformed[_i]));

    ck_assert_int_eq(oas_check_claims(tx), OAS_FAILED);
    ck_assert_int_eq(tx->error, OAS_E_CLAIMS);
}
END_TEST

START_TEST(too_long_claims)
{
    char *text = apr_palloc(pool, OAS_CLAIMS_REQUEST_MAX + 2);
    oas_tx_t *tx;

    memset(text, ' ', OAS_CLAIMS_REQUEST_MAX + 1);
    memcpy(text, "{}", 2);
    text[OAS_CLAIMS_REQUEST_MAX] = '\0';
    ck_assert_int_eq(oas_check_claims(wishing_tx(text)), OAS_NEXT);
    text[OAS_CLAIMS_REQUEST_MAX] = ' ';
    text[OAS_CLAIMS_REQUEST_MAX + 1] = '\0';
    tx = wishing_tx(text);
    ck_assert_int_eq(oas_check_claims(tx), OAS_FAILED);
}
END_TEST

START_TEST(claims_of_an_api_scope)
{
    oas_tx_t *tx = wishing_tx("{\"userinfo\":{\"level\":null}}");

    tx->resource = oas_resource_find(tx->issuer, "https://api.example/");
    ck_assert_int_eq(oas_check_claims(tx), OAS_NEXT);
    ck_assert_ptr_null(tx->claims_request); /* the client may not ask for write:items */
    APR_ARRAY_IDX(tx->client->allow, 0, oas_allow_t).all = 1;
    ck_assert_int_eq(oas_check_claims(tx), OAS_NEXT);
    ck_assert_ptr_nonnull(tx->claims_request);
    ck_assert_str_eq(oas_words_join(tx->permissions, pool), "openid email claim:level");
}
END_TEST

START_TEST(claims_without_openid)
{
    oas_tx_t *tx = wishing_tx("no JSON");

    oas_words_parse(&tx->scopes, "email", pool);
    ck_assert_int_eq(oas_check_claims(tx), OAS_NEXT);
    ck_assert_ptr_null(tx->claims_request);
    ck_assert_str_eq(oas_words_join(tx->permissions, pool), "email");
}
END_TEST

static const struct {
    const char *claims, *subs;
} subjects[] = {
    {"{'id_token':{'sub':{'value':'file|a'}}}", "file|a"},
    {"{'id_token':{'sub':{'values':['file|a','file|b']}}}", "file|a file|b"},
    {"{'id_token':{'sub':{'values':[]}}}", NULL},
    {"{'id_token':{'sub':null}}", NULL},
    {"{'userinfo':{'sub':{'value':'file|a'}}}", NULL},
};

START_TEST(expected_subjects)
{
    oas_tx_t *tx = wishing_tx(quoted(subjects[_i].claims));

    ck_assert_int_eq(oas_check_claims(tx), OAS_NEXT);
    if (subjects[_i].subs == NULL) {
        ck_assert_ptr_null(tx->expected_subs);
    } else {
        ck_assert_str_eq(oas_words_join(tx->expected_subs, pool), subjects[_i].subs);
    }
}
END_TEST

/* "-": no wish */
static const struct {
    const char *acr_values, *claims, *required, *values;
    int essential;
} acrs[] = {
    {NULL, NULL, NULL, "-", 0},
    {"gold silver", NULL, NULL, "gold silver", 0},
    {"gold", "{'id_token':{'acr':null}}", NULL, "gold", 0},
    {"gold", "{'id_token':{'acr':{'essential':true}}}", NULL, "gold", 0},
    {"gold", "{'id_token':{'acr':{'values':['iron']}}}", NULL, "iron gold", 0},
    {"gold", "{'id_token':{'acr':{'essential':true,'value':'iron'}}}", NULL, "iron", 1},
    {"gold", "{'id_token':{'acr':{'essential':'true','value':'iron'}}}", NULL, "iron gold", 0},
    {NULL, NULL, "gold silver", "gold silver", 1},
    {"iron silver", NULL, "gold silver", "silver gold", 1},
    {NULL, "{'id_token':{'acr':{'essential':true,'values':['iron','silver']}}}", "gold silver",
     "silver", 1},
    {NULL, "{'id_token':{'acr':{'essential':true,'value':'iron'}}}", "gold", "", 1},
    {NULL, "{'id_token':{'acr':{'value':'iron'}}}", "gold", "gold", 1},
};

START_TEST(acr_wishes)
{
    const char *claims = acrs[_i].claims != NULL ? quoted(acrs[_i].claims) : NULL;
    oas_tx_t *tx = wishing_tx(claims);

    if (acrs[_i].acr_values != NULL) {
        oas_params_add(tx->params, "acr_values", acrs[_i].acr_values);
    }
    if (acrs[_i].required != NULL) {
        oas_words_parse(&((oas_client_t *)tx->client)->required_acr, acrs[_i].required, pool);
    }
    ck_assert_int_eq(oas_check_claims(tx), OAS_NEXT);
    ck_assert_int_eq(oas_check_acr(tx), OAS_NEXT);
    ck_assert_str_eq(tx->acr_values != NULL ? oas_words_join(tx->acr_values, pool) : "-",
                     acrs[_i].values);
    ck_assert_int_eq(tx->acr_essential, acrs[_i].essential);
}
END_TEST

START_TEST(malformed_acr_values)
{
    oas_tx_t *tx = wishing_tx(NULL);

    oas_params_add(tx->params, "acr_values", "go\"ld");
    ck_assert_int_eq(oas_check_acr(tx), OAS_FAILED);
    ck_assert_int_eq(tx->error, OAS_E_ACR_VALUES);
}
END_TEST

void add_wish_tests(Suite *suite)
{
    TCase *tcase = unit_case(suite, "wishes");

    LOOP(tcase, requested_claims, requests);
    LOOP(tcase, malformed_claims, malformed);
    tcase_add_test(tcase, too_long_claims);
    tcase_add_test(tcase, claims_of_an_api_scope);
    tcase_add_test(tcase, claims_without_openid);
    LOOP(tcase, expected_subjects, subjects);
    LOOP(tcase, acr_wishes, acrs);
    tcase_add_test(tcase, malformed_acr_values);
}
