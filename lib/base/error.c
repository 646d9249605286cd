/* SPDX-License-Identifier: Apache-2.0 */
#include "error.h"

static const oas_error_row_t rows[OAS_E_COUNT] = {
    [OAS_E_NONE] = {"server_error", 500, 0, "Something went wrong here.", OAS_LOG_ERROR},

    [OAS_E_METHOD] = {"invalid_request", 405, 0, "This method is not allowed here.", OAS_LOG_INFO},
    [OAS_E_CONTENT_TYPE] = {"invalid_request", 415, 0,
                            "The body must be application/x-www-form-urlencoded.", OAS_LOG_INFO},
    [OAS_E_CONTENT_TYPE_JSON] =
        {"invalid_request", 415, 0,
         "The body must be application/x-www-form-urlencoded or application/json.", OAS_LOG_INFO},
    [OAS_E_BODY_TOO_LARGE] = {"invalid_request", 413, 0, "The request is too large.", OAS_LOG_INFO},
    [OAS_E_MALFORMED] = {"invalid_request", 400, 0,
                         "The request is not well-formed: check its encoding.", OAS_LOG_INFO},
    [OAS_E_JSON_MALFORMED] = {"invalid_request", 400, 0, "The body must be one JSON object.",
                              OAS_LOG_INFO},
    [OAS_E_JSON_MEMBER] = {"invalid_request", 400, 0,
                           "A parameter must be a string, a number or a boolean.", OAS_LOG_INFO},
    [OAS_E_TOO_MANY_PARAMETERS] = {"invalid_request", 400, 0,
                                   "The request has too many parameters.", OAS_LOG_INFO},
    [OAS_E_DUPLICATE_PARAMETER] = {"invalid_request", 400, 0, "A parameter occurs more than once.",
                                   OAS_LOG_INFO},
    [OAS_E_BARE] = {"invalid_request", 400, 0, "Sign-in starts from an application.", OAS_LOG_INFO},
    [OAS_E_NOT_FOUND] = {"not_found", 404, 0, "There is nothing here.", OAS_LOG_INFO},

    [OAS_E_CLIENT_ID_MISSING] = {"invalid_request", 400, 0, "client_id is missing.", OAS_LOG_INFO},
    [OAS_E_CLIENT_UNKNOWN] = {"invalid_client", 400, 0, "This application is not registered here.",
                              OAS_LOG_INFO},
    [OAS_E_REDIRECT_URI_MISSING] = {"invalid_request", 400, 0, "redirect_uri is missing.",
                                    OAS_LOG_INFO},
    [OAS_E_REDIRECT_URI_MISMATCH] = {"invalid_request", 400, 0,
                                     "redirect_uri is not registered for this application.",
                                     OAS_LOG_INFO},

    [OAS_E_REQUEST_OBJECT] = {"request_not_supported", 400, 1, "request is not supported.",
                              OAS_LOG_INFO},
    [OAS_E_REQUEST_URI] = {"request_uri_not_supported", 400, 1, "request_uri is not supported.",
                           OAS_LOG_INFO},
    [OAS_E_RESPONSE_TYPE_MISSING] = {"invalid_request", 400, 1, "response_type is missing.",
                                     OAS_LOG_INFO},
    [OAS_E_RESPONSE_TYPE_UNSUPPORTED] = {"unsupported_response_type", 400, 1,
                                         "This response_type is not supported.", OAS_LOG_INFO},
    [OAS_E_RESPONSE_TYPE_UNAUTHORIZED] = {"unauthorized_client", 400, 1,
                                          "The application may not use this response_type.",
                                          OAS_LOG_INFO},
    [OAS_E_RESPONSE_MODE] = {"invalid_request", 400, 1, "This response_mode is not supported.",
                             OAS_LOG_INFO},
    [OAS_E_NONCE_MISSING] = {"invalid_request", 400, 1, "nonce is missing.", OAS_LOG_INFO},
    [OAS_E_OPENID_MISSING] = {"invalid_scope", 400, 1, "An ID token needs the scope openid.",
                              OAS_LOG_INFO},
    [OAS_E_WEB_MESSAGE_ORIGIN] =
        {"invalid_request", 400, 0,
         "The origin of redirect_uri is no registered web origin of this application.",
         OAS_LOG_INFO},
    [OAS_E_SCOPE_MISSING] = {"invalid_scope", 400, 1, "scope is missing.", OAS_LOG_INFO},
    [OAS_E_SCOPE_MALFORMED] = {"invalid_scope", 400, 1, "scope is malformed.", OAS_LOG_INFO},
    [OAS_E_SCOPE_INVALID] = {"invalid_scope", 400, 1,
                             "A requested scope is unknown or not allowed to this application.",
                             OAS_LOG_INFO},
    [OAS_E_SCOPE_CONFLICT] = {"invalid_request", 400, 1,
                              "offline_access and online_access exclude each other.", OAS_LOG_INFO},
    [OAS_E_TARGET_MISSING] = {"invalid_target", 400, 1, "audience (or resource) is missing.",
                              OAS_LOG_INFO},
    [OAS_E_TARGET_INVALID] =
        {"invalid_target", 400, 1,
         "The requested audience is unknown or not allowed to this application.", OAS_LOG_INFO},
    [OAS_E_TARGET_SEVERAL] = {"invalid_target", 400, 1, "A token can be for one audience only.",
                              OAS_LOG_INFO},
    [OAS_E_CHALLENGE_MISSING] = {"invalid_request", 400, 1, "code_challenge is missing.",
                                 OAS_LOG_INFO},
    [OAS_E_CHALLENGE_MALFORMED] = {"invalid_request", 400, 1, "code_challenge is malformed.",
                                   OAS_LOG_INFO},
    [OAS_E_CHALLENGE_METHOD] = {"invalid_request", 400, 1, "code_challenge_method must be S256.",
                                OAS_LOG_INFO},
    [OAS_E_PROMPT] = {"invalid_request", 400, 1, "prompt has a value that is not supported.",
                      OAS_LOG_INFO},
    [OAS_E_MAX_AGE] = {"invalid_request", 400, 1, "max_age must be a number of seconds.",
                       OAS_LOG_INFO},
    [OAS_E_CLAIMS] = {"invalid_request", 400, 1, "claims is malformed.", OAS_LOG_INFO},
    [OAS_E_ACR_VALUES] = {"invalid_request", 400, 1, "acr_values is malformed.", OAS_LOG_INFO},
    [OAS_E_TOO_LONG] = {"invalid_request", 400, 1, "The request is too long to be carried on.",
                        OAS_LOG_INFO},
    [OAS_E_LOGIN_REQUIRED] = {"login_required", 400, 1, "The user must sign in.", OAS_LOG_INFO},
    [OAS_E_ACCOUNT_SELECTION] = {"account_selection_required", 400, 1,
                                 "The user must be asked for an account.", OAS_LOG_INFO},
    [OAS_E_ACR_UNMET] = {"unmet_authentication_requirements", 400, 1,
                         "No way to sign in here reaches what the request requires.", OAS_LOG_INFO},
    [OAS_E_CONSENT_REQUIRED] = {"consent_required", 400, 1, "The user must be asked for consent.",
                                OAS_LOG_INFO},
    [OAS_E_ACCESS_DENIED] = {"access_denied", 403, 1, "The user did not allow this.", OAS_LOG_INFO},

    [OAS_E_FORM_STALE] = {"invalid_request", 400, 0, "This page has expired.", OAS_LOG_INFO},
    [OAS_E_FORM_FOREIGN] = {"invalid_request", 400, 0, "This form does not belong to this browser.",
                            OAS_LOG_INFO},
    [OAS_E_COOKIES_OFF] = {"invalid_request", 400, 0,
                           "Your browser did not send the cookie of this page.", OAS_LOG_INFO},
    [OAS_E_THROTTLED] = {"too_many_attempts", 429, 0, "Too many attempts to sign in.",
                         OAS_LOG_INFO},
    [OAS_E_LOGOUT_HINT] = {"invalid_request", 400, 0,
                           "id_token_hint belongs to another application than client_id.",
                           OAS_LOG_INFO},
    [OAS_E_LOGOUT_RETURN] =
        {"invalid_request", 400, 0,
         "The address to return to is not registered for this application.", OAS_LOG_INFO},
    [OAS_E_SIGN_IN_UNAVAILABLE] = {"temporarily_unavailable", 503, 0,
                                   "Signing in is not possible at the moment.", OAS_LOG_ERROR},
    [OAS_E_SIGN_IN_BUSY] = {"temporarily_unavailable", 503, 0,
                            "Too many people are signing in at the moment.", OAS_LOG_INFO},

    [OAS_E_GRANT_TYPE_MISSING] = {"invalid_request", 400, 0, "grant_type is missing.",
                                  OAS_LOG_INFO},
    [OAS_E_GRANT_TYPE_UNSUPPORTED] = {"unsupported_grant_type", 400, 0,
                                      "This grant_type is not supported.", OAS_LOG_INFO},
    [OAS_E_GRANT_TYPE_UNAUTHORIZED] = {"unauthorized_client", 400, 0,
                                       "The client may not use this grant_type.", OAS_LOG_INFO},
    [OAS_E_CLIENT_AUTH] = {"invalid_client", 401, 0, "Client authentication failed.", OAS_LOG_INFO},
    [OAS_E_CLIENT_AUTH_BASIC] = {"invalid_client", 401, 0,
                                 "The Authorization header is not well-formed.", OAS_LOG_INFO},
    [OAS_E_CLIENT_AUTH_SEVERAL] = {"invalid_request", 400, 0,
                                   "The client must authenticate in one way only.", OAS_LOG_INFO},
    [OAS_E_CLIENT_AUTH_METHOD] = {"invalid_client", 401, 0,
                                  "The client may not authenticate in this way.", OAS_LOG_INFO},
    [OAS_E_CODE_MISSING] = {"invalid_request", 400, 0, "code is missing.", OAS_LOG_INFO},
    [OAS_E_CODE_INVALID] = {"invalid_grant", 400, 0, "Invalid authorization code.", OAS_LOG_INFO},
    [OAS_E_VERIFIER_MALFORMED] = {"invalid_request", 400, 0, "code_verifier is malformed.",
                                  OAS_LOG_INFO},
    [OAS_E_VERIFIER_MISSING] = {"invalid_grant", 400, 0, "code_verifier is missing.", OAS_LOG_INFO},
    [OAS_E_TOKEN_REDIRECT_URI_MISSING] =
        {"invalid_request", 400, 0,
         "redirect_uri is missing: it was part of the authorization request.", OAS_LOG_INFO},

    [OAS_E_REFRESH_MISSING] = {"invalid_request", 400, 0, "refresh_token is missing.",
                               OAS_LOG_INFO},
    [OAS_E_REFRESH_INVALID] = {"invalid_grant", 400, 0, "Unknown or invalid refresh token.",
                               OAS_LOG_INFO},
    [OAS_E_REFRESH_IN_PAGE] =
        {"unauthorized_client", 400, 0,
         "A web page may not use the refresh token of a client that authenticates.", OAS_LOG_INFO},
    [OAS_E_USER_BLOCKED] = {"invalid_grant", 400, 0, "The user is blocked.", OAS_LOG_INFO},
    [OAS_E_USERNAME_MISSING] = {"invalid_request", 400, 0, "username is missing.", OAS_LOG_INFO},
    [OAS_E_PASSWORD_MISSING] = {"invalid_request", 400, 0, "password is missing.", OAS_LOG_INFO},
    [OAS_E_PASSWORD_WRONG] = {"invalid_grant", 400, 0, "Wrong user name or password.",
                              OAS_LOG_INFO},
    [OAS_E_REALM_MISSING] = {"invalid_request", 400, 0, "realm is missing.", OAS_LOG_INFO},
    [OAS_E_REALM_INVALID] = {"invalid_request", 400, 0, "There is no such realm.", OAS_LOG_INFO},
    [OAS_E_ASSERTION_TYPE] = {"invalid_client", 401, 0,
                              "This client_assertion_type is not supported.", OAS_LOG_INFO},
    [OAS_E_ASSERTION_INVALID] = {"invalid_client", 401, 0, "client_assertion is not valid.",
                                 OAS_LOG_INFO},
    [OAS_E_CLIENT_KEYS_UNAVAILABLE] = {"temporarily_unavailable", 503, 0,
                                       "The keys of the client cannot be read at the moment.",
                                       OAS_LOG_WARNING},
    [OAS_E_CERTIFICATE_MISSING] = {"invalid_client", 401, 0, "A client certificate is needed.",
                                   OAS_LOG_INFO},
    [OAS_E_CERTIFICATE_INVALID] = {"invalid_client", 401, 0,
                                   "The certificate is not one of this client.", OAS_LOG_INFO},

    [OAS_E_TOKEN_MISSING] = {"invalid_request", 400, 0, "token is missing.", OAS_LOG_INFO},
    [OAS_E_INTROSPECTION_DENIED] = {"unauthorized_client", 403, 0,
                                    "The client may not introspect tokens.", OAS_LOG_INFO},

    [OAS_E_BEARER_MISSING] = {"invalid_token", 401, 0, "An access token is needed.", OAS_LOG_INFO},
    [OAS_E_BEARER_SEVERAL] = {"invalid_request", 400, 0,
                              "The access token must be sent in one way only.", OAS_LOG_INFO},
    [OAS_E_BEARER_INVALID] = {"invalid_token", 401, 0, "The access token is not valid.",
                              OAS_LOG_INFO},
    [OAS_E_BEARER_SCOPE] = {"insufficient_scope", 403, 0,
                            "The access token lacks the scope openid.", OAS_LOG_INFO},

    [OAS_E_BEARER_CERTIFICATE] = {"invalid_token", 401, 0,
                                  "The access token belongs to another certificate.", OAS_LOG_INFO},

    [OAS_E_UNAVAILABLE] = {"temporarily_unavailable", 503, 1,
                           "The server cannot answer at the moment. Please try again soon.",
                           OAS_LOG_WARNING},
    [OAS_E_SERVER] = {"server_error", 500, 1, "Something went wrong here.", OAS_LOG_ERROR},
};

const oas_error_row_t *oas_error_row(oas_error_id_t id)
{
    return &rows[(unsigned)id < OAS_E_COUNT ? id : OAS_E_NONE];
}

int oas_error_auth0_status(oas_error_id_t id)
{
    switch (id) {
    case OAS_E_CODE_INVALID:
    case OAS_E_REFRESH_INVALID:
    case OAS_E_USER_BLOCKED:
    case OAS_E_PASSWORD_WRONG:
        return 403;
    default:
        return oas_error_row(id)->status;
    }
}
