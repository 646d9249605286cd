// SPDX-License-Identifier: Apache-2.0
// Signing out because an application asks for it: OpenID Connect RP-Initiated Logout, and /v2/logout of profile auth0.
import test from 'node:test';
import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { startInstance } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { client, decode, userinfo } from './lib/oauth.mjs';
import { textOf, Surfer } from './lib/surfer.mjs';
import { afterUri, isSignedIn, own, signedIn } from './lib/logout.mjs';

const uris = [`OAuth2ASPostLogoutRedirectURI ${afterUri} https://app.example.test/second?a=b`];
const conf =
  client('spa', { extra: [...own, ...uris, 'OAuth2ASClientURI https://app.example.test/'] }) +
  client('other', { extra: [...own, 'OAuth2ASPostLogoutRedirectURI https://other.example.test/out'] }) +
  client('none', { extra: own }) +
  client('native', { type: 'native', uri: 'com.example.app:/callback', extra: [...own, 'OAuth2ASPostLogoutRedirectURI com.example.app:/out http://127.0.0.1/out'] });
const server = await startInstance({ conf: `${conf}OAuth2ASLifetime id-token 1s\n` });
const auth0 = await startInstance({ conf: `OAuth2ASProfile auth0\n${conf}` });

const logoutUrl = (params, instance = server) => instance.url('oidc/logout', params);
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const sidOf = (token) => decode(token).claims.sid;

function assertPage(answer, status, words) {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers['content-type'], /^text\/html/);
  assert.equal(answer.location, null);
  assert.match(textOf(answer.text), words);
}
const asks = (answer) => assertPage(answer, 200, /Do you want to sign out\?/);
const says = (answer) => assertPage(answer, 200, /You are signed out/);

test('the metadata names it', async () => {
  const { json } = await request(server.url('.well-known/openid-configuration'));
  assert.equal(json.end_session_endpoint, server.url('oidc/logout'));
  for (const name of ['backchannel_logout', 'backchannel_logout_session', 'frontchannel_logout', 'frontchannel_logout_session']) assert.equal(json[`${name}_supported`], true, name);
});

for (const method of ['GET', 'POST']) {
  test(`a hint, a registered address and a state, by ${method}: out, and back with exactly that state`, async () => {
    const { surfer, id_token, access_token } = await signedIn(server);
    const state = 'a b&c=ä+%2F"<>'.padEnd(128, 'x');
    const params = { id_token_hint: id_token, post_logout_redirect_uri: afterUri, state };
    const answer = method === 'GET' ? await surfer.send(logoutUrl(params)) : await surfer.send(logoutUrl(), { form: params });
    assert.equal(answer.status, method === 'GET' ? 302 : 303);
    assert.equal(answer.location.origin + answer.location.pathname, afterUri);
    assert.deepEqual([...answer.location.searchParams], [['state', state]]);
    assert.match(answer.headers['cache-control'], /no-store/);
    assert.equal(await isSignedIn(server, surfer), false);
    assert.equal((await userinfo(server, access_token)).status, 401, 'its grant without refresh token has ended');
  });
}

test('no state is invented, and a query that is registered stays', async () => {
  for (const uri of [afterUri, 'https://app.example.test/second?a=b']) {
    const { surfer, id_token } = await signedIn(server);
    const answer = await surfer.send(logoutUrl({ id_token_hint: id_token, post_logout_redirect_uri: uri, client_id: 'spa' }));
    assert.equal(answer.location.href, uri);
  }
  const { surfer, id_token } = await signedIn(server);
  const answer = await surfer.send(logoutUrl({ id_token_hint: id_token, post_logout_redirect_uri: 'https://app.example.test/second?a=b', state: 's' }));
  assert.equal(answer.location.href, 'https://app.example.test/second?a=b&state=s');
});

