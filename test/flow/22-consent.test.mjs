// SPDX-License-Identifier: Apache-2.0
// Consent: asked once, remembered, asked again for more, withdrawn, skipped only where it may be.
import test from 'node:test';
import assert from 'node:assert/strict';
import { startInstance } from './lib/instance.mjs';
import { Surfer, textOf, linkOf } from './lib/surfer.mjs';
import { authorization, authorizeUrl, callbackOf, client, getCode, redeem, userinfo } from './lib/oauth.mjs';

const custom = 'com.example.app:/callback';
const likeHost = 'com.example.app://bank.example.test/callback';
const logo = 'https://app.example.test/logo.png';
const server = await startInstance({
  conf:
    client('spa', { extra: ['OAuth2ASName "The <b>Shop</b>"', 'OAuth2ASPolicyURI https://app.example.test/privacy', `OAuth2ASLogoURI ${logo}`] }) +
    client('once') +
    client('first', { extra: ['OAuth2ASFirstParty on'] }) +
    client('third', { extra: ['OAuth2ASSkipConsent on'] }) +
    client('skipped', { extra: ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'] }) +
    client('inside', { extra: ['OAuth2ASFirstParty on', `OAuth2ASSkipConsent "-R '127.0.0.0/8' && req('X-Network') == 'inside'"`] }) +
    client('native', { type: 'native', uri: [custom, likeHost] }) +
    client('native-own', { type: 'native', uri: custom, extra: ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'] }),
});
const api = 'https://api.example.test/';
const isConsent = (page) => Boolean(page.form?.buttons.some(({ name, value }) => name === 'decision' && value === 'allow'));

async function signIn(overrides, user = {}) {
  const surfer = new Surfer(server);
  const page = await surfer.go(authorizeUrl(server, authorization(overrides).params));
  return { surfer, page: await surfer.submit(page, { username: 'alice', password: 'correct horse', ...user }) };
}

test('the page names application, account and each permission in words', async () => {
  const { page } = await signIn({ scope: 'openid email read:items', audience: api });
  assert.ok(isConsent(page));
  const text = textOf(page.text);
  assert.ok(text.includes('The <b>Shop</b>'), text);
  assert.doesNotMatch(page.text, /<b>Shop/);
  assert.match(text, /Alice Example/);
  assert.match(text, /Read your items/);
  assert.doesNotMatch(text, /Add and change items/);
  assert.match(text, /app\.example\.test/);
  assert.match(page.text, /href="https:\/\/app\.example\.test\/privacy"/);
  assert.match(page.headers['cache-control'], /no-store/);
});

test('the application\'s picture is on the page, and the policy lets it be shown', async () => {
  const { page } = await signIn({});
  assert.ok(page.text.includes(`<img src="${logo}" alt="">`), page.text);
  assert.match(page.headers['content-security-policy'], /img-src 'self' https:/);
  assert.doesNotMatch((await signIn({ client_id: 'once' })).page.text, /<img/);
});

/** The permissions on a page: their words, and whether they are marked. */
const permissionsOf = (page) =>
  [...page.text.match(/<ul class="permissions"[\s\S]*?<\/ul>/)[0].matchAll(/<li>([\s\S]*?)<\/li>/g)].map(([, item]) => textOf(item));

test('"Use another account" asks who somebody is, for the same request', async () => {
  const { surfer, page } = await signIn({ client_id: 'first', state: 'kept' });
  const login = await surfer.go(linkOf(page, 'Use another account'));
  assert.ok('password' in login.form.fields, textOf(login.text));
  assert.equal(login.form.fields.username, '', 'it is another one');
  assert.doesNotMatch(textOf(login.text), /Alice/);
  const other = await surfer.submit(login, { username: 'bob', password: 'battery staple' });
  assert.ok(isConsent(other));
  assert.match(textOf(other.text), /Bob Example/);
  assert.doesNotMatch(textOf(other.text), /Alice/);
  const back = callbackOf(await surfer.submit(other, { decision: 'allow' }));
  assert.equal(back.state, 'kept');
  assert.deepEqual(await server.sql("SELECT sub FROM oas_consents WHERE client_id = 'first'"), [['oauth2as|bob']]);
});

test('Deny goes back with access_denied and leaves no grant', async () => {
  const grants = await server.count('oas_grants');
  const { surfer, page } = await signIn({});
  const back = callbackOf(await surfer.submit(page, { decision: 'deny' }));
  assert.equal(back.error, 'access_denied');
  assert.equal(back.iss, server.issuer);
  assert.equal(await server.count('oas_grants'), grants);
  assert.equal(await server.count('oas_consents', "client_id = 'spa'"), 0);
});

test('a decision that is neither asks again', async () => {
  const { surfer, page } = await signIn({});
  assert.ok(isConsent(await surfer.submit(page, { decision: 'perhaps' })));
  assert.ok(isConsent(await surfer.submit(page, {})));
});

test('Allow is remembered, asked again when scopes widen, and then the sum is remembered', async () => {
  const small = { client_id: 'once', scope: 'openid' };
  const large = { client_id: 'once', scope: 'openid email profile' };
  const { surfer } = await getCode(server, small);
  assert.ok(callbackOf(await surfer.go(authorizeUrl(server, authorization(small).params))).code, 'not asked again');
  const silent = await surfer.go(authorizeUrl(server, authorization({ ...large, prompt: 'none' }).params));
  assert.equal(callbackOf(silent).error, 'consent_required');
  const wider = await surfer.go(authorizeUrl(server, authorization(large).params));
  assert.ok(isConsent(wider));
  assert.match(textOf(wider.text), /more than you allowed before/);
  assert.deepEqual(permissionsOf(wider).map((text) => text.endsWith(' New')), [false, true, true], permissionsOf(wider).join());
  assert.ok(callbackOf(await surfer.submit(wider, { decision: 'allow' })).code);
  for (const overrides of [small, large]) {
    assert.ok(callbackOf(await surfer.go(authorizeUrl(server, authorization(overrides).params))).code);
  }
});

test('a scope of an API is a permission of its own', async () => {
  const { surfer } = await getCode(server, { client_id: 'once', scope: 'openid read:items', audience: api });
  const more = await surfer.go(authorizeUrl(server, authorization({ client_id: 'once', scope: 'openid read:items write:items', audience: api }).params));
  assert.ok(isConsent(more));
});

test('consent belongs to one user', async () => {
  await getCode(server, { client_id: 'once' });
  const { page } = await signIn({ client_id: 'once' }, { username: 'bob', password: 'battery staple' });
  assert.ok(isConsent(page));
});

test('prompt=consent asks although it is remembered', async () => {
  const { surfer } = await getCode(server, { client_id: 'once' });
  assert.ok(isConsent(await surfer.go(authorizeUrl(server, authorization({ client_id: 'once', prompt: 'consent' }).params))));
});

test('withdrawn: asked again, and the old tokens are good for nothing', async () => {
  const got = await getCode(server, { client_id: 'once' });
  const { json } = await redeem(server, got);
  assert.equal((await userinfo(server, json.access_token)).status, 200);
  const page = await got.surfer.go(authorizeUrl(server, authorization({ client_id: 'once', prompt: 'consent' }).params));
  await server.sql("SELECT oas_consent_withdraw_1('oauth2as|alice', 'once', '')");
  assert.equal((await userinfo(server, json.access_token)).status, 401);
  const silent = await got.surfer.go(authorizeUrl(server, authorization({ client_id: 'once', prompt: 'none' }).params));
  assert.equal(callbackOf(silent).error, 'consent_required');
  const used = await got.surfer.submit(page, { decision: 'allow' });
  assert.ok(!used.location || !callbackOf(used).code, 'a form from before the withdrawal does not revive the consent');
});

test('only a first party that says so skips the page', async () => {
  assert.ok(isConsent((await signIn({ client_id: 'first' })).page));
  assert.ok(isConsent((await signIn({ client_id: 'third' })).page));
  assert.ok(callbackOf((await signIn({ client_id: 'skipped' })).page).code);
  assert.ok(isConsent((await signIn({ client_id: 'skipped', prompt: 'consent' })).page));
});

test('an expression decides whether the page is left out', async () => {
  const asked = async (network) => {
    const { surfer } = await signIn({ client_id: 'inside' });
    return surfer.go(authorizeUrl(server, authorization({ client_id: 'inside' }).params), { headers: { 'x-network': network } });
  };
  assert.ok(isConsent(await asked('outside')));
  assert.ok(callbackOf(await asked('inside')).code);
  assert.equal(await server.count('oas_consents', "client_id = 'inside'"), 0, 'left out is not allowed for good');
});

test('of a custom scheme the page shows the scheme, not what looks like a host in it', async () => {
  for (const redirect_uri of [custom, likeHost]) {
    const { page } = await signIn({ client_id: 'native', redirect_uri });
    assert.match(textOf(page.text).replace(/[\u2068\u2069]/g, ''), /You will be sent to com\.example\.app\./);
    assert.doesNotMatch(textOf(page.text), /bank/);
  }
});

test('a custom scheme never gets a code silently', async () => {
  for (const id of ['native', 'native-own']) {
    const overrides = { client_id: id, redirect_uri: custom };
    const { surfer } = await getCode(server, overrides);
    const again = await surfer.go(authorizeUrl(server, authorization(overrides).params));
    assert.ok(isConsent(again), `${id} is asked each time`);
    const silent = await surfer.go(authorizeUrl(server, authorization({ ...overrides, prompt: 'none' }).params));
    assert.equal(callbackOf(silent).error, 'consent_required', id);
  }
});
