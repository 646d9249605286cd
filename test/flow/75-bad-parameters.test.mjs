// SPDX-License-Identifier: Apache-2.0
// Every parameter the module knows, at every page, in every form, with values no application sends: nothing breaks,
// nothing comes back unescaped, no header and no line of the log is made by them. Names that a module of httpd hands on.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { startInstance, top } from './lib/instance.mjs';
import { stayer } from './lib/leads.mjs';
import { afterUri, isSignedIn, own } from './lib/logout.mjs';
import { appUri, authorization, authorizeUrl, callbackOf, client, decode, getCode, redeem } from './lib/oauth.mjs';
import { Surfer, textOf, unescapeHtml } from './lib/surfer.mjs';
import { Wire } from './lib/wire.mjs';

const server = await startInstance({
  args: ['--module', 'authn_anon'],
  conf:
    'OAuth2ASProfile auth0\nOAuth2ASKeepSignedIn on\nOAuth2ASThrottle pair=10000 account=10000 address=10000 max=1s\nOAuth2ASAuditLog ${OAS_DIR}/audit.log\n' +
    'OAuth2ASLoginOption any "any" /login/any\n<Location "/login/any">\nSetHandler oauth2as-login\nAuthType Basic\nAuthName any\nAuthBasicProvider anon\nAnonymous *\nAnonymous_MustGiveEmail off\nAnonymous_VerifyEmail off\nRequire valid-user\n</Location>\n' +
    client('spa', { extra: [...own, `OAuth2ASPostLogoutRedirectURI ${afterUri}`] }) +
    client('asks', { extra: [`OAuth2ASPostLogoutRedirectURI ${afterUri}`] }),
});
const wire = new Wire(server);
after(() => wire.stop());
const stays = stayer(new URL(server.issuer).origin, [appUri, afterUri]);

// the names, as the module lists them
const source = fs.readFileSync(path.join(top, 'lib/check/params.c'), 'utf8');
const names = [...new Set([...source.slice(source.indexOf('known[] = {'), source.indexOf('};')).matchAll(/"(\w+)"/g)].map(([, name]) => name)), 'resource', 'unheard_of'];

const mark = '"><i id=planted>';
const values = {
  '10 kB': 'A'.repeat(10_000),
  '7 kB': '%C3%A4'.repeat(1150),
  'a NUL': 'planted%00planted',
  'no UTF-8': 'planted%FF%C0%AF%ED%A0%80',
  'line breaks': 'x%0D%0ASet-Cookie:%20planted=1%0D%0AX-Evil:%20planted%0D%0A%0D%0Aplanted',
  'markup': encodeURIComponent(mark),
  'templates': encodeURIComponent('{{{client.name}}}{{#form}}{{action}}{{/form}}<planted>'),
  'SQL': encodeURIComponent("'; DROP TABLE oas_sessions; --\\'\"$$%n%s"),
  'deep JSON': encodeURIComponent('[{"a":'.repeat(700)),
  'a large number': '9'.repeat(400),
  'directions': '%E2%80%AE%E2%81%A6%EF%BB%BF%CC%81%F0%9F%98%80',
};

/** Bad, and nothing of it in the answer but as text. */
function assertUnharmed(answer, what) {
  stays(answer, what);
  assert.ok(answer.status < 500, `${what}: ${answer.status}`);
  assert.doesNotMatch(answer.text, /<i id|<planted/, what);
  if (!answer.location) assert.ok(!/A{5000}|\u00e4{1000}|9{399}/.test(answer.text.replace(/<input[^>]*>/g, '')), `${what}: comes back`);
}

const browser = (await getCode(server, { client_id: 'spa' })).surfer;
const cookie = { Cookie: browser.cookiesFor(server.issuer) };
const encode = (fields) => new URLSearchParams(Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))).toString();
const without = (fields, name) => ({ ...fields, [name]: undefined });
const valid = () => authorization({ client_id: 'spa', scope: 'openid' }).params;
const logout = { client_id: 'spa', post_logout_redirect_uri: afterUri, state: 's' };

async function all(make) {
  await Promise.all(
    names.flatMap((name) =>
      Object.entries(values).map(async ([what, value]) => {
        const [target, options] = make(name, value);
        if (target.length < 8000) assertUnharmed(await wire.send(target, options), `${name}: ${what}`);
      }),
    ),
  );
}

