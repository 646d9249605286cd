// SPDX-License-Identifier: Apache-2.0
// A real browser: what only it enforces (form-action, cookies of cross-site requests, autofocus) and shows.
import test from 'node:test';
import assert from 'node:assert/strict';
import { after } from 'node:test';
import fs from 'node:fs';
import { startInstance, until } from './lib/instance.mjs';
import { startApp } from './lib/app.mjs';
import { cursorIn, decide, newPage, signIn, startChromium, watch } from './lib/chromium.mjs';
import { authorization, authorizeUrl, client, decode, redeem } from './lib/oauth.mjs';

const app = await startApp();
after(() => app.stop());
const uri = `${app.origin}/callback`;
const custom = 'com.example.app:/callback';
const server = await startInstance({
  conf:
    client('spa', { uri, type: 'native', extra: ['OAuth2ASName "The Shop"'] }) +
    client('own', { uri, type: 'native', extra: ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'] }) +
    client('custom', { uri: custom, type: 'native' }),
  args: ['--host', 'as1.localhost'],
});
const browser = await startChromium();

function start(overrides) {
  const { params, verifier } = authorization({ redirect_uri: uri, ...overrides });
  return { params, verifier, url: authorizeUrl(server, params) };
}

async function back(page) {
  await page.waitForURL(`${app.origin}/**`);
  assert.equal(await page.textContent('h1'), 'Back at the application');
  return app.last();
}

test('login, consent, and the redirect to another origin after the POST', async () => {
  const page = await newPage(browser);
  const { url, params, verifier } = start({});
  await page.goto(url);
  await cursorIn(page, 'username');
  await signIn(page);
  await page.waitForSelector('button[name=decision]');
  assert.match(await page.textContent('main'), /The Shop/);
  assert.match(await page.textContent('main'), /Alice Example/);
  await decide(page);
  const got = await back(page);
  assert.equal(got.state, params.state);
  assert.equal(got.iss, server.issuer);
  assert.equal(app.calls.at(-1).method, 'GET');
  assert.equal(app.calls.at(-1).headers.referer, undefined, 'nothing of the request leaks by Referer');
  const answer = await redeem(server, { ...got, params, verifier });
  assert.equal(decode(answer.json.id_token).claims.sub, 'oauth2as|alice');
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test('the keyboard is enough', async () => {
  const page = await newPage(browser);
  await page.goto(start({ prompt: 'consent' }).url);
  await cursorIn(page, 'username');
  await page.keyboard.type('alice');
  await page.keyboard.press('Tab');
  await page.keyboard.type('correct horse');
  await page.keyboard.press('Enter');
  await page.waitForSelector('button[name=decision]');
  await page.focus('button[name=decision][value=allow]');
  await page.keyboard.press('Enter');
  assert.ok((await back(page)).code);
  await page.context().close();
});

test('everything but form_post works without JavaScript', async () => {
  const page = await newPage(browser, { javaScriptEnabled: false });
  await page.goto(start({ prompt: 'consent' }).url);
  await signIn(page);
  await decide(page);
  assert.ok((await back(page)).code);
  await page.context().close();
});

test('Deny', async () => {
  const page = await newPage(browser);
  await page.goto(start({ prompt: 'consent' }).url);
  await signIn(page);
  await decide(page, 'deny');
  assert.equal((await back(page)).error, 'access_denied');
  await page.context().close();
});

test('a wrong password is said, the name stays, and the right one goes on', async () => {
  const page = await newPage(browser);
  await page.goto(start({ client_id: 'own' }).url);
  await signIn(page, 'alice', 'wrong');
  await page.waitForSelector('[role=alert]');
  assert.match(await page.textContent('[role=alert]'), /not right/);
  assert.equal(await page.inputValue('input[name=username]'), 'alice');
  assert.equal(await page.inputValue('input[name=password]'), '');
  await signIn(page);
  assert.ok((await back(page)).code);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test('the second login goes by the session, also from another site', async () => {
  const page = await newPage(browser);
  await page.goto(start({ client_id: 'own' }).url);
  await signIn(page);
  await back(page);
  const before = app.calls.length;
  const { url, params } = start({ client_id: 'spa' });
  await page.evaluate((target) => location.assign(target), url);
  await page.waitForSelector('button[name=decision]');
  assert.equal(await page.locator('input[name=password]').count(), 0);
  await decide(page);
  await page.waitForURL(`${app.origin}/**`);
  assert.equal(app.calls.length, before + 1);
  assert.equal(app.last().state, params.state);
  await page.context().close();
});

test('form_post', async () => {
  const page = await newPage(browser);
  const { url, params } = start({ client_id: 'own', response_mode: 'form_post' });
  await page.goto(url);
  await signIn(page);
  const got = await back(page);
  assert.equal(app.calls.at(-1).method, 'POST');
  assert.ok(got.code);
  assert.equal(got.state, params.state);
  assert.equal(got.iss, server.issuer);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test('form_post without JavaScript needs one click', async () => {
  const page = await newPage(browser, { javaScriptEnabled: false });
  await page.goto(start({ client_id: 'own', response_mode: 'form_post' }).url);
  await signIn(page);
  await page.click('button[type=submit]');
  assert.ok((await back(page)).code);
  await page.context().close();
});

test('a request that another site posts finds the session nevertheless', async () => {
  const page = await newPage(browser);
  await page.goto(start({ client_id: 'own' }).url);
  await signIn(page);
  await back(page);
  const { params } = start({ client_id: 'own' });
  await page.evaluate(
    ([action, fields]) => {
      const form = document.createElement('form');
      form.method = 'post';
      form.action = action;
      for (const [name, value] of Object.entries(fields)) {
        const input = document.createElement('input');
        Object.assign(input, { type: 'hidden', name, value });
        form.append(input);
      }
      document.body.append(form);
      form.submit();
    },
    [server.url('authorize'), params],
  );
  await page.waitForSelector('button[name=decision]'); // of a loopback client consent is asked each time
  assert.equal(await page.locator('input[name=password]').count(), 0, 'no login page in between');
  await decide(page);
  await page.waitForURL((address) => address.searchParams.get('state') === params.state && address.origin === app.origin);
  assert.ok(app.last().code);
  await page.context().close();
});

test('two tabs at once', async () => {
  const one = await newPage(browser);
  const two = watch(await one.context().newPage());
  const [first, second] = [start({ client_id: 'own' }), start({ prompt: 'consent' })];
  await one.goto(first.url);
  await two.goto(second.url);
  await signIn(two);
  await decide(two);
  assert.equal((await back(two)).state, second.params.state);
  await signIn(one);
  assert.equal((await back(one)).state, first.params.state);
  await one.context().close();
});

test('the way back and forth again is safe', async () => {
  const page = await newPage(browser);
  await page.goto(start({ prompt: 'consent' }).url);
  await signIn(page);
  await decide(page);
  await back(page);
  await page.goBack();
  await page.goBack().catch(() => null);
  await page.reload();
  assert.match(page.url(), /^http:\/\/(as1\.localhost|127\.0\.0\.1)/);
  await page.context().close();
});

test('a custom scheme: the policy lets the redirect through', async () => {
  const page = await newPage(browser);
  const seen = [];
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  session.on('Network.requestWillBeSent', ({ request }) => seen.push(request.url));
  page.on('response', (response) => seen.push(response.headers().location ?? ''));
  await page.goto(start({ client_id: 'custom', redirect_uri: custom }).url);
  await signIn(page);
  await page.waitForSelector('button[name=decision]');
  await decide(page);
  await until('the browser goes there', () => seen.some((url) => url.startsWith(`${custom}?`) && url.includes('code=')));
  await page.waitForTimeout(700); // in which its console would say that the policy is against it
  assert.deepEqual(page.problems.filter((text) => /Content Security Policy/i.test(text)), []);
  await page.context().close();
});

test('a page cannot be framed', async () => {
  const page = await newPage(browser);
  await page.goto(app.origin);
  await page.setContent(`<iframe src="${start({}).url.replaceAll('&', '&amp;')}"></iframe>`);
  await page.waitForTimeout(500);
  const frame = page.frames().find((one) => one !== page.mainFrame());
  assert.equal(await frame.locator('input[name=password]').count().catch(() => 0), 0);
  await page.context().close();
});

test('no page scrolls sideways at 320 pixels, in either colour scheme', async () => {
  for (const colorScheme of ['light', 'dark']) {
    const page = await newPage(browser, { viewport: { width: 320, height: 640 }, colorScheme });
    const fits = async (what) => {
      const width = await page.evaluate('document.documentElement.scrollWidth');
      assert.ok(width <= 320, `${what} is ${width} pixels wide`);
    };
    await page.goto(start({ client_id: 'nobody' }).url);
    await fits('the error page');
    await page.goto(start({ scope: 'openid profile email address phone' }).url);
    await fits('the login page');
    await signIn(page);
    await page.waitForSelector('button[name=decision]');
    await fits('the consent page');
    await page.context().close();
  }
});

test('a style sheet of the administrator by its path is loaded, and nothing else is', async () => {
  fs.writeFileSync(`${server.dir}/look.css`, 'h1 { color: rgb(1, 2, 3) }');
  await server.reload({
    'test.conf': (text) => `${text}OAuth2ASStylesheet /look.css
      Alias /look.css ${server.dir}/look.css
      <Location /look.css>
        Require all granted
      </Location>\n`,
  });
  const page = await newPage(browser);
  const answer = await page.goto(start({ prompt: 'consent' }).url);
  assert.match((await answer.allHeaders())['content-security-policy'], /; style-src 'self';/);
  assert.equal(await page.locator('style').count(), 0);
  assert.equal(await page.evaluate("getComputedStyle(document.querySelector('h1')).color"), 'rgb(1, 2, 3)');
  await signIn(page);
  await page.waitForSelector('button[name=decision]');
  assert.equal(await page.evaluate("getComputedStyle(document.querySelector('h1')).color"), 'rgb(1, 2, 3)');
  assert.deepEqual(page.problems, []);
  await page.evaluate("document.querySelector('h1').setAttribute('style', 'color: rgb(4, 5, 6)')");
  assert.equal(await page.evaluate("getComputedStyle(document.querySelector('h1')).color"), 'rgb(1, 2, 3)', 'a style in the page does not count');
  await page.context().close();
});
