// SPDX-License-Identifier: Apache-2.0
// OAuth2ASSubjectRecheck: at each refresh a program, an expression or SQL is asked whether the user is still one of ours.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { patiently, startInstance, until } from './lib/instance.mjs';
import { assertError, client, getCode, offline, redeem, refresh } from './lib/oauth.mjs';

const script = `#!/bin/sh
cd "$(dirname "$0")/out" || exit 9
read -r verdict <verdict
case $verdict in
ours) exit 0 ;;
look)
    env | grep -v -e '^PWD=' -e '^OLDPWD=' -e '^_=' -e '^SHLVL=' | sort >environment
    printf '%s\\n' "$@" >arguments
    ls -l /proc/self/fd >descriptors 2>&1
    grep -e SigBlk -e SigIgn /proc/self/status >signals
    exit 0 ;;
gone) exit 1 ;;
hang)
    sleep 30 &
    echo $! $$ >>pids
    sleep 30 ;;
killed) kill -KILL $$ ;;
*) exit 7 ;;
esac
`;
const exec = await startInstance({
  prepare(dir) {
    fs.mkdirSync(path.join(dir, 'out'), { mode: 0o777 });
    fs.chmodSync(path.join(dir, 'out'), 0o777);
    fs.writeFileSync(path.join(dir, 'out/verdict'), 'ours\n');
    fs.writeFileSync(path.join(dir, 'still-there'), script, { mode: 0o755 });
  },
  env: () => ({ OAS_TEST_SECRET: 'in the environment of httpd' }),
  conf: `OAuth2ASSubjectRecheck exec:\${OAS_DIR}/still-there "one argument" two\nOAuth2ASRefreshReuseWindow 60s\nOAuth2ASAuditLog \${OAS_DIR}/audit.log\n${client('spa')}`,
});
const expr = await startInstance({
  conf: `OAuth2ASSubjectRecheck "! -f '\${OAS_DIR}/left/%{reqenv:OAUTH2AS_PROVIDER}-%{reqenv:OAUTH2AS_NAME}' && %{reqenv:OAUTH2AS_SUBJECT} == 'oauth2as|' . %{reqenv:OAUTH2AS_NAME}"\n${client('spa')}`,
  prepare: (dir) => fs.mkdirSync(path.join(dir, 'left')),
});
const sql = await startInstance({ conf: `OAuth2ASSubjectRecheck sql\n${client('spa')}` });

const out = (name) => fs.readFileSync(path.join(exec.dir, 'out', name), 'utf8');
const verdict = (text) => fs.writeFileSync(path.join(exec.dir, 'out/verdict'), `${text}\n`);

// A process that has ended may still have its number until somebody asks for its status.
function isGone(pid) {
  try {
    return / Z /.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\)/, ''));
  } catch {
    return true;
  }
}

test('a program that says yes finds who it is about, and nothing else', async () => {
  const first = await offline(exec);
  verdict('look');
  exec.announce(/OAS00385|OAS00514/, { maybe: true }); // it does much in its two seconds
  const answer = await patiently(() => refresh(exec, first.refresh_token));
  verdict('ours');
  assert.equal(answer.status, 200, answer.text);
  const environment = Object.fromEntries(out('environment').split('\n').filter(Boolean).map((line) => line.split(/=(.*)/s).slice(0, 2)));
  const { PATH, ...rest } = environment;
  assert.match(PATH, /^\/usr\/local\/sbin:/);
  assert.deepEqual(rest, { OAUTH2AS_SUBJECT: 'oauth2as|alice', OAUTH2AS_PROVIDER: 'oauth2as', OAUTH2AS_NAME: 'alice' });
  assert.deepEqual(out('arguments').split('\n'), ['one argument', 'two', '']);
});

test('it inherits no connection, and no blocked or ignored signal', () => {
  assert.doesNotMatch(out('descriptors'), /socket:|pipe:|audit\.log/);
  // the first 31: two of those behind them belong to the C library
  for (const line of out('signals').trim().split('\n')) assert.equal(BigInt(`0x${line.split(/\s/)[1]}`) & 0x7fffffffn, 0n, line);
});

test('a program that says no ends the family', async () => {
  const first = await offline(exec);
  verdict('gone');
  assertError(await refresh(exec, first.refresh_token), 400, 'invalid_grant');
  verdict('ours');
  assertError(await refresh(exec, first.refresh_token), 400, 'invalid_grant');
  assert.match(fs.readFileSync(path.join(exec.dir, 'audit.log'), 'utf8'), /"event":"revoke".*"sub":"oauth2as\|alice".*no longer one of ours/);
});

