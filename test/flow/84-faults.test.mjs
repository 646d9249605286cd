// SPDX-License-Identifier: Apache-2.0
// A short ordeal (test/fault/run is the long one): clients at two nodes while the database and httpd break, and the
// judgement over what they were told. OAS_FAULT_SEED repeats one.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import { faults } from '../fault/faults.mjs';
import { ordeal, report } from '../fault/main.mjs';
import { judge } from '../fault/ledger.mjs';
import { randomOf } from '../fault/random.mjs';

const seed = Number(process.env.OAS_FAULT_SEED ?? Date.now() % 1_000_000);
let bed;
after(async () => {
  await bed?.close();
  bed?.server.remove();
});

test('eight accidents, the worst among them: what is acknowledged holds, and nobody is blamed', async () => {
  const always = ['failover', 'answers lost', 'restart, immediate'];
  const others = Object.keys(faults).filter((kind) => !always.includes(kind));
  const kinds = [...always, ...randomOf(seed, 'kinds').shuffle(others).slice(0, 5)];
  // the time that service takes to come back is what the long ordeal is about, on a machine that does nothing else
  const outcome = await ordeal({ seed, count: 8, kinds, answerLimit: 20_000, recoveryLimit: 20_000 });
  bed = outcome.bed;
  for (const line of report(outcome, seed)) console.log(line);
  assert.deepEqual(outcome.findings, [], `OAS_FAULT_SEED=${seed}`);
  assert.ok(outcome.faults.length >= 7);
  assert.doesNotMatch(outcome.log, /Sanitizer|runtime error:|AddressSanitizer/);
  for (const op of ['authorize', 'redeem', 'refresh', 'userinfo', 'revoke']) {
    assert.ok(outcome.entries.some((entry) => entry.op === op && entry.outcome === 'ok'), `no ${op} was answered`);
  }
});

// ---- the judge is not blind ----

const nothing = { forks: [], lineage: [['t1', 'g', '1'], ['t2', 'g', '2']], heads: [['g', '2']], revoked: [] };
const story = [
  { op: 'authorize', outcome: 'ok' },
  { op: 'redeem', outcome: 'ok', used: 'c', gave: 't1' },
  { op: 'refresh', outcome: 'ok', used: 't1', gave: 't2' },
  { op: 'userinfo', outcome: 'ok' },
];
const told = (...more) => [...story, ...more].map((entry, i) => ({ family: 'f', grant: 'g', sent: i * 10, got: i * 10 + 5, ...entry }));
const found = (entries, database = {}) => judge(entries, { ...nothing, ...database }, 1000).map(({ what }) => what);

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
