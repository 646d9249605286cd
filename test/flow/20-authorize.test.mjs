// SPDX-License-Identifier: Apache-2.0
// The authorization request: what is answered with a page, what goes back to the application, and with what.
import test from 'node:test';
import assert from 'node:assert/strict';
import { startInstance } from './lib/instance.mjs';
import { Surfer, textOf } from './lib/surfer.mjs';
import { appUri, authorization, authorizeUrl, callbackOf, client } from './lib/oauth.mjs';

const loopback = 'http://127.0.0.1/callback';
const custom = 'com.example.app:/callback';
const server = await startInstance({
  conf:
    client('spa') +
    client('two', { uri: [appUri, 'https://app.example.test/other?keep=1'] }) +
    client('web', { type: 'web', extra: ['OAuth2ASRequire -pkce'] }) +
    client('strict', { type: 'web' }) +
    client('native', { type: 'native', uri: [loopback, custom, 'http://[::1]/callback'] }),
});

/** One request by a fresh browser. */
function ask(overrides, options) {
  return new Surfer(server).go(authorizeUrl(server, authorization(overrides).params), options);
}

function assertPage(answer, status, code) {
  assert.equal(answer.status, status);
  assert.equal(answer.location, null, 'no redirect');
  assert.match(answer.headers['content-type'], /^text\/html; charset=utf-8/i);
  assert.match(textOf(answer.text), new RegExp(`\\b${code}\\b`));
}

function assertRefused(answer, error) {
  assert.ok([302, 303].includes(answer.status), `${answer.status} ${textOf(answer.text)}`);
  const back = callbackOf(answer);
  assert.equal(back.error, error);
  assert.match(back.error_description, /^[\x20-\x7e]+$/);
  assert.equal(back.iss, server.issuer);
  assert.equal(back.code, undefined);
  return back;
}

test('a page for whoever comes without a request', async () => {
  const answer = await new Surfer(server).go(server.url('authorize'));
  assertPage(answer, 400, 'invalid_request');
  assert.match(textOf(answer.text), /Reference/);
});

const pages = {
  'no client_id': [{ client_id: undefined }, 'invalid_request'],
  'an unknown client': [{ client_id: 'nobody' }, 'invalid_client'],
  'an empty client': [{ client_id: '' }, 'invalid_request'],
  'a client with another redirect_uri': [{ redirect_uri: 'https://evil.example/callback' }, 'invalid_request'],
  'a redirect_uri with a slash more': [{ redirect_uri: `${appUri}/` }, 'invalid_request'],
  'a redirect_uri with a query': [{ redirect_uri: `${appUri}?a=b` }, 'invalid_request'],
  'a redirect_uri with a fragment': [{ redirect_uri: `${appUri}#x` }, 'invalid_request'],
  'a redirect_uri in another case': [{ redirect_uri: appUri.replace('app', 'APP') }, 'invalid_request'],
  'a redirect_uri that dots lead to': [{ redirect_uri: 'https://app.example.test/x/../callback' }, 'invalid_request'],
  'a redirect_uri with user information': [{ redirect_uri: 'https://app.example.test@evil.example/callback' }, 'invalid_request'],
  'no redirect_uri where there are two': [{ client_id: 'two', redirect_uri: undefined }, 'invalid_request'],
  'a loopback redirect_uri for a client that is not native': [{ redirect_uri: 'http://127.0.0.1:4000/callback' }, 'invalid_request'],
  'localhost instead of the loopback address': [{ client_id: 'native', redirect_uri: 'http://localhost:4000/callback' }, 'invalid_request'],
  'another path on loopback': [{ client_id: 'native', redirect_uri: 'http://127.0.0.1:4000/other' }, 'invalid_request'],
  'another custom scheme': [{ client_id: 'native', redirect_uri: 'com.example.evil:/callback' }, 'invalid_request'],
  'javascript as redirect_uri': [{ redirect_uri: 'javascript:alert(1)' }, 'invalid_request'],
};
for (const [what, [overrides, code]] of Object.entries(pages)) {
  test(`a page, never a redirect: ${what}`, async () => assertPage(await ask(overrides), 400, code));
}

