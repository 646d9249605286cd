// SPDX-License-Identifier: Apache-2.0
// The account page: where somebody is signed in, which applications have access, the password; and that each of its
// buttons does what it says to nobody else.
import test from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startInstance, until } from './lib/instance.mjs';
import { Receiver } from './lib/logout.mjs';
import { Surfer, formsOf, textOf } from './lib/surfer.mjs';
import { alter, authorization, authorizeUrl, callbackOf, client, decode, getCode, offline, redeem, refresh, userinfo } from './lib/oauth.mjs';

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0';
const safari = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1';
const users = { alice: 'correct horse', bob: 'battery staple', carol: 'paper clip', dora: 'tooth brush', erin: 'garden hose', fred: 'from a file' };
const shelves = Array.from({ length: 240 }, (_, i) => `shelf${i}`);
const receiver = await Receiver.start();
const server = await startInstance({
  conf:
    client('told', { extra: ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on', `OAuth2ASBackchannelLogoutURI ${receiver.url('/told')}`] }) +
    'OAuth2ASOutboundAllow 127.0.0.1/32\n' +
    client('spa', { extra: ['OAuth2ASName "The Shop"'] }) +
    client('own', { extra: ['OAuth2ASName "House"', 'OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'] }) +
    client('many', { extra: ['OAuth2ASName "The Archive"'], allow: ['https://archive.example.test/ *'] }) +
    `<OAuth2ASResource "https://archive.example.test/">\n${shelves.map((name) => `OAuth2ASScope ${name} "Read ${name}"\n`).join('')}</OAuth2ASResource>\n` +
    'OAuth2ASPasswordProvider oauth2as file\nOAuth2ASKeepSignedIn on\nOAuth2ASAuditLog ${OAS_DIR}/audit.log\n' +
    'OAuth2ASThrottle pair=3 account=50 address=1000 max=15min\n' +
    '<Location "/authorize">\nAuthUserFile ${OAS_DIR}/people\n</Location>\n' +
    'OAuth2ASLoginOption house "House network" /login/house\n' +
    '<Location "/login/house">\nSetHandler oauth2as-login\nAuthType Basic\nAuthName house\nAuthUserFile ${OAS_DIR}/people\nRequire valid-user\n</Location>\n',
  prepare: (dir) => fs.writeFileSync(path.join(dir, 'people'), `fred:{SHA}${createHash('sha1').update(users.fred).digest('base64')}\n`),
});
for (const name of ['carol', 'dora', 'erin']) await server.ctl(['user', 'add', name], users[name]);

const { origin } = new URL(server.issuer);
const accountUrl = server.url('account');
const lineOf = (answer) => answer.cookies.find((line) => line.includes('SameSite=Lax'));
const cookieOf = (surfer) => [...surfer.jar.get(origin)][0];

/** A browser that calls itself something, signed in at the account page. */
async function browser(name, { agent = firefox, ...fields } = {}) {
  const surfer = new Surfer(server);
  const send = surfer.send.bind(surfer);
  surfer.send = (url, options = {}) => send(url, { ...options, headers: { 'user-agent': agent, ...options.headers } });
  const page = await surfer.submit(await surfer.go(accountUrl), { username: name, password: users[name], ...fields });
  assert.equal(page.status, 200, textOf(page.text));
  assert.equal(page.url.href, accountUrl, 'no page is the answer to a password');
  return { surfer, page };
}

const rowsOf = (page, id) => [...new RegExp(`<section aria-labelledby="${id}">[\\s\\S]*?<ul class="rows">([\\s\\S]*?)</ul>`).exec(page.text)[1].matchAll(/<li>[\s\S]*?<\/li>/g)].map(([row]) => row);
const sessionsOf = (page) => rowsOf(page, 'sessions').map((row) => ({ text: textOf(row), id: /name="end_session" value="([^"]*)"/.exec(row)?.[1] }));
const applicationsOf = (page) => rowsOf(page, 'applications').map(textOf);

async function silent(surfer, overrides) {
  const { code, error } = callbackOf(await surfer.go(authorizeUrl(server, authorization({ client_id: 'own', prompt: 'none', ...overrides }).params)));
  return code ? 'signed in' : error;
}

async function press(surfer, button, value, page) {
  return surfer.submit(page ?? (await surfer.go(accountUrl)), { [button]: value });
}

async function changePassword(surfer, fields) {
  const page = await surfer.go(accountUrl);
  const form = formsOf(page.text, page.url).find(({ fields: names }) => 'new_password' in names);
  return surfer.go(form.action, { form: { ...form.fields, ...fields, password: 'change' } });
}

const audited = () => fs.readFileSync(path.join(server.dir, 'audit.log'), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));

test('whoever is not signed in is asked to, and then sees the page', async () => {
  const surfer = new Surfer(server);
  const login = await surfer.go(accountUrl);
  assert.ok('password' in login.form.fields);
  assert.equal(login.form.action, accountUrl);
  const wrong = await surfer.submit(login, { username: 'alice', password: 'wrong' });
  assert.match(textOf(wrong.text), /The user name or password is not right/);
  const { page } = await browser('alice');
  assert.match(textOf(page.text), /Alice Example/);
  assert.match(page.headers['cache-control'], /no-store/);
  assert.equal(page.headers['x-frame-options'], 'DENY');
  assert.match(page.headers['content-security-policy'], /frame-ancestors 'none'.*script-src 'none'/);
});

test('a session of an application opens it without a login', async () => {
  const { surfer } = await getCode(server);
  const page = await surfer.go(accountUrl);
  assert.match(applicationsOf(page).join(), /The Shop/);
});

test('sessions: device, place and time; one of them is ended, the others stay', async () => {
  const { surfer } = await browser('bob');
  const phone = await browser('bob', { agent: safari });
  const other = await browser('bob', { agent: 'something-else/1.0' });
  const sessions = sessionsOf(await surfer.go(accountUrl));
  assert.equal(sessions.length, 3);
  const [mine, theirs, unknown] = ['Firefox (Linux)', 'Safari (iPhone)', 'something-else/1.0'].map((device) => sessions.find(({ text }) => text.includes(device)));
  assert.match(mine.text, /This device/);
  assert.equal(mine.id, undefined, 'one signs out of this one elsewhere');
  assert.match(theirs.text, /Last used \d{4}-\d\d-\d\d \d\d:\d\d UTC\s+Signed in from \u2068127\.0\.0\.1\u2069/);
  assert.doesNotMatch(theirs.text, /This device/);
  const after = await press(surfer, 'end_session', theirs.id);
  assert.equal(after.url.pathname, '/account');
  assert.match(textOf(after.text), /That sign-in has ended/);
  assert.deepEqual(sessionsOf(after).map(({ id }) => id).filter(Boolean), [unknown.id]);
  assert.equal(await silent(phone.surfer), 'login_required');
  assert.equal(await silent(surfer), 'signed in');
  assert.equal(await silent(other.surfer), 'signed in');
  assert.doesNotMatch(textOf((await surfer.go(accountUrl)).text), /has ended/);
  const { sub, ended, reason } = audited().filter(({ event }) => event === 'session_ended').at(-1);
  assert.deepEqual({ sub, ended, reason }, { sub: 'oauth2as|bob', ended: theirs.id, reason: 'by its owner' });
});

test('all other sessions end at once; a session that is gone already is no trouble', async () => {
  const { surfer } = await browser('bob');
  const others = [await browser('bob'), await browser('bob', { agent: safari })];
  const page = await surfer.go(accountUrl);
  const after = await press(surfer, 'end_others', 'on');
  assert.match(textOf(after.text), /signed out everywhere else/);
  assert.equal(sessionsOf(after).length, 1);
  for (const one of others) assert.equal(await silent(one.surfer), 'login_required');
  assert.equal(await silent(surfer), 'signed in');
  const again = await press(surfer, 'end_session', sessionsOf(page).find(({ id }) => id).id, page);
  assert.match(textOf(again.text), /That sign-in has ended/);
  assert.ok(audited().some(({ event, count }) => event === 'session_ended' && count >= 2));
});

test('nobody ends the session of somebody else, or what is no session', async () => {
  const { surfer: alice } = await browser('alice');
  const { surfer: bob } = await browser('bob');
  const { sid } = decode((await redeem(server, await getCode(server, { client_id: 'own' }, { surfer: alice }))).json.id_token).claims;
  for (const id of [sid, 'AAAAAAAAAAAAAAAAAAAAAA', 'x', "'; --", '%']) {
    const answer = await press(bob, 'end_session', id);
    assert.equal(answer.status, 200);
  }
  assert.equal(await silent(alice), 'signed in');
});

test('applications: what they may do in words, and since when; one is withdrawn, and its tokens end', async () => {
  const scope = 'openid profile read:items offline_access';
  const tokens = await offline(server, { scope, resource: 'https://api.example.test/' }, {});
  const plain = await offline(server, { scope: 'openid email offline_access' });
  const house = await offline(server, { client_id: 'own', scope: 'openid offline_access' }, { client_id: 'own' });
  const { surfer } = tokens.got;
  const page = await surfer.go(accountUrl);
  const [shop] = applicationsOf(page).filter((text) => text.includes('The Shop'));
  assert.equal(applicationsOf(page).filter((text) => text.includes('The Shop')).length, 1, 'both APIs in one row');
  assert.match(shop, /Read your items/);
  assert.match(shop, /Keeps this access while you are away/);
  assert.match(shop, /Since \d{4}-\d\d-\d\d/);
  assert.doesNotMatch(shop, /read:items|offline_access/);
  assert.match(applicationsOf(page).join(), /House/, 'what never asked is there too');
  const after = await press(surfer, 'withdraw', 'spa');
  assert.match(textOf(after.text), /no longer has access/);
  assert.doesNotMatch(applicationsOf(after).join(), /The Shop/);
  for (const gone of [tokens, plain]) {
    assert.equal((await refresh(server, gone.refresh_token)).json.error, 'invalid_grant');
  }
  assert.equal((await userinfo(server, plain.access_token)).status, 401);
  assert.equal((await refresh(server, house.refresh_token, { client_id: 'own' })).status, 200, 'the other application goes on');
  assert.equal(await silent(surfer, { client_id: 'spa' }), 'consent_required');
  const withdrawn = audited().filter(({ event }) => event === 'access_withdrawn').at(-1);
  assert.equal(withdrawn.client_id, 'spa');
  assert.equal(withdrawn.sub, 'oauth2as|alice');
});

test('an application without consent is withdrawn as well, and one that is gone from the configuration', async () => {
  const house = await offline(server, { client_id: 'own', scope: 'openid offline_access' }, { client_id: 'own' });
  const { surfer } = house.got;
  await server.sql(`INSERT INTO oas_consents (sub, client_id, resource, scopes, live, granted_at)
    VALUES ('oauth2as|alice', 'gone-since', '', '{openid}', true, clock_timestamp())`);
  assert.match(applicationsOf(await surfer.go(accountUrl)).join(), /gone-since/);
  for (const id of ['own', 'gone-since', 'never-heard-of', 'a|b']) assert.equal((await press(surfer, 'withdraw', id)).status, 200);
  assert.doesNotMatch(applicationsOf(await surfer.go(accountUrl)).join(), /House|gone-since/);
  assert.equal((await refresh(server, house.refresh_token, { client_id: 'own' })).json.error, 'invalid_grant');
});

test('however many permissions somebody has allowed, bit by bit or at once: sign-in, the page and its buttons go on', async () => {
  const { surfer } = await browser('alice');
  const [resource, client_id] = ['https://archive.example.test/', 'many'];
  for (const scopes of [shelves.slice(0, 80), shelves.slice(80, 160), shelves.slice(0, 1)]) {
    assert.ok((await getCode(server, { client_id, resource, scope: scopes.join(' ') }, { surfer })).code);
  }
  const rows = applicationsOf(await surfer.go(accountUrl)).filter((text) => text.includes('The Archive'));
  assert.equal(rows.length, 1);
  for (const name of shelves.slice(0, 160)) assert.match(rows[0], new RegExp(`Read ${name}\\b`));
  // without a scope: all that the application may have
  const all = await redeem(server, await getCode(server, { client_id, resource, scope: undefined }, { surfer }), { client_id });
  assert.equal(all.status, 200, all.text);
  assert.equal(all.json.scope.split(' ').length, shelves.length);
  const after = await press(surfer, 'withdraw', client_id);
  assert.match(textOf(after.text), /no longer has access/);
  assert.doesNotMatch(applicationsOf(after).join(), /The Archive/);
});

test('bob withdraws nothing of alice\'s', async () => {
  await sleep(1100); // a consent of the second in which one was withdrawn counts for older than that
  const tokens = await offline(server);
  const { surfer } = await browser('bob');
  await press(surfer, 'withdraw', 'spa');
  assert.equal((await refresh(server, tokens.refresh_token)).status, 200);
});

test('a new password: what it has to be, and that the present one is asked for', async () => {
  const { surfer } = await browser('carol');
  const good = { current_password: users.carol, new_password: 'a better one', new_password_again: 'a better one' };
  const cases = [
    [{ ...good, new_password_again: 'a better two' }, /not the same/],
    [{ ...good, new_password: 'seven77', new_password_again: 'seven77' }, /too short/],
    [{ ...good, new_password: 'äöüäöüß', new_password_again: 'äöüäöüß' }, /too short/],
    [{ ...good, new_password: '', new_password_again: '' }, /too short/],
    [{ ...good, new_password: 'x'.repeat(1025), new_password_again: 'x'.repeat(1025) }, /too long/],
    [{ ...good, current_password: 'wrong' }, /current password is not right/],
    [{ ...good, current_password: '' }, /current password is not right/],
  ];
  for (const [fields, words] of cases) {
    const page = await changePassword(surfer, fields);
    assert.equal(page.status, 200);
    assert.match(textOf(page.text), words);
    for (const form of formsOf(page.text, page.url)) {
      for (const name of ['current_password', 'new_password', 'new_password_again']) assert.equal(form.fields[name] ?? '', '', 'no password is in a page');
    }
  }
  assert.ok((await getCode(server, { client_id: 'own' }, { username: 'carol', password: users.carol })).code, 'it is as it was');
});

test('a changed password ends all else, a copy of this very cookie too', async () => {
  const { surfer } = await browser('dora', { keep: 'on' });
  const { sid } = decode((await redeem(server, await getCode(server, { client_id: 'own' }, { surfer }))).json.id_token).claims;
  const elsewhere = await browser('dora', { agent: safari });
  const got = await getCode(server, { scope: 'openid offline_access' }, { username: 'dora', password: users.dora });
  const tokens = (await redeem(server, got)).json;
  const copy = surfer.clone();
  const page = await changePassword(surfer, { current_password: users.dora, new_password: 'wire brush', new_password_again: 'wire brush' });
  assert.match(textOf(page.text), /Your password has been changed/);
  assert.equal(page.url.pathname, '/account');
  assert.equal(sessionsOf(page).length, 1);
  assert.equal(await silent(copy), 'login_required');
  assert.equal(await silent(elsewhere.surfer), 'login_required');
  assert.equal((await refresh(server, tokens.refresh_token)).json.error, 'invalid_grant');
  const after = decode((await redeem(server, await getCode(server, { client_id: 'own' }, { surfer }))).json.id_token).claims;
  assert.equal(after.sid, sid, 'applications see the same session');
  const [[persistent]] = await server.sql(`SELECT persistent FROM oas_sessions WHERE sub = 'oauth2as|dora' AND ended_at IS NULL`);
  assert.equal(persistent, 't', 'it is kept as it was');
  for (const [password, text] of [[users.dora, /not right/], ['wire brush', /Where you are signed in/]]) {
    const one = new Surfer(server);
    assert.match(textOf((await one.submit(await one.go(accountUrl), { username: 'dora', password })).text), text);
  }
  assert.ok(audited().some(({ event, sub }) => event === 'password_changed' && sub === 'oauth2as|dora'));
});

test('guessing the present password is throttled as at the login page', async () => {
  const { surfer } = await browser('carol');
  let page;
  for (let tries = 0; tries < 8 && page?.status !== 429; tries++) {
    page = await changePassword(surfer, { current_password: `guess ${tries}`, new_password: 'long enough', new_password_again: 'long enough' });
  }
  assert.equal(page.status, 429);
  assert.ok(Number(page.headers['retry-after']) >= 1);
  assert.match(textOf(page.text), /try again in/);
});

test('more sessions and applications than a page shows: it says so, leads to the next ones, and ends them all', async () => {
  const { surfer } = await browser('erin');
  await server.sql(`INSERT INTO oas_sessions (session_id, secret_hash, sub, auth_time, amr, created_at, last_used, idle_until, expires_at, user_agent, purge_after)
    SELECT gen_random_uuid(), sha256(i::text::bytea), 'oauth2as|erin', now(), 'pwd', now(), now() - make_interval(secs => i), now() + '1 h', now() + '1 h', 'robot ' || i, now() + '1 h'
    FROM generate_series(1, 250) AS i`);
  await server.sql(`INSERT INTO oas_consents (sub, client_id, resource, scopes, live, granted_at)
    SELECT 'oauth2as|erin', 'old' || to_char(i, 'FM000'), '', '{openid}', true, now() FROM generate_series(1, 130) AS i`);
  const linkTo = (page, rel, list) => new URL(new RegExp(`href="([^"]*#${list})" rel="${rel}"`).exec(page.text)[1].replaceAll('&amp;', '&'), page.url).href.replace(/#.*/, '');
  const first = await surfer.go(accountUrl);
  assert.match(textOf(first.text), /more sign-ins than this page shows.*more applications than this page shows/s);
  const second = await surfer.go(linkTo(first, 'next', 'sessions'));
  const third = await surfer.go(linkTo(second, 'next', 'sessions'));
  assert.deepEqual([first, second, third].map((page) => sessionsOf(page).length), [100, 100, 51]);
  assert.equal(new Set([first, second, third].flatMap((page) => sessionsOf(page).map(({ text }) => text.split(' Last')[0]))).size, 251);
  assert.doesNotMatch(third.text, /rel="next">Further sign-ins/);
  assert.equal(sessionsOf(await surfer.go(linkTo(third, 'prev', 'sessions'))).length, 100);

  const further = await surfer.go(linkTo(third, 'next', 'applications'));
  assert.equal(sessionsOf(further).length, 51, 'where one is in the other list stays');
  assert.deepEqual([applicationsOf(first).length, applicationsOf(further).length], [100, 30]);
  assert.match(applicationsOf(further).at(-1), /old130/);
  const removed = await press(surfer, 'withdraw', 'old130', further);
  assert.match(textOf(removed.text), /no longer has access/);
  assert.deepEqual([applicationsOf(removed).length, sessionsOf(removed).length], [29, 51]);
  const one = await press(surfer, 'end_session', sessionsOf(removed)[0].id, removed);
  assert.equal(sessionsOf(one).length, 50);

  assert.equal(JSON.parse(await server.ctl(['session', 'list', 'oauth2as|erin', '--output', 'json'])).length, 250);
  const all = await press(surfer, 'end_others', 'on', one);
  assert.equal(sessionsOf(all).length, 1, 'the first part, since there is no third one any more');
  assert.equal(await server.count('oas_sessions', "sub = 'oauth2as|erin' AND ended_at IS NULL"), 1);
  for (const odd of ['0', '-1', 'x', '99999999999999999999', '100001']) {
    const page = await surfer.go(`${accountUrl}?sessions=${encodeURIComponent(odd)}&applications=${encodeURIComponent(odd)}`);
    assert.deepEqual([sessionsOf(page).length, applicationsOf(page).length], [1, 100], odd);
  }
});

test('who has no password of ours is not asked for one', async () => {
  const { surfer, page } = await browser('fred');
  assert.equal(formsOf(page.text, page.url).length, 1);
  const answer = await surfer.submit(page, { password: 'change', current_password: users.fred, new_password: 'long enough', new_password_again: 'long enough' });
  assert.equal(answer.status, 200);
  assert.doesNotMatch(textOf(answer.text), /has been changed/);
});

test('by another way to sign in: the same page, and the wish to stay signed in goes along', async () => {
  const surfer = new Surfer(server);
  const login = await surfer.go(accountUrl);
  const away = await surfer.send(login.form.action, { form: { ...login.form.fields, option: 'house', keep: 'on' } });
  assert.equal(away.location.pathname, '/login/house');
  const back = await surfer.send(away.location.href, { headers: { authorization: `Basic ${btoa(`fred:${users.fred}`)}` } });
  assert.match(lineOf(back), /; Max-Age=604800; /);
  const page = await surfer.go(back.location.href);
  assert.equal(page.url.href, accountUrl, 'an address that can be reloaded');
  assert.equal(sessionsOf(page).length, 1);
  assert.equal(formsOf(page.text, page.url).length, 1, 'no password of ours');
  assert.deepEqual(await server.sql(`SELECT option, persistent FROM oas_sessions WHERE sub = 'house|fred'`), [['house', 't']]);
});

test('a form acts for the session and the page it was made for, and nothing else', async () => {
  const { surfer: alice, page } = await browser('alice');
  const { surfer: bob, page: bobs } = await browser('bob');
  const victim = await browser('alice', { agent: safari });
  const { id } = sessionsOf(await alice.go(accountUrl)).find(({ text }) => text.includes('Safari'));
  const consent = await alice.go(authorizeUrl(server, authorization({ prompt: 'consent' }).params));
  const login = await new Surfer(server).go(accountUrl);
  const { interaction, step } = page.form.fields;
  const wrong = [
    ['no form at all', alice, { end_session: id }, 200],
    ['somebody else\'s', alice, { ...bobs.form.fields, end_session: id }, 400],
    ['for somebody else', bob, { ...page.form.fields, end_session: id }, 400],
    ['of the consent page', alice, { ...consent.form.fields, end_session: id }, 400],
    ['of a login page', alice, { ...login.form.fields, end_session: id }, 200],
    ['altered', alice, { step, interaction: alter(interaction, 40), end_session: id }, 400],
    ['another step', alice, { step: 'resume', interaction, end_session: id }, 400],
    ['for an application', alice, { step, interaction, client_id: 'spa', end_session: id }, 400],
    ['twice the button', alice, `${new URLSearchParams({ step, interaction, end_session: id })}&end_session=${id}`, 400],
  ];
  for (const [name, surfer, form, status] of wrong) {
    const options = typeof form === 'string' ? { method: 'POST', body: form, headers: { 'content-type': 'application/x-www-form-urlencoded' } } : { form };
    assert.equal((await surfer.go(accountUrl, options)).status, status, name);
  }
  assert.equal((await alice.go(`${accountUrl}?${new URLSearchParams({ step, interaction, end_session: id })}`)).status, 400, 'by a link');
  const elsewhere = await alice.go(server.url('authorize'), { form: { ...page.form.fields, decision: 'allow' } });
  assert.equal(elsewhere.status, 400, 'at another endpoint');
  const other = await new Surfer(server).go(accountUrl, { form: { ...page.form.fields, end_session: id } });
  assert.ok([200, 400].includes(other.status), 'without a cookie');
  assert.equal(await silent(victim.surfer), 'signed in');
  assert.match(textOf((await press(alice, 'end_session', id, page)).text), /has ended/);
});

test('applications that asked for it are told of each session that ends here, and by oauth2asctl', async () => {
  const { surfer } = await browser('erin');
  const open = async () => {
    const { surfer: elsewhere } = await browser('erin', { agent: safari });
    return decode((await redeem(server, await getCode(server, { client_id: 'told' }, { surfer: elsewhere }))).json.id_token).claims.sid;
  };
  const ways = [
    (sid) => press(surfer, 'end_session', sid),
    () => press(surfer, 'end_others', 'on'),
    (sid) => server.ctl(['session', 'end', '--', sid]),
    () => changePassword(surfer, { current_password: users.erin, new_password: 'lawn sprinkler', new_password_again: 'lawn sprinkler' }),
  ];
  for (const way of ways) {
    const sid = await open();
    await way(sid);
    let claims;
    await until(`it is told of ${sid}`, () => (claims = receiver.at('/told').map(({ token }) => decode(token).claims).find((one) => one.sid === sid)));
    assert.equal(claims.sub, 'oauth2as|erin');
  }
});

test('the way out, and the way here from a consent page', async () => {
  const { surfer, page } = await browser('alice');
  const out = /<a href="([^"]*logout[^"]*)">/.exec(page.text)[1];
  const asked = await surfer.go(new URL(out, accountUrl).href);
  assert.ok(asked.form.buttons.some(({ name }) => name === 'confirm'));
  const consent = await surfer.go(authorizeUrl(server, authorization({ prompt: 'consent' }).params));
  assert.match(consent.text, /<a href="\/account">Your account<\/a>/);
});

test('a session that ended while the page was open does nothing more', async () => {
  const { surfer, page } = await browser('alice');
  const { surfer: other } = await browser('alice', { agent: safari });
  await press(other, 'end_others', 'on');
  const answer = await press(surfer, 'withdraw', 'spa', page);
  assert.ok('username' in answer.form.fields, 'the login page');
  assert.equal(await silent(surfer), 'login_required');
});

test('no link makes the page say what did not happen', async () => {
  const { surfer } = await browser('alice');
  const { surfer: other } = await browser('alice', { agent: safari });
  const done = await press(surfer, 'withdraw', 'spa');
  assert.match(textOf(done.text), /no longer has access/);
  assert.doesNotMatch(textOf((await other.go(done.url.href)).text), /no longer has access/);
  for (const notice of ['withdrawn', 'password_changed', alter(done.url.searchParams.get('notice'), 30)]) {
    const page = await surfer.go(`${accountUrl}?${new URLSearchParams({ notice })}`);
    assert.equal(page.status, 200);
    assert.doesNotMatch(textOf(page.text), /no longer has access|has been changed/);
  }
});

test('the language that was asked for stays', async () => {
  const { surfer } = await browser('alice');
  const page = await surfer.go(`${accountUrl}?ui_locales=de`);
  assert.match(page.text, /<html lang="de"/);
  const after = await press(surfer, 'end_others', 'on', page);
  assert.match(after.text, /<html lang="de"/);
});

test('whoever stays signed in and is asked for the password again still stays', async () => {
  const { surfer } = await browser('alice', { keep: 'on' });
  const page = await surfer.go(authorizeUrl(server, authorization({ client_id: 'own', prompt: 'login' }).params));
  assert.equal(page.form.fields.keep, 'on');
  const { surfer: other } = await browser('alice');
  const unticked = await other.go(authorizeUrl(server, authorization({ client_id: 'own', prompt: 'login' }).params));
  assert.equal(unticked.form.fields.keep, undefined);
});

test('an error has a page of its own: methods, the cookie', async () => {
  const { surfer } = await browser('alice');
  assert.equal((await surfer.send(accountUrl, { method: 'DELETE' })).status, 405);
  assert.equal(cookieOf(surfer)[1].length, 22 + 1 + 64);
});

test('the page can be moved, and left out', async () => {
  await server.reload({ 'test.conf': (text) => `${text}OAuth2ASEndpoint account /me\n` });
  assert.equal((await new Surfer(server).go(accountUrl)).status, 404);
  assert.ok('password' in (await new Surfer(server).go(server.url('me'))).form.fields);
  await server.reload({ 'test.conf': (text) => text.replace('account /me', 'account off') });
  assert.equal((await new Surfer(server).go(server.url('me'))).status, 404);
});
