// SPDX-License-Identifier: Apache-2.0
// Each value of prompt, and max_age: when a page is shown, which one, and what is answered without one.
import test from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import * as openid from 'openid-client';
import { startInstance } from './lib/instance.mjs';
import { fetchWith, request } from './lib/http.mjs';
import { Surfer, textOf } from './lib/surfer.mjs';
import { appUri, authorization, authorizeUrl, callbackOf, client, decode, getCode, redeem } from './lib/oauth.mjs';

const skip = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'];
const sections = client('own', { extra: skip }) + client('asks');
const server = await startInstance({ conf: sections });
const joining = await startInstance({ conf: 'OAuth2ASHelpLink signup https://people.example.test/join?from=sign-in#new\n' + sections });
const alice = { username: 'alice', password: 'correct horse' };
const bob = { username: 'bob', password: 'battery staple' };

const ask = (surfer, overrides) => surfer.go(authorizeUrl(surfer.instance, authorization({ client_id: 'own', ...overrides }).params));
const has = (page, name, value) => Boolean(page.form?.buttons.some((button) => button.name === name && button.value === value));
const isLogin = (page) => page.form !== null && 'password' in page.form.fields;
const isChoice = (page) => has(page, 'decision', 'continue') && has(page, 'decision', 'other');
const isConsent = (page) => has(page, 'decision', 'allow');

/** Tokens of a browser that signs in, and the claims of the ID token. */
async function signedIn(overrides = {}, options = {}) {
  const got = await getCode(server, { client_id: 'own', ...overrides }, options);
  const { json } = await redeem(server, got);
  return { ...got, ...json, claims: decode(json.id_token).claims };
}

async function subOf(answer, verifier) {
  const { json } = await redeem(server, { ...callbackOf(answer), verifier, params: { client_id: 'own', redirect_uri: appUri } });
  return decode(json.id_token).claims;
}

test('prompt=none: nobody is signed in, or somebody is', async () => {
  assert.equal(callbackOf(await ask(new Surfer(server), { prompt: 'none' })).error, 'login_required');
  const { surfer, claims } = await signedIn();
  const again = await signedIn({ prompt: 'none' }, { surfer });
  assert.equal(again.claims.sub, claims.sub);
  assert.equal(again.claims.auth_time, claims.auth_time);
  assert.equal(callbackOf(await ask(surfer, { client_id: 'asks', prompt: 'none' })).error, 'consent_required');
});

test('prompt=none goes with no other value', async () => {
  const { surfer } = await signedIn();
  for (const prompt of ['none login', 'consent none', 'none create', 'none select_account login']) {
    assert.equal(callbackOf(await ask(surfer, { prompt })).error, 'invalid_request', prompt);
  }
  assert.equal(callbackOf(await ask(surfer, { prompt: 'none select_account' })).error, 'account_selection_required');
  assert.equal(callbackOf(await ask(surfer, { prompt: 'LOGIN' })).error, 'invalid_request');
});

test('prompt=login shows the page again, and auth_time is later', async () => {
  const { surfer, claims } = await signedIn();
  await sleep(1100);
  const { params, verifier } = authorization({ client_id: 'own', prompt: 'login' });
  const page = await surfer.go(authorizeUrl(server, params));
  assert.ok(isLogin(page));
  const later = await subOf(await surfer.submit(page, alice), verifier);
  assert.equal(later.sub, claims.sub);
  assert.ok(later.auth_time > claims.auth_time);
});

test('prompt=consent asks again, and after prompt="login consent" both pages come', async () => {
  const { surfer } = await signedIn({ client_id: 'asks' });
  assert.ok(isConsent(await ask(surfer, { client_id: 'asks', prompt: 'consent' })));
  const page = await ask(surfer, { client_id: 'asks', prompt: 'login consent' });
  assert.ok(isLogin(page));
  const consent = await surfer.submit(page, alice);
  assert.ok(isConsent(consent));
  assert.ok(callbackOf(await surfer.submit(consent, { decision: 'allow' })).code);
});

test('prompt=select_account: go on as who is signed in', async () => {
  const { surfer, claims } = await signedIn();
  const { params, verifier } = authorization({ client_id: 'own', prompt: 'select_account' });
  const page = await surfer.go(authorizeUrl(server, params));
  assert.ok(isChoice(page), textOf(page.text));
  assert.match(textOf(page.text), /Alice Example/);
  assert.ok(isChoice(await surfer.submit(page, { decision: 'perhaps' })), 'what is no answer asks again');
  const same = await subOf(await surfer.submit(page, { decision: 'continue' }), verifier);
  assert.equal(same.sub, claims.sub);
  assert.equal(same.auth_time, claims.auth_time, 'nobody had to sign in');
});

