// SPDX-License-Identifier: Apache-2.0
// Nobody is led to a place that is not registered: some four hundred values, in each parameter and header that holds a
// URL, at each endpoint, and in the forms of each step.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import { startInstance } from './lib/instance.mjs';
import { elsewhere, elsewhereRaw } from './lib/elsewhere.mjs';
import { stayer } from './lib/leads.mjs';
import { afterUri, isSignedIn, own, signedIn } from './lib/logout.mjs';
import { appUri, authorization, authorizeUrl, client } from './lib/oauth.mjs';
import { Surfer } from './lib/surfer.mjs';
import { Wire } from './lib/wire.mjs';

const loopback = 'http://127.0.0.1/callback';
const signup = 'https://signup.example.test/new';
const out = `OAuth2ASPostLogoutRedirectURI ${afterUri}`;
const types = 'OAuth2ASResponseTypes code id_token "code id_token"';
const server = await startInstance({
  conf:
    `OAuth2ASProfile auth0\nOAuth2ASHelpLink signup ${signup}\nOAuth2ASKeepSignedIn on\n` +
    client('spa', { extra: [...own, out, types] }) +
    client('asks', { extra: [out, 'OAuth2ASClientURI https://app.example.test/'] }) +
    client('native', { type: 'native', uri: ['com.example.app:/callback', loopback], extra: [`OAuth2ASPostLogoutRedirectURI com.example.app:/out ${loopback}`] }),
});
const { origin } = new URL(server.issuer);
const wire = new Wire(server);
after(() => wire.stop());
const places = [appUri, afterUri, loopback, signup, 'https://app.example.test', 'https://app.example.test/', 'com.example.app:/callback', 'com.example.app:/out'];
const stays = stayer(origin, places);
const nowhere = (answer, what) => assert.equal(answer.location, null, `${what} is answered by a redirect`);

const encode = (params) => new URLSearchParams(params).toString();
const ask = (overrides) => encode(authorization({ client_id: 'spa', scope: 'openid', ...overrides }).params);
const silent = (overrides) => ask({ prompt: 'none', ...overrides });
const withUri = { redirect_uri: undefined };
const cookieOf = (surfer) => ({ Cookie: surfer.cookiesFor(server.issuer) });
const { surfer, id_token } = await signedIn(server);
const signedInBrowser = cookieOf(surfer);
const fresh = new Surfer(server);
const loginPage = await fresh.go(authorizeUrl(server, authorization({ client_id: 'asks' }).params));
const anonymous = cookieOf(fresh); // a POST without any would come back by a GET first
const hint = encode({ id_token_hint: id_token });

// what applications, and those who attack them, have called the place to go on to
const names = ['returnTo', 'return_to', 'redirect', 'redirectTo', 'redirect_to', 'redirect_url', 'post_logout_redirect_uri', 'target_link_uri', 'initiate_login_uri', 'continue', 'next', 'url', 'uri', 'goto', 'dest', 'destination',
  'callback', 'RelayState', 'iss', 'option', 'realm', 'connection', 'organization', 'invitation', 'logout_uri', 'success', 'r', 'u'];
const all = (value, ...without) => names.filter((name) => !without.includes(name)).map((name) => `${name}=${value}`).join('&');
const besides = (value) => `${all(value)}&login_hint=${value}&state=${value}&nonce=${value}&ui_locales=${value}&acr_values=${value}&display=${value}&notice=${value}`;
const asText = (value) => {
  try {
    return decodeURIComponent(value.replaceAll('+', ' '));
  } catch {
    return null; // is refused as it is
  }
};
/** 1 when an answer may refuse the value for what it is: no text, or too long for so many places. */
const unfit = (value) => value.length > 250 || asText(value) === null || asText(value).includes('\0');

/** A third of the values, another one each time: for places where one is like the other. */
let turn = 0;
function some(values) {
  turn += 1;
  return values.filter((value, i) => (i + turn) % 3 === 0);
}

/** Sends what `make` makes of each value, and looks at each answer. */
async function each(values, make, look = () => {}) {
  await Promise.all(
    values.map(async (value) => {
      const [target, options] = [make(value)].flat();
      const answer = await wire.send(target, options);
      stays(answer, `${value} in ${target.slice(0, 40)}`);
      look(answer, value);
    }),
  );
}

