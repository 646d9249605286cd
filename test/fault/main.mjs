// SPDX-License-Identifier: Apache-2.0
// Runs clients and accidents side by side, and judges.
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Bed } from './bed.mjs';
import { Client, signIn } from './clients.mjs';
import { faults, ofHttpd, quiet, silence } from './faults.mjs';
import { countBy, findings, judge, Ledger } from './ledger.mjs';
import { judgeLog } from './log.mjs';
import { randomOf } from './random.mjs';

/** The kinds in an order of chance, each once before any comes a second time. */
function schedule(kinds, count, random) {
  const order = [];
  while (order.length < count) order.push(...random.shuffle(kinds));
  return order.slice(0, count);
}

/** Redeems nothing and risks nothing: rotates a family of its own, as fast as it is answered, at one node. */
class Probe {
  constructor(world, node, index, cookies) {
    this.node = node;
    this.client = new Client(world, `probe of ${node.name}`, 'spa', cookies);
    this.client.random = { ...this.client.random, pick: () => node };
    this.family = `probe.${index}`;
  }

  async begin() {
    const got = await this.client.authorize(this.family);
    this.token = (await this.client.redeem(this.family, got)).refresh_token;
  }

  async once() {
    const { entry, answer } = await this.client.refreshOnce(this.family, this.token, { node: this.node });
    if (entry.outcome === 'ok') this.token = answer.json.refresh_token;
    return entry;
  }

  /** ms from `since` until it was answered eight times on end. */
  async recovered(since, limit) {
    let row = 0;
    let last = since;
    while (row < 8) {
      const entry = await this.once();
      if (entry.outcome === 'ok') {
        if (row++ === 0) last = Math.max(since, entry.got);
      } else if (entry.outcome === 'refused') {
        return Infinity; // the judge says what became of it
      } else {
        row = 0;
        await sleep(20);
      }
      if (Date.now() - since > limit + 30_000) return Infinity;
    }
    return last - since;
  }
}

async function readDatabase(bed) {
  const lineage = await bed.admin("SELECT encode(token_hash, 'hex'), replace(grant_id::text, '-', ''), generation FROM oas_refresh_tokens");
  const heads = await bed.admin("SELECT replace(grant_id::text, '-', ''), refresh_generation FROM oas_grants WHERE refresh_generation IS NOT NULL");
  const revoked = await bed.admin("SELECT replace(grant_id::text, '-', ''), coalesce(revoked_reason, '') FROM oas_grants WHERE revoked_at IS NOT NULL");
  const forks = await bed.admin(`
    SELECT replace(g.grant_id::text, '-', '') FROM oas_grants AS g JOIN (
      SELECT grant_id, count(*) AS tokens, count(DISTINCT token_hash) AS hashes, max(generation) AS newest,
        bool_and(parent IS NOT DISTINCT FROM nullif(generation - 1, 0)) AS line
      FROM oas_refresh_tokens GROUP BY grant_id) AS t USING (grant_id)
    WHERE NOT (t.line AND t.tokens = t.newest AND t.hashes = t.tokens AND g.refresh_generation = t.newest)`);
  return { lineage, heads, revoked, forks: forks.map(([grant]) => grant) };
}

/** ms from the database's return to service. */
function recoveryOf(kind, limit) {
  return ofHttpd.has(kind) ? 5 * limit : limit + (silence.get(kind) ?? 0);
}

/** One accident and what follows. */
async function strike(bed, kind, random, probes, limit) {
  const begun = Date.now();
  const result = await faults[kind](bed, random);
  if (result === null) return null;
  const { back, after } = typeof result === 'number' ? { back: result } : result;
  const recoveries = await Promise.all(probes.map((probe) => probe.recovered(back, limit)));
  await after?.();
  return { kind, begun, back, lasted: back - begun, recovery: Math.max(...recoveries) };
}

/**
 * @param kinds names of faults; all of them when left out
 * @param answerLimit ms that no answer may take longer
 * @param recoveryLimit ms from the database's return to service at both nodes; five times as long for accidents of httpd,
 *   and longer by what a silent machine takes to be given up
 * @param say prints a line
 * @returns { findings, faults, entries, ledger }; findings empty: all is well
 */
