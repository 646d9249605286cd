// SPDX-License-Identifier: Apache-2.0
// Passwords in other places, with a real directory: what its entries say of people, who is asked in which order, names
// that are no names, and a directory that is away.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { startApp } from './lib/app.mjs';
import { newPage, signIn, startChromium } from './lib/chromium.mjs';
import { startInstance } from './lib/instance.mjs';
import { startDirectory } from './lib/ldap.mjs';
import { recipe } from './lib/recipe.mjs';
import { Surfer, textOf } from './lib/surfer.mjs';
import { authorization, authorizeUrl, client, decode, getCode, redeem } from './lib/oauth.mjs';

const app = await startApp();
after(() => app.stop());
const person = (uid, password, more = {}) => ({ uid, cn: `${uid} of the directory`, mail: `${uid}@example.test`, password, more });
const directory = await startDirectory([
  { ...person('Dora.Smith', 'ldap word', { cn: ['Dora Smith', 'D. Smith'], givenName: 'Dora', preferredLanguage: 'en-gb;q=0.8, fr' }), sn: 'Smith' },
  person('zoë', 'umlaut word', { cn: 'Zoë' }),
  person('two', 'two words', { uid: ['two', 'zwei'], mail: ['two@example.test', 'zwei@example.test'] }),
  person('semi', 'semi word', { uid: ['semi', 'semi; colon'] }),
  person('chloe', 'chloe word', { uid: ['chloe', 'chloë'] }),
  person('carol', 'ldap carol'),
  person('login', 'password of a service'),
  { ...person('gone', 'gone word'), ou: 'locked' },
  { ...person('Ida', 'ida word'), ou: 'staff' },
  { ...person('åke', 'ake word'), ou: 'staff' },
]);
const own = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'];
const hash = (password) => execFileSync('openssl', ['passwd', '-apr1', password], { encoding: 'utf8' }).trim();
const server = await startInstance({
  args: ['--module', 'ldap', '--module', 'authnz_ldap'],
  prepare: (dir) => fs.writeFileSync(`${dir}/people`, `carol:${hash('file carol')}\nfrank:${hash('file frank')}\nаlice:${hash('cyrillic')}\n`),
  conf: `${client('own', { extra: own })}
    OAuth2ASPasswordProvider file oauth2as
    OAuth2ASThrottle pair=1000 account=1000 address=1000 max=1d
    <Location "/authorize">
      AuthUserFile \${OAS_DIR}/people
    </Location>\n`,
});

// aliases stand outside of virtual hosts
await server.reload({
  'httpd/httpd.conf': (text) => `${text}
    <AuthnProviderAlias ldap corp>
      AuthLDAPURL "${directory.base}?uid,mail,cn,givenName,sn,preferredLanguage"
    </AuthnProviderAlias>
    <AuthnProviderAlias ldap locked>
      AuthLDAPURL "${directory.baseOf('locked')}?uid"
    </AuthnProviderAlias>
    <AuthnProviderAlias ldap staff>
      AuthLDAPURL "${directory.baseOf('staff')}"
    </AuthnProviderAlias>
    LDAPCacheTTL 0
    ${recipe('ldap-server')}`,
  'test.conf': (text) => text.replace('Provider file', 'Provider corp locked staff file'),
});

async function claimsOf(username, password) {
  const got = await getCode(server, { client_id: 'own' }, { username, password });
  return decode((await redeem(server, got)).json.id_token).claims;
}

async function attempt(username, password) {
  const surfer = new Surfer(server);
  return surfer.submit(await surfer.go(authorizeUrl(server, authorization({ client_id: 'own' }).params)), { username, password });
}

async function wrong(username, password) {
  const answer = await attempt(username, password);
  assert.equal(answer.status, 200, textOf(answer.text));
  assert.match(textOf(answer.text), /The user name or password is not right/);
}