test('the cookie has no session any more, and another tab of the browser is none the worse', async () => {
  const { surfer, id_token } = await signedIn(server);
  const form = await surfer.clone().go(server.url('authorize', { client_id: 'spa', redirect_uri: 'https://app.example.test/callback', response_type: 'code', scope: 'openid', prompt: 'login', code_challenge: 'c'.repeat(43), code_challenge_method: 'S256' }));
  const stolen = surfer.clone();
  const answer = await surfer.send(logoutUrl({ id_token_hint: id_token, post_logout_redirect_uri: afterUri }));
  assert.equal(answer.cookies.length, 1);
  assert.match(answer.cookies[0], /^oas-[0-9a-f]{16}=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax$/);
  assert.equal(await isSignedIn(server, stolen), false, 'the old cookie is worth nothing');
  const back = await surfer.submit(form, { username: 'alice', password: 'correct horse' });
  assert.ok(back.location.searchParams.has('code'));
});

test('a hint and nowhere to go: a page says so', async () => {
  const { surfer, id_token } = await signedIn(server);
  says(await surfer.send(logoutUrl({ id_token_hint: id_token, state: 's' })));
  assert.equal(await isSignedIn(server, surfer), false);
});

test('an expired hint counts', async () => {
  const { surfer, id_token } = await signedIn(server);
  await new Promise((resolve) => setTimeout(resolve, 2100));
  assert.ok(decode(id_token).claims.exp < Date.now() / 1000);
  const answer = await surfer.send(logoutUrl({ id_token_hint: id_token, post_logout_redirect_uri: afterUri }));
  assert.equal(answer.location.href, afterUri);
});

test('nobody is signed in: the browser goes back all the same', async () => {
  const { surfer, id_token } = await signedIn(server);
  const params = { id_token_hint: id_token, post_logout_redirect_uri: afterUri, state: 's' };
  for (let i = 0; i < 2; i++) assert.equal((await surfer.send(logoutUrl(params))).location.href, `${afterUri}?state=s`);
  assert.equal((await request(logoutUrl(params))).location.href, `${afterUri}?state=s`);
  assert.equal((await request(logoutUrl({ client_id: 'spa', post_logout_redirect_uri: afterUri }))).location.href, afterUri);
  says(await request(logoutUrl()));
  says(await request(logoutUrl({ post_logout_redirect_uri: afterUri })));
});

test('an address that is not registered, to the letter: a page, no redirect, and still signed in', async () => {
  const { surfer, id_token } = await signedIn(server);
  const wrong = [`${afterUri}/`, `${afterUri}?x=y`, `${afterUri}#f`, 'https://app.example.test/callback', 'https://APP.example.test/signed-out', 'http://app.example.test/signed-out',
    'https://app.example.test/second', 'https://app.example.test/second?a=b&c=d', 'https://app.example.test/second?a=B', 'https://other.example.test/out', 'https://app.example.test/x/../signed-out',
    'https://app.example.test\\@evil.example/', 'javascript:alert(1)', '//evil.example/', '/relative', 'https://evil.example/', `${afterUri}\t`, ` ${afterUri}`, 'https://app.example.test:443/signed-out'];
  for (const uri of wrong) {
    const answer = await surfer.send(logoutUrl({ id_token_hint: id_token, post_logout_redirect_uri: uri, state: 's' }));
    assertPage(answer, 400, /sign-out link does not work.*not registered/);
    assert.ok(!answer.text.includes('evil.example'));
  }
  assert.equal(await isSignedIn(server, surfer), true);
});

test('a hint that is none of ours never leads anywhere: the page asks, and says so afterwards', async () => {
  const { surfer, id_token } = await signedIn(server);
  const [header, payload, signature] = id_token.split('.');
  const claims = decode(id_token).claims;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const foreign = `${header}.${payload}`;
  const bad = {
    'alg none': `${part({ alg: 'none', typ: 'JWT' })}.${payload}.`,
    'alg none, kid of ours': `${part({ ...decode(id_token).header, alg: 'none' })}.${payload}.`,
    'no signature': `${header}.${payload}.`,
    'foreign signature': `${foreign}.${sign('sha256', Buffer.from(foreign), privateKey).toString('base64url')}`,
    'HMAC': `${part({ alg: 'HS256', typ: 'JWT' })}.${payload}.${createHmac('sha256', 'x').update(`${part({ alg: 'HS256', typ: 'JWT' })}.${payload}`).digest('base64url')}`,
    'another payload': `${header}.${part({ ...claims, aud: 'other' })}.${signature}`,
    'no JWT': 'x',
    'access token': (await signedIn(server, 'spa', { surfer })).access_token,
    'another issuer': (await signedIn(auth0)).id_token,
  };
  for (const [what, hint] of Object.entries(bad)) {
    for (const client_id of [undefined, 'spa']) {
      const page = await surfer.send(logoutUrl({ id_token_hint: hint, post_logout_redirect_uri: afterUri, state: 's', client_id }));
      asks(page);
      assert.ok(!page.text.includes('signed-out'), what);
    }
  }
  const page = await surfer.send(logoutUrl({ id_token_hint: bad['alg none'], client_id: 'spa', post_logout_redirect_uri: afterUri, state: 's' }));
  says(await surfer.submit(page, { confirm: 'yes' }));
  assert.equal(await isSignedIn(server, surfer), false);
  says(await surfer.send(logoutUrl({ id_token_hint: bad['foreign signature'], client_id: 'spa', post_logout_redirect_uri: afterUri })));
});