/** The values by query and by form, and some of them without any encoding. */
function probe(what, path, query, look, { uri = appUri, headers = anonymous } = {}) {
  const values = elsewhere(uri, server.issuer);
  const raw = elsewhereRaw(uri, server.issuer).filter((value) => !value.includes('&'));
  test(`${what}, by GET`, () => each(values, (value) => [`${path}?${query(value)}`, { headers }], look));
  test(`${what}, by POST`, () => each(values, (value) => [path, { headers, body: query(value) }], look));
  test(`${what}, unencoded`, () => each(some(raw), (value) => [`${path}?${query(value)}`, { headers }], look));
}

// ---- authorize ----

const refused = (answer, value) => {
  nowhere(answer, value);
  assert.ok(answer.status >= 400 || value === '', `${value}: ${answer.status}`);
};
probe('redirect_uri of a request', '/authorize', (value) => `${ask(withUri)}&redirect_uri=${value}`, refused);
probe('redirect_uri of a native application', '/authorize', (value) => `${ask({ ...withUri, client_id: 'native' })}&redirect_uri=${value}`, refused, { uri: loopback });

for (const [what, overrides] of Object.entries({
  'that shows nothing': { prompt: 'none' },
  'that is wrong': { response_type: 'nonsense' },
  'that wants a form': { response_mode: 'form_post', prompt: 'none' },
  'that wants a fragment': { response_type: 'id_token', prompt: 'none' },
  'that wants a message': { response_mode: 'web_message', prompt: 'none' },
  'without client': { client_id: undefined },
  'of an unknown client': { client_id: 'https://evil.example/' },
})) {
  test(`redirect_uri of a request ${what}, somebody being signed in`, () =>
    each(elsewhere(appUri, server.issuer), (value) => [`/authorize?${ask({ ...withUri, ...overrides })}&redirect_uri=${value}`, { headers: signedInBrowser }], refused));
}

test('redirect_uri twice, a registered one among them', () =>
  each(elsewhere(appUri, server.issuer), (value) => `/authorize?${silent()}&redirect_uri=${value}`, refused));

