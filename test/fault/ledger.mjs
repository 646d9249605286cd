// SPDX-License-Identifier: Apache-2.0
// What was asked and what was answered, and the judgement over it. The judge knows nothing but the entries and what
// the database holds afterwards.
import fs from 'node:fs';

/**
 * An entry: n; by (client); family (what was issued from one code); client_id; op; used (hash of the code or token that
 * was presented); sent and got (ms); node; outcome; gave (hash of the refresh token in the answer); grant.
 * Outcomes: ok; away (503 as it has to be); unsent (nobody took the connection); lost (no answer); refused (invalid_grant,
 * or 401 at userinfo); wrong (anything else, with words in `detail`).
 */
export class Ledger {
  constructor(file) {
    this.entries = [];
    this.file = fs.openSync(file, 'w');
  }

  add(entry) {
    entry.n = this.entries.push(entry);
    fs.writeSync(this.file, `${JSON.stringify(entry)}\n`);
    return entry;
  }

  close() {
    fs.closeSync(this.file);
  }

  static read(file) {
    return fs.readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
  }
}

const codeLifetime = 60_000; // ms

const group = (entries, key) => {
  const groups = new Map();
  for (const entry of entries) {
    if (entry[key] === undefined) continue;
    if (!groups.has(entry[key])) groups.set(entry[key], []);
    groups.get(entry[key]).push(entry);
  }
  return groups;
};

/** Was there, before this entry was sent, one that may have been carried out without the client knowing? */
const mayBeSpent = (entries, until) => entries.some(({ outcome, sent }) => sent < until && ['ok', 'lost'].includes(outcome));

function judgeCodes(families, found) {
  for (const entries of families.values()) {
    const redeems = entries.filter(({ op }) => op === 'redeem');
    const issued = entries.find(({ op, outcome }) => op === 'authorize' && outcome === 'ok');
    if (redeems.filter(({ outcome }) => outcome === 'ok').length > 1) found('a code was redeemed twice', redeems[0]);
    for (const entry of redeems) {
      const old = entry.got - issued.sent > codeLifetime;
      if (entry.outcome === 'refused' && !old && !mayBeSpent(redeems, entry.sent)) found('a code was refused that nobody had used', entry);
    }
  }
}

/** The client asked for the family's end, or did what looks like a theft, not knowing what became of a request. */
function mayHaveEnded(entries, until) {
  const before = entries.filter(({ sent }) => sent < until);
  const replayed = before.filter(({ op, outcome }) => op === 'redeem' && outcome === 'lost').length > 0 && before.filter(({ op }) => op === 'redeem').length > 1;
  return replayed || before.some(({ op, outcome, suspicious }) => (op === 'revoke' && outcome !== 'unsent') || (op === 'refresh' && suspicious));
}

function judgeTokens(families, found) {
  for (const entries of families.values()) {
    for (const entry of entries) {
      if (!['refresh', 'userinfo'].includes(entry.op) || entry.outcome !== 'refused') continue;
      if (!mayHaveEnded(entries, entry.got)) found(`an acknowledged token was refused (${entry.op})`, entry);
    }
    const ended = entries.find(({ op, outcome }) => op === 'revoke' && outcome === 'ok');
    const late = ended && entries.find(({ op, outcome, sent }) => op !== 'revoke' && outcome === 'ok' && sent > ended.got);
    if (late) found('a token was good after its acknowledged revocation', late);
  }
}

function judgeAnswers(entries, limit, found) {
  for (const entry of entries) {
    if (entry.outcome === 'wrong') found(`a wrong answer (${entry.detail})`, entry);
    if (entry.got - entry.sent > limit) found(`an answer took ${entry.got - entry.sent} ms`, entry);
  }
}

/** @param rows [token hash, grant, generation] of the lineage; [grant, reason] of what is revoked */
function judgeDatabase(entries, { forks, lineage, heads, revoked }, families, found) {
  for (const grant of forks) found('a lineage is no line', { grant });
  const known = new Map(lineage.map(([hash, grant, generation]) => [hash, { grant, generation: Number(generation) }]));
  const head = new Map(heads.map(([grant, generation]) => [grant, Number(generation)]));
  const newest = new Map();
  for (const entry of entries) {
    if (entry.outcome !== 'ok' || entry.gave === undefined) continue;
    const row = known.get(entry.gave);
    if (row === undefined) found('an acknowledged refresh token is not in the database', entry);
    else newest.set(row.grant, Math.max(newest.get(row.grant) ?? 0, row.generation));
  }
  for (const [grant, generation] of newest) {
    if (head.get(grant) - generation > 1) found(`the family is ${head.get(grant) - generation} generations ahead of what was acknowledged`, { grant });
  }
  const familyOf = new Map(entries.filter(({ grant }) => grant).map(({ grant, family }) => [grant, family]));
  for (const [grant, reason] of revoked) {
    const own = families.get(familyOf.get(grant)) ?? [];
    if (own.length && !mayHaveEnded(own, Infinity)) found(`an honest family was revoked (${reason})`, { grant });
  }
}

/** In accidents that cost nobody anything every request is answered. */
function judgeQuiet(entries, quiet, found) {
  for (const { kind, begun, back } of quiet) {
    const failed = entries.filter(({ outcome, sent, got }) => ['lost', 'unsent'].includes(outcome) && sent >= begun && got <= back);
    for (const entry of failed) found(`a request was not answered (${kind})`, entry);
  }
}

/** Findings by kind: [{ what, count, first }], and what adds one. */
export function findings() {
  const kinds = new Map();
  const found = (what, first) => {
    const kind = what.replace(/\d+/g, 'N');
    if (kinds.has(kind)) kinds.get(kind).count++;
    else kinds.set(kind, { what, count: 1, first });
  };
  return { found, all: () => [...kinds.values()] };
}

/**
 * @param limit ms that no answer may take longer
 * @param found is told what and an example
 * @param quiet accidents of which nobody is to notice anything: kind, begun and back (ms)
 */
export function judge(entries, database, limit, found, quiet = []) {
  const families = group(entries, 'family');
  judgeAnswers(entries, limit, found);
  judgeQuiet(entries, quiet, found);
  judgeCodes(families, found);
  judgeTokens(families, found);
  judgeDatabase(entries, database, families, found);
}

export function countBy(entries, key) {
  const counts = {};
  for (const entry of entries) counts[key(entry)] = (counts[key(entry)] ?? 0) + 1;
  return counts;
}
