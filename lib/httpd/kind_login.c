/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include <string.h>
#include <strings.h>
#include <ap_expr.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include "../base/words.h"

const oas_standard_claim_t oas_standard_claims[] = {
    {"name", "profile", OAS_CLAIM_STRING, "CN", ";"},
    {"given_name", "profile", OAS_CLAIM_STRING, "GIVENNAME", ";"},
    {"family_name", "profile", OAS_CLAIM_STRING, "SN", ";"},
    {"middle_name", "profile", OAS_CLAIM_STRING, NULL, NULL},
    {"nickname", "profile", OAS_CLAIM_STRING, NULL, NULL},
    {"preferred_username", "profile", OAS_CLAIM_STRING, NULL, NULL},
    {"profile", "profile", OAS_CLAIM_STRING, NULL, NULL},
    {"picture", "profile", OAS_CLAIM_STRING, NULL, NULL},
    {"website", "profile", OAS_CLAIM_STRING, NULL, NULL},
    {"gender", "profile", OAS_CLAIM_STRING, NULL, NULL},
    {"birthdate", "profile", OAS_CLAIM_STRING, NULL, NULL},
    {"zoneinfo", "profile", OAS_CLAIM_STRING, NULL, NULL},
    {"locale", "profile", OAS_CLAIM_STRING, "PREFERREDLANGUAGE", ",;"},
    {"updated_at", "profile", OAS_CLAIM_INTEGER, NULL, NULL},
    {"email", "email", OAS_CLAIM_STRING, "MAIL", ";"},
    {"email_verified", "email", OAS_CLAIM_BOOLEAN, NULL, NULL},
    {"address", "address", OAS_CLAIM_JSON, NULL, NULL},
    {"phone_number", "phone", OAS_CLAIM_STRING, NULL, NULL},
    {"phone_number_verified", "phone", OAS_CLAIM_BOOLEAN, NULL, NULL},
    {NULL, NULL, OAS_CLAIM_STRING, NULL, NULL},
};

/** Claims that tokens make themselves. */
static const char *const reserved_claims[] = {
    "iss",       "sub",   "aud", "exp", "iat",    "nbf",     "jti",      "auth_time",
    "nonce",     "acr",   "amr", "azp", "sid",    "at_hash", "c_hash",   "s_hash",
    "client_id", "scope", "cnf", "typ", "events", "gty",     "grant_id", NULL};

static oas_expr_t *compile(const oas_setting_t *setting, const char *text, unsigned flags,
                           const char **why)
{
    const ap_directive_t *directive = setting->cmd != NULL ? setting->cmd->directive : NULL;
    ap_expr_info_t *info = apr_pcalloc(setting->pool, sizeof(*info));
    oas_expr_t *expr = apr_pcalloc(setting->pool, sizeof(*expr));

    info->filename = directive != NULL ? directive->filename : "default";
    info->line_number = directive != NULL ? (unsigned)directive->line_num : 0;
    info->flags = flags | AP_EXPR_FLAG_DONT_VARY;
    info->module_index = APLOG_MODULE_INDEX;
    expr->text = apr_pstrdup(setting->pool, text);
    expr->compiled = info;
    *why =
        ap_expr_parse(setting->pool, setting->cmd != NULL ? setting->cmd->temp_pool : setting->pool,
                      info, expr->text, NULL);
    return *why == NULL ? expr : NULL;
}

oas_expr_t *oas_string_expr(const oas_setting_t *setting, const char *text, const char **why)
{
    return compile(setting, text, AP_EXPR_FLAG_STRING_RESULT, why);
}

static const char *set_subject(oas_setting_t *setting, int argc, char *const argv[])
{
    const char *why;
    oas_expr_t *expr = oas_string_expr(setting, argv[0], &why);

    if (expr == NULL) {
        return apr_psprintf(setting->pool, "%s: %s", setting->row->name, why);
    }
    *(oas_expr_t **)setting->member = expr;
    return NULL;
}
const oas_kind_t oas_kind_subject = {set_subject, NULL, NULL};

