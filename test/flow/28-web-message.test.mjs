// SPDX-License-Identifier: Apache-2.0
// response_mode=web_message in a real browser: Auth0's SDK for single-page applications as it is, and everybody
// who must not get a message.
import test from 'node:test';
import assert from 'node:assert/strict';
import { after } from 'node:test';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { startInstance, untilBack } from './lib/instance.mjs';
import { startApp } from './lib/app.mjs';
import { decide, newPage, startChromiumWithThirdPartyCookies, signIn, startChromium, watch } from './lib/chromium.mjs';
import { authorization, authorizeUrl, client, decode, getCode, redeem, userinfo } from './lib/oauth.mjs';
import { Surfer, textOf, unescapeHtml } from './lib/surfer.mjs';

const sdk = fs.readFileSync(createRequire(import.meta.url).resolve('@auth0/auth0-spa-js/dist/auth0-spa-js.production.js'), 'utf8');
// a page that keeps every message it gets
const listener = '<!DOCTYPE html><title>Application</title><script>got = []; addEventListener("message", (e) => got.push({ origin: e.origin, data: e.data }))</script>';
const pages = { '/': listener, '/sdk.html': `${listener}<script src="/sdk.js"></script>`, '/sdk.js': sdk };
const app = await startApp({ pages });
const sibling = await startApp({ pages }); // another origin of the same client
const stranger = await startApp({ pages }); // nobody's
after(() => [app, sibling, stranger].forEach((one) => one.stop()));
const silent = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'];
const https = 'https://app.example.test/callback';
const server = await startInstance({
  conf:
    'OAuth2ASProfile auth0\n' +
    client('spa', { uri: [`${app.origin}/`, `${sibling.origin}/`] }) +
    client('asks', { uri: `${app.origin}/` }) +
    client('own', { uri: [`${app.origin}/`, https], extra: silent }) +
    client('off', { uri: `${app.origin}/`, extra: [...silent, 'OAuth2ASWebMessage off'] }) +
    client('elsewhere', { uri: `${app.origin}/`, extra: [`OAuth2ASWebOrigin ${sibling.origin}`] }),
  args: ['--host', 'as1.localhost'],
});
const issuer = new URL(server.issuer).origin;
const browser = await startChromium();
const open3p = await startChromiumWithThirdPartyCookies();

/** An authorization request whose answer is to come as a message. */
function ask(overrides) {
  return authorizeUrl(server, authorization({ client_id: 'own', redirect_uri: `${app.origin}/`, response_mode: 'web_message', ...overrides }).params);
}

/** A profile that is signed in, by a redirect. */
async function signedIn(fresh = open3p) {
  const page = await fresh(browser);
  await page.goto(ask({ response_mode: 'query' }));
  await signIn(page);
  await page.waitForURL(`${app.origin}/**`);
  return page;
}

/** Calls a method of Auth0Client for a client; `settings` are those of its first call in this page. */
function sdkCall(page, clientId, method, options = {}, settings = {}) {
  return page.evaluate(
    async ([domain, id, name, more, set]) => {
      window.spa ??= {};
      window.spa[id] ??= new auth0.Auth0Client({ domain, clientId: id, authorizationParams: { redirect_uri: `${location.origin}/` }, ...set });
      try {
        const result = await window.spa[id][name](more);
        return { result, user: await window.spa[id].getUser() };
      } catch (error) {
        return { error: error.error, description: error.error_description };
      }
    },
    [issuer, clientId, method, options, settings],
  );
}

const silently = (page, id, more = {}) => sdkCall(page, id, 'getTokenSilently', { cacheMode: 'off', detailedResponse: true, timeoutInSeconds: 60, ...more });

/** Puts a request into a frame of the page, or opens it in a window, and gives it time to be answered. */
async function frame(page, url) {
  await page.evaluate((src) => {
    const element = document.createElement('iframe');
    element.src = src;
    return new Promise((resolve) => {
      element.onload = resolve;
      document.body.append(element);
    });
  }, url);
  await page.waitForTimeout(300);
}

async function open(page, url) {
  const [popup] = await Promise.all([page.waitForEvent('popup'), page.evaluate((target) => { window.other = window.open(target); }, url)]);
  await popup.waitForLoadState('load');
  await page.waitForTimeout(300);
  return watch(popup);
}

/** What came; with `count` it waits until that many have. */
async function messages(page, count = 0) {
  await page.waitForFunction((n) => window.got.length >= n, count);
  return page.evaluate('got');
}

