// SPDX-License-Identifier: Apache-2.0
// Logout by real clients, unchanged from the registry, and in a real browser: openid-client, Auth0's SDKs for single-page
// applications and for servers; and the front channel, whose frames only a browser loads.
import test from 'node:test';
import assert from 'node:assert/strict';
import { after } from 'node:test';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { startInstance } from './lib/instance.mjs';
import { startApp } from './lib/app.mjs';
import { decide, newPage, signIn, startChromium } from './lib/chromium.mjs';
import { fetchWith } from './lib/http.mjs';
import { authorization, authorizeUrl, client, decode } from './lib/oauth.mjs';
import { afterUri, isSignedIn, own, Receiver, signedIn } from './lib/logout.mjs';
import { canTrust, makeTrust } from './lib/trust.mjs';

const openid = await import('openid-client');
const { Issuer } = await import('openid-client-5');
const { AuthClient } = await import('@auth0/auth0-auth-js');
const sdk = fs.readFileSync(createRequire(import.meta.url).resolve('@auth0/auth0-spa-js/dist/auth0-spa-js.production.js'), 'utf8');

const app = await startApp({ pages: { '/sdk.html': '<!DOCTYPE html><title>Application</title><script src="/sdk.js"></script>', '/sdk.js': sdk } });
after(() => app.stop());
const [first, second] = [await Receiver.start(), await Receiver.start()]; // where frames lead
const trust = canTrust && makeTrust();
const told = trust && (await Receiver.start(trust.make));

const out = `${app.origin}/out`;
const post = `OAuth2ASPostLogoutRedirectURI ${out} ${afterUri}`;
const front = (id, receiver, path) => client(id, { type: 'native', uri: [`${app.origin}/callback`, receiver.url('/callback')], extra: [...own, post, `OAuth2ASFrontchannelLogoutURI ${receiver.url(path)}`] });
const server = await startInstance({
  conf:
    client('spa', { extra: [...own, post] }) +
    front('one', first, '/front?app=one') + front('two', second, '/front') + front('slow', second, '/never') +
    client('back', { type: 'native', uri: `${app.origin}/callback`, extra: [...own, post] }),
});
const auth0 = await startInstance({
  args: ['--tls', '--host', 'as1.localhost'],
  env: () => (trust ? { OAS_WRAPPER: trust.wrapper } : {}),
  conf:
    `OAuth2ASProfile auth0\nOAuth2ASOutboundAllow 127.0.0.1\n` +
    client('web', { type: 'web', extra: [...own, post, ...(told ? [`OAuth2ASBackchannelLogoutURI ${told.url('/out', 'localhost', 'https')}`] : [])] }) +
    client('spa', { uri: `${app.origin}/sdk.html`, extra: [...own, post] }),
});
if (trust) trust.remove();
const browser = await startChromium();

test('openid-client 6: buildEndSessionUrl', async () => {
  const config = await openid.discovery(new URL(server.issuer), 'spa', undefined, openid.None(), { execute: [openid.allowInsecureRequests] });
  const { surfer, id_token } = await signedIn(server);
  const url = openid.buildEndSessionUrl(config, { post_logout_redirect_uri: afterUri, id_token_hint: id_token, state: 'xyz' });
  assert.equal((await surfer.send(url.href)).location.href, `${afterUri}?state=xyz`);
  assert.equal(await isSignedIn(server, surfer), false);
});

test('openid-client 5: endSessionUrl', async () => {
  const issuer = await Issuer.discover(server.issuer);
  const rp = new issuer.Client({ client_id: 'spa', token_endpoint_auth_method: 'none' });
  const { surfer, id_token } = await signedIn(server);
  assert.equal((await surfer.send(rp.endSessionUrl({ post_logout_redirect_uri: afterUri, id_token_hint: id_token, state: 'xyz' }))).location.href, `${afterUri}?state=xyz`);
  assert.equal(await isSignedIn(server, surfer), false);
});

const sdkClient = () => new AuthClient({ domain: new URL(auth0.issuer).host, clientId: 'web', clientSecret: 'web has a secret of more than thirty-two characters', customFetch: fetchWith(auth0.ca) });

test('auth0-auth-js: buildLogoutUrl gives no hint, so the page asks', async () => {
  const basic = `Basic ${Buffer.from(`web:${encodeURIComponent('web has a secret of more than thirty-two characters')}`).toString('base64')}`;
  const { surfer } = await signedIn(auth0, 'web', { headers: { authorization: basic } });
  const url = await sdkClient().buildLogoutUrl({ returnTo: afterUri });
  assert.equal(url.pathname, '/oidc/logout');
  const page = await surfer.send(url.href);
  assert.equal((await surfer.submit(page, { confirm: 'yes' })).location.href, afterUri);
  assert.equal(await isSignedIn(auth0, surfer, 'web'), false);
});

test('auth0-auth-js: verifyLogoutToken takes what comes by the back channel, over https', { skip: !trust && 'the CAs of the system cannot be replaced here' }, async () => {
  const calls = await told.wait('/out');
  const result = await sdkClient().verifyLogoutToken({ logoutToken: calls.at(-1).token });
  assert.equal(result.sub, 'oauth2as|alice');
  assert.equal(result.sid, decode(calls.at(-1).token).claims.sid);
});