test('the entry says what somebody is called, whatever was typed', async () => {
  for (const typed of ['Dora.Smith', 'dora.smith', 'DORA.SMITH', ' dora.smith ']) {
    assert.equal((await claimsOf(typed, 'ldap word')).sub, 'corp|dora.smith', typed);
  }
  const [[name]] = await server.sql("SELECT name FROM oas_subjects WHERE sub = 'corp|dora.smith'");
  assert.equal(name, 'Dora.Smith', 'as the directory has it');
});

test('claims without a line of configuration: the first value of mail, cn, givenName, sn, preferredLanguage', async () => {
  const { name, given_name, family_name, email, locale, email_verified } = await claimsOf('dora.smith', 'ldap word');
  assert.deepEqual({ name, given_name, family_name, email, locale }, { name: 'Dora Smith', given_name: 'Dora', family_name: 'Smith', email: 'Dora.Smith@example.test', locale: 'en-gb' });
  assert.equal(email_verified, undefined, 'nobody said so');
  const two = await claimsOf('two', 'two words');
  assert.equal(two.email, 'two@example.test');
});

test('an entry with two names is called by the one that was typed, as the entry spells it', async () => {
  for (const typed of ['two', 'TWO ', 'ｔwo', 'ⓣwo']) assert.equal((await claimsOf(typed, 'two words')).sub, 'corp|two', typed);
  for (const typed of [' Zwei', 'ｚwei']) assert.equal((await claimsOf(typed, 'two words')).sub, 'corp|zwei', typed);
  assert.equal((await claimsOf('semi; Colon', 'semi word')).sub, 'corp|semi;%20colon');
  assert.equal((await claimsOf('ｓemi', 'semi word')).sub, 'corp|semi');
  assert.equal((await claimsOf('chloe', 'chloe word')).sub, 'corp|chloe');
  assert.equal((await claimsOf('chloë', 'chloe word')).sub, 'corp|chlo%C3%AB');
});

test('a name that is not clear is no name: refused, and the administrator is told', async () => {
  server.announce(/OAS01021/);
  await wrong('CHLOË', 'chloe word');
  assert.equal((await claimsOf('IDA ', 'ida word')).sub, 'staff|ida', 'nothing is exported');
  for (const [username, password] of [['ｉda', 'ida word'], ['åke', 'ake word']]) await wrong(username, password);
});

test('spellings that the directory takes for one are counted as one', async () => {
  assert.equal((await claimsOf('ｃⓐrol', 'ldap carol')).sub, 'corp|carol');
  await server.sql('DELETE FROM oas_throttle');
  for (const username of ['carol', 'ｃarol', 'ⓒⓐrol', 'ＣAROL', 'carol\u3000']) await wrong(username, 'x');
  assert.deepEqual(await server.sql('SELECT failures::text FROM oas_throttle'), [['5'], ['5'], ['5']]);
});

test('a user whose password the directory refuses to check is wrong like one who does not exist, and counted', async () => {
  for (const username of ['gone', 'nobody-here']) {
    await server.sql('DELETE FROM oas_throttle');
    await wrong(username, 'gone word');
    await wrong(username, 'x');
    assert.deepEqual(await server.sql('SELECT failures::text FROM oas_throttle'), [['2'], ['2'], ['2']], username);
  }
});

test('a name that is not ASCII', async () => {
  const { sub, name } = await claimsOf('zoë', 'umlaut word');
  assert.equal(sub, 'corp|zo%C3%AB');
  assert.equal(name, 'Zoë');
  assert.equal((await claimsOf('ZOË', 'umlaut word')).sub, sub, 'the directory takes them for one');
});

test('a look-alike is somebody else', async () => {
  const cyrillic = await claimsOf('аlice', 'cyrillic');
  const latin = await claimsOf('alice', 'correct horse');
  assert.equal(cyrillic.sub, 'file|%D0%B0lice');
  assert.equal(latin.sub, 'oauth2as|alice');
  await wrong('аlice', 'correct horse');
  await wrong('alice', 'cyrillic');
});