test('without a hint the page asks; whoever says yes is signed out and taken back', async () => {
  for (const params of [{}, { state: 's' }, { post_logout_redirect_uri: afterUri }, { post_logout_redirect_uri: 'https://evil.example/' }, { ui_locales: 'xx', logout_hint: 'alice' }]) {
    const { surfer } = await signedIn(server);
    const page = await surfer.send(logoutUrl(params));
    asks(page);
    assert.match(textOf(page.text), /Alice Example/);
    says(await surfer.submit(page, { confirm: 'yes' }));
    assert.equal(await isSignedIn(server, surfer), false);
  }
  const { surfer } = await signedIn(server);
  const page = await surfer.send(logoutUrl({ client_id: 'spa', post_logout_redirect_uri: afterUri, state: 's' }));
  asks(page);
  const answer = await surfer.submit(page, { confirm: 'yes' });
  assert.equal(answer.status, 303);
  assert.equal(answer.location.href, `${afterUri}?state=s`);
  assert.equal(await isSignedIn(server, surfer), false);
});

test('whoever says no, or nothing, stays signed in', async () => {
  const { surfer } = await signedIn(server);
  for (const fields of [{ confirm: 'no' }, {}, { confirm: 'YES' }]) {
    const page = await surfer.send(logoutUrl({ post_logout_redirect_uri: afterUri, client_id: 'spa' }));
    assertPage(await surfer.submit(page, fields), 200, /You are still signed in/);
  }
  assert.equal(await isSignedIn(server, surfer), true);
});

test('a hint of another session, or of another user: the page asks', async () => {
  const bob = await signedIn(server, 'spa', { username: 'bob', password: 'battery staple' });
  const elsewhere = await signedIn(server);
  const { surfer } = await signedIn(server);
  for (const { id_token } of [bob, elsewhere]) {
    const page = await surfer.send(logoutUrl({ id_token_hint: id_token, post_logout_redirect_uri: afterUri }));
    asks(page);
    assert.equal((await surfer.clone().submit(page, { confirm: 'no' })).status, 200);
  }
  assert.equal(await isSignedIn(server, surfer), true);
  assert.equal(await isSignedIn(server, elsewhere.surfer), true);
});

test('client_id, id_token_hint and logout_hint that do not belong together', async () => {
  const { surfer, id_token } = await signedIn(server);
  assertPage(await surfer.send(logoutUrl({ id_token_hint: id_token, client_id: 'other', post_logout_redirect_uri: 'https://other.example.test/out' })), 400, /sign-out link does not work/);
  assertPage(await surfer.send(logoutUrl({ id_token_hint: id_token, client_id: 'nobody' })), 400, /sign-out link does not work/);
  assertPage(await surfer.send(logoutUrl({ client_id: 'nobody' })), 400, /sign-out link does not work/);
  asks(await surfer.send(logoutUrl({ id_token_hint: id_token, logout_hint: 'somebody else' })));
  assertPage(await surfer.send(`${logoutUrl({ state: 's' })}&state=t`), 400, /sign-out link does not work/);
  assert.equal(await isSignedIn(server, surfer), true);
  for (const logout_hint of [sidOf(id_token), 'oauth2as|alice']) {
    const again = await signedIn(server, 'spa', { surfer });
    const hint = logout_hint === 'oauth2as|alice' ? logout_hint : sidOf(again.id_token);
    assert.equal((await surfer.send(logoutUrl({ id_token_hint: again.id_token, logout_hint: hint, client_id: 'spa', post_logout_redirect_uri: afterUri }))).location.href, afterUri);
  }
});

