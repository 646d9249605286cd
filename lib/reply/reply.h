/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file reply.h
 * The only place that writes an answer: JSON, document, redirect, form_post, web_message, page,
 * preflight. All functions fill tx->reply and never fail: what cannot be written becomes a plain
 * 500.
 */
#ifndef OAS_REPLY_REPLY_H
#define OAS_REPLY_REPLY_H

#include "../base/tx.h"

/** Adds a header to the reply (several of one name are kept). */
void oas_reply_header(oas_tx_t *tx, const char *name, const char *value);

/** Adds the Set-Cookie headers that tx->set_cookie asks for. */
void oas_reply_cookies(oas_tx_t *tx);

/** A JSON answer that nobody may store; with CORS headers for the client's own origins.
 * @param text NULL (it could not be written) is answered with server_error */
void oas_reply_json(oas_tx_t *tx, int status, const char *text);

/** A text that nobody may store. */
void oas_reply_text(oas_tx_t *tx, const char *content_type, const char *text);

/** An answer without a body that nobody may store; with CORS headers as above. */
void oas_reply_empty(oas_tx_t *tx, int status);

/** Cache-Control of documents that change with the configuration only. */
#define OAS_DOCUMENT_MAX_AGE "public, max-age=300"

/** A public document with ETag (304 when the client has it), readable from any origin. */
void oas_reply_document(oas_tx_t *tx, const char *text, const char *etag,
                        const char *cache_control);

/** Sends the browser to `url`: 303 after a POST, else 302. */
void oas_reply_redirect(oas_tx_t *tx, const char *url);

/**
 * Answers an authorization request at tx->redirect_uri (web_message: in the window of
 * tx->message_origin) in tx->response_mode.
 * @param answer strings and integers; gets state and iss (RFC 9207) added
 */
void oas_reply_authorization(oas_tx_t *tx, oas_members_t *answer);

/** A CORS preflight or plain OPTIONS, with the methods the endpoint has (tx->methods). */
void oas_reply_preflight(oas_tx_t *tx);

/** Sends tx->error the way this endpoint and this state of the request ask for. */
void oas_reply_error(oas_tx_t *tx);

/** What one page may do beyond what every page may. */
typedef struct {
    const char *form_target;  /**< URI that its form, or a redirect after it, leads to; or NULL */
    const char *frame_origin; /**< the one origin whose pages may frame it; NULL: none may */
    int script;               /**< it carries the script of its template */
    const apr_array_header_t *frames; /**< of const char *: URLs that it shows in frames, or NULL */
    const char
        *next; /**< URI that the browser goes on to when the frames have loaded, by the header
                  Refresh; or NULL. The page's script waits for four seconds at most */
} oas_page_policy_t;

/**
 * A page from a template inside the layout, in the language of oas_page_language(); strict CSP,
 * no-store. `data` gets issuer, client and links added (templates/README.md has the list of
 * members).
 */
void oas_reply_page(oas_tx_t *tx, int status, const char *name, json_t *data,
                    const oas_page_policy_t *policy);

/** The language of this request's pages (tx->language): chosen once, by the parameter ui_locales,
 * else by Accept-Language. Never NULL. */
const char *oas_page_language(oas_tx_t *tx);

/** A text of strings/TAG.json in that language, as it stands; NULL when there is none. */
const char *oas_page_text(oas_tx_t *tx, const char *name);

/**
 * What a scope, or the word of a claim (OAS_CLAIM_WORD), means, in words of that language.
 * @param resource the API it belongs to, or NULL
 */
const char *oas_page_permission(oas_tx_t *tx, const oas_resource_t *resource, const char *scope);

/** A moment as pages want it: {"iso": for <time datetime>, "text": "2026-11-21 14:05 UTC"}. New
 * reference. @param seconds since 1970 */
json_t *oas_page_time(apr_int64_t seconds);

/** Who is signed in, as pages want it: {"name": , "sub": }. New reference. */
json_t *oas_page_user(const oas_session_t *session);

/** How long somebody must wait, as pages want it: {"seconds": n} or {"minutes": n}, at least two.
 */
json_t *oas_page_wait(int seconds);

#endif