// state, what it is sent with, and the rest of the query
const queries = {
  'authorize, nobody signed in': ['/authorize', valid, {}],
  'authorize, signed in': ['/authorize', () => ({ ...valid(), prompt: 'none' }), cookie],
  'account, nobody signed in': ['/account', () => ({}), {}],
  'account, signed in': ['/account', () => ({}), cookie],
  'logout, nobody signed in': ['/oidc/logout', () => logout, {}],
  'logout, signed in': ['/oidc/logout', () => ({ ...logout, id_token_hint: 'x' }), cookie],
  'v2/logout': ['/v2/logout', () => ({ client_id: 'spa', returnTo: afterUri }), {}],
  'a login option': ['/login/any', () => ({ interaction: '1.x', step: 'external', client_id: 'spa' }), { ...cookie, Authorization: 'Basic eDp4' }],
};
for (const [what, [at, fields, headers]] of Object.entries(queries)) {
  test(`each parameter in the query: ${what}`, () => all((name, value) => [`${at}?${encode(without(fields(), name))}&${name}=${value}`, { headers }]));
}
for (const what of ['logout, signed in']) {
  const [at, fields, headers] = queries[what];
  test(`each parameter in the body: ${what}`, () => all((name, value) => [at, { headers, body: `${encode(without(fields(), name))}&${name}=${value}` }]));
}

const open = (overrides) => browser.go(authorizeUrl(server, authorization({ client_id: 'asks', ...overrides }).params));
const forms = {
  login: [() => open({ prompt: 'login' }), { username: 'alice' }],
  'select_account': [() => open({ prompt: 'select_account' }), {}],
  consent: [() => open({}), {}],
  account: [() => browser.go(server.url('account')), {}],
  logout: [() => browser.go(server.url('oidc/logout')), {}],
};
// what makes these forms do their work is tried elsewhere; here a wrong value is to do nothing
const working = ['end_others', 'password', 'username', 'withdraw', 'current_password', 'new_password', 'new_password_again'];
for (const [what, [reach, fields]] of Object.entries(forms)) {
  test(`each parameter in the form: ${what}`, async () => {
    const page = await reach();
    const target = new URL(page.form.action).pathname;
    await all((name, value) => (working.includes(name) && what === 'account' ? ['/account', { headers: cookie }] : [target, { headers: cookie, body: `${encode(without({ ...page.form.fields, ...fields }, name))}&${name}=${value}` }]));
  });
}

test('the fields of the account page', async () => {
  const page = await browser.go(server.url('account'));
  for (const name of ['end_session', 'withdraw', 'current_password', 'new_password']) {
    for (const [what, value] of Object.entries(values)) {
      const body = `${encode({ ...page.form.fields, ...(/password/.test(name) && { password: 'change', current_password: 'wrong', new_password: 'long enough', new_password_again: 'long enough', [name]: undefined }) })}&${name}=${value}`;
      const answer = await wire.send('/account', { headers: cookie, body });
      assertUnharmed(answer, `${name}: ${what}`);
      assert.doesNotMatch(textOf(answer.text), /has been changed/);
    }
  }
  assert.equal(await isSignedIn(server, browser), true);
});

test('user names and passwords of all kinds, by form', async () => {
  const page = await new Surfer(server).go(authorizeUrl(server, valid()));
  const fresh = { Cookie: page.cookies.map((line) => line.split(';')[0]).join('; ') };
  const sealed = encode({ ...page.form.fields, username: undefined, password: undefined });
  const seen = new Set();
  for (const [what, value] of Object.entries(values)) {
    for (const body of [`username=${value}&password=x`, `username=alice&password=${value}`, `username=${value}&password=${value}&option=${value}&keep=${value}`]) {
      const answer = await wire.send('/authorize', { headers: fresh, body: `${sealed}&${body}` });
      seen.add(answer.status);
      assertUnharmed(answer, what);
      assert.ok([200, 400, 413].includes(answer.status), `${what}: ${answer.status}`);
    }
  }
  assert.ok(seen.has(200) && seen.has(400));
  for (const name of ['аlice', 'alıce', 'ａlice', 'alice\u200b', 'alice\u00ad', 'al\u0131ce', 'ali\u0441e', 'alice|', 'oauth2as|alice', 'alice\\', 'ali\u0063\u0327e']) {
    const answer = await wire.send('/authorize', { headers: fresh, body: `${sealed}&${encode({ username: name, password: 'correct horse' })}` });
    assert.equal(answer.status, 200, name);
    assert.match(answer.text, /name="password"/, `${name} is not alice`);
  }
});

