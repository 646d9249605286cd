/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file consent.h
 * Must the user be asked? The rules of OAuth2ASSkipConsent and of remembered consent.
 */
#ifndef OAS_LOGIN_CONSENT_H
#define OAS_LOGIN_CONSENT_H

#include "../base/tx.h"

/**
 * Step: decides tx->consent_skipped: configuration waives consent for this first-party client and
 * the user is known to be at the screen where the redirect_uri cannot prove the application (RFC
 * 8252 section 8.6: custom schemes and loopback).
 */
oas_outcome_t oas_load_consent(oas_tx_t *tx);

/** 1 when nobody need be asked: skipped, or all permissions are remembered and prompt does not ask.
 */
int oas_consent_covers(const oas_tx_t *tx);

#endif