const refusals = {
  'response_type missing': [{ response_type: undefined }, 'invalid_request'],
  'response_type token': [{ response_type: 'token' }, 'unsupported_response_type'],
  'response_type in any order, but not allowed': [{ response_type: 'token code' }, 'unauthorized_client'],
  'response_mode unknown': [{ response_mode: 'smoke' }, 'invalid_request'],
  'scope with a bad character': [{ scope: 'openid "x"' }, 'invalid_scope'],
  'scope nobody knows': [{ scope: 'openid launch:missiles' }, 'invalid_scope'],
  'scope of an API that was not named': [{ scope: 'openid read:items' }, 'invalid_scope'],
  'audience unknown': [{ audience: 'https://other.example/' }, 'invalid_target'],
  'audience and resource of different minds': [{ audience: 'https://api.example.test/', resource: 'https://other.example/' }, 'invalid_target'],
  'code_challenge missing': [{ code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
  'code_challenge missing for a confidential client': [
    { client_id: 'strict', code_challenge: undefined, code_challenge_method: undefined },
    'invalid_request',
  ],
  'code_challenge_method without a challenge': [{ client_id: 'web', code_challenge: undefined }, 'invalid_request'],
  'code_challenge_method plain': [{ code_challenge_method: 'plain' }, 'invalid_request'],
  'code_challenge_method missing, which means plain': [{ code_challenge_method: undefined }, 'invalid_request'],
  'code_challenge too short': [{ code_challenge: 'abc' }, 'invalid_request'],
  'code_challenge with padding': [{ code_challenge: `${'a'.repeat(42)}=` }, 'invalid_request'],
  'prompt unknown': [{ prompt: 'dance' }, 'invalid_request'],
  'prompt none with another': [{ prompt: 'none login' }, 'invalid_request'],
  'prompt none without a session': [{ prompt: 'none' }, 'login_required'],
  'max_age negative': [{ max_age: '-1' }, 'invalid_request'],
  'max_age no number': [{ max_age: 'soon' }, 'invalid_request'],
  'request object': [{ request: 'e30.e30.' }, 'request_not_supported'],
  'request_uri': [{ request_uri: 'https://app.example.test/request' }, 'request_uri_not_supported'],
};
for (const [what, [overrides, error]] of Object.entries(refusals)) {
  test(`back to the application: ${what}`, async () => {
    const { params } = authorization(overrides);
    const answer = await new Surfer(server).go(authorizeUrl(server, params));
    const back = assertRefused(answer, error);
    assert.equal(back.state, params.state);
    assert.equal(answer.location.origin + answer.location.pathname, appUri);
    assert.match(answer.headers['cache-control'], /no-store/);
  });
}

test('a code that is asked for in the fragment fails in the fragment', async () => {
  const answer = await ask({ response_mode: 'fragment', response_type: 'token' });
  assert.equal(answer.location.search, '');
  assert.match(answer.location.hash, /error=unsupported_response_type/);
});

test('form_post answers an error with a form too', async () => {
  const { params } = authorization({ response_mode: 'form_post', prompt: 'none', state: '"><script>alert(1)</script>' });
  const answer = await new Surfer(server).go(authorizeUrl(server, params));
  assert.equal(answer.status, 200);
  assert.equal(answer.form.action, appUri);
  assert.equal(answer.form.fields.error, 'login_required');
  assert.equal(answer.form.fields.state, params.state);
  assert.equal(answer.form.fields.iss, server.issuer);
  assert.doesNotMatch(answer.text, /<script>alert/);
});

test('a query of the redirect_uri is kept', async () => {
  const answer = await ask({ client_id: 'two', redirect_uri: 'https://app.example.test/other?keep=1', prompt: 'none' });
  assert.equal(answer.location.searchParams.get('keep'), '1');
  assert.equal(answer.location.searchParams.get('error'), 'login_required');
});

test('a request without state is answered without state', async () => {
  const back = assertRefused(await ask({ state: undefined, prompt: 'none' }), 'login_required');
  assert.equal('state' in back, false);
});

for (const uri of ['http://127.0.0.1:4000/callback', 'http://127.0.0.1:65535/callback', 'http://[::1]:4000/callback', loopback, custom]) {
  test(`a native client may use ${uri}`, async () => {
    const answer = await ask({ client_id: 'native', redirect_uri: uri, prompt: 'none' });
    assert.ok(answer.location.href.startsWith(uri), answer.location.href);
    assert.equal(answer.location.searchParams.get('error'), 'login_required');
  });
}

for (const name of ['client_id', 'redirect_uri', 'state', 'scope', 'response_type', 'code_challenge', 'nonce', 'prompt']) {
  test(`a repeated ${name} is refused with a page`, async () => {
    const url = authorizeUrl(server, authorization({ prompt: 'none' }).params);
    const value = name === 'prompt' ? 'none' : new URL(url).searchParams.get(name);
    assertPage(await new Surfer(server).go(`${url}&${name}=${encodeURIComponent(value)}`), 400, 'invalid_request');
  });
}

test('unknown parameters are ignored, even repeated', async () => {
  const url = authorizeUrl(server, authorization({ prompt: 'none' }).params);
  assertRefused(await new Surfer(server).go(`${url}&utm_source=a&utm_source=b&constructor=1`), 'login_required');
});

test('the request may come by POST', async () => {
  const surfer = new Surfer(server);
  await surfer.go(authorizeUrl(server, authorization().params)); // gives this browser its cookie
  const page = await surfer.go(server.url('authorize'), { form: authorization().params });
  assert.equal(page.status, 200);
  assert.ok('password' in page.form.fields);
});

test('a POST of another site, which comes without the cookie, enters again by a GET', async () => {
  const { params } = authorization();
  const answer = await new Surfer(server).send(server.url('authorize'), { form: params });
  assert.equal(answer.status, 303);
  assert.equal(answer.location.origin, new URL(server.issuer).origin);
  assert.equal(answer.location.searchParams.get('state'), params.state);
  assert.equal(answer.location.searchParams.get('client_id'), 'spa');
});

test('the login page cannot be framed, cached or scripted', async () => {
  const answer = await ask({});
  assert.equal(answer.status, 200);
  assert.match(answer.headers['cache-control'], /no-store/);
  assert.equal(answer.headers['x-content-type-options'], 'nosniff');
  assert.equal(answer.headers['referrer-policy'], 'no-referrer');
  const policy = answer.headers['content-security-policy'];
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.match(policy, /base-uri 'none'/);
  assert.doesNotMatch(policy, /unsafe/);
  assert.match(policy, /form-action 'self' https:\/\/app\.example\.test https:(;|$)/);
  assert.match(answer.text, /<input[^>]*name="username"[^>]*autocomplete="username"/);
  assert.match(answer.text, /<input[^>]*name="password"[^>]*autocomplete="current-password"/);
});

test('login_hint fills in the user name', async () => {
  const answer = await ask({ login_hint: 'bob' });
  assert.equal(answer.form.fields.username, 'bob');
});

test('OPTIONS and other methods', async () => {
  for (const method of ['PUT', 'DELETE', 'PATCH']) {
    const answer = await new Surfer(server).send(server.url('authorize'), { method });
    assert.equal(answer.status, 405, method);
    assert.match(answer.headers.allow, /GET/);
  }
});

test('nothing of all this left a row in the database', async () => {
  for (const table of ['oas_sessions', 'oas_grants', 'oas_codes', 'oas_subjects', 'oas_consents', 'oas_throttle']) {
    assert.equal(await server.count(table), 0, table);
  }
});
