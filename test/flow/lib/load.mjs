// SPDX-License-Identifier: Apache-2.0
// Requests of every kind over and over, for tests of what httpd keeps.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { request } from './http.mjs';
import { Surfer } from './surfer.mjs';
import { authorization, authorizeUrl, basic, callbackOf, client, getCode, introspect, redeem, revoke, secretOf, token, userinfo } from './oauth.mjs';

const own = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'];
const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'];

/** For the virtual host: what the rounds need. */
export const loadConf =
  client('spa', { extra: own }) +
  client('asks') +
  client('web', { type: 'web', extra: [...own, 'OAuth2ASRefreshReuseWindow 60s'] }) + // longer than a slow round
  client('worker', { type: 'machine', uri: [] }) +
  // told at an address where nobody listens, so that it is tried again and again
  client('leaver', { extra: [...own, 'OAuth2ASPostLogoutRedirectURI https://app.example.test/out', 'OAuth2ASBackchannelLogoutURI http://127.0.0.1:9/', 'OAuth2ASFrontchannelLogoutURI https://app.example.test/front'] }) +
  'OAuth2ASOutboundAllow 127.0.0.1\n' +
  algorithms.map((alg) => client(alg, { extra: [...own, `OAuth2ASIDTokenAlg ${alg}`] })).join('') +
  'OAuth2ASThrottle pair=1000000 account=1000000 address=1000000\n';

/** One sign-in by the session of `surfer`, one redemption, one userinfo, and one of each that fails: seven requests. */
export async function sessionRound(server, surfer) {
  const { verifier, params } = authorization();
  const back = callbackOf(await surfer.go(authorizeUrl(server, params)));
  const got = { ...back, verifier, params };
  const { json, status } = await redeem(server, got);
  assert.equal(status, 200);
  assert.equal((await userinfo(server, json.access_token)).status, 200);
  assert.equal((await redeem(server, { ...got, code: 'x' })).status, 400);
  assert.equal((await userinfo(server, 'x')).status, 401);
  assert.equal((await surfer.go(authorizeUrl(server, { ...params, client_id: 'nobody' }))).status, 400);
  await surfer.go(authorizeUrl(server, { ...params, prompt: 'login' }));
}

/** Login and consent with their mistakes, every algorithm, a replay, the documents, and malformed requests. */
export async function wideRound(server) {
  const surfer = new Surfer(server);
  const page = await surfer.go(authorizeUrl(server, authorization({ client_id: 'asks', prompt: 'consent' }).params));
  const again = await surfer.submit(page, { username: 'alice', password: 'wrong' });
  assert.ok('password' in again.form.fields);
  assert.equal(callbackOf(await surfer.through(again, { decision: 'deny' })).error, 'access_denied');
  const audience = 'https://api.example.test/';
  const got = await getCode(server, { client_id: 'asks', audience, scope: 'openid profile read:items', response_mode: 'fragment' });
  const first = await redeem(server, got);
  assert.equal(first.status, 200);
  assert.equal((await redeem(server, got)).status, 400, 'a replay');
  assert.equal((await userinfo(server, first.json.access_token)).status, 401, 'revoked by it');
  for (const client_id of algorithms) {
    const signed = await redeem(server, await getCode(server, { client_id }, { surfer }));
    assert.equal((await userinfo(server, signed.json.access_token)).status, 200);
  }
  const form = await surfer.go(authorizeUrl(server, authorization({ response_mode: 'form_post' }).params));
  assert.match(form.text, /name="code"/);
  assert.equal((await token(server, { grant_type: 'authorization_code' }, { authorization: 'Basic d2ViOndyb25n' })).status, 401);
  for (const where of ['.well-known/openid-configuration', '.well-known/oauth-authorization-server', '.well-known/jwks.json']) {
    assert.equal((await request(server.url(where))).status, 200);
  }
  for (const where of ['authorize', 'authorize?client_id=%', 'authorize?client_id=spa&client_id=spa', 'authorize?client_id=%ff']) {
    assert.equal((await request(server.url() + where)).status, 400);
  }
  assert.equal((await request(server.url('oauth/token'), { body: '{', headers: { 'content-type': 'application/json' } })).status, 415);
  assert.equal((await request(server.url('oauth/token'), { method: 'OPTIONS', headers: { origin: 'https://app.example.test' } })).status, 204);
}

