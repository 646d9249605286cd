/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file kids.h
 * Which keys of a keyring: as many ids as it can have, in a place of their own. Begins as zeros.
 */
#ifndef OAS_ISSUE_KIDS_H
#define OAS_ISSUE_KIDS_H

#include "../store/key.h"

typedef struct {
    char list[OAS_KEYS_MAX][OAS_KID_MAX + 1];
    int count;
} oas_kids_t;

int oas_kids_has(const oas_kids_t *kids, const char *kid);

/** Copies it; does nothing for one that is there, or when there is no room. */
void oas_kids_add(oas_kids_t *kids, const char *kid);

#endif
