/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file keyring_area.h
 * What the processes of a node share of a keyring (keyring.h), in memory that begins as zeros.
 */
#ifndef OAS_ISSUE_KEYRING_AREA_H
#define OAS_ISSUE_KEYRING_AREA_H

#include "../store/key.h"
#include "keyring.h"

/** What the database told, as the processes share it. */
typedef struct {
    char ring[OAS_RING_MAX + 1]; /**< empty: some keys could not be opened, and are not here */
    int count;
    oas_key_row_t rows[OAS_KEYS_MAX];
} oas_keyring_image_t;

/** Two images in turn, so that nobody reads what is being written: generation, when it is not 0,
 * says which. */
struct oas_keyring_area {
    apr_uint32_t generation;
    apr_int64_t writing; /**< since when somebody does, or 0 */
    apr_int64_t asked;   /**< when the database was asked last */
    oas_keyring_image_t images[2];
};

/** A copy of the present image in `pool`; NULL: there is none, or it changes all the time. */
const oas_keyring_image_t *oas_keyring_read(const oas_keyring_area_t *area,
                                            apr_uint32_t *generation, apr_pool_t *pool);

/** Puts rows (of oas_key_row_t) of this version there. @return the generation; 0: somebody else is
 * at it */
apr_uint32_t oas_keyring_write(oas_keyring_area_t *area, const char *version,
                               const apr_array_header_t *rows);

#endif
