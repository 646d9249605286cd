/* SPDX-License-Identifier: Apache-2.0 */
#include "kids.h"

#include <string.h>
#include <apr_strings.h>

int oas_kids_has(const oas_kids_t *kids, const char *kid)
{
    int i;

    for (i = 0; i < kids->count; i++) {
        if (strcmp(kids->list[i], kid) == 0) {
            return 1;
        }
    }
    return 0;
}

void oas_kids_add(oas_kids_t *kids, const char *kid)
{
    if (kids->count < OAS_KEYS_MAX && !oas_kids_has(kids, kid)) {
        apr_cpystrn(kids->list[kids->count++], kid, sizeof(kids->list[0]));
    }
}