/** A family of refresh tokens, a client's own token, what introspection says of them, and how they end. */
export async function familyRound(server) {
  const as = (id) => ({ authorization: basic(id, secretOf(id)) });
  const about = async (text, id = 'web') => (await introspect(server, { token: text }, as(id))).json.active;
  const refresh = (refresh_token) => token(server, { grant_type: 'refresh_token', refresh_token }, as('web'));
  const begin = async () => (await redeem(server, await getCode(server, { client_id: 'web', scope: 'openid offline_access' }), { client_id: undefined }, as('web'))).json;
  const first = await begin();
  const second = (await refresh(first.refresh_token)).json;
  assert.equal((await refresh(first.refresh_token)).json.refresh_token, second.refresh_token, 'inside the reuse window');
  const third = (await refresh(second.refresh_token)).json;
  for (const text of [third.refresh_token, third.access_token]) assert.equal(await about(text), true);
  assert.equal((await refresh(first.refresh_token)).status, 400, 'reuse');
  for (const text of [third.refresh_token, third.access_token, 'x', 'A'.repeat(64)]) assert.equal(await about(text), false);
  for (const kind of ['refresh_token', 'access_token']) {
    const held = await begin();
    assert.equal((await revoke(server, { token: held[kind] }, as('web'))).status, 200);
    assert.equal((await refresh(held.refresh_token)).status, 400);
  }
  const own = (await token(server, { grant_type: 'client_credentials', audience: 'https://api.example.test/' }, as('worker'))).json.access_token;
  assert.equal(await about(own, 'worker'), true);
  for (const text of [own, own, 'x']) assert.equal((await revoke(server, { token: text }, as('worker'))).status, 200);
  assert.equal(await about(own, 'worker'), false);
}

/** Signing out, with all that can be wrong with it; whom it concerns is told by both channels. */
export async function logoutRound(server) {
  const got = await getCode(server, { client_id: 'leaver' });
  const { json } = await redeem(server, got);
  const ask = (params) => got.surfer.send(server.url('oidc/logout', params));
  const post_logout_redirect_uri = 'https://app.example.test/out';
  assert.equal((await ask({ id_token_hint: json.id_token, post_logout_redirect_uri: 'https://evil.example/' })).status, 400);
  assert.equal((await ask({ client_id: 'nobody' })).status, 400);
  assert.match((await ask({ id_token_hint: `${json.id_token}x`, post_logout_redirect_uri })).text, /name="confirm"/);
  const page = await ask({ client_id: 'leaver', post_logout_redirect_uri, state: 's' });
  assert.equal((await got.surfer.submit(page, { confirm: 'no' })).status, 200);
  assert.match((await got.surfer.submit(page, { confirm: 'yes' })).text, /<iframe/);
  assert.equal((await ask({ id_token_hint: json.id_token, post_logout_redirect_uri })).status, 302);
}

/** The rounds of one turn: six by a session that is there, one of each other kind, among them seven sign-ins with a password. */
const turn = ['session', 'wide', 'session', 'session', 'family', 'session', 'session', 'logout', 'session'];

/** Every call of what is returned makes the next round of the turn; `turn` of them are one, of `requests` requests. */
export function allRounds(server, surfer) {
  const kinds = { session: () => sessionRound(server, surfer), wide: () => wideRound(server), family: () => familyRound(server), logout: () => logoutRound(server) };
  let next = 0;
  return Object.assign(() => kinds[turn[next++ % turn.length]](), { turn: turn.length, requests: 114 });
}

/** `count` rounds, four at a time. */
export async function rounds(count, round) {
  for (let done = 0; done < count; done += 4) await Promise.all(Array.from({ length: Math.min(4, count - done) }, round));
}

/**
 * Rounds one after the other, by four workers, until the returned function is called.
 * @returns a function that ends it and tells how many were good, and how each bad one failed
 */
export function keepRunning(t, round, workers = 4) {
  const seen = { good: 0, bad: [] };
  let running = true;
  t.after(() => (running = false));
  const work = Array.from({ length: workers }, async () => {
    while (running) {
      await round().then(
        () => seen.good++,
        (error) => seen.bad.push(error.stack),
      );
    }
  });
  return async () => {
    running = false;
    await Promise.all(work);
    return seen;
  };
}

/** Kilobytes that these processes have to themselves. */
export function memoryOf(pids) {
  return pids
    .map((pid) => fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))
    .reduce((sum, text) => sum + Number(/Private_Dirty: +(\d+)/.exec(text)[1]), 0);
}