test('user names that a module of httpd hands on', async () => {
  const subs = new Map();
  for (const name of ['carol', 'CAROL', 'с\u0430rol', mark, 'a|b', 'any|carol', 'a\nb', 'a\r\nSet-Cookie: planted=1', '\u202ecarol', ' ', '{{name}}', "o'; --", '%00', 'x'.repeat(255), 'x'.repeat(256), 'ä'.repeat(300), 'x'.repeat(5000), Buffer.from([0xff, 0xfe]), Buffer.from([0xc0, 0xaf]), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from([1, 2, 0x7f])]) {
    const surfer = new Surfer(server);
    const { verifier, params } = authorization({ client_id: 'spa', scope: 'openid' });
    const page = await surfer.go(authorizeUrl(server, params));
    const where = (await surfer.send(page.form.action, { form: { ...page.form.fields, option: 'any' } })).location;
    const authorizationHeader = `Basic ${Buffer.concat([Buffer.from(name), Buffer.from(':x')]).toString('base64')}`;
    server.announce(/OAS\d{5}/, { maybe: true });
    const answer = await surfer.go(where.href, { headers: { authorization: authorizationHeader } });
    assertUnharmed(answer, String(name).slice(0, 20));
    if (!answer.location) continue;
    const { sub } = decode((await redeem(server, { ...callbackOf(answer), verifier, params })).json.id_token).claims;
    assert.match(sub, /^any\|[\x21-\x7e]+$/);
    assert.ok(sub.length <= 255);
    assert.ok(!subs.has(sub), `${String(name)} and ${subs.get(sub)} are one subject`);
    subs.set(sub, String(name).slice(0, 40));
    const account = await surfer.go(server.url('account'));
    assertUnharmed(account, 'the account page of that name');
  }
  assert.ok(subs.size > 10, `${subs.size} of them signed in`);
});

test('headers that are kept or shown', async () => {
  const surfer = new Surfer(server);
  const { origin } = new URL(server.issuer);
  for (const agent of [mark, 'x'.repeat(7000), Buffer.from([0x61, 0xff, 0xc3]).toString('latin1'), '\u00ff'.repeat(3000), '{{name}}', "'; --", '%s%n', ' ', 'Firefox/ Linux <planted>']) {
    const headers = { 'User-Agent': agent, 'Accept-Language': agent, Referer: agent, Origin: agent, 'auth0-forwarded-for': agent };
    const page = await surfer.go(server.url('account'));
    const login = page.form && 'password' in page.form.fields && 'username' in page.form.fields && !page.text.includes('end_session');
    if (login) {
      const answer = await surfer.send(page.form.action, { form: { ...page.form.fields, username: 'bob', password: 'battery staple' }, headers });
      assert.equal(answer.status, 303);
    }
    assertUnharmed(await surfer.send(server.url('account'), { headers }), agent.slice(0, 20));
    surfer.jar.delete(origin);
  }
  await surfer.submit(await surfer.go(server.url('account')), { username: 'bob', password: 'battery staple' });
  const page = await surfer.go(server.url('account'));
  assertUnharmed(page, 'the devices');
  assert.match(unescapeHtml(page.text), /"><i id=planted>/, 'shown as the text that it is');
});

test('the log and the audit log have lines of the server only, and everything still works', async () => {
  assert.doesNotMatch(server.log(), /^(?!\[)[^\n]*planted/m);
  for (const line of fs.readFileSync(path.join(server.dir, 'audit.log'), 'utf8').split('\n').filter(Boolean)) assert.ok(JSON.parse(line).event);
  assert.equal((await redeem(server, await getCode(server, { client_id: 'spa' }))).status, 200);
  assert.equal(await isSignedIn(server, browser), true);
});
