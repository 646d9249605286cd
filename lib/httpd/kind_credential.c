/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/bytes.h"
#include "../base/client_rules.h"
#include "../base/json.h"
#include "../base/uri.h"
#include "../check/certificate.h"
#include "../jose/jwks.h"

#define JWKS_MAX 65536 /* bytes of a client's key set */
#define DN_MAX   1000

static const char *read_key_set(oas_setting_t *setting, const char *name, oas_client_t *client)
{
    oas_bytes_t text;
    const char *why = oas_file_read(setting, name, JWKS_MAX, &text);
    json_t *set;

    if (why != NULL) {
        return why;
    }
    if (oas_json_parse(&set, (const char *)text.data, text.len, JWKS_MAX, setting->pool) !=
        APR_SUCCESS) {
        return apr_psprintf(setting->pool, "%s is no JSON", name);
    }
    if (oas_jwks_parse(&client->jwks, set, &why, setting->pool) != APR_SUCCESS) {
        return apr_psprintf(setting->pool, "%s: %s", name, why != NULL ? why : "cannot be read");
    }
    client->jwks_json = (const char *)text.data;
    return NULL;
}

static const char *set_client_keys(oas_setting_t *setting, int argc, char *const argv[])
{
    oas_client_t *client = setting->member;
    const char *why = NULL;

    if (client->jwks_json != NULL || client->jwks_uri != NULL) {
        why = "a client has one key set";
    } else if (strncmp(argv[0], "file:", 5) == 0) {
        why = read_key_set(setting, argv[0] + 5, client);
    } else if (oas_uri_fetchable(argv[0], setting->pool)) {
        client->jwks_uri = apr_pstrdup(setting->pool, argv[0]);
    } else {
        why = apr_psprintf(setting->pool,
                           "\"%s\" is neither file:PATH nor an https URL without user name and "
                           "fragment (http for loopback)",
                           argv[0]);
    }
    return why != NULL ? apr_psprintf(setting->pool, "%s: %s", setting->row->name, why) : NULL;
}
const oas_kind_t oas_kind_client_keys = {set_client_keys, NULL, NULL};

static const char *set_client_certificate(oas_setting_t *setting, int argc, char *const argv[])
{
    oas_client_t *client = setting->member;
    char *value =
        apr_pstrdup(setting->pool, strchr(argv[0], '=') != NULL ? strchr(argv[0], '=') + 1 : "");
    apr_size_t len = strlen(value);

    if (client->certificate != OAS_CERTIFICATE_NONE) {
        return apr_psprintf(setting->pool, "%s: a client has one rule for its certificate",
                            setting->row->name);
    }
    if (strcmp(argv[0], "self-signed") == 0) {
        client->certificate = OAS_CERTIFICATE_SELF_SIGNED;
        return NULL;
    }
    if (strncmp(argv[0], "subject=", 8) == 0 && len <= DN_MAX && oas_utf8_valid(value, len) &&
        oas_certificate_subject_valid(value, setting->pool)) {
        client->certificate = OAS_CERTIFICATE_SUBJECT;
        client->certificate_value = value;
        return NULL;
    }
    if (strncmp(argv[0], "san-dns=", 8) == 0 && oas_dns_name_valid(value)) {
        ap_str_tolower(value);
        client->certificate = OAS_CERTIFICATE_SAN_DNS;
        client->certificate_value = value;
        return NULL;
    }
    return apr_psprintf(setting->pool,
                        "%s: \"%s\" is none of subject=DN (CN=shop,O=Example), san-dns=NAME, "
                        "self-signed",
                        setting->row->name, argv[0]);
}
const oas_kind_t oas_kind_client_certificate = {set_client_certificate, NULL, NULL};