test('prompt=select_account: another account', async () => {
  const { surfer } = await signedIn();
  const { params, verifier } = authorization({ client_id: 'own', prompt: 'select_account' });
  const page = await surfer.submit(await surfer.go(authorizeUrl(server, params)), { decision: 'other' });
  assert.ok(isLogin(page));
  assert.equal((await subOf(await surfer.submit(page, bob), verifier)).sub, 'oauth2as|bob');
});

test('prompt=select_account is answered by signing in, and goes on to consent', async () => {
  const surfer = new Surfer(server);
  const page = await ask(surfer, { client_id: 'asks', prompt: 'select_account' });
  assert.ok(isLogin(page), 'nobody is signed in: there is nothing to choose');
  const consent = await surfer.submit(page, bob);
  assert.ok(isConsent(consent));
  assert.ok(callbackOf(await surfer.submit(consent, { decision: 'allow' })).code);
  const choice = await ask(surfer, { client_id: 'asks', prompt: 'select_account consent' });
  assert.ok(isChoice(choice));
  assert.ok(isConsent(await surfer.submit(choice, { decision: 'continue' })));
});

test('the choice belongs to the session and the browser that were asked', async () => {
  const { surfer } = await signedIn();
  const page = await ask(surfer, { prompt: 'select_account' });
  const elsewhere = await signedIn({}, bob);
  const foreign = await elsewhere.surfer.submit(page, { decision: 'continue' });
  assert.equal(foreign.status, 400);
  const again = await ask(surfer, { prompt: 'login' });
  await surfer.submit(again, bob);
  assert.equal((await surfer.submit(page, { decision: 'continue' })).status, 400, 'somebody else has signed in meanwhile');
});

test('prompt=create leads to registration and, from there, back into this request', async () => {
  const got = await getCode(joining, { client_id: 'own' });
  const { surfer } = got;
  const id_token_hint = (await redeem(joining, got)).json.id_token;
  const { params } = authorization({ client_id: 'own', prompt: 'create consent', login_hint: 'alice', id_token_hint });
  const { location, status } = await surfer.go(authorizeUrl(joining, params));
  assert.equal(status, 302);
  assert.equal(location.origin + location.pathname + location.hash, 'https://people.example.test/join#new');
  assert.equal(location.searchParams.get('from'), 'sign-in');
  const back = new URL(location.searchParams.get('return_to'));
  assert.equal(back.origin + back.pathname, joining.url('authorize'));
  assert.equal(back.searchParams.get('prompt'), 'login select_account consent', 'whoever was signed in before is not meant');
  for (const name of ['login_hint', 'id_token_hint']) assert.equal(back.searchParams.get(name), null, name);
  assert.ok(!location.href.includes(id_token_hint.split('.')[1]), 'an ID token is nothing for another site');
  for (const name of ['state', 'nonce', 'code_challenge', 'scope', 'redirect_uri']) assert.equal(back.searchParams.get(name), params[name], name);
  const page = await surfer.go(back.href);
  assert.ok(isLogin(page));
  assert.equal(page.form.fields.username, '');
  assert.doesNotMatch(textOf(page.text), /Signed in as/);
  const answer = callbackOf(await surfer.through(page, bob));
  assert.equal(answer.state, params.state);
  assert.ok(answer.code);
});

test('screen_hint=signup does so where a login is needed', async () => {
  const surfer = new Surfer(joining);
  const first = await surfer.go(authorizeUrl(joining, authorization({ client_id: 'own', screen_hint: 'signup' }).params));
  assert.equal(first.location.host, 'people.example.test');
  assert.equal(new URL(first.location.searchParams.get('return_to')).searchParams.get('screen_hint'), null);
  const back = await surfer.through(first.location.searchParams.get('return_to'), alice);
  assert.ok(callbackOf(back).code);
  for (const prompt of [undefined, 'none']) {
    const answer = await surfer.go(authorizeUrl(joining, authorization({ client_id: 'own', screen_hint: 'signup', prompt }).params));
    assert.ok(callbackOf(answer).code, 'signed in already');
  }
  assert.ok(isLogin(await new Surfer(joining).go(authorizeUrl(joining, authorization({ client_id: 'own', screen_hint: 'login' }).params))));
});

test('prompt=create without a page for registration is a login', async () => {
  const { surfer } = await signedIn();
  const page = await ask(surfer, { prompt: 'create' });
  assert.ok(isLogin(page));
  assert.ok(callbackOf(await surfer.submit(page, bob)).code);
});

