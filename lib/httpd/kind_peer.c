/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <apr_file_info.h>
#include <apr_lib.h>
#include <apr_network_io.h>
#include <apr_strings.h>
#include "../fetch/address.h"

/** A network or an address ("10.0.0.0/8", "::1"); NULL for anything else, names too. */
static apr_ipsubnet_t *parse_network(const char *text, apr_pool_t *pool)
{
    char *address = apr_pstrdup(pool, text);
    char *bits = strchr(address, '/');
    apr_ipsubnet_t *subnet = NULL;
    unsigned char binary[16];

    if (bits != NULL) {
        *bits++ = '\0';
        if (!apr_isdigit(*bits)) {
            return NULL;
        }
    }
    /* APR would take "10" for 10.0.0.0/8 */
    if (inet_pton(strchr(address, ':') != NULL ? AF_INET6 : AF_INET, address, binary) != 1) {
        return NULL;
    }
    return apr_ipsubnet_create(&subnet, address, bits, pool) == APR_SUCCESS ? subnet : NULL;
}

static const char *set_outbound(oas_setting_t *setting, int argc, char *const argv[])
{
    apr_array_header_t **list = setting->member;
    int i;

    if (*list == NULL) {
        *list = apr_array_make(setting->pool, argc, sizeof(const char *));
    }
    for (i = 0; i < argc; i++) {
        if (!oas_address_entry_valid(argv[i])) {
            return apr_psprintf(setting->pool,
                                "%s: \"%s\" is neither a host name nor a network like 10.0.0.0/8",
                                setting->row->name, argv[i]);
        }
        APR_ARRAY_PUSH(*list, const char *) = apr_pstrdup(setting->pool, argv[i]);
    }
    return NULL;
}
const oas_kind_t oas_kind_outbound = {set_outbound, NULL, NULL};

/** RFC 9110 section 5.1: a field name is a token. */
static int is_field_name(const char *text)
{
    const char *p = text;

    while (apr_isalnum(*p) || (*p != '\0' && strchr("!#$%&'*+-.^_`|~", *p) != NULL)) {
        p++;
    }
    return *p == '\0' && p != text && p - text <= 100;
}

/** "verified=HEADER" or "verified=always". */
static const char *set_verified(oas_setting_t *setting, const char *value,
                                oas_certificate_header_t *out)
{
    if (strcmp(value, "always") == 0) {
        out->verified_always = 1;
    } else if (is_field_name(value) && strcasecmp(value, out->name) != 0) {
        out->verified_name = apr_pstrdup(setting->pool, value);
    } else {
        return apr_psprintf(setting->pool,
                            "%s: verified= takes the name of another header, or always",
                            setting->row->name);
    }
    return NULL;
}

static const char *set_certificate_header(oas_setting_t *setting, int argc, char *const argv[])
{
    oas_certificate_header_t out = {0};
    int i;

    if (!is_field_name(argv[0])) {
        return apr_psprintf(setting->pool, "%s: \"%s\" is no name of a header", setting->row->name,
                            argv[0]);
    }
    out.name = apr_pstrdup(setting->pool, argv[0]);
    out.peers = apr_array_make(setting->pool, argc, sizeof(apr_ipsubnet_t *));
    for (i = 1; i < argc; i++) {
        apr_ipsubnet_t *network;
        if (strncmp(argv[i], "verified=", 9) == 0) {
            const char *why = set_verified(setting, argv[i] + 9, &out);
            if (why != NULL) {
                return why;
            }
            continue;
        }
        network = parse_network(argv[i], setting->pool);
        if (network == NULL) {
            return apr_psprintf(setting->pool, "%s: \"%s\" is no network like 10.0.0.0/8",
                                setting->row->name, argv[i]);
        }
        APR_ARRAY_PUSH(out.peers, apr_ipsubnet_t *) = network;
    }
    if (out.peers->nelts == 0) {
        return apr_psprintf(setting->pool,
                            "%s: the header of anybody would be believed; say from which "
                            "addresses it comes",
                            setting->row->name);
    }
    *(oas_certificate_header_t *)setting->member = out;
    return NULL;
}
const oas_kind_t oas_kind_certificate_header = {set_certificate_header, NULL, NULL};

/** NULL, or why lines cannot be appended to `path`. */
static const char *append_fault(const char *path, apr_pool_t *pool)
{
    const char *folder = ap_make_dirstr_parent(pool, path);
    apr_finfo_t info;

    if (apr_stat(&info, path, APR_FINFO_TYPE, pool) == APR_SUCCESS) {
        if (info.filetype == APR_DIR) {
            return "is a folder";
        }
        return access(path, W_OK) == 0 ? NULL : "cannot be written";
    }
    return access(folder, W_OK | X_OK) == 0
               ? NULL
               : "cannot be made: its folder is not there or cannot be written";
}

static const char *set_audit_log(oas_setting_t *setting, int argc, char *const argv[])
{
    const char *text = argv[0];
    const char *why = NULL;
    char **words;

    if (text[0] != '|') {
        text = ap_server_root_relative(setting->pool, text);
        why = text == NULL ? "is no valid path" : append_fault(text, setting->pool);
    } else if (apr_tokenize_to_argv(text + 1, &words, setting->pool) != APR_SUCCESS ||
               words[0] == NULL) {
        why = "names no program";
    } else if (strchr(words[0], '/') != NULL && oas_program_path(setting, words[0], &why) == NULL) {
        return apr_psprintf(setting->pool, "%s: %s", setting->row->name, why);
    }
    if (why != NULL) {
        return apr_psprintf(setting->pool, "%s: %s %s", setting->row->name,
                            text != NULL ? text : argv[0], why);
    }
    *(const char **)setting->member = apr_pstrdup(setting->pool, text);
    return NULL;
}
const oas_kind_t oas_kind_audit_log = {set_audit_log, NULL, NULL};
