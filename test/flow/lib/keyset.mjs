// SPDX-License-Identifier: Apache-2.0
// Applications that keep a copy of the key set as long as Cache-Control lets them, and not a moment less.
import assert from 'node:assert/strict';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { request } from './http.mjs';

/** The key set as published at a URL. */
export async function keysAt(url, options = {}) {
  const answer = await request(url, options);
  assert.equal(answer.status, 200, answer.text);
  return answer;
}

/** Verifies with its copy of the key set; a key that is missing there is a failure, not a reason to ask again. */
export class StrictVerifier {
  constructor(url) {
    this.url = url;
    this.until = 0;
  }

  async refresh() {
    const asked = Date.now(); // an answer may have been old when it came (RFC 9111 section 4.2.3)
    const { json, headers } = await keysAt(this.url);
    this.keys = createLocalJWKSet(json);
    this.until = asked + 1000 * Number(/max-age=(\d+)/.exec(headers['cache-control'])[1]);
  }

  /** Why the token is refused, or undefined. */
  async refusal(token, issuer) {
    if (Date.now() >= this.until) await this.refresh();
    return jwtVerify(token, this.keys, { issuer }).then(() => undefined, (error) => `${error.code} ${error.message}`);
  }
}
