/* SPDX-License-Identifier: Apache-2.0 */
/* Wishes for a language, from ui_locales and from the header Accept-Language. One that there are
 * texts for is found, whatever comes. */
#include "fuzz.h"

#include <string.h>
#include <apr_strings.h>
#include "../../lib/reply/language.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    const char *text = apr_pstrmemdup(pool, (const char *)data, size);
    oas_words_t *available;

    oas_words_parse(&available, "en de fr es ja ar pt-BR zh-Hant-TW", pool);
    FUZZ_HOLDS(oas_words_has(available, oas_language_choose(available, text, NULL)));
    FUZZ_HOLDS(oas_words_has(available, oas_language_choose(available, NULL, text)));
    if (oas_language_valid(text)) {
        FUZZ_HOLDS(strlen(text) <= OAS_LANGUAGE_TAG_MAX && strpbrk(text, "/.%") == NULL);
    }
    apr_pool_destroy(pool);
    return 0;
}
