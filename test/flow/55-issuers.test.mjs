// SPDX-License-Identifier: Apache-2.0
// Two issuers in one httpd, with the same client and the same user: nothing of one is any good at the other.
import test from 'node:test';
import assert from 'node:assert/strict';
import { startInstance } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { Surfer, textOf } from './lib/surfer.mjs';
import { authorization, authorizeUrl, callbackOf, client, decode, getCode, redeem, userinfo } from './lib/oauth.mjs';

const one = await startInstance({
  conf: client('spa') + client('own', { extra: ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'] }),
  args: ['--host', 'as1.localhost', '--also', 'as2.localhost'],
});
const two = Object.create(one, { issuer: { value: one.also } });
const user = { username: 'alice', password: 'correct horse' };
const hostOf = (server) => new URL(server.issuer).host;

test('each works by itself', async () => {
  for (const server of [one, two]) {
    const answer = await redeem(server, await getCode(server));
    assert.equal(answer.status, 200);
    assert.equal(decode(answer.json.id_token).claims.iss, server.issuer);
    assert.equal((await userinfo(server, answer.json.access_token)).status, 200);
  }
});

test('their keys differ', async () => {
  const kids = await Promise.all([one, two].map(async (server) => (await request(server.url('.well-known/jwks.json'))).json.keys.map(({ kid }) => kid)));
  assert.equal(new Set(kids.flat()).size, 8);
});

test('a code of one is no code at the other, and stays good', async () => {
  for (const [mine, theirs] of [[one, two], [two, one]]) {
    const got = await getCode(mine);
    const answer = await redeem(theirs, got);
    assert.equal(answer.status, 400);
    assert.equal(answer.json.error, 'invalid_grant');
    assert.equal((await redeem(mine, got)).status, 200);
  }
});

test('a token of one opens nothing at the other', async () => {
  for (const [mine, theirs] of [[one, two], [two, one]]) {
    const { json } = await redeem(mine, await getCode(mine));
    const answer = await userinfo(theirs, json.access_token);
    assert.equal(answer.status, 401);
    assert.equal(answer.json.error, 'invalid_token');
  }
});

test('a cookie of one signs nobody in at the other', async () => {
  for (const [mine, theirs] of [[one, two], [two, one]]) {
    const { surfer } = await getCode(mine, { client_id: 'own' });
    const cookies = surfer.jar.get(new URL(mine.issuer).origin);
    const [name, value] = [...cookies][0];
    const { params } = authorization({ client_id: 'own', prompt: 'none' });
    const asIs = await request(theirs.url('authorize', params), { headers: { cookie: `${name}=${value}` } });
    assert.equal(callbackOf(asIs).error, 'login_required');
    const fresh = new Surfer(theirs);
    await fresh.go(authorizeUrl(theirs, authorization().params));
    const [theirName] = [...fresh.jar.get(new URL(theirs.issuer).origin)][0];
    assert.notEqual(theirName, name);
    const renamed = await request(theirs.url('authorize', params), { headers: { cookie: `${theirName}=${value}` } });
    assert.equal(callbackOf(renamed).error, 'login_required');
  }
});

test('a form of one is refused by the other, even with the same cookie value', async () => {
  for (const [mine, theirs] of [[one, two], [two, one]]) {
    const surfer = new Surfer(mine);
    const page = await surfer.go(authorizeUrl(mine, authorization({ prompt: 'consent' }).params));
    const value = [...surfer.jar.get(new URL(mine.issuer).origin).values()][0];
    const other = new Surfer(theirs);
    await other.go(authorizeUrl(theirs, authorization().params));
    const theirCookies = other.jar.get(new URL(theirs.issuer).origin);
    theirCookies.set([...theirCookies.keys()][0], value);
    const answer = await other.go(theirs.url('authorize'), { form: { ...page.form.fields, ...user } });
    assert.equal(answer.status, 400, textOf(answer.text));
    const consent = await surfer.submit(page, user);
    assert.ok(consent.form.buttons.some(({ name }) => name === 'decision'));
    const allowed = await other.go(theirs.url('authorize'), { form: { ...consent.form.fields, decision: 'allow' } });
    assert.equal(allowed.status, 400);
    assert.ok(callbackOf(await surfer.submit(consent, { decision: 'allow' })).code);
  }
});

test('consent at one is none at the other', async () => {
  await getCode(one);
  await getCode(two, { client_id: 'own' });
  const before = Number((await one.sql('SELECT count(*) FROM also.oas_consents WHERE client_id = \'own\''))[0][0]);
  assert.equal(before, 0, 'skipped consent is not remembered as given');
  assert.ok((await one.count('oas_consents', "client_id = 'spa'")) >= 1);
});

test('the Host header chooses the virtual host, and nothing else', async () => {
  const crossed = await request(one.url('.well-known/openid-configuration'), { headers: { host: hostOf(two) } });
  assert.equal(crossed.json.issuer, two.issuer);
});