const returned = (answer, value) => {
  if (answer.location === null) return assert.ok(unfit(value), `${value}: ${answer.status}`);
  assert.equal(answer.headers.location.split('?')[0], appUri);
  return assert.equal(answer.location.searchParams.get('state') ?? '', asText(value));
};
const backAtMost = (answer, value) => {
  if (answer.location !== null) assert.equal(answer.headers.location.split(/[?#]/)[0], appUri, value);
};
probe('everything beside a valid request', '/authorize', (value) => `${silent({ state: undefined, nonce: undefined })}&${besides(value)}`, returned);
for (const name of ['request_uri', 'request', 'audience', 'resource', 'registration', 'claims', 'response_mode', 'screen_hint']) {
  test(`${name} of a valid request`, () =>
    each(elsewhere(appUri, server.issuer), (value) => `/authorize?${silent()}&${name}=${value}`, backAtMost));
}
test('everything beside a request that is shown, and one that leads to the registration', async () => {
  await each(elsewhere(appUri, server.issuer), (value) => `/authorize?${ask({ state: undefined, nonce: undefined })}&${besides(value)}`, backAtMost);
  await each(elsewhere(appUri, server.issuer), (value) => `/authorize?${ask({ state: undefined, nonce: undefined, prompt: 'create' })}&${besides(value)}`, (answer, value) => {
    if (answer.location === null) return assert.ok(unfit(value), `${value}: ${answer.status}`);
    if (answer.location.searchParams.has('error')) return backAtMost(answer, value);
    assert.equal(answer.headers.location.split('?')[0], signup);
    const back = answer.location.searchParams.get('return_to');
    return assert.ok(back === null || back.startsWith(server.url('authorize?')), back);
  });
});

// ---- the forms of each step ----

test('fields added to the forms of login, selection, consent, logout and account', async () => {
  const values = elsewhere(appUri, server.issuer);
  const pages = [
    [fresh, loginPage],
    [surfer, await surfer.go(authorizeUrl(server, authorization({ client_id: 'spa', prompt: 'select_account' }).params))],
    [surfer, await surfer.go(authorizeUrl(server, authorization({ client_id: 'asks' }).params))],
    [surfer, await surfer.go(server.url('oidc/logout', { client_id: 'spa', post_logout_redirect_uri: afterUri }))],
    [surfer, await surfer.go(server.url('account'))],
  ];
  for (const [browser, page] of pages) {
    assert.ok(page.form, page.text);
    const target = new URL(page.form.action).pathname;
    await each(some(values), (value) => [target, { headers: cookieOf(browser), body: `${encode(page.form.fields)}&${besides(value)}&redirect_uri=${value}&decision=${value}&confirm=${value}` }], nowhere);
  }
  assert.equal(await isSignedIn(server, surfer), true);
});

test('client_id and step of a form, and the sealed request itself', async () => {
  const page = await surfer.go(authorizeUrl(server, authorization({ client_id: 'asks' }).params));
  for (const name of Object.keys(page.form.fields)) {
    const { [name]: left, ...fields } = page.form.fields;
    await each(some(elsewhere(appUri, server.issuer)), (value) => ['/authorize', { headers: signedInBrowser, body: `${encode(fields)}&${name}=${value}&decision=allow` }], backAtMost);
  }
});

// ---- logout ----

const known = encode({ client_id: 'spa' });
probe('post_logout_redirect_uri', '/oidc/logout', (value) => `${known}&post_logout_redirect_uri=${value}`, nowhere, { uri: afterUri });
for (const [what, before] of Object.entries({
  'with a hint': hint,
  'with hint and client': `${hint}&${known}`,
  'with neither': 'state=s',
  'with a foreign hint': 'id_token_hint=eyJhbGciOiJub25lIn0.eyJhdWQiOiJzcGEifQ.',
})) {
  for (const [who, headers] of Object.entries({ nobody: {}, somebody: signedInBrowser })) {
    test(`post_logout_redirect_uri ${what}, ${who} being signed in`, async () => {
      await each(elsewhere(afterUri, server.issuer).filter((value) => value !== ''), (value) => [`/oidc/logout?${before}&post_logout_redirect_uri=${value}`, { headers }], nowhere);
    });
  }
}
test('post_logout_redirect_uri of a native application', () =>
  each(elsewhere(loopback, server.issuer), (value) => `/oidc/logout?client_id=native&post_logout_redirect_uri=${value}`, nowhere));
test('post_logout_redirect_uri twice, a registered one among them', () =>
  each(elsewhere(afterUri, server.issuer), (value) => `/oidc/logout?${known}&${encode({ post_logout_redirect_uri: afterUri })}&post_logout_redirect_uri=${value}`, nowhere));
test('everything beside a valid logout', () =>
  each(elsewhere(afterUri, server.issuer), (value) => `/oidc/logout?${known}&${encode({ post_logout_redirect_uri: afterUri })}&${all(value, 'post_logout_redirect_uri', 'returnTo')}&redirect_uri=${value}&state=${value}`, (answer, value) => {
    if (answer.location === null) return assert.ok(unfit(value), `${value}: ${answer.status}`);
    assert.equal(answer.headers.location.split('?')[0], afterUri);
    return assert.equal(answer.location.searchParams.get('state') ?? '', asText(value));
  }));
test('a cross-site POST that comes back by a GET brings the address along, and it is looked at then', async () => {
  const values = elsewhere(afterUri, server.issuer).filter((value) => value !== '' && !unfit(value));
  const seen = [];
  await each(values, (value) => ['/oidc/logout', { body: `${known}&post_logout_redirect_uri=${value}` }], (answer, value) => {
    if (answer.location === null) return assert.equal(answer.status, 400, value);
    assert.equal(answer.location.origin + answer.location.pathname, server.url('oidc/logout'));
    return seen.push(answer.headers.location.slice(origin.length));
  });
  assert.ok(seen.length > 200);
  await each(seen, (target) => target, nowhere);
});

probe('returnTo', '/v2/logout', (value) => `${known}&returnTo=${value}`, (answer, value) => value === '' || nowhere(answer, value), { uri: afterUri });
for (const [what, before, uri] of [['without client', 'x=y', afterUri], ['of a native application', 'client_id=native', loopback], ['of an unknown client', 'client_id=evil', afterUri]]) {
  test(`returnTo ${what}`, () => each(elsewhere(uri, server.issuer).filter((value) => value !== ''), (value) => `/v2/logout?${before}&returnTo=${value}`, nowhere));
}
test('everything beside a valid returnTo', () =>
  each(elsewhere(afterUri, server.issuer), (value) => `/v2/logout?${known}&${encode({ returnTo: afterUri })}&${all(value, 'returnTo')}&state=${value}&redirect_uri=${value}`, (answer, value) => {
    if (answer.location !== null) assert.equal(answer.headers.location, afterUri, value);
  }));

// ---- account ----

for (const [who, headers] of Object.entries({ nobody: {}, somebody: signedInBrowser })) {
  test(`everything at the account page, ${who} being signed in`, () =>
    each(elsewhere(appUri, server.issuer), (value) => [`/account?${besides(value)}&redirect_uri=${value}&client_id=${value}`, { headers }], nowhere));
}

// ---- what answers in JSON ----

test('redirect_uri, resource and audience at the endpoints of applications', async () => {
  for (const path of ['/oauth/token', '/oauth/revoke', '/oauth/introspect', '/userinfo']) {
    const body = (value) => `client_id=spa&grant_type=authorization_code&code=x&token=x&redirect_uri=${value}&audience=${value}&resource=${value}&returnTo=${value}`;
    await each(some(elsewhere(appUri, server.issuer)), (value) => [path, { body: body(value) }], nowhere);
  }
});

// ---- headers, and the target itself ----

const forwarded = (value) => ({
  'X-Forwarded-Host': value, 'X-Forwarded-Proto': value, 'X-Forwarded-Server': value, 'X-Forwarded-Port': value, 'X-Forwarded-For': value, 'X-Forwarded-Prefix': value, 'X-Host': value, 'X-Original-URL': value, 'X-Original-Host': value,
  'X-Rewrite-URL': value, 'X-HTTP-Host-Override': value, Forwarded: `for=127.0.0.1;host=${value};proto=${value}`, Referer: value, Origin: value, From: value, 'Accept-Language': value, 'User-Agent': value, Destination: value,
});
const targets = ['/authorize', '/oidc/logout', '/oidc/logout?post_logout_redirect_uri=https://evil.example/', '/v2/logout', '/account', '/.well-known/openid-configuration'];
test('Host, Referer, Origin, Forwarded and their kind', async () => {
  const values = elsewhereRaw(appUri, server.issuer);
  const about = (answer) => assert.doesNotMatch(answer.text, /evil/);
  for (const target of [...targets, `/authorize?${ask()}`]) await each(some(values), (value) => [target, { headers: forwarded(value) }], about);
  for (const target of [`/authorize?${silent()}`, `/oidc/logout?${known}&${encode({ post_logout_redirect_uri: afterUri })}`]) {
    await each(values, (value) => [target, { headers: forwarded(value) }], (answer, value) => assert.ok([appUri, afterUri].includes(answer.headers.location.split('?')[0]), value));
  }
  const hosts = values.map((value) => value.replace(/^[a-z]+:\/\//, '')).filter((value) => /^[\w.@:%-]+$/.test(value));
  assert.ok(hosts.length > 10);
  for (const target of targets) await each([...hosts, 'evil.example', 'evil.example:80', 'localhost.evil.example', ''], (value) => [target, { headers: { Host: value } }], about);
});

test('a target that names another server, and paths that look like one', async () => {
  server.announce(/AH10244/); // httpd says what a path is that leads out of its folder
  const foreign = ['http://evil.example', 'https://evil.example', `http://${new URL(origin).host}@evil.example`, '//evil.example', '/\\evil.example', '/.//evil.example', '/%2f/evil.example'];
  const raw = elsewhereRaw(appUri, server.issuer);
  const below = ['', 'authorize/', 'oidc/logout/', 'v2/logout/', 'account/'];
  const paths = [...targets.flatMap((target) => foreign.map((start) => start + target)), ...below.flatMap((path) => some(raw).map((value) => `/${path}${value}`))];
  await Promise.all(
    paths.map(async (path) => {
      const answer = await wire.send(path);
      if (answer.location !== null) assert.equal(answer.location.origin, origin, path);
      assert.ok(answer.status < 500, `${path}: ${answer.status}`);
    }),
  );
});

test('after all this the browser is still signed in, and the right address still works', async () => {
  assert.equal(await isSignedIn(server, surfer), true);
  const answer = await wire.send(`/oidc/logout?${hint}&${encode({ post_logout_redirect_uri: afterUri, state: 's' })}`, { headers: signedInBrowser });
  assert.equal(answer.headers.location, `${afterUri}?state=s`);
});
