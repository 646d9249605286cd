/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include <string.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include "../base/bytes.h"
#include "../base/uri.h"

#define ID_LEN_MAX 32

/* OAuth2ASLoginOption: from its arguments to an oas_login_option_t. */

static int is_id(const char *text)
{
    apr_size_t len = strlen(text);
    apr_size_t i;

    for (i = 0; i < len; i++) {
        if (!apr_isalnum(text[i]) && text[i] != '-' && text[i] != '_') {
            return 0;
        }
    }
    return len > 0 && len <= ID_LEN_MAX;
}

/** 1 for a path as a request's would come out of httpd: nothing in it means something else. */
static int is_plain_path(const char *path)
{
    return path[0] == '/' && path[1] != '\0' && strpbrk(path, "%?#;\\ \"<>") == NULL &&
           strstr(path, "//") == NULL && strstr(path, "/.") == NULL;
}

static const char *parse_place(const oas_setting_t *setting, const char *text,
                               oas_login_option_t *option)
{
    oas_uri_t uri;

    if (text[0] == '/') {
        option->path = apr_pstrdup(setting->pool, text);
    } else if (oas_uri_parse(&uri, text, setting->pool) == APR_SUCCESS && uri.host != NULL &&
               uri.query == NULL && uri.fragment == NULL && !uri.has_userinfo &&
               (strcmp(uri.scheme, "https") == 0 ||
                (strcmp(uri.scheme, "http") == 0 && oas_uri_loopback(&uri, 1)))) {
        option->path = apr_pstrdup(setting->pool, uri.path);
        option->url =
            apr_pstrcat(setting->pool, oas_uri_origin(&uri, setting->pool), option->path, NULL);
    }
    return option->path != NULL && is_plain_path(option->path)
               ? NULL
               : apr_psprintf(
                     setting->pool,
                     "\"%s\" is neither the path of a Location on this host nor a URL with "
                     "one (no query, no percent escapes, no dot segments)",
                     text);
}

static const char *parse_amr(const oas_setting_t *setting, const char *text,
                             oas_login_option_t *option)
{
    char *list = apr_pstrdup(setting->pool, text);
    char *comma;

    for (comma = list; (comma = strchr(comma, ',')) != NULL;) {
        *comma = ' ';
    }
    return oas_words_parse(&option->amr, list, setting->pool) == APR_SUCCESS &&
                   option->amr->nelts > 0
               ? NULL
               : "amr= is a list of ASCII values without quotes and backslashes";
}

static const char *parse_acr(const oas_setting_t *setting, const char *text,
                             oas_login_option_t *option)
{
    oas_words_t *words;

    if (oas_words_parse(&words, text, setting->pool) != APR_SUCCESS || words->nelts != 1) {
        return "acr= is one value without blanks";
    }
    option->acr = OAS_WORD(words, 0);
    return NULL;
}

static const char *parse_reauth(const oas_setting_t *setting, const char *text,
                                oas_login_option_t *option)
{
    option->reauth = strcmp(text, "can") == 0;
    return option->reauth || strcmp(text, "cannot") == 0
               ? NULL
               : apr_psprintf(setting->pool, "reauth=%s is neither can nor cannot", text);
}

static const char *parse_auth_time(const oas_setting_t *setting, const char *text,
                                   oas_login_option_t *option)
{
    const char *why;

    option->auth_time = oas_string_expr(setting, text, &why);
    return why;
}

static const struct {
    const char *prefix;
    int external; /* not for the password form */
    const char *(*parse)(const oas_setting_t *setting, const char *text,
                         oas_login_option_t *option);
} words[] = {{"amr=", 0, parse_amr},
             {"acr=", 0, parse_acr},
             {"reauth=", 1, parse_reauth},
             {"auth_time=", 1, parse_auth_time}};

static int is_password(const oas_login_option_t *option)
{
    return strcmp(option->id, OAS_OPTION_PASSWORD) == 0;
}

static const char *parse_word(const oas_setting_t *setting, const char *text,
                              oas_login_option_t *option)
{
    apr_size_t i;

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        apr_size_t len = strlen(words[i].prefix);

        if (strncmp(text, words[i].prefix, len) != 0) {
            continue;
        }
        if (words[i].external && is_password(option)) {
            return apr_pstrcat(setting->pool, words[i].prefix, " is not for the password form",
                               NULL);
        }
        return text[len] == '\0' ? apr_pstrcat(setting->pool, words[i].prefix, " is empty", NULL)
                                 : words[i].parse(setting, text + len, option);
    }
    return apr_psprintf(setting->pool, "\"%s\" is none of amr=, acr=, reauth=, auth_time=", text);
}

static int is_word(const char *text)
{
    apr_size_t i;

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strncmp(text, words[i].prefix, strlen(words[i].prefix)) == 0) {
            return 1;
        }
    }
    return 0;
}

static const char *parse_label(const oas_setting_t *setting, const char *text,
                               oas_login_option_t *option)
{
    if (*text == '\0' || !oas_utf8_valid(text, strlen(text))) {
        return "the label is empty or no UTF-8";
    }
    option->label = apr_pstrdup(setting->pool, text);
    return NULL;
}

/** ID "LABEL" PLACE words..., or password ["LABEL"] words... */
static const char *parse_option(const oas_setting_t *setting, int argc, char *const argv[],
                                oas_login_option_t *option)
{
    const char *why = NULL;
    int next = 1;

    option->id = apr_pstrdup(setting->pool, argv[0]);
    if (!is_id(option->id)) {
        return apr_psprintf(setting->pool, "the name has 1 to %d letters, digits, \"-\" and \"_\"",
                            ID_LEN_MAX);
    }
    if (is_password(option)) {
        option->reauth = 1;
        option->amr = oas_words_create(setting->pool);
        oas_words_add(option->amr, "pwd");
    } else if (argc < 3 || is_word(argv[1]) || is_word(argv[2])) {
        return "an option has a name, a label, and the path or URL of its Location";
    }
    if (next < argc && !is_word(argv[next])) {
        why = parse_label(setting, argv[next++], option);
    }
    if (why == NULL && !is_password(option)) {
        why = parse_place(setting, argv[next++], option);
    }
    for (; why == NULL && next < argc; next++) {
        why = parse_word(setting, argv[next], option);
    }
    return why;
}

static const char *set_option(oas_setting_t *setting, int argc, char *const argv[])
{
    apr_array_header_t **options = setting->member;
    oas_login_option_t option = {0};
    const char *why = parse_option(setting, argc, argv, &option);
    int i;

    for (i = 0; why == NULL && *options != NULL && i < (*options)->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(*options, i, oas_login_option_t).id, option.id) == 0) {
            why = "there is an option of that name already";
        }
    }
    if (why != NULL) {
        return apr_psprintf(setting->pool, "%s %s: %s", setting->row->name, argv[0], why);
    }
    if (*options == NULL) {
        *options = apr_array_make(setting->pool, 4, sizeof(oas_login_option_t));
    }
    APR_ARRAY_PUSH(*options, oas_login_option_t) = option;
    return NULL;
}
const oas_kind_t oas_kind_login_options = {set_option, NULL, NULL};
