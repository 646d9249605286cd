/* SPDX-License-Identifier: Apache-2.0 */
/* User names folded for the throttle's counters: well-formed text stays so, a folded name is not
 * folded further, and neither case nor blanks of ASCII make another name of one. */
#include "fuzz.h"

#include <string.h>
#include <apr_strings.h>
#include "../../lib/base/bytes.h"
#include "../../lib/login/fold.h"
#include "../../lib/login/subject.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    const char *name = apr_pstrmemdup(pool, (const char *)data, size);
    const char *folded = oas_fold_name(name, pool);

    if (oas_utf8_valid(name, strlen(name))) {
        FUZZ_HOLDS(oas_utf8_valid(folded, strlen(folded)));
        FUZZ_HOLDS(strcmp(oas_fold_name(folded, pool), folded) == 0);
    }
    FUZZ_HOLDS(strcmp(oas_fold_name(oas_fold_case(name, pool), pool), folded) == 0);
    FUZZ_HOLDS(strcmp(oas_fold_name(apr_pstrcat(pool, " ", name, "\t", NULL), pool), folded) == 0);
    FUZZ_HOLDS(strpbrk(folded, " \t\r\nABCDEFGHIJKLMNOPQRSTUVWXYZ") == NULL);
    apr_pool_destroy(pool);
    return 0;
}