test('the next provider is asked only about users that the one before does not know', async () => {
  assert.equal((await claimsOf('carol', 'ldap carol')).sub, 'corp|carol');
  await wrong('carol', 'file carol');
  assert.equal((await claimsOf('frank', 'file frank')).sub, 'file|frank');
  assert.equal((await claimsOf('bob', 'battery staple')).sub, 'oauth2as|bob');
  await wrong('nobody-here', 'x');
});

test('a provider leaves nothing for the next: claims are of whoever signed in', async () => {
  await wrong('dora.smith', 'x');
  const { email, name } = await claimsOf('frank', 'file frank');
  assert.deepEqual({ email, name }, { email: undefined, name: undefined });
});

for (const [what, username] of Object.entries({
  'ten thousand bytes': 'a'.repeat(10_000),
  '257 bytes': 'a'.repeat(257),
  'a wildcard': '*',
  'a filter': 'dora.smith)(uid=*',
  'a filter of its own': '*)(objectClass=*',
  'control characters': 'dora\u0001\u007f\r\nsmith',
  'a colon': 'frank:x',
  'a pipe': 'corp|dora.smith',
  'a client': 'own@clients',
  'markup': '"><script>alert(1)</script>',
  'from right to left': '\u202ealice',
})) {
  test(`a user name that is none: ${what}`, async () => {
    await wrong(username, 'ldap word');
    await wrong(username, 'correct horse');
  });
}

test('a very long password is wrong and costs nothing; an empty one never binds', async () => {
  await wrong('dora.smith', 'x'.repeat(1025));
  await wrong('dora.smith', 'x'.repeat(50_000));
  await wrong('dora.smith', '');
});

