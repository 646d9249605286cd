/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file fold.h
 * User names as the most forgiving directory compares them.
 */
#ifndef OAS_LOGIN_FOLD_H
#define OAS_LOGIN_FOLD_H

#include <apr_pools.h>

/**
 * One text for all spellings by which some directory may find one entry (RFC 4518; Active Directory
 * goes further): case, compatibility forms (full-width and circled letters), accents, the two kinds
 * of Japanese kana, blanks, and what cannot be seen are lost. Names of different people may fold to
 * one text, so it names a counter, never a person. What is not UTF-8 stays as it is, but for its
 * ASCII letters and blanks.
 * @return in `pool`
 */
const char *oas_fold_name(const char *name, apr_pool_t *pool);

#endif