for (const [text, how] of [['whatever', 'status 7'], ['killed', 'signal 9']]) {
  test(`a program that ends with ${how} cannot tell; the client comes back`, async () => {
    const first = await offline(exec);
    verdict(text);
    exec.announce(new RegExp(`OAS00385: .*still-there could not tell.*${how}`));
    exec.announce(/OAS00514/);
    const answer = await refresh(exec, first.refresh_token);
    assertError(answer, 503, 'temporarily_unavailable');
    assert.ok(Number(answer.headers['retry-after']) > 0);
    verdict('ours');
    assert.equal((await refresh(exec, first.refresh_token)).status, 200);
  });
}

test('nor can it tell about a retry inside the reuse window: the next one soon after it gets the same replacement', async () => {
  const first = await offline(exec);
  const second = await refresh(exec, first.refresh_token);
  verdict('whatever');
  exec.announce(/OAS00385/);
  exec.announce(/OAS00514/);
  const answer = await refresh(exec, first.refresh_token);
  assertError(answer, 503, 'temporarily_unavailable');
  assert.equal(answer.headers['retry-after'], '1', 'the window goes on');
  verdict('ours');
  const third = await refresh(exec, first.refresh_token);
  assert.equal(third.status, 200, third.text);
  assert.equal(third.json.refresh_token, second.json.refresh_token);
});

test('one that hangs is killed after two seconds with what it has started, and keeps no connection to the database meanwhile', async () => {
  const logins = [];
  // more than there are connections; with processes, each has its own, and few are there
  const many = process.env.OAS_MPM === 'prefork' ? 2 : 20;
  for (let i = 0; i < many; i++) logins.push(await offline(exec));
  verdict('hang');
  exec.announce(/OAS00385/);
  exec.announce(/OAS00514/);
  let first;
  for (let tries = 0; tries < 5 && first !== 'login'; tries++) {
    const started = Date.now();
    const waiting = logins.map(({ refresh_token }) => refresh(exec, refresh_token));
    await sleep(300);
    const login = offline(exec);
    // with the connections in the hands of those who wait the login would come last each time
    first = await Promise.race([login.then(() => 'login'), ...waiting.map((one) => one.then(() => 'refresh'))]);
    await login;
    const answers = await Promise.all(waiting);
    assert.ok(Date.now() - started < 20_000, `${Date.now() - started} ms`); // it would have slept for 30 seconds
    for (const answer of answers) assertError(answer, 503, 'temporarily_unavailable');
  }
  assert.equal(first, 'login');
  const pids = out('pids').split(/\s+/).filter(Boolean).map(Number);
  assert.ok(pids.length > 1, 'some came so far');
  await until('what has been started is gone', () => pids.every(isGone));
  verdict('ours');
  for (const { refresh_token } of logins) assert.equal((await refresh(exec, refresh_token)).status, 200);
});

test('an expression', async () => {
  const alice = await offline(expr);
  const answer = await refresh(expr, alice.refresh_token);
  assert.equal(answer.status, 200, answer.text);
  fs.writeFileSync(path.join(expr.dir, 'left/oauth2as-bob'), '');
  const again = await refresh(expr, answer.json.refresh_token);
  assert.equal(again.status, 200, 'somebody else has left');
  fs.writeFileSync(path.join(expr.dir, 'left/oauth2as-alice'), '');
  assertError(await refresh(expr, again.json.refresh_token), 400, 'invalid_grant');
  fs.rmSync(path.join(expr.dir, 'left/oauth2as-alice'));
  assertError(await refresh(expr, again.json.refresh_token), 400, 'invalid_grant');
});

test('a retry inside the reuse window is asked about, too', async () => {
  const bob = { username: 'bob', password: 'battery staple' };
  fs.rmSync(path.join(expr.dir, 'left/oauth2as-bob'));
  const first = (await redeem(expr, await getCode(expr, { scope: 'openid offline_access' }, bob))).json;
  const second = await refresh(expr, first.refresh_token);
  assert.equal((await refresh(expr, first.refresh_token)).json.refresh_token, second.json.refresh_token);
  fs.writeFileSync(path.join(expr.dir, 'left/oauth2as-bob'), '');
  const answer = await refresh(expr, first.refresh_token);
  assertError(answer, 400, 'invalid_grant');
  assert.match(answer.json.error_description, /user is blocked/);
  fs.rmSync(path.join(expr.dir, 'left/oauth2as-bob'));
  assertError(await refresh(expr, second.json.refresh_token), 400, 'invalid_grant');
});

test('SQL', async () => {
  const alice = await offline(sql);
  const answer = await refresh(sql, alice.refresh_token);
  assert.equal(answer.status, 200, answer.text);
  await sql.sql(`CREATE OR REPLACE FUNCTION oas_subject_recheck(p_sub text, p_provider text, p_name text) RETURNS boolean
    LANGUAGE sql STABLE AS $$ SELECT p_name <> 'alice' OR p_provider <> 'oauth2as' OR p_sub <> 'oauth2as|alice' $$`);
  assertError(await refresh(sql, answer.json.refresh_token), 400, 'invalid_grant');
});
