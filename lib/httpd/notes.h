/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file notes.h
 * What the access log may say of a request (LogFormat "%{oauth2as-client}n").
 */
#ifndef OAS_HTTPD_NOTES_H
#define OAS_HTTPD_NOTES_H

#include <httpd.h>

/** Finds out which notes the configuration names at all, so that no other is made; in post_config.
 */
void oas_notes_find(void);

/** ap_hook_log_transaction, before the modules that write access logs: leaves the notes in
 * r->notes. */
int oas_notes_leave(request_rec *r);

#endif