/** A browser that is signed in to these clients; and the sid. */
async function browse(ids, options) {
  const page = await newPage(browser, options);
  for (const id of ids) {
    await page.goto(authorizeUrl(server, authorization({ client_id: id, redirect_uri: `${app.origin}/callback` }).params));
    if (await page.$('input[name=password]')) await signIn(page);
    else if (await page.$('button[name=decision]')) await decide(page); // a native application is never let in silently
    await page.waitForURL(`${app.origin}/**`);
  }
  const [[sid]] = await server.sql("SELECT translate(encode(uuid_send(session_id), 'base64'), '+/=', '-_') FROM oas_sessions ORDER BY created_at DESC LIMIT 1");
  return { page, sid };
}

test('auth0-spa-js in a browser: logout()', async () => {
  const page = await newPage(browser, { ignoreHTTPSErrors: true });
  await page.goto(`${app.origin}/sdk.html`);
  const domain = new URL(auth0.issuer).host;
  const make = `window.spa = new auth0.Auth0Client({ domain: ${JSON.stringify(domain)}, clientId: 'spa', authorizationParams: { redirect_uri: ${JSON.stringify(`${app.origin}/sdk.html`)} } })`;
  await Promise.all([page.waitForSelector('input[name=username]'), page.evaluate(`${make}; window.spa.loginWithRedirect().then(() => null)`)]);
  await signIn(page);
  await page.waitForURL(`${app.origin}/sdk.html?**`);
  await Promise.all([page.waitForURL(out), page.evaluate(`${make}; window.spa.logout({ logoutParams: { returnTo: ${JSON.stringify(out)} } }).then(() => null)`)]);
  await page.goto(`${app.origin}/sdk.html`);
  await Promise.all([page.waitForSelector('input[name=username]'), page.evaluate(`${make}; window.spa.loginWithRedirect().then(() => null)`)]);
  await page.done();
});

test('the page that asks, in a browser: the way back after its POST', async () => {
  const { page } = await browse(['back']);
  await page.goto(server.url('oidc/logout', { client_id: 'back', post_logout_redirect_uri: out, state: 's' }));
  await page.click('button[name=confirm][value=yes]');
  await page.waitForURL(`${out}?state=s`);
  assert.deepEqual(page.problems, []);
  await page.goto(authorizeUrl(server, authorization({ client_id: 'back', redirect_uri: `${app.origin}/callback`, prompt: 'none' }).params));
  await page.waitForURL(/error=login_required/);
  await page.done();
});

for (const javaScriptEnabled of [true, false]) {
  test(`the front channel ${javaScriptEnabled ? 'with' : 'without'} script: each application gets iss and sid, then the browser goes on`, async () => {
    const { page, sid } = await browse(['one', 'two'], { javaScriptEnabled });
    const before = [first.at('/front').length, second.at('/front').length];
    await page.goto(server.url('oidc/logout', { client_id: 'one', logout_hint: sid, post_logout_redirect_uri: out, state: 's' }));
    await page.waitForURL(`${out}?state=s`);
    for (const [i, receiver] of [first, second].entries()) {
      const calls = (await receiver.wait('/front', before[i] + 1)).slice(before[i]);
      assert.equal(calls.length, 1);
      assert.equal(calls[0].method, 'GET');
      assert.equal(calls[0].query.get('iss'), server.issuer);
      assert.equal(calls[0].query.get('sid'), sid);
    }
    assert.equal(first.at('/front').at(-1).query.get('app'), 'one');
    assert.deepEqual(page.problems, []);
    await page.goto(authorizeUrl(server, authorization({ client_id: 'one', redirect_uri: `${app.origin}/callback`, prompt: 'none' }).params));
    await page.waitForURL(/error=login_required/);
    await page.done();
  });
}

test('an application whose frame never loads keeps nobody', async () => { // in a browser without script the link is the way on
  second.answer('/never', () => {});
  const { page, sid } = await browse(['slow', 'one']);
  const started = Date.now();
  await page.goto(server.url('oidc/logout', { client_id: 'one', logout_hint: sid, post_logout_redirect_uri: out }), { waitUntil: 'commit' });
  await page.waitForURL(out);
  assert.ok(Date.now() - started < 30_000, 'sooner than the browser gives up a frame');
  assert.equal(second.at('/never').length, 1);
  await page.done();
});

test('with nowhere to go the browser ends at a page that says so', async () => {
  const { page, sid } = await browse(['one']);
  await page.goto(server.url('oidc/logout', { logout_hint: sid }), { waitUntil: 'commit' });
  await page.waitForURL(server.url('oidc/logout'));
  assert.equal(await page.textContent('h1'), 'You are signed out');
  assert.deepEqual(page.problems, []);
  await page.done();
});

test('the page with the frames: they alone may be framed by it, and nobody frames it', async () => {
  const { surfer, id_token } = await signedIn(server, 'one', { params: { redirect_uri: `${app.origin}/callback` } });
  const answer = await surfer.send(server.url('oidc/logout', { id_token_hint: id_token, post_logout_redirect_uri: out }));
  assert.equal(answer.status, 200);
  const policy = answer.headers['content-security-policy'];
  assert.match(policy, new RegExp(`frame-src ${first.url('')};`));
  assert.match(policy, /frame-ancestors 'none'/);
  assert.equal(answer.headers.refresh.split('; url=')[1], out);
  assert.ok(Number.parseInt(answer.headers.refresh, 10) <= 5);
  assert.match(answer.cookies[0], /=[\w-]{22};/, 'the session is out of the cookie already');
});