test('logout_hint with the sid stands for a hint, and of no other session', async () => {
  const { surfer, id_token } = await signedIn(server);
  const stranger = await signedIn(server);
  asks(await surfer.send(logoutUrl({ client_id: 'spa', logout_hint: sidOf(stranger.id_token), post_logout_redirect_uri: afterUri })));
  const answer = await surfer.send(logoutUrl({ client_id: 'spa', logout_hint: sidOf(id_token), post_logout_redirect_uri: afterUri }));
  assert.equal(answer.location.href, afterUri);
  assert.equal(await isSignedIn(server, surfer), false);
  assert.equal(await isSignedIn(server, stranger.surfer), true);
});

test('a native application: a scheme of its own, and whatever port', async () => {
  const uri = 'com.example.app:/callback';
  for (const back of ['com.example.app:/out', 'http://127.0.0.1:43210/out']) {
    const { surfer, id_token } = await signedIn(server, 'native', { params: { redirect_uri: uri } });
    const answer = await surfer.send(logoutUrl({ id_token_hint: id_token, post_logout_redirect_uri: back, state: 's' }));
    assert.equal(answer.headers.location, `${back}?state=s`);
  }
});

test('a POST from another site arrives without cookie and comes back with it', async () => {
  const { surfer, id_token } = await signedIn(server);
  const form = { id_token_hint: id_token, post_logout_redirect_uri: afterUri, state: 's', client_id: 'spa', logout_hint: sidOf(id_token) };
  const bounced = await request(logoutUrl(), { form });
  assert.equal(bounced.status, 303);
  assert.equal(bounced.location.origin + bounced.location.pathname, logoutUrl());
  const answer = await surfer.send(bounced.location.href);
  assert.equal(answer.location.href, `${afterUri}?state=s`);
  assert.equal(await isSignedIn(server, surfer), false);
});

test('nobody signs somebody out without their yes', async () => {
  const victim = await signedIn(server);
  const attacker = await signedIn(server, 'spa', { username: 'bob', password: 'battery staple' });
  const page = await attacker.surfer.send(logoutUrl({ client_id: 'spa', post_logout_redirect_uri: afterUri }));
  const still = async (answer, words = /out of date/) => {
    assertPage(answer, 400, words);
    assert.equal(await isSignedIn(server, victim.surfer), true);
  };
  await still(await victim.surfer.send(logoutUrl(), { form: { ...page.form.fields, confirm: 'yes' } }));
  await still(await victim.surfer.send(logoutUrl({ ...page.form.fields, confirm: 'yes' })));
  asks(await victim.surfer.send(logoutUrl({ confirm: 'yes' })));
  asks(await victim.surfer.send(logoutUrl(), { form: { confirm: 'yes' } }));
  asks(await victim.surfer.send(logoutUrl(), { form: { confirm: 'yes', step: 'confirm' } }));
  const mine = await victim.surfer.send(logoutUrl({ client_id: 'spa', post_logout_redirect_uri: afterUri }));
  for (const change of [{ client_id: 'other' }, { step: 'login' }, { step: 'consent' }, { interaction: mine.form.fields.interaction.replace(/.$/, (c) => (c === 'A' ? 'B' : 'A')) }, { interaction: '1.x' }]) {
    await still(await victim.surfer.send(logoutUrl(), { form: { ...mine.form.fields, ...change, confirm: 'yes' } }));
  }
  await still(await victim.surfer.send(logoutUrl({ ...mine.form.fields, confirm: 'yes' })), /out of date/);
  await still(await new Surfer(server).send(logoutUrl(), { form: { ...mine.form.fields, confirm: 'yes' }, headers: { cookie: '' } }), /Cookies are switched off/);
  await still(await victim.surfer.send(server.url('authorize'), { form: { ...mine.form.fields, confirm: 'yes' } }), /./);
  for (const method of ['HEAD', 'PUT', 'DELETE', 'OPTIONS']) {
    const answer = await victim.surfer.send(logoutUrl({ id_token_hint: victim.id_token }), { method });
    assert.equal(answer.status, method === 'OPTIONS' ? 204 : 405, method);
  }
  assert.equal(await isSignedIn(server, victim.surfer), true);
  assert.equal((await victim.surfer.submit(mine, { confirm: 'yes' })).location.href, afterUri);
  assert.equal(await isSignedIn(server, attacker.surfer), true);
});

