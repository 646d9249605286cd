/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file attributes.h
 * What authn providers say of a user in the request's environment: AUTHENTICATE_* variables.
 */
#ifndef OAS_HTTPD_ATTRIBUTES_H
#define OAS_HTTPD_ATTRIBUTES_H

#include <httpd.h>
#include <jansson.h>

/** Removes them all: what a provider said of somebody must not be left for the next; some export
 * even for a wrong password. */
void oas_attributes_forget(request_rec *r);

/** Exports claims, strings as they are, anything else as JSON. */
void oas_attributes_export(request_rec *r, const json_t *claims);

/**
 * What the directory's entry calls a user of mod_authnz_ldap, as its search attribute has it, in
 * one spelling for all that find the entry: r->user where the configuration sets that
 * (AuthLDAPRemoteUserAttribute, AuthLDAPRemoteUserIsDN), else the first attribute of AuthLDAPURL,
 * which is the one that is searched. An entry with several names is called by the one that was
 * typed, spelled as the entry has it; of one whose name nothing exports, because the URL names no
 * attribute, only what ASCII can spell is known to be one.
 * @param typed what r->user was when the provider was asked
 * @return NULL when two people might be called so, or one person might have two names
 */
const char *oas_attributes_ldap_name(request_rec *r, const char *typed);

#endif