static const char *set_skip(oas_setting_t *setting, int argc, char *const argv[])
{
    const char *text = argv[0];
    const char *why;
    oas_expr_t *expr;

    if (strcasecmp(text, "on") == 0) {
        text = "true";
    } else if (strcasecmp(text, "off") == 0) {
        text = "false";
    }
    expr = compile(setting, text, 0, &why);
    if (expr == NULL) {
        return apr_psprintf(setting->pool, "%s: %s", setting->row->name, why);
    }
    *(oas_expr_t **)setting->member = expr;
    return NULL;
}
const oas_kind_t oas_kind_skip = {set_skip, NULL, NULL};

/** Either "exec:PROGRAM ARG" or "exec:PROGRAM" and its arguments one by one. */
static const char *set_recheck_program(oas_setting_t *setting, int argc, char *const argv[])
{
    oas_recheck_t *recheck = setting->member;
    apr_array_header_t *list = apr_array_make(setting->pool, argc + 2, sizeof(const char *));
    const char *why = "exec: needs a program";
    char **words;
    int i;

    if (apr_tokenize_to_argv(argv[0] + strlen("exec:"), &words, setting->pool) == APR_SUCCESS &&
        words[0] != NULL &&
        (words[0] = (char *)oas_program_path(setting, words[0], &why)) != NULL) {
        for (; *words != NULL; words++) {
            APR_ARRAY_PUSH(list, const char *) = *words;
        }
        for (i = 1; i < argc; i++) {
            APR_ARRAY_PUSH(list, const char *) = apr_pstrdup(setting->pool, argv[i]);
        }
        APR_ARRAY_PUSH(list, const char *) = NULL;
        recheck->kind = OAS_RECHECK_EXEC;
        recheck->program = (const char *const *)list->elts;
        return NULL;
    }
    return apr_psprintf(setting->pool, "%s: %s", setting->row->name, why);
}

static const char *set_recheck(oas_setting_t *setting, int argc, char *const argv[])
{
    oas_recheck_t *recheck = setting->member;
    const char *why;

    memset(recheck, 0, sizeof(*recheck));
    if (strncmp(argv[0], "exec:", 5) == 0) {
        return set_recheck_program(setting, argc, argv);
    }
    if (argc > 1) {
        return apr_psprintf(setting->pool, "%s takes one expression; put it in quotes",
                            setting->row->name);
    }
    if (strcmp(argv[0], "none") == 0) {
        return NULL;
    }
    if (strcmp(argv[0], "sql") == 0) {
        recheck->kind = OAS_RECHECK_SQL;
        return NULL;
    }
    recheck->kind = OAS_RECHECK_EXPR;
    recheck->expr = compile(setting, argv[0], 0, &why);
    return recheck->expr != NULL ? NULL
                                 : apr_psprintf(setting->pool, "%s: %s", setting->row->name, why);
}
const oas_kind_t oas_kind_recheck = {set_recheck, NULL, NULL};

static const oas_standard_claim_t *standard_claim(const char *name)
{
    const oas_standard_claim_t *row = oas_standard_claims;

    while (row->name != NULL && strcmp(row->name, name) != 0) {
        row++;
    }
    return row; /* at the end of the table: no scope, a string */
}

static const char *parse_claim_type(const char *text, oas_claim_t *claim, apr_pool_t *pool)
{
    static const struct {
        const char *name;
        oas_claim_type_t type;
    } types[] = {{"string", OAS_CLAIM_STRING},
                 {"boolean", OAS_CLAIM_BOOLEAN},
                 {"integer", OAS_CLAIM_INTEGER},
                 {"json", OAS_CLAIM_JSON}};
    apr_size_t i;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(text, types[i].name) == 0) {
            claim->type = types[i].type;
            return NULL;
        }
    }
    return apr_psprintf(pool, "type=%s is none of string, boolean, integer, json", text);
}

static const char *parse_claim_in(const char *text, oas_claim_t *claim, apr_pool_t *pool)
{
    static const struct {
        const char *name;
        unsigned bit;
    } places[] = {{"id_token", OAS_IN_ID_TOKEN},
                  {"userinfo", OAS_IN_USERINFO},
                  {"access_token", OAS_IN_ACCESS_TOKEN}};
    char *list = apr_pstrdup(pool, text);
    char *last;
    char *word;

    claim->in = 0;
    for (word = apr_strtok(list, ",", &last); word != NULL; word = apr_strtok(NULL, ",", &last)) {
        apr_size_t i = 0;
        while (i < 3 && strcmp(word, places[i].name) != 0) {
            i++;
        }
        if (i == 3) {
            return apr_psprintf(pool, "in=%s is no list of id_token, userinfo, access_token", text);
        }
        claim->in |= places[i].bit;
    }
    return claim->in != 0 ? NULL : "in= is empty";
}

