// SPDX-License-Identifier: Apache-2.0
// Requests as an application makes them, written out by hand so that each part can be made wrong.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { request } from './http.mjs';
import { Surfer } from './surfer.mjs';

export const verifierOf = () => randomBytes(32).toString('base64url');
export const challengeOf = (verifier) => createHash('sha256').update(verifier).digest('base64url');
export const basic = (id, secret) => `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`;

export const appUri = 'https://app.example.test/callback';
export const secretOf = (id) => `${id} has a secret of more than thirty-two characters`;
export const secretLine = (id) => `OAuth2ASClientSecret sha256:${createHash('sha256').update(secretOf(id)).digest('hex')}`;

/** Text of a client section. */
export function client(id, { type = 'spa', uri = appUri, allow = ['https://api.example.test/ read:items write:items'], extra = [] } = {}) {
  return [
    `<OAuth2ASClient "${id}">`,
    `OAuth2ASType ${type}`,
    ...[uri].flat().map((one) => `OAuth2ASRedirectURI ${one}`),
    ...allow.map((line) => `OAuth2ASAllow ${line}`),
    ...(['web', 'machine'].includes(type) ? [secretLine(id)] : []),
    ...extra,
    '</OAuth2ASClient>',
    '',
  ].join('\n');
}

/** The parameters of an authorization request; undefined leaves one out. */
export function authorization(overrides = {}) {
  const verifier = verifierOf();
  const params = {
    response_type: 'code',
    client_id: 'spa',
    redirect_uri: appUri,
    scope: 'openid profile email',
    state: randomBytes(8).toString('hex'),
    nonce: randomBytes(8).toString('hex'),
    code_challenge: challengeOf(verifier),
    code_challenge_method: 'S256',
    ...overrides,
  };
  for (const name of Object.keys(params)) if (params[name] === undefined) delete params[name];
  return { verifier, params };
}

export function authorizeUrl(instance, params) {
  return instance.url('authorize', params);
}

/** What came back to the application, from query or fragment. */
export function callbackOf(answer) {
  if (!answer.location) throw new Error(`no redirect but ${answer.status}: ${answer.text.slice(0, 2000)}`);
  const url = answer.location;
  return Object.fromEntries(new URLSearchParams(url.hash ? url.hash.slice(1) : url.search));
}

/** A code, by a fresh browser or the one given. */
export async function getCode(instance, overrides = {}, { surfer = new Surfer(instance), ...options } = {}) {
  const { verifier, params } = authorization(overrides);
  const answer = await surfer.through(authorizeUrl(instance, params), options);
  return { ...callbackOf(answer), verifier, params, surfer };
}

const post = (where) => (instance, form, headers = {}) => {
  const clean = Object.fromEntries(Object.entries(form).filter(([, value]) => value !== undefined));
  return request(instance.url(where), { form: clean, headers, ca: instance.ca });
};

/** POST to the token endpoint; `form` may leave out what getCode() gave by undefined. */
export const token = post('oauth/token');
export const revoke = post('oauth/revoke');
export const introspect = post('oauth/introspect');

/** Redeems what getCode() gave. */
export function redeem(instance, got, overrides = {}, headers = {}) {
  return token(
    instance,
    {
      grant_type: 'authorization_code',
      client_id: got.params.client_id,
      code: got.code,
      redirect_uri: got.params.redirect_uri,
      code_verifier: got.verifier,
      ...overrides,
    },
    headers,
  );
}

/** A text with another character at one place. */
export const alter = (text, at) => text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);

/** Tokens with a refresh token among them, by a fresh browser. */
export async function offline(instance, overrides = {}, form = {}, headers = {}) {
  const got = await getCode(instance, { scope: 'openid profile email offline_access', ...overrides });
  const answer = await redeem(instance, got, form, headers);
  assert.equal(answer.status, 200, answer.text);
  return { ...answer.json, got };
}

/** Uses a refresh token, as client "spa" unless the form says otherwise. */
export function refresh(instance, refresh_token, form = {}, headers = {}) {
  return token(instance, { grant_type: 'refresh_token', client_id: 'spa', refresh_token, ...form }, headers);
}

/** Header and claims of a JWT, unverified. */
export function decode(jwt) {
  const [header, claims] = jwt.split('.').map((part, i) => (i < 2 ? JSON.parse(Buffer.from(part, 'base64url')) : null));
  return { header, claims };
}

export function userinfo(instance, accessToken, options = {}) {
  return request(instance.url('userinfo'), { ca: instance.ca, ...options, headers: { authorization: `Bearer ${accessToken}`, ...options.headers } });
}

/** An endpoint's refusal: JSON, not to be stored, without any token, its description within RFC 6749 section 5.2. */
export function assertError(answer, status, error) {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers['content-type'], /^application\/json/);
  assert.match(answer.headers['cache-control'], /no-store/);
  assert.equal(answer.json.error, error);
  assert.match(answer.json.error_description, /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
  for (const name of ['access_token', 'refresh_token', 'id_token']) assert.equal(answer.json[name], undefined);
}
