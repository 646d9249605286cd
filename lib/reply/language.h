/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file language.h
 * Which of the languages that there are texts for somebody reads best.
 */
#ifndef OAS_REPLY_LANGUAGE_H
#define OAS_REPLY_LANGUAGE_H

#include "../base/words.h"

#define OAS_LANGUAGE_TAG_MAX 35 /**< bytes of a tag (RFC 5646 section 4.4.1) */

/** 1 for what a language tag looks like (RFC 5646): letters, then subtags of letters and digits. */
int oas_language_valid(const char *tag);

/**
 * Chooses one of `available` (not empty): by ui_locales (OIDC Core 3.1.2.1), else by the header
 * Accept-Language (RFC 9110 section 12.5.4), each looked up as in RFC 4647 section 3.4; a range
 * that finds nothing also takes a tag that only says more ("pt" finds pt-BR). Malformed parts count
 * for nothing. @return an element of `available`; the first one where nobody's wish can be met
 * @param ui_locales, accept_language may be NULL
 */
const char *oas_language_choose(const oas_words_t *available, const char *ui_locales,
                                const char *accept_language);

#endif