static const char *parse_claim_scope(const char *text, oas_claim_t *claim, apr_pool_t *pool)
{
    oas_words_t *words;

    if (oas_words_parse(&words, text, pool) != APR_SUCCESS || words->nelts != 1) {
        return apr_psprintf(pool, "scope=%s is no scope", text);
    }
    claim->scope = strcmp(text, "openid") != 0 ? OAS_WORD(words, 0) : NULL;
    return NULL;
}

static const char *parse_claim_option(const char *text, oas_claim_t *claim, apr_pool_t *pool)
{
    static const struct {
        const char *prefix;
        const char *(*parse)(const char *text, oas_claim_t *claim, apr_pool_t *pool);
    } options[] = {
        {"scope=", parse_claim_scope}, {"type=", parse_claim_type}, {"in=", parse_claim_in}};
    apr_size_t i;

    for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        apr_size_t len = strlen(options[i].prefix);
        if (strncmp(text, options[i].prefix, len) == 0) {
            return options[i].parse(text + len, claim, pool);
        }
    }
    return apr_psprintf(pool, "\"%s\" is none of scope=, type=, in=", text);
}

static int is_reserved(const char *name)
{
    int i = 0;

    while (reserved_claims[i] != NULL && strcmp(reserved_claims[i], name) != 0) {
        i++;
    }
    return reserved_claims[i] != NULL;
}

/** Puts a claim into the list, over one of the same name. */
static void put_claim(apr_array_header_t *claims, const oas_claim_t *claim)
{
    int i;

    for (i = 0; i < claims->nelts; i++) {
        oas_claim_t *entry = &APR_ARRAY_IDX(claims, i, oas_claim_t);
        if (strcmp(entry->name, claim->name) == 0) {
            *entry = *claim;
            return;
        }
    }
    APR_ARRAY_PUSH(claims, oas_claim_t) = *claim;
}

static const char *parse_claim(const oas_setting_t *setting, int argc, char *const argv[],
                               oas_claim_t *claim)
{
    const oas_standard_claim_t *standard = standard_claim(argv[0]);
    const char *why;
    int i;

    claim->name = apr_pstrdup(setting->pool, argv[0]);
    claim->scope = standard->scope;
    claim->type = standard->type;
    claim->in = OAS_IN_DEFAULT;
    claim->directory = NULL;
    claim->ends = NULL;
    if (*argv[0] == '\0' || is_reserved(argv[0])) {
        return "this claim is made by the server itself";
    }
    for (i = 2; i < argc; i++) {
        why = parse_claim_option(argv[i], claim, setting->pool);
        if (why != NULL) {
            return why;
        }
    }
    claim->value = oas_string_expr(setting, argv[1], &why);
    return why;
}

static const char *set_claim(oas_setting_t *setting, int argc, char *const argv[])
{
    apr_array_header_t **claims = setting->member;
    oas_claim_t claim;
    const char *why = parse_claim(setting, argc, argv, &claim);

    if (why != NULL) {
        return apr_psprintf(setting->pool, "%s %s: %s", setting->row->name, argv[0], why);
    }
    if (*claims == NULL) {
        *claims = apr_array_make(setting->pool, 8, sizeof(oas_claim_t));
    }
    put_claim(*claims, &claim);
    return NULL;
}

static void inherit_claims(void *into, const void *base, apr_pool_t *pool)
{
    apr_array_header_t **inner = into;
    const apr_array_header_t *outer = *(apr_array_header_t *const *)base;
    apr_array_header_t *merged;
    int i;

    if (outer == NULL) {
        return;
    }
    merged = apr_array_copy(pool, outer);
    for (i = 0; *inner != NULL && i < (*inner)->nelts; i++) {
        put_claim(merged, &APR_ARRAY_IDX(*inner, i, oas_claim_t));
    }
    *inner = merged;
}
const oas_kind_t oas_kind_claims = {set_claim, inherit_claims, NULL};