export async function ordeal({ seed, count, kinds = Object.keys(faults), clients = 64, answerLimit = 12_000, recoveryLimit = 2000, more, say = console.log }) {
  const random = randomOf(seed, 'faults');
  const bed = await Bed.make({ more });
  const file = path.join(bed.dir, 'ledger.jsonl');
  const ledger = new Ledger(file);
  let running = true;
  const world = { seed, ledger, nodes: bed.nodes, running: () => running };
  const struck = [];
  const { found, all } = findings();
  try {
    const cookies = await signIn(bed.server, 8);
    const probes = bed.nodes.map((node, i) => new Probe(world, node, i, cookies[i]));
    for (const probe of probes) await probe.begin();
    const lot = Array.from({ length: clients }, (_, i) => new Client(world, i, ['spa', 'strict', 'hybrid'][i % 3], cookies[i % cookies.length]));
    const lives = Promise.all(lot.map((client) => client.run()));
    lives.catch((error) => say(`a client broke: ${error.stack}`));
    await sleep(1500);
    for (const kind of schedule(kinds, count, random)) {
      const fault = await strike(bed, kind, random, probes, recoveryLimit);
      if (fault === null) {
        say(`${'-'.padStart(6)}  ${kind}: not possible here`);
        continue;
      }
      struck.push(fault);
      say(`${String(struck.length).padStart(6)}  ${kind}: away for ${fault.lasted} ms, both nodes served ${fault.recovery} ms after its return`);
      if (fault.recovery > recoveryOf(kind, recoveryLimit)) found(`service came back only ${fault.recovery} ms after the database (${kind})`, fault);
      await sleep(random.between(500, 1500));
    }
    await sleep(1500);
    running = false;
    await lives;
    ledger.close();
    const entries = Ledger.read(file);
    judge(entries, await readDatabase(bed), answerLimit, found, struck.filter(({ kind }) => quiet.has(kind)));
    const log = bed.server.log();
    judgeLog(log, struck, bed.killed, found);
    return { findings: all(), faults: struck, entries, log, ledger: file, bed };
  } catch (error) {
    running = false;
    await bed.close();
    throw error;
  }
}

function percentile(numbers, share) {
  return numbers.sort((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(numbers.length * share))] ?? 0;
}

/** Lines for people. */
export function report({ findings, faults: struck, entries }, seed) {
  const lines = [`seed ${seed}`];
  lines.push(`faults: ${struck.length} of ${new Set(struck.map(({ kind }) => kind)).size} kinds`);
  for (const [kind, times] of Object.entries(countBy(struck, ({ kind }) => kind))) {
    const own = struck.filter((fault) => fault.kind === kind);
    lines.push(`  ${String(times).padStart(3)} ${kind}, service after at most ${Math.max(...own.map(({ recovery }) => recovery))} ms`);
  }
  for (const { kind, begun, back } of struck.filter((fault) => quiet.has(fault.kind))) {
    const during = entries.filter(({ sent, got }) => sent >= begun && got <= back);
    lines.push(`during ${kind}: ${during.length} requests, ${during.filter(({ outcome }) => outcome === 'away').length} of them answered 503`);
  }
  lines.push(`requests: ${entries.length}`);
  for (const [what, times] of Object.entries(countBy(entries, ({ op, outcome }) => `${op.padEnd(9)} ${outcome}`)).sort()) lines.push(`  ${String(times).padStart(6)} ${what}`);
  const taken = entries.map(({ sent, got }) => got - sent);
  lines.push(`answers: median ${percentile(taken, 0.5)} ms, 99 % ${percentile(taken, 0.99)} ms, longest ${percentile(taken, 1)} ms`);
  for (const { what, count, first } of findings) lines.push(`FOUND ${count} x ${what}: ${JSON.stringify(first)}`);
  lines.push(findings.length ? 'verdict: not good' : 'verdict: good');
  return lines;
}

/** How the command line calls the kinds. */
const named = new Map(Object.keys(faults).map((name) => [name.replace(/\W+/g, '-'), name]));

class UsageError extends Error {}

function number(option, text, least) {
  if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
  throw new UsageError(`${option} takes a number from ${least} on, not ${text}`);
}

function kind(text) {
  if (named.has(text)) return named.get(text);
  throw new UsageError(`no kind of fault is called ${text || 'nothing'}`);
}

const verbs = {
  '--seed': (text, option) => ({ seed: number(option, text, 0) }),
  '--faults': (text, option) => ({ count: number(option, text, 1) }),
  '--clients': (text, option) => ({ clients: number(option, text, 1) }),
  '--kinds': (text) => ({ kinds: text.split(',').map(kind) }),
};

function parse(args) {
  const options = { seed: Date.now() % 1_000_000, count: 36 };
  for (let i = 0; i < args.length; i += 2) {
    const [option, text] = args.slice(i, i + 2);
    if (!Object.hasOwn(verbs, option)) throw new UsageError(`there is no option ${option}`);
    if (text === undefined) throw new UsageError(`${option} needs a value`);
    Object.assign(options, verbs[option](text, option));
  }
  return options;
}

function parseOrExit(args) {
  try {
    return parse(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`run: ${error.message}\nUsage: run [--seed N] [--faults N] [--clients N] [--kinds a,b]\nkinds: ${[...named.keys()].join(' ')}`);
    return process.exit(2);
  }
}

async function main(args) {
  const options = parseOrExit(args);
  console.log(`seed ${options.seed}`);
  const outcome = await ordeal(options);
  const { bed, findings, ledger, log } = outcome;
  for (const line of report(outcome, options.seed)) console.log(line);
  const kept = path.join(process.env.OAS_LEDGER_DIR ?? '.', 'ledger.jsonl');
  if (findings.length || process.env.OAS_LEDGER_DIR) {
    fs.mkdirSync(path.dirname(kept), { recursive: true });
    fs.copyFileSync(ledger, kept);
    fs.writeFileSync(kept.replace('ledger.jsonl', 'error.log'), log);
    console.log(`ledger and error log: ${path.dirname(path.resolve(kept))}`);
  }
  await bed.close();
  bed.server.remove();
  process.exit(findings.length ? 1 : 0);
}

if (process.argv[1] === new URL(import.meta.url).pathname) await main(process.argv.slice(2));
