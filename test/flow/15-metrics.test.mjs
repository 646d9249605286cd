// SPDX-License-Identifier: Apache-2.0
// What a node tells its operators: metrics for Prometheus and for mod_status, fields of the access log, the trace in
// the logs.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { startInstance, until } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { parseMetrics, parseStatus, seriesOf, statusKeyOf } from './lib/prometheus.mjs';
import { authorization, authorizeUrl, basic, client, decode, getCode, offline, redeem, refresh, revoke, secretOf, token } from './lib/oauth.mjs';
import { Surfer } from './lib/surfer.mjs';

const server = await startInstance({
  nodes: 1,
  args: ['--also', 'second.localhost', '--keyring', 'alg=RS256 rotate=90d'],
  conf: `
    OAuth2ASEndpoint metrics /oauth2as/metrics
    OAuth2ASAuditLog \${OAS_DIR}/audit.log
    LogFormat "%{oauth2as-ref}n %>s %{oauth2as-client}n %{oauth2as-grant-type}n %{oauth2as-outcome}n %{oauth2as-subject}n %{oauth2as-trace}n %{oauth2as-span}n %{oauth2as-trace-flags}n" oauth
    CustomLog \${OAS_DIR}/access.log oauth
    SetEnvIf X-Scraper yes scraper
    <Location "/oauth2as/metrics">
        Require env scraper
    </Location>
    <Location "/server-status">
        SetHandler server-status
    </Location>
    ${client('spa', { extra: ['OAuth2ASRefreshReuseWindow 0'] })}
    ${client('web', { type: 'web' })}
    ${client('machine', { type: 'machine', uri: [] })}`,
});
const known = { headers: { 'x-scraper': 'yes' } };
const ask = (accept) => request(server.url('oauth2as/metrics'), { headers: { 'x-scraper': 'yes', ...(accept && { accept }) } });
const machine = (scope = 'read:items') =>
  token(server, { grant_type: 'client_credentials', resource: 'https://api.example.test/', scope }, { authorization: basic('machine', secretOf('machine')) });

async function read() {
  const answer = await ask();
  assert.equal(answer.status, 200, answer.text);
  return parseMetrics(answer.text);
}

/** What an action adds to each series that it changes, once nothing moves any more: counting comes after the answer. */
async function added(action, wanted) {
  const before = (await read()).values;
  await action();
  const deadline = Date.now() + 60_000;
  for (;;) {
    const after = (await read()).values;
    const grown = Object.fromEntries(Object.keys(wanted).map((series) => [series, (after.get(series) ?? 0) - (before.get(series) ?? 0)]));
    if (Object.entries(wanted).every(([series, count]) => grown[series] >= count)) return assert.deepEqual(grown, wanted);
    assert.ok(Date.now() < deadline, JSON.stringify(grown));
    await sleep(50);
  }
}

const of = (name, labels = {}) => seriesOf(`oauth2as_${name}`, labels);