for (const [what, bytes] of Object.entries({ NUL: '%00', 'invalid UTF-8': '%C3%28', 'half a character': '%E2%82', 'a surrogate': '%ED%A0%80', 'overlong': '%C0%AF' })) {
  test(`a user name with ${what}`, async () => {
    const surfer = new Surfer(server);
    const { form } = await surfer.go(authorizeUrl(server, authorization({ client_id: 'own' }).params));
    const { username, password, ...hidden } = form.fields;
    const answer = await surfer.send(form.action, {
      body: `${new URLSearchParams(hidden)}&username=alice${bytes}&password=x`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    assert.equal(answer.status, 400, textOf(answer.text));
    assert.match(textOf(answer.text), /Reference \S+/);
  });
}

test('a directory that is away: 503 and a time to come back, never a wrong password; others sign in again with it', async () => {
  await directory.stop();
  server.announce(/OAS00751/, { maybe: false });
  server.announce(/AH0\d+: .*(ldap|LDAP)/, { maybe: true });
  for (const [username, password] of [['dora.smith', 'ldap word'], ['dora.smith', 'wrong'], ['frank', 'file frank'], ['nobody-here', 'x']]) {
    const answer = await attempt(username, password);
    assert.equal(answer.status, 503, username);
    assert.ok(Number(answer.headers['retry-after']) >= 1);
    assert.doesNotMatch(textOf(answer.text), /not right/);
  }
  assert.equal(await server.count('oas_throttle', 'waiting_until IS NOT NULL'), 0);
  await directory.start();
  assert.equal((await claimsOf('dora.smith', 'ldap word')).sub, 'corp|dora.smith');
});

/** The recipes of docs/login.md, one behind the other, instead of what was there; with `more`. */
async function cook(more) {
  await server.reload({ 'test.conf': () => client('own', { extra: own }) + client('spa', { uri: `${app.origin}/callback`, extra: own }) + more });
}

test('the recipes for a directory and for a table, with a file between and the built-in users last', async () => {
  fs.writeFileSync(`${server.dir}/ldap.secret`, 'password of a service\n');
  await server.sql(`CREATE TABLE people (login text PRIMARY KEY, password text, email text, name text); GRANT SELECT ON people TO PUBLIC;
    INSERT INTO people VALUES ${['tina', 'frank', 'carol', 'bob'].map((name) => `('${name}', '${hash(`table ${name}`)}', '${name}@table.test', '${name} of the table')`)}`);
  await cook(
    recipe('ldap', {
      'ldap oauth2as': 'ldap file dbd oauth2as',
      'ldaps://ldap.example.com/ou=people,dc=example,dc=com': directory.base,
      'uid=login,ou=services,dc=example,dc=com': 'uid=login,ou=people,dc=example,dc=test',
      '/etc/apache2/oauth2as/ldap.secret': `${server.dir}/ldap.secret`,
    }) +
      recipe('dbd', { 'OAuth2ASPasswordProvider dbd oauth2as': '' }) +
      `<Location "/authorize">\nAuthUserFile ${server.dir}/people\n</Location>\n`,
  );
  const who = async (...credentials) => (({ sub, email }) => `${sub} ${email}`)(await claimsOf(...credentials));
  assert.equal(await who('Carol', 'ldap carol'), 'ldap|carol carol@example.test');
  assert.equal(await who('frank', 'file frank'), 'file|frank undefined');
  assert.equal(await who('tina', 'table tina'), 'dbd|tina tina@table.test');
  assert.equal((await claimsOf('tina', 'table tina')).name, 'tina of the table');
  assert.equal(await who('bob', 'table bob'), 'dbd|bob bob@table.test');
  assert.equal(await who('alice', 'correct horse'), 'oauth2as|alice alice@example.test');
  // known to the one before, with the password of the one behind
  await wrong('carol', 'file carol');
  await wrong('carol', 'table carol');
  await wrong('frank', 'table frank');
  await wrong('bob', 'battery staple');
  await wrong('nobody-here', 'x');
});

test('a browser signs in as somebody of the directory', async () => {
  const page = await newPage(await startChromium());
  const { params, verifier } = authorization({ redirect_uri: `${app.origin}/callback` });
  await page.goto(authorizeUrl(server, params));
  await signIn(page, 'dora.smith', 'wrong');
  await page.waitForSelector('[role=alert]');
  await signIn(page, 'dora.smith', 'ldap word');
  await page.waitForURL(`${app.origin}/**`);
  const { claims } = decode((await redeem(server, { ...app.last(), params, verifier })).json.id_token);
  assert.deepEqual([claims.sub, claims.email, claims.name], ['ldap|dora.smith', 'Dora.Smith@example.test', 'Dora Smith']);
  assert.deepEqual(page.problems, []);
  await page.done();
});

test('a provider that is there but not set up: 503, the page says so, and the log', async () => {
  await cook('OAuth2ASPasswordProvider oauth2as file\nOAuth2ASSubject "staff:%{tolower:%{reqenv:AUTHENTICATE_EMAIL}}"\n');
  server.announce(/OAS00751/);
  server.announce(/AH01619/); // mod_authn_file's: AuthUserFile not specified
  const answer = await attempt('frank', 'file frank');
  assert.equal(answer.status, 503);
  assert.ok(Number(answer.headers['retry-after']) >= 1);
  const text = textOf(answer.text);
  assert.match(text, /Signing in is not possible right now/);
  assert.match(text, /Your account and your password are not affected/);
  assert.doesNotMatch(text, /not right/);
  const [, reference] = text.match(/Reference (\S+)/);
  assert.ok(server.log().split('\n').some((line) => line.includes('OAS00751') && line.includes(reference)), 'a caller can be found in the log');
});

test('OAuth2ASSubject says who somebody is; who it says nothing of cannot sign in', async () => {
  assert.equal((await claimsOf('bob', 'battery staple')).sub, 'staff:bob@example.test');
  const [[provider, name]] = await server.sql("SELECT provider, name FROM oas_subjects WHERE sub = 'staff:bob@example.test'");
  assert.deepEqual([provider, name], ['oauth2as', 'bob']);
});
