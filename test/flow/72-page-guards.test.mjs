// SPDX-License-Identifier: Apache-2.0
// Every page there is, and every error page: no frame around it, no script but its own, nothing stored, nothing told to
// where it leads; and cookies that nobody else gets.
import test from 'node:test';
import assert from 'node:assert/strict';
import { assertCookies, assertGuarded, assertQuiet, policyOf } from './lib/guards.mjs';
import { startInstance, until } from './lib/instance.mjs';
import { afterUri, own } from './lib/logout.mjs';
import { appUri, authorization, authorizeUrl, callbackOf, client, getCode } from './lib/oauth.mjs';
import { pageNames } from './lib/pages.mjs';
import { Surfer } from './lib/surfer.mjs';

const app = 'https://app.example.test';
const server = await startInstance({
  args: ['--tls', '--module', 'authn_anon'],
  conf:
    'OAuth2ASProfile auth0\nOAuth2ASKeepSignedIn on\nOAuth2ASHelpLink help https://help.example.test/\nOAuth2ASThrottle pair=3 account=50 address=1000 max=15min\n' +
    'OAuth2ASLoginOption any "Anybody" /login/any reauth=can\n' +
    '<Location "/login/any">\nSetHandler oauth2as-login\nAuthType Basic\nAuthName any\nAuthBasicProvider anon\nAnonymous *\nAnonymous_MustGiveEmail off\nAnonymous_VerifyEmail off\nRequire valid-user\n</Location>\n' +
    client('spa', { extra: [...own, `OAuth2ASPostLogoutRedirectURI ${afterUri}`, `OAuth2ASClientURI ${app}/`] }) +
    client('asks') +
    client('framed', { extra: [...own, `OAuth2ASFrontchannelLogoutURI ${app}/frame`, `OAuth2ASPostLogoutRedirectURI ${afterUri}`] }),
});
const open = (surfer, overrides) => surfer.go(authorizeUrl(server, authorization({ client_id: 'spa', ...overrides }).params));

/** A browser that is signed in, by a client of its own. */
async function signedIn(client_id = 'spa') {
  const { surfer } = await getCode(server, { client_id });
  return surfer;
}

