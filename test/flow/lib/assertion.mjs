// SPDX-License-Identifier: Apache-2.0
// Keys of clients, and assertions made by hand so that each part can be made wrong.
import { constants, createHmac, generateKeyPairSync, randomUUID, sign as signBytes } from 'node:crypto';

const kinds = {
  RS256: { type: ['rsa', { modulusLength: 2048 }], digest: 'sha256' },
  PS256: { type: ['rsa', { modulusLength: 2048 }], digest: 'sha256', options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } },
  ES256: { type: ['ec', { namedCurve: 'P-256' }], digest: 'sha256', options: { dsaEncoding: 'ieee-p1363' } },
  EdDSA: { type: ['ed25519'], digest: null },
};
export const keyAlgs = Object.keys(kinds);
export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** A key pair for an algorithm; `jwk` is the public half. */
export function makeKey(alg, kid) {
  const { publicKey, privateKey } = generateKeyPairSync(...kinds[alg].type);
  return { alg, kid, privateKey, publicKey, jwk: { ...publicKey.export({ format: 'jwk' }), ...(kid && { kid }) } };
}

const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** A compact JWS by a key pair of makeKey(), or by HMAC with a string. */
export function signJws(key, header, payload) {
  const text = `${encode(header)}.${encode(payload)}`;
  if (typeof key === 'string') return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
  const { digest, options } = kinds[key.alg];
  return `${text}.${signBytes(digest, Buffer.from(text), { key: key.privateKey, ...options }).toString('base64url')}`;
}

/** The claims of a good assertion; an undefined override leaves one out. */
export function assertionClaims(instance, id, overrides = {}) {
  const now = Math.floor(Date.now() / 1000);
  return { iss: id, sub: id, aud: instance.issuer, jti: randomUUID(), iat: now, exp: now + 60, ...overrides };
}

/** The parameters of a token request that authenticate a client. */
export function assertionForm(instance, id, key, { claims = {}, header = {} } = {}) {
  const alg = typeof key === 'string' ? 'HS256' : key.alg;
  const jws = signJws(key, { alg, kid: key.kid, ...header }, assertionClaims(instance, id, claims));
  return { client_assertion_type: assertionType, client_assertion: jws };
}
