// SPDX-License-Identifier: Apache-2.0
// OAuth2ASLoginOption: whoever an authentication module of httpd lets through is signed in; here mod_auth_basic.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { spawnSync } from 'node:child_process';
import { startInstance } from './lib/instance.mjs';
import { authorization, authorizeUrl, callbackOf, client, decode, redeem } from './lib/oauth.mjs';
import { recipe } from './lib/recipe.mjs';
import { Surfer, textOf, unescapeHtml } from './lib/surfer.mjs';

const hash = (password) => spawnSync('openssl', ['passwd', '-apr1', '-stdin'], { input: password }).stdout.toString().trim();
const protectedBy = (where, name, who = 'valid-user') => `<Location "${where}">
  SetHandler oauth2as-login
  AuthType Basic
  AuthName ${name}
  AuthUserFile \${OAS_DIR}/intranet.htpasswd
  Require ${who}
</Location>
`;
const server = await startInstance({
  args: ['--module', 'authz_host'],
  prepare(dir) {
    fs.writeFileSync(`${dir}/staff.htpasswd`, `dora:${hash('typed once')}\n`);
    fs.writeFileSync(`${dir}/intranet.htpasswd`, `carol:${hash('remembered')}\nalice:${hash('remembered')}\n`);
    fs.writeFileSync(`${dir}/audit.log`, '', { mode: 0o666 });
  },
  conf:
    recipe('password', { '/etc/apache2/oauth2as/staff.htpasswd': '${OAS_DIR}/staff.htpasswd' }) +
    recipe('basic', { '/etc/apache2/oauth2as/intranet.htpasswd': '${OAS_DIR}/intranet.htpasswd', '10.0.0.0/8': '127.0.0.1' }) +
    `OAuth2ASAuditLog \${OAS_DIR}/audit.log
OAuth2ASLoginOption password "Staff"
OAuth2ASLoginOption strong "Smart card" /login/strong acr=urn:example:strong amr=hwk,pin reauth=can
OAuth2ASLoginOption dated "Dated" /login/dated reauth=can auth_time=%{req:X-Auth-Time}
OAuth2ASLoginOption open "Nobody" /login/open
OAuth2ASLoginOption missing "Not loaded" /login/missing
OAuth2ASLoginOption chosen "For Dora" /login/chosen
OAuth2ASLoginOption worded "In words of yours" /login/worded
OAuth2ASClaim department "%{reqenv:DEPARTMENT}"
OAuth2ASClaim email "%{reqenv:MAIL}"
${protectedBy('/login/strong', 'strong')}${protectedBy('/login/dated', 'dated')}
<Location "/login/strong">
  SetEnv DEPARTMENT Vault
  SetEnv MAIL carol@example.test
</Location>
${protectedBy('/login/chosen', 'chosen', 'user dora')}${protectedBy('/login/worded', 'worded')}
<Location "/login/chosen">
  AuthzSendForbiddenOnFailure On
</Location>
<Location "/login/worded">
  ErrorDocument 401 "words of ours"
</Location>
<Location "/private">
  AuthType Basic
  AuthName private
  AuthUserFile \${OAS_DIR}/intranet.htpasswd
  Require valid-user
</Location>
<Location "/login/missing">
  SetHandler oauth2as-login
  AuthType Unheard-Of
  AuthName missing
  Require valid-user
</Location>
<Location "/login/open">
  SetHandler oauth2as-login
  Require all granted
</Location>
` +
    client('spa'),
});
const credentials = (name, password = 'remembered') => ({ authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` });

/** The login page of a request. */
async function loginPage(overrides = {}) {
  const surfer = new Surfer(server);
  const { verifier, params } = authorization(overrides);
  const page = await surfer.go(authorizeUrl(server, params));
  return { surfer, page, verifier, params };
}

/** Chooses an option: where the browser is sent. */
async function choose(login, option) {
  const answer = await login.surfer.send(login.page.form.action, { form: { ...login.page.form.fields, option } });
  assert.equal(answer.status, 303, answer.text);
  return answer.location;
}

/** Through an option to the tokens. */
async function signIn(option, overrides = {}, headers = credentials('carol')) {
  const login = await loginPage(overrides);
  const where = await choose(login, option);
  const end = await login.surfer.through(await login.surfer.go(where.href, { headers }));
  const got = { ...callbackOf(end), ...login };
  const tokens = await redeem(server, got);
  assert.equal(tokens.status, 200, tokens.text);
  return { ...got, ...decode(tokens.json.id_token), tokens: tokens.json };
}

const auditLines = () => fs.readFileSync(`${server.dir}/audit.log`, 'utf8').trim().split('\n').filter(Boolean).map(JSON.parse);

const optionsOf = (page) => page.form.buttons.map(({ name, value }) => (name === 'option' ? value : null)).filter(Boolean);

/** A page that says this and carries a reference. */
function assertPage(answer, status, pattern) {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers['content-type'], /^text\/html/);
  assert.match(answer.headers['cache-control'], /no-store/);
  assert.match(textOf(answer.text), pattern);
  assert.match(textOf(answer.text), /Reference/);
}

test('the login page shows the options in the order of the directives, the password where it is put', async () => {
  const { page } = await loginPage();
  assert.deepEqual(optionsOf(page), ['intranet', 'strong', 'dated', 'open', 'missing', 'chosen', 'worded']);
  const text = textOf(page.text);
  const places = ['Intranet account', 'User name', 'Staff', 'Smart card', 'Dated'].map((label) => text.indexOf(label));
  assert.ok(places.every((at) => at >= 0), text);
  assert.deepEqual(places, [...places].sort((a, b) => a - b));
});

test('whoever the module lets through is signed in, as the option and the name it knows', async () => {
  const { claims, surfer } = await signIn('intranet');
  assert.equal(claims.sub, 'intranet|carol');
  assert.deepEqual(claims.amr, ['pwd']);
  assert.equal(claims.acr, undefined);
  assert.equal(claims.auth_time, undefined, 'nobody knows when the password was typed');
  const again = await surfer.go(authorizeUrl(server, authorization({ prompt: 'none' }).params));
  assert.ok(callbackOf(again).code, 'the session is there for the next request');
  assert.ok(auditLines().some(({ event, option, provider }) => event === 'login' && option === 'intranet' && provider === 'intranet'));
});

test('HTTP Basic as the documentation has it: from elsewhere no password is even looked at', async () => {
  server.announce(/AH01630/);
  const login = await loginPage();
  const { href } = await choose(login, 'intranet');
  for (const password of ['remembered', 'guessed']) // a guess that is looked at is in the error log
    assert.equal((await login.surfer.send(href, { localAddress: '127.0.0.2', headers: credentials('carol', password) })).status, 403);
});

test('the same name by the password form, by one option and by another are three people', async () => {
  const subs = [(await signIn('intranet', {}, credentials('alice'))).claims.sub, (await signIn('strong', {}, credentials('alice'))).claims.sub];
  assert.deepEqual(subs, ['intranet|alice', 'strong|alice']);
  const { surfer, verifier, params } = await loginPage();
  const got = { ...callbackOf(await surfer.through(authorizeUrl(server, params))), verifier, params };
  assert.equal(decode((await redeem(server, got)).json.id_token).claims.sub, 'oauth2as|alice');
  const staff = await loginPage();
  const end = await staff.surfer.through(staff.page, { username: 'dora', password: 'typed once' });
  assert.equal(decode((await redeem(server, { ...callbackOf(end), ...staff })).json.id_token).claims.sub, 'file|dora');
});

test('amr, acr and claims are those of the option and of its Location', async () => {
  const before = Math.floor(Date.now() / 1000);
  const { claims } = await signIn('strong');
  assert.deepEqual(claims.amr, ['hwk', 'pin']);
  assert.equal(claims.acr, 'urn:example:strong');
  assert.equal(claims.department, 'Vault');
  assert.equal(claims.email, 'carol@example.test');
  assert.ok(claims.auth_time >= before - 2 && claims.auth_time <= before + 30, 'it can authenticate anew, so it was now');
});

/** The page of a refusal, in httpd's own status. */
function assertRefused(answer, status) {
  assertPage(answer, status, /This way of signing in did not work/);
  assert.match(answer.headers['content-security-policy'], /default-src 'none'/);
  assert.equal(answer.headers['content-language'], 'en');
}

/** Where "Sign in another way" leads, or undefined. */
const anotherWay = (answer) => {
  const [, href] = /<a class="button primary" href="([^"]*)">Sign in another way</.exec(answer.text) ?? [];
  return href && unescapeHtml(href);
};

const referenceOf = (answer) => /Reference<\/dt><dd><code>([^<]+)</.exec(answer.text)[1];

/** What the audit log has for this answer, as [reason, option]. */
const failuresOf = (answer) => auditLines().filter(({ event, ref }) => event === 'login_failed' && ref === referenceOf(answer)).map(({ reason, option }) => [reason, option]);

test('without the right credentials the module refuses, and nobody is signed in', async () => {
  const login = await loginPage();
  const where = await choose(login, 'intranet');
  for (const headers of [{}, credentials('carol', 'wrong')]) {
    server.announce(/AH01617/, { maybe: true });
    const answer = await login.surfer.go(where.href, { headers });
    assertRefused(answer, 401);
    assert.match(answer.headers['www-authenticate'], /^Basic/);
    assert.deepEqual(answer.cookies, []);
    assert.deepEqual(failuresOf(answer), headers.authorization ? [['refused', 'intranet']] : [], 'to be asked is no failure');
  }
  const after = await login.surfer.go(authorizeUrl(server, authorization({ prompt: 'none' }).params));
  assert.equal(callbackOf(after).error, 'login_required');
});

test('whoever is refused goes back to the same request, and signs in another way', async () => {
  const login = await loginPage({ login_hint: 'alice', scope: 'openid email' });
  const refused = await login.surfer.go((await choose(login, 'chosen')).href, { headers: credentials('carol') });
  server.announce(/AH01631/, { maybe: true });
  assertRefused(refused, 403);
  assert.deepEqual(failuresOf(refused), [['refused', 'chosen']]);
  const again = new URL(anotherWay(refused));
  assert.equal(`${again.origin}${again.pathname}`, server.url('authorize'));
  assert.deepEqual(Object.fromEntries(again.searchParams), Object.fromEntries(Object.entries(login.params).map(([name, value]) => [name, String(value)])));
  const end = await login.surfer.through(again.href);
  const { tokens, claims } = await redeem(server, { ...callbackOf(end), ...login }).then(({ json }) => ({ tokens: json, claims: decode(json.id_token).claims }));
  assert.equal(claims.sub, 'oauth2as|alice');
  assert.equal(tokens.scope, 'openid email');
});

test('a refusal leads back only in the browser that began the sign-in, and repeats nothing of the address', async () => {
  const login = await loginPage();
  const where = await choose(login, 'intranet');
  const swapped = new URL(where);
  swapped.pathname = '/login/strong';
  const marked = server.url('login/intranet', { interaction: 'x"><b>marker', redirect_uri: 'https://marker.example.test/', ui_locales: 'de' });
  const german = await login.surfer.send(marked);
  assert.match(textOf(german.text), /Diese Art der Anmeldung hat nicht funktioniert.*Gehen Sie zurück zur Anwendung/);
  for (const answer of [await new Surfer(server).send(where.href), await login.surfer.send(swapped.href), await login.surfer.send(server.url('login/intranet')), german]) {
    assert.equal(answer.status, 401);
    assert.doesNotMatch(answer.text, /<a class="button|marker/);
    assert.deepEqual(answer.cookies, []);
  }
  assert.ok(anotherWay(await login.surfer.send(where.href)));
});

test('an ErrorDocument goes before our page, and other Locations keep the errors of httpd', async () => {
  const login = await loginPage();
  assert.equal((await login.surfer.go((await choose(login, 'worded')).href)).text.trim(), 'words of ours');
  for (const where of ['private', 'private?interaction=x']) {
    const other = await login.surfer.send(server.url(where));
    assert.equal(other.status, 401);
    assert.match(other.text, /Unauthorized/);
    assert.doesNotMatch(other.text, /Reference/);
  }
});

test('an option whose time nobody knows satisfies neither prompt=login nor max_age, and is not offered for them', async () => {
  assert.deepEqual(optionsOf((await loginPage({ prompt: 'login' })).page), ['strong', 'dated']);
  assert.deepEqual(optionsOf((await loginPage({ max_age: 60 })).page), ['strong', 'dated']);
  const forced = await loginPage({ prompt: 'login' });
  const page = await forced.surfer.submit(forced.page, { option: 'intranet' });
  assert.deepEqual(optionsOf(page), ['strong', 'dated'], 'a button that was not there leads back to the page');
  const { surfer } = await signIn('intranet');
  for (const wish of [{ prompt: 'login' }, { max_age: 100000000 }]) {
    const answer = await surfer.go(authorizeUrl(server, authorization(wish).params));
    assert.equal(answer.status, 200);
    assert.match(textOf(answer.text), /Sign in/);
  }
});

test('an option that can authenticate anew satisfies them', async () => {
  assert.equal((await signIn('strong', { prompt: 'login' })).claims.sub, 'strong|carol');
  assert.equal((await signIn('strong', { max_age: 0 })).claims.sub, 'strong|carol');
});

test('auth_time= is believed: old it satisfies a long max_age only', async () => {
  const now = Math.floor(Date.now() / 1000);
  const at = (time, overrides = {}) => signIn('dated', overrides, { ...credentials('carol'), 'x-auth-time': String(time) });
  assert.equal((await at(now - 600)).claims.auth_time, now - 600);
  assert.equal((await at(now - 600, { max_age: 3600 })).claims.auth_time, now - 600);
  assert.equal((await at(now, { prompt: 'login' })).claims.auth_time, now);
  for (const wish of [{ max_age: 300 }, { prompt: 'login' }]) {
    const login = await loginPage(wish);
    const where = await choose(login, 'dated');
    const page = await login.surfer.go(where.href, { headers: { ...credentials('carol'), 'x-auth-time': String(now - 600) } });
    assert.equal(page.status, 200, 'signed in, but not for this request');
    assert.deepEqual(optionsOf(page), ['strong', 'dated']);
  }
});

test('auth_time= that is no time of the past is not known: it is logged, and never counts as just now', async () => {
  const now = Math.floor(Date.now() / 1000);
  server.announce(/OAS00930/);
  for (const time of ['yesterday', now + 5000, (now - 600) * 1000, '9300000000000', '9223372036854775807', '99999999999999999999', '-5']) {
    const login = await loginPage({ prompt: 'login' });
    const where = await choose(login, 'dated');
    const page = await login.surfer.go(where.href, { headers: { ...credentials('carol'), 'x-auth-time': String(time) } });
    assert.equal(page.status, 200, `${time}: signed in, but not for this request`);
    assert.deepEqual(optionsOf(page), ['strong', 'dated'], String(time));
    const silent = { ...callbackOf(await login.surfer.go(authorizeUrl(server, { ...login.params, prompt: 'none' }))), ...login };
    assert.equal(decode((await redeem(server, silent)).json.id_token).claims.auth_time, undefined, String(time));
  }
});

test('a Location opened bare, in another browser, or for another option says what to do', async () => {
  const headers = credentials('carol');
  const login = await loginPage();
  const where = await choose(login, 'intranet');
  assertPage(await login.surfer.send(server.url('login/intranet'), { headers }), 400, /Start from an application/);
  assertPage(await new Surfer(server).send(where.href, { headers }), 400, /Cookies are switched off/);
  const other = await loginPage();
  assertPage(await other.surfer.send(where.href, { headers }), 400, /another sign-in/);
  const swapped = new URL(where);
  swapped.pathname = '/login/strong';
  assertPage(await login.surfer.send(swapped.href, { headers }), 400, /another sign-in/);
  const forged = new URL(where);
  forged.searchParams.set('interaction', `${where.searchParams.get('interaction').slice(0, -4)}AAAA`);
  assertPage(await login.surfer.send(forged.href, { headers }), 400, /another sign-in/);
  const consent = new URL(where);
  consent.searchParams.set('step', 'resume');
  assertPage(await login.surfer.send(consent.href, { headers }), 400, /another sign-in/);
  const resumed = new URL(where);
  resumed.pathname = '/authorize';
  assertPage(await login.surfer.send(resumed.href, { headers }), 400, /another sign-in/);
});

test('a Location that authenticates nobody signs nobody in, and the log says what is missing', async () => {
  const login = await loginPage();
  const where = await choose(login, 'open');
  server.announce(/OAS00936.*Require valid-user/);
  assertPage(await login.surfer.go(where.href), 500, /went wrong on our side/);
  const after = await login.surfer.go(authorizeUrl(server, authorization({ prompt: 'none' }).params));
  assert.equal(callbackOf(after).error, 'login_required');
});

test('a Location whose authentication module is not loaded says that signing in is not possible', async () => {
  const login = await loginPage();
  const where = await choose(login, 'missing');
  server.announce(/AH00027|AH00025|AuthType Unheard-Of/, { maybe: true });
  server.announce(/OAS00939/);
  const answer = await login.surfer.go(where.href);
  assertPage(answer, 500, /This way of signing in is not possible right now/);
  assert.deepEqual(failuresOf(answer), [['unavailable', 'missing']]);
  assert.match((await login.surfer.go(anotherWay(answer))).text, /name="password"/);
  assert.match(answer.headers['content-security-policy'], /default-src 'none'/);
  assert.deepEqual(answer.cookies, []);
});

test('a request at the edge of what a page carries goes through an option too', async () => {
  const { claims, state, params } = await signIn('intranet', { state: 's'.repeat(2000) });
  assert.equal(claims.sub, 'intranet|carol');
  assert.equal(state, params.state);
});
