/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file error.h
 * One table of everything that can go wrong in a request: the wire code, the HTTP status, whether
 * it may travel by redirect, the public text and the log level. Public texts are fixed ASCII
 * (%x20-21 / %x23-5B / %x5D-7E, RFC 6749 section 5.2) and never contain input.
 */
#ifndef OAS_BASE_ERROR_H
#define OAS_BASE_ERROR_H

#include "log.h"

typedef enum {
    OAS_E_NONE,
    /* the request itself */
    OAS_E_METHOD,
    OAS_E_CONTENT_TYPE,
    OAS_E_CONTENT_TYPE_JSON,
    OAS_E_BODY_TOO_LARGE,
    OAS_E_MALFORMED,
    OAS_E_JSON_MALFORMED,
    OAS_E_JSON_MEMBER,
    OAS_E_TOO_MANY_PARAMETERS,
    OAS_E_DUPLICATE_PARAMETER,
    OAS_E_BARE,
    OAS_E_NOT_FOUND,
    /* client and redirect_uri: a page, never a redirect */
    OAS_E_CLIENT_ID_MISSING,
    OAS_E_CLIENT_UNKNOWN,
    OAS_E_REDIRECT_URI_MISSING,
    OAS_E_REDIRECT_URI_MISMATCH,
    /* rules of the authorization request */
    OAS_E_REQUEST_OBJECT,
    OAS_E_REQUEST_URI,
    OAS_E_RESPONSE_TYPE_MISSING,
    OAS_E_RESPONSE_TYPE_UNSUPPORTED,
    OAS_E_RESPONSE_TYPE_UNAUTHORIZED,
    OAS_E_RESPONSE_MODE,
    OAS_E_NONCE_MISSING,
    OAS_E_OPENID_MISSING,
    OAS_E_WEB_MESSAGE_ORIGIN,
    OAS_E_SCOPE_MISSING,
    OAS_E_SCOPE_MALFORMED,
    OAS_E_SCOPE_INVALID,
    OAS_E_SCOPE_CONFLICT,
    OAS_E_TARGET_MISSING,
    OAS_E_TARGET_INVALID,
    OAS_E_TARGET_SEVERAL,
    OAS_E_CHALLENGE_MISSING,
    OAS_E_CHALLENGE_MALFORMED,
    OAS_E_CHALLENGE_METHOD,
    OAS_E_PROMPT,
    OAS_E_MAX_AGE,
    OAS_E_CLAIMS,
    OAS_E_ACR_VALUES,
    OAS_E_TOO_LONG,
    OAS_E_LOGIN_REQUIRED,
    OAS_E_ACCOUNT_SELECTION,
    OAS_E_ACR_UNMET,
    OAS_E_CONSENT_REQUIRED,
    OAS_E_ACCESS_DENIED,
    /* forms */
    OAS_E_FORM_STALE,
    OAS_E_FORM_FOREIGN,
    OAS_E_COOKIES_OFF,
    OAS_E_THROTTLED,
    /* logout: a page, never a redirect */
    OAS_E_LOGOUT_HINT,
    OAS_E_LOGOUT_RETURN,
    OAS_E_SIGN_IN_UNAVAILABLE,
    OAS_E_SIGN_IN_BUSY,
    /* the Location of a login option: the page has httpd's status */
    OAS_E_OPTION_REFUSED,
    OAS_E_OPTION_UNAVAILABLE,
    /* token endpoint */
    OAS_E_GRANT_TYPE_MISSING,
    OAS_E_GRANT_TYPE_UNSUPPORTED,
    OAS_E_GRANT_TYPE_UNAUTHORIZED,
    OAS_E_CLIENT_AUTH,
    OAS_E_CLIENT_AUTH_BASIC,
    OAS_E_CLIENT_AUTH_SEVERAL,
    OAS_E_CLIENT_AUTH_METHOD,
    OAS_E_CODE_MISSING,
    OAS_E_CODE_INVALID,
    OAS_E_VERIFIER_MALFORMED,
    OAS_E_VERIFIER_MISSING,
    OAS_E_TOKEN_REDIRECT_URI_MISSING,
    OAS_E_REFRESH_MISSING,
    OAS_E_REFRESH_INVALID,
    OAS_E_REFRESH_IN_PAGE,
    OAS_E_USER_BLOCKED,
    OAS_E_USERNAME_MISSING,
    OAS_E_PASSWORD_MISSING,
    OAS_E_PASSWORD_WRONG,
    OAS_E_REALM_MISSING,
    OAS_E_REALM_INVALID,
    OAS_E_ASSERTION_TYPE,
    OAS_E_ASSERTION_INVALID,
    OAS_E_CLIENT_KEYS_UNAVAILABLE,
    OAS_E_CERTIFICATE_MISSING,
    OAS_E_CERTIFICATE_INVALID,
    /* revocation (RFC 7009), introspection (RFC 7662) */
    OAS_E_TOKEN_MISSING,
    OAS_E_INTROSPECTION_DENIED,
    /* userinfo (RFC 6750 section 3.1) */
    OAS_E_BEARER_MISSING,
    OAS_E_BEARER_SEVERAL,
    OAS_E_BEARER_INVALID,
    OAS_E_BEARER_SCOPE,
    OAS_E_BEARER_CERTIFICATE,
    /* ours */
    OAS_E_UNAVAILABLE,
    OAS_E_SERVER,
    OAS_E_COUNT
} oas_error_id_t;

typedef struct {
    const char *code; /**< the `error` value on the wire */
    int status;       /**< HTTP status where the carrier has one */
    int redirect;     /**< 1: may travel to a trusted redirect_uri */
    const char *text; /**< error_description, and the sentence on the error page */
    oas_log_level_t level;
} oas_error_row_t;

/** The row of an error; never NULL. */
const oas_error_row_t *oas_error_row(oas_error_id_t id);

/** The HTTP status of an error in profile auth0, whose SDKs expect 403 with invalid_grant. */
int oas_error_auth0_status(oas_error_id_t id);

#endif
