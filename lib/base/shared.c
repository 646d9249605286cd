/* SPDX-License-Identifier: Apache-2.0 */
#include "shared.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void *oas_shared_map(apr_size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return memory != MAP_FAILED ? memory : NULL;
}

/* An updated module may need another size: that is another area. */
static oas_shared_area_t *find_area(oas_shared_area_t *area, const unsigned char *name,
                                    apr_size_t size)
{
    while (area != NULL && (area->size != size || memcmp(area->name, name, OAS_SHA256_LEN) != 0)) {
        area = area->next;
    }
    return area;
}

void *oas_shared_area(oas_shared_area_t **first, const char *name, apr_size_t size)
{
    unsigned char digest[OAS_SHA256_LEN];
    oas_shared_area_t *area;

    oas_sha256(name, strlen(name), digest);
    area = find_area(*first, digest, size);
    if (area != NULL) {
        return area->memory;
    }
    area = calloc(1, sizeof(*area)); /* no pool of this module outlives its next loading */
    if (area == NULL) {
        return NULL;
    }
    area->memory = oas_shared_map(size);
    if (area->memory == NULL) {
        free(area);
        return NULL;
    }
    area->size = size;
    memcpy(area->name, digest, sizeof(digest));
    area->next = *first;
    *first = area;
    return area->memory;
}