/** The browser refused to show this many frames, and says so in its console. */
async function assertBlocked(page, count) {
  const refusals = () => page.problems.filter((text) => /frame-ancestors/.test(text)).length;
  for (let tries = 0; tries < 600 && refusals() < count; tries++) await page.waitForTimeout(100);
  assert.equal(refusals(), count, page.problems.join('\n'));
}

/** What a page of ours would post, and to whom. */
function messageIn(answer) {
  const found = /data-origin="([^"]*)" data-response="([^"]*)"/.exec(answer.text);
  assert.ok(found, textOf(answer.text));
  return { origin: unescapeHtml(found[1]), response: JSON.parse(unescapeHtml(found[2])) };
}

// ---- Auth0's SDK ----

test('auth0-spa-js: nobody is signed in, so getTokenSilently is refused', async () => {
  const page = await newPage(browser);
  await page.goto(`${app.origin}/sdk.html`);
  assert.equal((await silently(page, 'own')).error, 'login_required');
  await page.done();
});

test('auth0-spa-js: loginWithPopup with login and consent, then getTokenSilently in an iframe', async () => {
  const page = await open3p();
  await page.goto(`${app.origin}/sdk.html`);
  const popup = page.waitForEvent('popup');
  const done = sdkCall(page, 'spa', 'loginWithPopup');
  const window = watch(await popup);
  await signIn(window);
  await window.waitForSelector('button[name=decision]');
  await decide(window);
  const { error, user } = await done;
  assert.equal(error, undefined);
  assert.equal(user.sub, 'oauth2as|alice');
  const { result } = await silently(page, 'spa');
  assert.equal(decode(result.access_token).claims.sub, 'oauth2as|alice');
  assert.equal(decode(result.id_token).claims.sub, 'oauth2as|alice');
  assert.notEqual((await silently(page, 'spa')).result.access_token, result.access_token, 'a new one each time');
  assert.deepEqual(page.problems, []);
  assert.deepEqual(window.problems, []);
  await page.done();
});

test('auth0-spa-js: consent_required, and a popup that is denied', async () => {
  const page = await signedIn();
  await page.goto(`${app.origin}/sdk.html`);
  assert.equal((await silently(page, 'asks')).error, 'consent_required');
  const popup = page.waitForEvent('popup');
  const done = sdkCall(page, 'asks', 'loginWithPopup');
  await decide(await popup, 'deny');
  assert.equal((await done).error, 'access_denied');
  await page.done();
});

test('auth0-spa-js: a browser that keeps cookies from frames says login_required, and the popup needs no password', async () => {
  const page = await signedIn(newPage);
  await page.goto(`${app.origin}/sdk.html`);
  assert.equal((await silently(page, 'own')).error, 'login_required');
  assert.equal((await sdkCall(page, 'own', 'loginWithPopup')).user.sub, 'oauth2as|alice');
  await page.done();
});

test('auth0-spa-js: without the second cookie the frame finds nobody signed in', async () => {
  const page = await signedIn();
  const cookies = (await page.context().cookies(server.issuer)).filter(({ name }) => !/-known$/.test(name));
  assert.deepEqual(cookies.map(({ sameSite, secure, httpOnly }) => ({ sameSite, secure, httpOnly })).sort((a, b) => (a.sameSite < b.sameSite ? -1 : 1)), [
    { sameSite: 'Lax', secure: false, httpOnly: true },
    { sameSite: 'None', secure: true, httpOnly: true },
  ]);
  assert.equal(cookies[0].value, cookies[1].value);
  await page.goto(`${app.origin}/sdk.html`);
  assert.ok((await silently(page, 'own')).result.access_token);
  await page.context().clearCookies({ name: /-wm$/ });
  assert.equal((await silently(page, 'own')).error, 'login_required');
  await page.goto(ask({ response_mode: 'query' })); // comes back at once, and with it the second cookie
  await page.waitForURL(`${app.origin}/**`);
  await page.goto(`${app.origin}/sdk.html`);
  assert.ok((await silently(page, 'own')).result.access_token);
  await page.done();
});

test('auth0-spa-js: with useRefreshTokens no frame and no second cookie is needed', async () => {
  const page = await newPage(browser);
  await page.goto(`${app.origin}/sdk.html`);
  const popup = page.waitForEvent('popup');
  const done = sdkCall(page, 'own', 'loginWithPopup', {}, { useRefreshTokens: true });
  await signIn(watch(await popup));
  assert.equal((await done).user.sub, 'oauth2as|alice');
  const [first, second] = [await silently(page, 'own'), await silently(page, 'own')].map(({ result }) => decode(result.access_token).claims);
  assert.notEqual(first.jti, second.jti);
  assert.equal(first.grant_id, second.grant_id, 'refreshed, not signed in anew');
  await page.done();
});

// ---- who gets a message ----

test('a frame in the application: one message, from the issuer, with the answer and nothing else', async () => {
  const page = await signedIn();
  await page.goto(`${app.origin}/`);
  const state = '"\'</script><!--&amp;\u2028\ud83d\udd11';
  await frame(page, ask({ prompt: 'none', state }));
  const got = await messages(page, 1);
  assert.equal(got.length, 1);
  assert.equal(got[0].origin, issuer);
  assert.deepEqual(Object.keys(got[0].data).sort(), ['response', 'type']);
  assert.equal(got[0].data.type, 'authorization_response');
  assert.deepEqual(Object.keys(got[0].data.response).sort(), ['code', 'iss', 'state']);
  assert.equal(got[0].data.response.state, state);
  assert.equal(got[0].data.response.iss, server.issuer);
  assert.deepEqual(page.problems, []);
  await page.done();
});

test('a window that the application opened', async () => {
  const page = await signedIn();
  await page.goto(`${app.origin}/`);
  const popup = await open(page, ask({}));
  assert.match(await popup.textContent('main'), /taken back/);
  const [{ data }] = await messages(page, 1);
  assert.ok(data.response.code);
  await page.done();
});

test('errors that need a person come as messages', async () => {
  const page = await newPage(browser);
  await page.goto(`${app.origin}/`);
  await frame(page, ask({ prompt: 'none' }));
  await frame(page, ask({ prompt: 'none', code_challenge: undefined }));
  const [first, second] = (await messages(page, 2)).map(({ data }) => data.response);
  assert.equal(first.error, 'login_required');
  assert.equal(first.iss, server.issuer);
  assert.ok(first.state);
  assert.equal(second.error, 'invalid_request');
  await page.done();
});

for (const [who, where] of [
  ['a stranger', () => stranger.origin],
  ['a stranger of another site', () => stranger.origin.replace('127.0.0.1', 'localhost')],
  ['another registered origin of the same client', () => sibling.origin],
]) {
  test(`${who} frames the request and sees and gets nothing`, async () => {
    const page = await signedIn();
    await page.goto(`${where()}/`);
    await frame(page, ask({ client_id: 'spa', prompt: 'none' }));
    await frame(page, ask({ prompt: 'none' }));
    await assertBlocked(page, 2);
    assert.deepEqual(await messages(page), []);
    await page.done();
  });

  test(`${who} opens the request in a window and gets no message`, async () => {
    const page = await signedIn();
    await page.goto(`${where()}/`);
    const popup = await open(page, ask({}));
    assert.match(await popup.textContent('main'), /taken back/);
    assert.equal(await popup.evaluate('opener !== null'), true, 'there is somebody it could have told');
    assert.deepEqual(await messages(page), []);
    await page.done();
  });
}

test('the other registered origin gets what is meant for it', async () => {
  const page = await newPage(browser);
  await page.goto(`${sibling.origin}/`);
  await frame(page, ask({ client_id: 'spa', prompt: 'none', redirect_uri: `${sibling.origin}/` }));
  assert.equal((await messages(page, 1))[0].data.response.error, 'login_required');
  await page.done();
});

test('the answer passes by a frame in between that is somebody else\'s', async () => {
  const page = await signedIn();
  await page.goto(`${app.origin}/`);
  await page.evaluate((src) => new Promise((resolve) => {
    const element = document.createElement('iframe');
    Object.assign(element, { src, onload: resolve });
    document.body.append(element);
  }), `${stranger.origin}/`);
  const inner = page.frames().find((one) => one.url().startsWith(stranger.origin));
  await frame(inner, ask({ prompt: 'none' }));
  assert.deepEqual(await inner.evaluate('got'), []);
  assert.deepEqual(await messages(page), []);
  await assertBlocked(page, 1);
  await page.done();
});

test('login and consent are never shown in a frame', async () => {
  const page = await newPage(browser);
  await page.goto(`${app.origin}/`);
  await frame(page, ask({}));
  await assertBlocked(page, 1);
  await page.done();
});

// ---- on the wire ----

test('headers: only the page with the message may be framed, and only by its receiver', async () => {
  const surfer = new Surfer(server);
  const login = await surfer.go(ask({ redirect_uri: https }));
  const message = await surfer.through(login);
  const error = await surfer.go(ask({ redirect_uri: 'https://nobody.example/' }));
  for (const page of [login, error]) {
    assert.match(page.headers['content-security-policy'], /frame-ancestors 'none';/);
    assert.equal(page.headers['x-frame-options'], 'DENY');
  }
  assert.equal(message.status, 200);
  assert.match(message.headers['content-security-policy'], /frame-ancestors https:\/\/app\.example\.test;/);
  assert.match(message.headers['content-security-policy'], /script-src 'sha256-[^']+'; frame-src 'none'; form-action 'self'\s*$/);
  assert.match(message.headers['content-security-policy'], /^default-src 'none'; base-uri 'none';/);
  assert.equal(message.headers['x-frame-options'], undefined);
  assert.equal(message.headers['cache-control'], 'no-store');
  const { origin, response } = messageIn(message);
  assert.equal(origin, 'https://app.example.test');
  assert.ok(response.code);
});

test('a code from a message is redeemed like any other', async () => {
  const surfer = new Surfer(server);
  const { verifier, params } = authorization({ client_id: 'own', redirect_uri: https, response_mode: 'web_message' });
  const { response } = messageIn(await surfer.through(authorizeUrl(server, params)));
  const answer = await redeem(server, { ...response, params, verifier });
  assert.equal(answer.status, 200, answer.text);
});

test('the second cookie counts for a silent request by message, and for nothing else', async () => {
  const { surfer } = await getCode(server, { client_id: 'own', redirect_uri: https });
  const [[, both]] = [...surfer.jar];
  const name = [...both.keys()].find((one) => one.endsWith('-wm'));
  const alone = () => {
    const one = new Surfer(server);
    one.jar.set(issuer, new Map([[name, both.get(name)]]));
    return one;
  };
  const message = await alone().go(ask({ redirect_uri: https, prompt: 'none' }));
  assert.ok(messageIn(message).response.code);
  const redirect = await alone().go(ask({ redirect_uri: https, prompt: 'none', response_mode: 'query' }));
  assert.equal(redirect.location.searchParams.get('error'), 'login_required');
  const page = await alone().go(ask({ redirect_uri: https }));
  assert.ok('password' in page.form.fields, 'it is nobody who is signed in');
  assert.ok(messageIn(await surfer.go(ask({ redirect_uri: https, prompt: 'none' }))).response.code, 'with both');
});

test('a client or an origin that is not registered for messages gets a page, and no message goes anywhere', async () => {
  for (const overrides of [{ client_id: 'off' }, { client_id: 'elsewhere' }]) {
    for (const more of [{}, { prompt: 'none' }, { scope: 'nonsense' }, { response_type: 'nonsense' }]) {
      const answer = await new Surfer(server).go(ask({ ...overrides, ...more }));
      assert.equal(answer.status, 400);
      assert.equal(answer.location, null);
      assert.match(textOf(answer.text), /web origin/);
      assert.equal(answer.headers['x-frame-options'], 'DENY');
      assert.doesNotMatch(answer.text, /data-response/);
    }
  }
});

test('metadata', async () => {
  const { json } = await new Surfer(server).send(server.url('.well-known/openid-configuration'));
  assert.deepEqual(json.response_modes_supported, ['query', 'fragment', 'form_post', 'web_message']);
});

test('while the database is away a silent request is told so by message, and a window gets a page', async () => {
  server.announce(/OAS00[0-4]\d\d|OAS005\d\d|AH006(?:29|3\d)/);
  server.announceAway();
  const got = await getCode(server, { client_id: 'own', redirect_uri: https });
  const { surfer } = got;
  const { access_token } = (await redeem(server, got)).json;
  await server.postgres('stop', 'fast');
  try {
    const silent = await surfer.go(ask({ redirect_uri: https, prompt: 'none' }));
    assert.equal(messageIn(silent).response.error, 'temporarily_unavailable');
    assert.equal((await surfer.go(ask({ redirect_uri: https }))).status, 503);
  } finally {
    await server.postgres('start');
  }
  await untilBack(() => userinfo(server, access_token)); // what there is to be logged of this comes before the test ends
});
