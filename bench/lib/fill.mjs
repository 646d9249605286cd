// SPDX-License-Identifier: Apache-2.0
// Rows of other users' families, so that the tables are as large as they are after years; and families of which the load
// driver knows the tokens, spread over all of them.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const generations = 10;
const chunk = 50_000; // families in a statement

/** The secret of a family's last token, as fill's SQL has it. */
const secretOf = (id) => createHash('sha256').update(`of the bench ${id}`).digest();

/**
 * Adds families, each of ten tokens and of a person of its own, a few with their code, like the newest one of user 0.
 * @param mark what their subjects begin with
 */
async function families(bench, count, mark) {
  await bench.sql(`WITH template AS (SELECT * FROM oas_grants WHERE refresh_generation = 1 AND revoked_at IS NULL ORDER BY created_at DESC LIMIT 1),
    ids AS MATERIALIZED (SELECT gen_random_uuid() AS id, n, random() AS at FROM generate_series(1, ${count}) AS n),
    people AS (INSERT INTO oas_subjects SELECT r.* FROM ids, oas_subjects AS s, LATERAL jsonb_populate_record(s, jsonb_build_object(
        'sub', '${mark}' || ids.n, 'name', 'filler-' || ids.id)) AS r WHERE s.sub = (SELECT sub FROM template)),
    made AS (INSERT INTO oas_grants SELECT r.* FROM ids, oas_grants AS g, LATERAL jsonb_populate_record(g, jsonb_build_object('grant_id', ids.id,
        'sub', '${mark}' || ids.n, 'session_id', NULL, 'refresh_generation', ${generations},
        'refresh_hash', sha256(sha256(convert_to('of the bench ' || ids.id, 'UTF8'))), 'created_at', g.created_at - ids.at * interval '10 days',
        'purge_after', g.purge_after - ids.at * interval '10 days')) AS r WHERE g.grant_id = (SELECT grant_id FROM template)
      RETURNING grant_id, created_at),
    codes AS (INSERT INTO oas_codes SELECT r.* FROM ids, oas_codes AS c, LATERAL jsonb_populate_record(c, jsonb_build_object('grant_id', ids.id)) AS r
      WHERE c.grant_id = (SELECT grant_id FROM template) AND ids.at < 0.1)
    INSERT INTO oas_refresh_tokens SELECT r.* FROM made, generate_series(1, ${generations}) AS n, oas_refresh_tokens AS t,
      LATERAL jsonb_populate_record(t, jsonb_build_object('grant_id', made.grant_id, 'generation', n, 'parent', nullif(n - 1, 0),
        'created_at', made.created_at, 'token_hash', CASE WHEN n = ${generations} THEN sha256(sha256(convert_to('of the bench ' || made.grant_id, 'UTF8')))
          ELSE sha256(convert_to(made.grant_id || '-' || n, 'UTF8')) END)) AS r
    WHERE t.grant_id = (SELECT grant_id FROM template) AND t.generation = 1`);
}

/** Fills up to so many rows of lineage. */
export async function fill(bench, rows, say = () => {}) {
  await bench.tokens(0, 'ES256');
  for (;;) {
    const have = await bench.server.count('oas_refresh_tokens');
    const missing = Math.floor((rows - have) / generations);
    if (missing <= 0) break;
    await families(bench, Math.min(missing, chunk), `file|filler-${have}-`);
    say(`${have} of ${rows} rows`);
  }
  for (const table of ['oas_subjects', 'oas_grants', 'oas_codes', 'oas_refresh_tokens']) await bench.sql(`VACUUM (ANALYZE) ${table}`);
  await bench.sql('CHECKPOINT');
}

/** Tokens that the load driver can go round among: at least of so many families, when there are so many. */
export class Tokens {
  constructor(bench, wanted) {
    this.bench = bench;
    this.wanted = wanted;
    this.byGrant = new Map();
  }

  /** Takes in families that were filled in and not used yet, from all over the tables. */
  async extend() {
    const ids = await this.bench.sql(`SELECT grant_id FROM oas_grants WHERE sub LIKE 'file|filler-%' AND refresh_generation = ${generations}
      ORDER BY sha256(grant_id::text::bytea) LIMIT ${this.wanted}`);
    const fresh = ids.map(([id]) => Buffer.concat([Buffer.from(id.replaceAll('-', ''), 'hex'), secretOf(id)]).toString('base64url'));
    const before = [...this.byGrant];
    this.byGrant = new Map([...fresh.map((token) => [token.slice(0, 20), token]), ...before]);
  }

  /** Has a case use them, so many on each connection as there are. */
  give(one, connections) {
    const lines = [...this.byGrant.values()].slice(0, this.wanted).map((token, i) => `ring ${i % connections} token ${token}`);
    fs.writeFileSync(this.file(one), `${lines.join('\n')}\n`);
    fs.writeFileSync(`${this.file(one)}.connections`, String(connections));
  }

  /** What they have become. */
  takeBack(one) {
    for (const [, token] of fs.readFileSync(`${this.file(one)}.new`, 'utf8').matchAll(/^ring \d+ \w+ (.*)$/gm)) this.byGrant.set(token.slice(0, 20), token);
  }

  file(one) {
    return path.join(this.bench.home, 'probe', `${one.id}.server.state`);
  }
}
