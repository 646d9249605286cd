// SPDX-License-Identifier: Apache-2.0
// The judge of test/fault/run is not blind: it acquits an honest server, and notices each kind of wrong.
import test from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { findings, judge } from '../fault/ledger.mjs';
import { judgeLog } from '../fault/log.mjs';

const nothing = { forks: [], lineage: [['t1', 'g', '1'], ['t2', 'g', '2']], heads: [['g', '2']], revoked: [] };
const story = [
  { op: 'authorize', outcome: 'ok' },
  { op: 'redeem', outcome: 'ok', used: 'c', gave: 't1' },
  { op: 'refresh', outcome: 'ok', used: 't1', gave: 't2' },
  { op: 'userinfo', outcome: 'ok' },
];
const told = (...more) => [...story, ...more].map((entry, i) => ({ family: 'f', grant: 'g', sent: i * 10, got: i * 10 + 5, ...entry }));
const gather = (judgement) => {
  const { found, all } = findings();
  judgement(found);
  return all().map(({ what }) => what);
};
const found = (entries, database = {}, quiet = []) => gather((tell) => judge(entries, { ...nothing, ...database }, 1000, tell, quiet));

test('the judge acquits an honest server', () => {
  assert.deepEqual(found(told()), []);
  assert.deepEqual(found(told({ op: 'refresh', used: 't2', outcome: 'lost' }, { op: 'refresh', used: 't2', outcome: 'refused', suspicious: true })), []);
  assert.deepEqual(found(told({ op: 'revoke', outcome: 'ok' }, { op: 'userinfo', outcome: 'refused' }), { revoked: [['g', '']] }), []);
});

for (const [what, entries, database] of [
  ['a code redeemed twice', told({ op: 'redeem', outcome: 'ok', used: 'c', gave: 't2' })],
  ['a code refused that nobody used', told().filter(({ op }) => op === 'authorize').concat({ family: 'f', op: 'redeem', outcome: 'refused', sent: 50, got: 60 })],
  ['a code refused after nothing but 503', told().filter(({ op }) => op === 'authorize').concat(
    { family: 'f', op: 'redeem', outcome: 'away', sent: 20, got: 30 },
    { family: 'f', op: 'redeem', outcome: 'refused', sent: 50, got: 60 })],
  ['an acknowledged refresh token refused', told({ op: 'refresh', used: 't2', outcome: 'refused' })],
  ['an acknowledged access token refused', told({ op: 'userinfo', outcome: 'refused' })],
  ['a token good after its revocation', told({ op: 'revoke', outcome: 'ok' }, { op: 'userinfo', outcome: 'ok' })],
  ['a wrong error class', told({ op: 'refresh', used: 't2', outcome: 'wrong', detail: '401 invalid_client' })],
  ['an answer that took too long', told({ op: 'refresh', outcome: 'ok', gave: 't2', sent: 100, got: 5000 })],
  ['a forked lineage', told(), { forks: ['g'] }],
  ['an acknowledged token that the database lost', told(), { lineage: [['t1', 'g', '1']] }],
  ['an honest family revoked', told(), { revoked: [['g', 'refresh token reused']] }],
]) {
  test(`the judge notices ${what}`, () => assert.equal(found(entries, database).length, 1));
}

test('the judge notices a request that was not answered while nobody was to notice anything', () => {
  const lost = told({ op: 'userinfo', outcome: 'lost' });
  assert.deepEqual(found(lost), []);
  assert.deepEqual(found(lost, {}, [{ kind: 'graceful restarts', begun: 100, back: 200 }]), []);
  assert.equal(found(lost, {}, [{ kind: 'graceful restarts', begun: 30, back: 50 }]).length, 1);
});

const line = (text, second = 10) => `[Sat Nov 21 18:00:${second}.000100 2026] [oauth2as:error] [pid 7:tid 8] ${text}`;
const accident = (kind, second) => ({ kind, begun: Date.parse(`Nov 21 2026 18:00:${second}`) });
const foundIn = (lines, faults = [], killed = []) => gather((tell) => judgeLog(lines.join('\n'), faults, new Set(killed), tell));
const died = 'AH00052: child pid 42 exit signal Segmentation fault (11)';

test('the judge acquits an error log of what the accidents have done, and of nothing else', () => {
  assert.deepEqual(foundIn([line('OAS00204: the connection to the database was lost'), line('AH00163: resuming normal operations')]), []);
  assert.deepEqual(foundIn([line(died)], [], [42]), []);
  assert.equal(foundIn([line(died)], [], [43]).length, 1);
  const faults = [accident('failover', 10), accident('disk full', 20), accident('failover', 30)];
  const broken = (second) => foundIn([line('OAS01272: the database has an error of its own: see its log', second)], faults);
  assert.deepEqual([15, 25, 35].map((second) => broken(second).length), [1, 0, 1]);
});

for (const text of [died, '==7==ERROR: AddressSanitizer: heap-use-after-free', 'lib/base/x.c:1:2: runtime error: signed integer overflow', 'OAS00213: rights', 'OAS00214: refused', 'OAS00217: unreadable', 'OAS01142: a repetition may be refused']) {
  test(`the judge notices in an error log: ${text}`, () => assert.equal(foundIn([line('all is well'), text, line('all is well')]).length, 1));
}

for (const args of [['--kinds', 'nonsense'], ['--kinds', 'failover,'], ['--kinds', 'toString'], ['--faults', 'many'], ['--faults', '0'], ['--seed'], ['--nonsense', '1'], ['--help']]) {
  test(`test/fault/run refuses ${args.join(' ')}, and says what it takes`, () => {
    const { status, stdout, stderr } = spawnSync(new URL('../fault/run', import.meta.url).pathname, args, { encoding: 'utf8' });
    assert.equal(status, 2, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, /^run: .*\nUsage: run \[--seed N\].*\nkinds: .*\bfailover\b.*\n$/);
  });
}
