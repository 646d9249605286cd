/* SPDX-License-Identifier: Apache-2.0 */
#include "retained.h"

#include <httpd.h>
#include <http_config.h>
#include "../base/shared.h"

void *oas_retained_area(const char *kind, const char *name, apr_size_t size)
{
    oas_shared_area_t **first = ap_retained_data_get(kind);

    if (first == NULL) {
        first = ap_retained_data_create(kind, sizeof(*first));
    }
    return oas_shared_area(first, name, size);
}
