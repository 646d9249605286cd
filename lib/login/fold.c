/* SPDX-License-Identifier: Apache-2.0 */
#include "fold.h"

#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>
#include "subject.h"

#define KATAKANA_FIRST       0x30a1
#define KATAKANA_LAST        0x30f6
#define KATAKANA_TO_HIRAGANA 0x60
#define OBJECT_REPLACEMENT   0xfffc /* nothing, by RFC 4518 section 2.2 */

/* The names are bytes of no known character set. */
static const char *fold_bytes(const char *name, apr_pool_t *pool)
{
    char *folded = oas_fold_case(name, pool);
    char *out = folded;
    const char *p;

    for (p = folded; *p != '\0'; p++) {
        if ((unsigned char)*p > 0x20 && *p != 0x7f) {
            *out++ = *p;
        }
    }
    *out = '\0';
    return folded;
}

/* Accents by themselves, blanks, control characters, and what no font shows. */
static int is_lost(ucs4_t c)
{
    return c == OBJECT_REPLACEMENT || uc_is_property_default_ignorable_code_point(c) ||
           uc_is_general_category_withtable(c, UC_CATEGORY_MASK_Mn | UC_CATEGORY_MASK_Cc |
                                                   UC_CATEGORY_MASK_Cf | UC_CATEGORY_MASK_Z);
}

static ucs4_t kana(ucs4_t c)
{
    return c >= KATAKANA_FIRST && c <= KATAKANA_LAST ? c - KATAKANA_TO_HIRAGANA : c;
}

/* Without what is lost; `text` is UTF-8. */
static const char *strip(const uint8_t *text, size_t len, apr_pool_t *pool)
{
    uint8_t *stripped = apr_palloc(pool, len + 1); /* hiragana is no longer than katakana */
    uint8_t *out = stripped;
    size_t i = 0;

    while (i < len) {
        ucs4_t c;

        i += (size_t)u8_mbtouc(&c, text + i, len - i);
        if (!is_lost(c)) {
            out += u8_uctomb(out, kana(c), (ptrdiff_t)(stripped + len - out));
        }
    }
    *out = '\0';
    return (const char *)stripped;
}

const char *oas_fold_name(const char *name, apr_pool_t *pool)
{
    const uint8_t *text = (const uint8_t *)name;
    size_t len = strlen(name);
    const char *stripped;
    size_t folded_len = 0;
    uint8_t *folded;

    if (len == 0 || u8_check(text, len) != NULL) {
        return fold_bytes(name, pool);
    }
    folded = u8_casefold(text, len, NULL, UNINORM_NFKD, NULL, &folded_len);
    if (folded == NULL) { /* no memory */
        return fold_bytes(name, pool);
    }
    stripped = strip(folded, folded_len, pool);
    free(folded);
    return stripped;
}