test('it is for those whom the configuration lets in, and changes for nobody', async () => {
  server.announce(/AH01630/);
  assert.equal((await request(server.url('oauth2as/metrics'))).status, 403);
  assert.equal((await request(server.url('oauth2as/metrics'), { ...known, form: { a: 'b' } })).status, 405);
  const head = await request(server.url('oauth2as/metrics'), { ...known, method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(head.text, '');
});

test('both formats are what their scrapers want', async () => {
  await machine();
  const plain = await ask('text/plain');
  assert.equal(plain.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  assert.equal(plain.headers['cache-control'], 'no-store');
  const { families } = parseMetrics(plain.text);
  for (const name of Object.keys(families)) assert.match(name, /^oauth2as_[a-z_]+$/);
  const open = await ask('application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1');
  assert.equal(open.headers['content-type'], 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  const other = parseMetrics(open.text, { open: true }).families;
  assert.deepEqual(
    Object.keys(other).sort(),
    Object.entries(families).map(([name, { TYPE }]) => (TYPE === 'counter' ? name.replace(/_total$/, '') : name)).sort(),
  );
});

test('a client of its own: requests, grants, the statement that was not needed, the signature', async () => {
  await added(machine, {
    [of('requests_total', { endpoint: 'token', status: '2xx' })]: 1,
    [of('grants_total', { grant_type: 'client_credentials' })]: 1,
    [of('events_total', { event: 'token' })]: 1,
    [of('request_duration_seconds_count', { endpoint: 'token' })]: 1,
    [of('sign_duration_seconds_count', { alg: 'RS256' })]: 1,
    [of('statement_duration_seconds_count', { statement: 'client_load' })]: 0,
  });
});

test('refusals, by the code on the wire', async () => {
  await added(
    async () => {
      await machine('unknown');
      await token(server, { grant_type: 'client_credentials' }, { authorization: basic('machine', 'wrong') });
      await token(server, { grant_type: 'client_credentials' }, { authorization: basic('nobody', 'wrong') });
    },
    {
      [of('requests_total', { endpoint: 'token', status: '4xx' })]: 3,
      [of('errors_total', { endpoint: 'token', error: 'invalid_scope' })]: 1,
      [of('errors_total', { endpoint: 'token', error: 'invalid_client' })]: 2,
      [of('grants_total', { grant_type: 'client_credentials' })]: 0,
    },
  );
});

test('a sign-in, a code, a refresh, a second use of the same token', async () => {
  let tokens;
  await added(async () => (tokens = await offline(server)), {
    [of('logins_total', { option: 'password', outcome: 'success' })]: 1,
    [of('grants_total', { grant_type: 'authorization_code' })]: 1,
    [of('statement_duration_seconds_count', { statement: 'code_redeem' })]: 1,
    [of('events_total', { event: 'consent' })]: 1,
  });
  await added(
    async () => {
      assert.equal((await refresh(server, tokens.refresh_token)).status, 200);
      assert.equal((await refresh(server, tokens.refresh_token)).status, 400);
      assert.equal((await refresh(server, tokens.refresh_token)).status, 400);
    },
    {
      [of('refreshes_total', { outcome: 'rotated' })]: 1,
      [of('refreshes_total', { outcome: 'reused' })]: 1,
      [of('refreshes_total', { outcome: 'refused' })]: 1,
      [of('events_total', { event: 'refresh_token_reuse' })]: 1,
    },
  );
});

test('a wrong password', async () => {
  await added(
    async () => {
      const surfer = new Surfer(server);
      await surfer.submit(await surfer.go(authorizeUrl(server, authorization().params)), { username: 'alice', password: 'wrong' });
    },
    {
      [of('logins_total', { option: 'password', outcome: 'wrong' })]: 1,
      [of('hash_duration_seconds_count')]: 1,
      [of('logins_total', { option: 'password', outcome: 'success' })]: 0,
    },
  );
});

test('nothing of what clients send becomes a label', async () => {
  const mark = 'zzmarkzz';
  await request(server.url(`authorize?client_id=${mark}&scope=${mark}&redirect_uri=${mark}`));
  await token(server, { grant_type: mark, client_id: mark }, { authorization: basic(mark, mark) });
  await request(server.url(`${mark}/oauth2as/metrics`));
  await request(server.url('oauth/token'), { method: mark.toUpperCase() });
  const before = (await ask()).text;
  assert.ok(!before.toLowerCase().includes(mark));
});

test('whichever child process answers, it answers for the whole node', async () => {
  const series = of('requests_total', { endpoint: 'openid-configuration', status: '2xx' });
  const before = (await read()).values.get(series) ?? 0;
  let seen = before;
  for (let i = 0; i < 20; i++) {
    await Promise.all(Array.from({ length: 5 }, () => request(server.url('.well-known/openid-configuration'))));
    const now = (await read()).values.get(series);
    assert.ok(now >= seen, 'no counter goes backwards');
    seen = now;
  }
  await until('all are counted', async () => (await read()).values.get(series) >= before + 100);
  assert.equal((await read()).values.get(series), before + 100);
});

test('counters outlive a graceful restart and a killed child, gauges do not', async () => {
  const series = of('grants_total', { grant_type: 'client_credentials' });
  const before = (await read()).values;
  await server.reload({ 'httpd/httpd.conf': (text) => `${text}\n# once more\n` });
  const [victim] = await server.children();
  process.kill(victim, 'SIGKILL');
  await until('it has gone', async () => !(await server.children()).includes(victim));
  const after = (await read()).values;
  assert.equal(after.get(of('start_time_seconds')), before.get(of('start_time_seconds')));
  assert.ok(after.get(series) >= before.get(series) && before.get(series) > 0);
  assert.equal((await machine()).status, 200);
  assert.equal((await refresh(server, (await offline(server)).refresh_token)).status, 200);
  let idle;
  await until('no request and no task has a connection', async () => (idle = (await read()).values).get(of('pool_used')) === 0);
  assert.ok(idle.get(of('children')) >= 1);
  assert.ok(idle.get(of('pool_size')) > 0);
});

test('state: keys, database, build', async () => {
  const { families, values } = await read();
  assert.equal(values.get(of('database_up')), 1);
  assert.equal(values.get(of('draining')), 0);
  assert.ok(families.oauth2as_build_info.samples[0].labels.version);
  for (const issuer of [server.issuer, server.also]) {
    const published = (await request(new URL('.well-known/jwks.json', issuer).href)).json.keys.map(({ kid }) => kid).sort();
    const keys = families.oauth2as_key_info.samples.map(({ labels }) => labels).filter((labels) => labels.issuer === issuer);
    assert.deepEqual(keys.map(({ kid }) => kid).sort(), published);
    for (const { state } of keys) assert.equal(state, 'active');
    for (const [state, value] of Object.entries({ ok: 1, incomplete: 0, none: 0 })) assert.equal(values.get(of('keys_state', { issuer, state })), value);
  }
  const measured = async (name) => {
    const deadline = Date.now() + 60_000;
    for (;;) {
      const value = (await read()).values.get(of(name, { issuer: server.issuer }));
      if (value !== undefined) return value;
      assert.ok(Date.now() < deadline, `${name} is measured`);
      await sleep(100);
    }
  };
  const [[version]] = await server.sql('SELECT max(version) FROM oas_schema');
  assert.equal(await measured('schema_version'), Number(version));
  assert.equal(await measured('logout_queue'), 0);
  assert.ok((await measured('purge_backlog_rows')) >= 0);
});

const status = async (query = '') => (await request(new URL(`/server-status${query}`, server.issuer).href)).text;

/** Each number that Prometheus gets, by the key that mod_status has for it. */
const byStatusKey = async () =>
  new Map(
    Object.values((await read()).families)
      .flatMap((family) => family.samples.map((sample) => [statusKeyOf(family, sample), sample.value]))
      .filter(([key]) => key),
  );

test("mod_status' page and ?auto have what Prometheus has, under the same names", async () => {
  let numbers, expected, told;
  const deadline = Date.now() + 60_000;
  do {
    const before = await byStatusKey();
    numbers = parseStatus(await status('?auto'));
    const after = await byStatusKey();
    const stable = ([key, value]) => !after.has(key) || after.get(key) === value;
    expected = Object.fromEntries([...before].filter(stable));
    told = Object.fromEntries([...numbers].filter(([key]) => !/ (mean|p99) ms$/.test(key) && (key in expected || !before.has(key))));
  } while (!isDeepStrictEqual(told, expected) && Date.now() < deadline);
  assert.deepEqual(told, expected);
  const has = (pattern) => assert.ok(Object.keys(told).some((key) => pattern.test(key)), `${pattern} among ${Object.keys(told)}`);
  for (const issuer of [server.issuer, server.also]) {
    has(new RegExp(`^key_info\\[${issuer},[\\w-]+,RS256,active\\]$`));
    has(new RegExp(`^key_timestamp_seconds\\[${issuer},[\\w-]+,RS256,activated\\]$`));
    has(new RegExp(`^schema_version\\[${issuer}\\]$`));
  }
  for (const pattern of [/^grants\[client_credentials\]$/, /^children$/, /^database_up$/, /^draining$/, /^build_info\[/]) has(pattern);
  const durations = [...numbers.keys()].filter((key) => key.endsWith(' count'));
  for (const key of durations) for (const other of ['mean', 'p99']) assert.ok(Number.isFinite(numbers.get(key.replace(/count$/, `${other} ms`))), key);
  assert.ok(durations.includes('statement_duration_seconds[code_redeem] count'));
  const page = await status();
  assert.match(page, /<h2>mod_oauth2as<\/h2>/);
  const rows = [...page.matchAll(/^<tr><td>([^<]+)<\/td><td align="right">/gm)].map(([, key]) => key);
  const keys = [...numbers.keys()].filter((key) => !/ (mean|p99) ms$/.test(key)).map((key) => key.replace(/ count$/, ''));
  assert.deepEqual(rows.filter((key) => keys.includes(key)).sort(), keys.sort());
  assert.ok(page.includes(`<td>grants[client_credentials]</td><td align="right">${told['grants[client_credentials]']}</td>`));
});

test('a drain file of one issuer drains the node, whichever virtual host is asked', async () => {
  const file = path.join(server.dir, 'drain');
  await server.reload({ 'httpd/httpd.conf': (text) => text.replace(/(?=<\/VirtualHost>(?![^]*<\/VirtualHost>))/, `OAuth2ASDrainFile ${file}\n`) });
  const draining = async () => [(await read()).values.get(of('draining')), parseStatus(await status('?auto')).get('draining')];
  assert.deepEqual(await draining(), [0, 0]);
  fs.writeFileSync(file, '');
  assert.deepEqual(await draining(), [1, 1]);
  assert.equal((await request(server.url('oauth2as/ready'))).status, 200, 'the other issuer stays in service');
  fs.rmSync(file);
  assert.deepEqual(await draining(), [0, 0]);
});

const linesOf = (name) => fs.readFileSync(path.join(server.dir, name), 'utf8').split('\n').filter(Boolean);

/** The line of a log that `wanted` accepts, once it is there. */
async function lineOf(name, wanted) {
  let found;
  await until(`${name} has the line`, () => (found = linesOf(name).find(wanted)) !== undefined);
  return found;
}

test('the access log says who, what and with which outcome, and not who the user is', async () => {
  const tokens = await offline(server);
  const { sub } = decode(tokens.id_token).claims;
  await refresh(server, tokens.refresh_token);
  const [ref, status, id, grantType, outcome, subject] = (await lineOf('access.log', (line) => / refresh_token rotated /.test(line))).split(' ');
  assert.deepEqual([status, id, grantType, outcome], ['200', 'spa', 'refresh_token', 'rotated']);
  assert.match(subject, /^[A-Za-z0-9_-]{16}$/);
  const audit = JSON.parse(await lineOf('audit.log', (line) => JSON.parse(line).ref === ref));
  assert.deepEqual([audit.event, audit.sub], ['refresh', sub], 'the reference leads to the audit log');
  await refresh(server, tokens.refresh_token);
  const reused = (await lineOf('access.log', (line) => / refresh_token invalid_grant /.test(line))).split(' ');
  assert.equal(reused[1], '400');
  assert.equal(reused[5], subject, 'the same user, the same mark');
  for (const line of linesOf('access.log')) assert.ok(!line.includes(sub) && !line.includes('alice'), line);
  assert.ok(linesOf('access.log').some((line) => / - - ok - - - -$/.test(line)), 'what a request has not is a dash');
});

const trace = '0af7651916cd43dd8448eb211c80319c';
const span = 'b7ad6b7169203331';

test('a valid traceparent is in the logs, with the span of whoever asked and whether it was sampled', async () => {
  for (const [sent, flags] of [['01', '01'], ['00', '00']]) {
    const one = `${sent}${trace.slice(2)}`;
    await token(server, { grant_type: 'client_credentials' }, { authorization: basic('machine', 'wrong'), traceparent: `00-${one}-${span}-${sent}` });
    const line = JSON.parse(await lineOf('audit.log', (text) => text.includes(one)));
    assert.deepEqual([line.event, line.trace_id, line.span_id, line.trace_flags], ['refuse', one, span, flags]);
    assert.match(await lineOf('access.log', (text) => text.endsWith(` ${one} ${span} ${flags}`)), / 401 /);
    assert.match(server.log(), new RegExp(`OAS\\d{5}: invalid_client: .* trace_id=${one} span_id=${span} trace_flags=${flags}$`, 'm'));
  }
});

for (const bad of [`00-${trace}-${span}`, `00-${trace}-0000000000000000-01`, `ff-${trace}-${span}-01`]) {
  test(`traceparent ${bad} is as if it had not been sent`, async () => {
    const name = `x${Math.random()}`;
    const before = linesOf('access.log').length;
    await revoke(server, { token: 'none' }, { authorization: basic(name, 'wrong'), traceparent: bad });
    await until('it is in the log', () => linesOf('access.log').length > before);
    assert.match(linesOf('access.log').at(-1), / 401 .* - - -$/);
  });
}

test('while the database is away the numbers say so, and are still given', async () => {
  const got = await getCode(server);
  server.announce(/OAS00[0-4]\d\d|OAS0065\d|OAS006[17]\d|OAS005\d\d|OAS007\d\d|AH006(?:29|3\d)|dbd/i, { maybe: true });
  const troubles = (values) => [...values].filter(([series]) => series.startsWith('oauth2as_database_troubles_total')).reduce((sum, [, value]) => sum + value, 0);
  const before = troubles((await read()).values);
  await server.postgres('stop', 'fast');
  assert.equal((await redeem(server, got)).status, 503);
  const away = (await read()).values;
  assert.equal(away.get(of('database_up')), 0);
  assert.ok(troubles(away) > before);
  await until('the refusal is counted', async () => (await read()).values.get(of('errors_total', { endpoint: 'token', error: 'temporarily_unavailable' })) >= 1);
  await server.postgres('start');
  await until('the database is up again', async () => {
    await getCode(server).catch(() => {});
    return (await read()).values.get(of('database_up')) === 1;
  });
});