test('a page that asks and was sent twice, or late', async () => {
  const { surfer } = await signedIn(server);
  const page = await surfer.send(logoutUrl({ client_id: 'spa', post_logout_redirect_uri: afterUri }));
  const twin = surfer.clone();
  assert.equal((await surfer.submit(page, { confirm: 'yes' })).location.href, afterUri);
  assert.equal((await twin.submit(page, { confirm: 'yes' })).location.href, afterUri, 'both were on their way');
  assertPage(await surfer.submit(page, { confirm: 'yes' }), 400, /out of date/);
});

test('pages keep their guards', async () => {
  const { surfer } = await signedIn(server);
  for (const answer of [await surfer.send(logoutUrl()), await request(logoutUrl()), await request(logoutUrl({ client_id: 'nobody' }))]) {
    assert.equal(answer.headers['x-frame-options'], 'DENY');
    assert.match(answer.headers['content-security-policy'], /frame-ancestors 'none'/);
    assert.match(answer.headers['cache-control'], /no-store/);
    assert.equal(answer.headers['referrer-policy'], 'no-referrer');
  }
});

// Auth0's

const v2 = (params) => auth0.url('v2/logout', params);

test('v2/logout is in profile auth0 only', async () => {
  assert.equal((await request(server.url('v2/logout'))).status, 404);
  says(await request(v2()));
});

test('v2/logout ends the session at once and returns exactly where it may', async () => {
  const cases = [
    [{ client_id: 'spa', returnTo: afterUri }, afterUri],
    [{ client_id: 'spa', returnTo: 'https://app.example.test/second?a=b', federated: '', auth0Client: 'eyJ9' }, 'https://app.example.test/second?a=b'],
    [{ client_id: 'spa' }, afterUri],
    [{ returnTo: 'https://other.example.test/out' }, 'https://other.example.test/out'],
    [{ client_id: 'spa', returnTo: afterUri, state: 's', id_token_hint: 'x' }, afterUri],
  ];
  for (const [params, back] of cases) {
    const { surfer } = await signedIn(auth0);
    const answer = await surfer.send(v2(params));
    assert.equal(answer.location.href, back);
    assert.equal(await isSignedIn(auth0, surfer), false);
  }
  for (const params of [{ client_id: 'none' }, {}]) {
    const { surfer } = await signedIn(auth0);
    says(await surfer.send(v2(params)));
    assert.equal(await isSignedIn(auth0, surfer), false);
  }
});

test('v2/logout: an address that is not registered, or of another client', async () => {
  const { surfer } = await signedIn(auth0);
  for (const params of [
    { client_id: 'spa', returnTo: 'https://evil.example/' },
    { client_id: 'spa', returnTo: `${afterUri}?a=b` },
    { client_id: 'spa', returnTo: 'https://other.example.test/out' },
    { client_id: 'none', returnTo: afterUri },
    { client_id: 'nobody', returnTo: afterUri },
    { returnTo: 'https://evil.example/' },
    { returnTo: 'https://app.example.test/callback' },
  ]) {
    assertPage(await surfer.send(v2(params)), 400, /sign-out link does not work/);
  }
  for (const method of ['POST', 'HEAD']) assert.equal((await surfer.send(v2({ client_id: 'spa' }), { method })).status, 405);
  assert.equal(await isSignedIn(auth0, surfer), true);
});

test('v2/logout takes the second cookie too', async () => {
  const { surfer } = await signedIn(auth0);
  assert.ok([...surfer.jar.get(new URL(auth0.issuer).origin).keys()].some((name) => name.endsWith('-wm')));
  const { cookies } = await surfer.send(v2({ client_id: 'spa' }));
  assert.equal(cookies.length, 2);
  assert.match(cookies.find((line) => line.includes('-wm=')), /=; Path=\/; Max-Age=0; HttpOnly; SameSite=None; Secure$/);
});