const users = { bob: 'battery staple' };
// ways to each page; the value is the answer, or the answer and who may frame it
const ways = {
  login: [() => open(new Surfer(server)), async () => {
    const surfer = new Surfer(server);
    return surfer.submit(await open(surfer), { username: 'alice', password: 'wrong' });
  }, async () => open(await signedIn(), { prompt: 'login' }), () => new Surfer(server).go(server.url('account'))],
  select_account: [async () => open(await signedIn(), { prompt: 'select_account' })],
  consent: [async () => open(await signedIn(), { client_id: 'asks' })],
  account: [async () => (await signedIn()).go(server.url('account')), async () => {
    const surfer = await signedIn();
    const page = await surfer.go(server.url('account'));
    return surfer.submit(page, { password: 'change', current_password: 'wrong', new_password: 'long enough', new_password_again: 'long enough' });
  }],
  logout: [async () => (await signedIn()).go(server.url('oidc/logout')), async () => (await signedIn()).go(server.url('oidc/logout', { client_id: 'spa', post_logout_redirect_uri: afterUri }))],
  logged_out: [() => new Surfer(server).go(server.url('oidc/logout')), () => new Surfer(server).go(server.url('v2/logout')), async () => {
    const surfer = await signedIn();
    return surfer.submit(await surfer.go(server.url('oidc/logout')), { confirm: 'no' });
  }],
  logout_frontchannel: [async () => (await signedIn('framed')).go(server.url('v2/logout', { client_id: 'framed' }))],
  form_post: [() => open(new Surfer(server), { prompt: 'none', response_mode: 'form_post' }), async () => open(await signedIn(), { response_mode: 'form_post' })],
  web_message: [async () => [await open(new Surfer(server), { prompt: 'none', response_mode: 'web_message' }), app], async () => [await open(await signedIn(), { prompt: 'none', response_mode: 'web_message' }), app]],
  error: [
    () => new Surfer(server).go(server.url('authorize')),
    () => open(new Surfer(server), { client_id: 'nobody' }),
    () => open(new Surfer(server), { redirect_uri: 'https://evil.example/' }),
    () => open(new Surfer(server), { state: 'x'.repeat(4000), redirect_uri: undefined }),
    () => new Surfer(server).send(server.url('authorize'), { method: 'DELETE' }),
    () => new Surfer(server).send(server.url('authorize'), { body: 'x'.repeat(200_000), headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
    () => new Surfer(server).send(server.url('authorize'), { body: '{}', headers: { 'content-type': 'application/json' } }),
    () => new Surfer(server).go(server.url('account'), { method: 'PUT' }),
    () => new Surfer(server).go(server.url('account'), { form: { step: 'confirm', interaction: 'x' } }),
    () => new Surfer(server).go(server.url('oidc/logout', { client_id: 'nobody' })),
    () => new Surfer(server).go(`${server.url('oidc/logout')}?x=%zz`),
    () => new Surfer(server).go(server.url('v2/logout', { returnTo: 'https://evil.example/' })),
    () => new Surfer(server).go(server.url('v2/logout'), { method: 'POST' }),
    () => new Surfer(server).go(server.url('login/any'), { headers: { authorization: 'Basic eDp4' } }),
    () => new Surfer(server).go(server.url('login/any', { interaction: 'x' }), { headers: { authorization: 'Basic eDp4' } }),
    async () => {
      const surfer = new Surfer(server);
      let page = await open(surfer);
      for (let i = 0; i < 8 && page.status === 200; i++) page = await surfer.submit(page.form ? page : await open(surfer), { username: 'nobody-here', password: `${i}` });
      assert.equal(page.status, 429);
      return page;
    },
  ],
};

test('there is a way to each page', () => assert.deepEqual(pageNames().filter((name) => !ways[name]?.length), []));

for (const [name, reaches] of Object.entries(ways)) {
  reaches.forEach((reach, i) =>
    test(`${name}, ${i + 1}: guarded`, async () => {
      const [answer, framedBy] = [await reach()].flat();
      assertGuarded(answer, framedBy);
      assertCookies(answer);
    }),
  );
}

test('a page frames what the clients registered, and posts to where its answer goes', async () => {
  const frames = policyOf(await ways.logout_frontchannel[0]());
  assert.deepEqual(frames['frame-src'], [app]);
  for (const name of ['login', 'consent', 'account', 'logout', 'error']) assert.deepEqual(policyOf(await ways[name][0]())['frame-src'], ["'none'"]);
  for (const name of ['account', 'logged_out', 'error']) assert.deepEqual(policyOf(await ways[name][0]())['form-action'], ["'self'"], name);
});

test('redirects are not stored, and do not tell where from', async () => {
  const surfer = new Surfer(server);
  const page = await open(surfer, { client_id: 'asks' });
  const toConsent = await surfer.send(page.form.action, { form: { ...page.form.fields, username: 'bob', password: users.bob } });
  const consent = await surfer.go(toConsent.location.href);
  const answers = [
    toConsent,
    await surfer.submit(consent, { decision: 'allow' }),
    await surfer.send(authorizeUrl(server, authorization({ client_id: 'spa', prompt: 'none' }).params)),
    await surfer.send(server.url('v2/logout', { client_id: 'spa' })),
    await new Surfer(server).send(server.url('oidc/logout'), { form: { client_id: 'spa', post_logout_redirect_uri: afterUri } }),
  ];
  for (const answer of answers) {
    assert.ok(answer.location, answer.text);
    assertQuiet(answer);
    assertCookies(answer);
  }
  assert.ok(toConsent.cookies.length >= 2, 'the session, and that the browser is known');
});

test('an external login is guarded from end to end', async () => {
  const surfer = new Surfer(server);
  const chosen = await surfer.send(server.url('authorize'), { form: { ...(await open(surfer)).form.fields, option: 'any' } });
  assertQuiet(chosen);
  const back = await surfer.send(chosen.location.href, { headers: { authorization: 'Basic eDp4' } });
  assert.equal(back.location.origin, new URL(server.issuer).origin);
  assertQuiet(back);
  assertCookies(back);
  assert.equal(callbackOf(await surfer.go(back.location.href)).state !== undefined, true);
});

test('the database away: the page is guarded all the same', async () => {
  server.announce(/OAS00[0-4]\d\d|OAS005\d\d|AH006(?:29|3\d)|dbd/i, { maybe: true });
  const surfer = await signedIn();
  await server.postgres('stop', 'fast');
  try {
    for (const where of ['account', 'oidc/logout']) {
      const answer = await surfer.go(server.url(where));
      assert.equal(answer.status, 503, answer.text);
      assertGuarded(answer);
      assert.ok(answer.headers['retry-after']);
    }
  } finally {
    await server.postgres('start');
  }
  const account = async () => (await surfer.clone().go(server.url('account'))).status;
  await until('each process has it back', async () => (await Promise.all(Array.from({ length: 24 }, account))).every((status) => status === 200));
});
