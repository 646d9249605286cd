/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file client_rules.h
 * What a client may be: the rules across its members, for whoever reads clients (configtest,
 * oauth2asctl, the clients table). Each names the fault in the reader's own words.
 */
#ifndef OAS_BASE_CLIENT_RULES_H
#define OAS_BASE_CLIENT_RULES_H

#include "model.h"

/** What a fault is about: which of its settings a reader points at. */
typedef enum {
    OAS_ABOUT_CLIENT, /**< the client as a whole: something is missing */
    OAS_ABOUT_METHODS,
    OAS_ABOUT_SECRETS,
    OAS_ABOUT_KEYS,
    OAS_ABOUT_CERTIFICATE,
    OAS_ABOUT_REDIRECT_URIS,
    OAS_ABOUT_POST_LOGOUT_URIS,
    OAS_ABOUT_BACKCHANNEL,
    OAS_ABOUT_FRONTCHANNEL,
    OAS_ABOUT_ALLOW,
    OAS_ABOUT_GRANTS,
    OAS_ABOUT_RESPONSES,
    OAS_ABOUT_ROTATION,
    OAS_ABOUT_WINDOW,
    OAS_ABOUT_ISSUERS_WINDOW, /**< the window is the issuer's */
    OAS_ABOUT_REQUIRE,
    OAS_ABOUT_QUERY_TOKEN,
    OAS_ABOUT_FORWARDED_FOR,
    OAS_ABOUT_COUNT
} oas_client_about_t;

typedef struct {
    const char *tag; /**< OAS_TAG */
    oas_client_about_t about;
    const char *value; /**< which of several, or NULL */
    const char *text;  /**< begins with the client's name */
    int advice;        /**< 1: it works, but is not wise */
} oas_client_fault_t;

/** What the reader calls things, in the middle of a sentence; an article goes with those that need
 * one. */
typedef struct {
    const char *methods, *a_secret, *keys, *a_name_in_certificate, *a_redirect_uri, *web_origins,
        *an_api, *first_party, *bound;
} oas_client_words_t;

typedef struct oas_client_check oas_client_check_t;
struct oas_client_check {
    const oas_client_t *client;
    const oas_issuer_t *issuer; /**< NULL: not known, so rules about both are left out */
    const oas_client_words_t *words;
    /** Called for each fault; NULL: they are only counted. */
    void (*report)(oas_client_check_t *check, const oas_client_fault_t *fault);
    void *baton;
    apr_pool_t *pool;
    int web_message_given; /**< 1: it was asked for, and is no default */
    int faults;            /**< advice not counted */
};

/** Applies all rules; returns the number of faults. */
int oas_client_check(oas_client_check_t *check);

/** 1 when the client keeps those rules that requests rely on: one that does not must not be served.
 * The issuer does not matter to them. */
int oas_client_sound(const oas_client_t *client, apr_pool_t *pool);

/** Fills in what a client of its type may do where that is not said: methods, grants, responses. */
void oas_client_complete(oas_client_t *client);

/** The one host of these URIs in lower case, "" when there is none or several (OpenID Connect Core
 * section 8.1). */
const char *oas_client_host(const oas_words_t *uris, apr_pool_t *pool);

/** The origins of these URIs: where pages of a spa come from. */
oas_words_t *oas_client_origins(const oas_words_t *uris, apr_pool_t *pool);

/** A duration that may be given. */
typedef struct {
    apr_interval_time_t min, max;
    const char *words;
} oas_range_t;

/** What a lifetime may be. A code lives 10 min at most (RFC 6749 4.1.2). */
typedef struct {
    oas_range_t range;
    int of_client; /**< 1: a client may have its own */
} oas_lifetime_range_t;
extern const oas_lifetime_range_t oas_lifetime_ranges[OAS_LIFETIME_COUNT];

/** The origin of a URI, as browsers send it (RFC 6454 section 6.1), or NULL. */
const char *oas_origin_of(const char *text, apr_pool_t *pool);

/** 1 for a DNS name without a wildcard. */
int oas_dns_name_valid(const char *text);

/** NULL, or why nobody may be sent there: goes on behind the URI. Which schemes a type may have is
 * a rule. */
const char *oas_redirect_uri_fault(const char *text, apr_pool_t *pool);

/** 1 for a page: an http or https URL without a user name. */
int oas_web_url_valid(const char *text, apr_pool_t *pool);

/** 1 for a picture that a page may show: https, or http on this machine, or an absolute path. */
int oas_picture_valid(const char *text, apr_pool_t *pool);

/** 1 for text that people see: UTF-8 of 1 to OAS_TEXT_MAX bytes without control characters. */
int oas_text_valid(const char *text);
#define OAS_TEXT_MAX 1000

#endif
