// SPDX-License-Identifier: Apache-2.0
// What is measured: for each case its requests, and the work that nobody can leave out (the probe's). `share` is what part of
// its probe's rate a case has to reach, `reach` the rate that was asked for on one quiet machine.
import { apis } from './server.mjs';

const verifier = 'a-verifier-of-forty-three-characters-at-least-0123456789';
const form = 'Content-Type: application/x-www-form-urlencoded';

const post = (where, headers, body) => [`POST ${where} HTTP/1.1`, 'Host: ${host}', form, ...headers, '', body];
const get = (where, headers = []) => [`GET ${where} HTTP/1.1`, 'Host: ${host}', ...headers, ''];
const query = (params) => new URLSearchParams(params).toString();

function clientCredentials(alg) {
  return {
    id: `client-credentials-${alg}`,
    title: `client_credentials, ${alg}`,
    statements: 0,
    values: () => ({}),
    steps: (bench) => [
      {
        request: post('/oauth/token', [`Authorization: ${bench.basic('worker')}`], query({ grant_type: 'client_credentials', audience: apis[alg] })),
        expect: '200 "access_token"',
        probe: { sign: [alg] },
      },
    ],
  };
}

function rotation(alg) {
  return {
    id: `rotation-${alg}`,
    title: `refresh rotation, access and ID token, ${alg}`,
    statements: 1,
    values: async (bench, i) => ({ token: (await bench.tokens(i, alg)).refresh_token }),
    steps: (bench) => [
      {
        request: post('/oauth/token', [`Authorization: ${bench.basic(`web-${alg}`)}`], 'grant_type=refresh_token&refresh_token=${token}'),
        expect: '200 "access_token"',
        capture: ['token', '"refresh_token":"'],
        probe: { sign: [alg, alg], presented: 'refresh_token', made: 'NEXT', statements: { oas_refresh: 'rotated' } },
      },
    ],
  };
}

function code(alg) {
  const redirect = 'https://app.example.test/callback';
  return {
    id: `code-${alg}`,
    title: `code and PKCE, signed-in user, ${alg} (flows)`,
    statements: 3,
    values: (bench, i) => ({ cookie: bench.cookie(i), code: '-'.repeat(64) }),
    steps: (bench) => [
      {
        request: get(
          `/authorize?${query({ response_type: 'code', client_id: `web-${alg}`, redirect_uri: redirect, scope: 'openid profile email read', audience: apis[alg], state: 'state-of-16-chars', nonce: 'nonce-of-16-chars', code_challenge: bench.challenge(verifier), code_challenge_method: 'S256' })}`,
          ['Cookie: ${cookie}'],
        ),
        expect: '302 state=state-of-16-chars',
        capture: ['code', 'code='],
        probe: { cookie: true, made: 'NEW', statements: { oas_session_load: '', oas_code_put: 'put' } },
      },
      {
        request: post(
          '/oauth/token',
          [`Authorization: ${bench.basic(`web-${alg}`)}`],
          `grant_type=authorization_code&code=\${code}&${query({ redirect_uri: redirect, code_verifier: verifier })}`,
        ),
        expect: '200 "id_token"',
        probe: { sign: [alg, alg], presented: 'code', statements: { oas_code_redeem: 'done' } },
      },
    ],
  };
}

const bearer = async (bench, i) => ({ token: (await bench.tokens(i, 'RS256')).access_token });

const introspection = {
  id: 'introspection',
  title: 'introspection of an RS256 token',
  statements: 1,
  values: bearer,
  steps: (bench) => [
    {
      request: post('/oauth/introspect', [`Authorization: ${bench.basic('inspector')}`], 'token=${token}'),
      expect: '200 "active":true',
      probe: { verify: 'RS256', statements: { oas_grant_load: 'live' } },
    },
  ],
};

const userinfo = {
  id: 'userinfo',
  title: 'userinfo, RS256 token checked',
  statements: 1,
  values: bearer,
  steps: () => [
    { request: get('/userinfo', ['Authorization: Bearer ${token}']), expect: '200 "email"', probe: { verify: 'RS256', statements: { oas_grant_load: 'live' } } },
  ],
};

const document = (id, title, where, expect) => ({
  id,
  title,
  statements: 0,
  values: () => ({}),
  steps: () => [{ request: get(where), expect, probe: {} }],
});

const loginPage = {
  id: 'login-page',
  title: 'login page',
  statements: 0,
  values: () => ({}),
  steps: (bench) => [
    {
      request: get(
        `/authorize?${query({ response_type: 'code', client_id: 'web-ES256', redirect_uri: 'https://app.example.test/callback', scope: 'openid', state: 'state', code_challenge: bench.challenge(verifier), code_challenge_method: 'S256' })}`,
      ),
      expect: '200 name="password"',
      probe: {},
    },
  ],
};

/** share and reach as the table of docs/performance.md has them; null: no share was asked for. */
export const cases = [
  { ...clientCredentials('RS256'), share: 0.9, reach: 5400 },
  { ...clientCredentials('ES256'), share: 0.8, reach: 17500 },
  { ...clientCredentials('EdDSA'), share: null, reach: null },
  { ...rotation('ES256'), share: 0.85, reach: 5000 },
  { ...rotation('RS256'), share: 0.85, reach: 2100 },
  { ...code('ES256'), share: 0.85, reach: 2300 },
  { ...introspection, share: 0.75, reach: 10000 },
  { ...userinfo, share: 0.75, reach: 10000 },
  { ...document('jwks', 'JWKS', '/.well-known/jwks.json', '200 "keys"'), share: 0.9, reach: 31000 },
  { ...document('discovery', 'discovery', '/.well-known/openid-configuration', '200 "issuer"'), share: 0.9, reach: 31000 },
  { ...loginPage, share: null, reach: null },
];