test('max_age: no page while the login is young enough, one when it is not', async () => {
  const { surfer, claims } = await signedIn();
  const young = await signedIn({ max_age: '10000' }, { surfer });
  assert.equal(young.claims.auth_time, claims.auth_time);
  await sleep(1100);
  assert.equal(callbackOf(await ask(surfer, { max_age: '1', prompt: 'none' })).error, 'login_required');
  const { params, verifier } = authorization({ client_id: 'own', max_age: '1' });
  const page = await surfer.go(authorizeUrl(server, params));
  assert.ok(isLogin(page));
  const old = await subOf(await surfer.submit(page, alice), verifier);
  assert.ok(old.auth_time > claims.auth_time);
  for (const max_age of ['-1', '1.5', 'x', '9999999999x']) assert.equal(callbackOf(await ask(surfer, { max_age })).error, 'invalid_request', max_age);
});

test('max_age of any size says that auth_time is wanted, at whatever age', async () => {
  const { surfer, claims } = await signedIn();
  for (const max_age of ['2147483647', '9999999999', '9'.repeat(40)]) {
    assert.equal((await signedIn({ max_age }, { surfer })).claims.auth_time, claims.auth_time, max_age);
  }
});

test('whoever has to sign in again finds the user name there, and types the password', async () => {
  const { surfer } = await signedIn();
  const typed = (page) => page.form.fields.username;
  for (const wish of [{ prompt: 'login' }, { max_age: '0' }, { id_token_hint: 'nobody' }]) {
    const page = await ask(surfer, wish);
    assert.match(textOf(page.text), /Please sign in again/);
    assert.equal(typed(page), 'alice', JSON.stringify(wish));
    assert.match(page.text, /<input id="password"[^>]* autofocus/);
    assert.doesNotMatch(page.text, /<input id="username"[^>]* autofocus/);
  }
  assert.equal(typed(await ask(surfer, { prompt: 'login', login_hint: 'bob' })), 'bob', 'the application knows better');
  for (const prompt of ['login select_account', 'create']) assert.equal(typed(await ask(surfer, { prompt })), '', prompt);
  const other = await surfer.submit(await ask(surfer, { prompt: 'select_account' }), { decision: 'other' });
  assert.ok(isLogin(other));
  assert.equal(typed(other), '');
});

test('a name that the browser has not signed in by is not offered: directories may know people by one that nobody types', async () => {
  const { surfer } = await signedIn();
  const cookies = surfer.jar.get(new URL(server.issuer).origin);
  for (const name of [...cookies.keys()].filter((one) => one.endsWith('-known'))) cookies.delete(name);
  const page = await ask(surfer, { prompt: 'login' });
  assert.match(textOf(page.text), /Please sign in again/);
  assert.equal(page.form.fields.username, '');
});

test('max_age=0 is a login each time, and prompt=select_account does not replace it', async () => {
  const { surfer } = await signedIn();
  assert.ok(isLogin(await ask(surfer, { max_age: '0' })));
  const page = await ask(surfer, { max_age: '0', prompt: 'select_account' });
  assert.ok(isLogin(page));
  assert.ok(callbackOf(await surfer.submit(page, alice)).code);
});

test('openid-client checks what max_age and prompt=login promise', async () => {
  const config = await openid.discovery(new URL(server.issuer), 'own', undefined, openid.None(), {
    execute: [openid.allowInsecureRequests],
    [openid.customFetch]: fetchWith(),
  });
  const surfer = new Surfer(server);
  let last = 0;
  for (const wish of [{ max_age: '3600' }, { max_age: '3600', prompt: 'none' }, { prompt: 'login', max_age: '0' }]) {
    const verifier = openid.randomPKCECodeVerifier();
    const nonce = openid.randomNonce();
    const url = openid.buildAuthorizationUrl(config, {
      redirect_uri: appUri,
      scope: 'openid',
      nonce,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...wish,
    });
    const answer = await surfer.through(url.href);
    const tokens = await openid.authorizationCodeGrant(config, answer.location, {
      pkceCodeVerifier: verifier,
      expectedNonce: nonce,
      maxAge: Number(wish.max_age) || 60,
      idTokenExpected: true,
    });
    const { auth_time: time } = tokens.claims();
    assert.ok(time >= last);
    last = time;
  }
});

test('the metadata names the values', async () => {
  const { json } = await request(server.url('.well-known/openid-configuration'));
  assert.deepEqual(json.prompt_values_supported, ['none', 'login', 'consent', 'select_account', 'create']);
});
