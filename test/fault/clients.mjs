// SPDX-License-Identifier: Apache-2.0
// Honest applications: each signs in, redeems, refreshes, reads and revokes, asks another node when one is away, and
// writes down what it sent and what it got.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from '../flow/lib/http.mjs';
import { appUri, authorization, callbackOf } from '../flow/lib/oauth.mjs';
import { Surfer } from '../flow/lib/surfer.mjs';
import { randomOf } from './random.mjs';

const answerLimit = 30_000; // ms; the judge allows less
const refusedErrors = ['invalid_grant', 'invalid_token'];

/** A code and a token are 16 bytes that find the grant and a secret of which the database has the hash. */
const grantOf = (handle) => Buffer.from(handle, 'base64url').subarray(0, 16).toString('hex');
const hashOf = (handle) => createHash('sha256').update(Buffer.from(handle, 'base64url').subarray(16)).digest('hex');

/** Outcome, and words about it when it is wrong. */
function classify(answer) {
  const { status, headers } = answer;
  const json = /json/.test(headers['content-type'] ?? '') ? answer.json : {};
  if (status === 200) return ['ok'];
  if (status === 503) {
    const page = /html/.test(headers['content-type'] ?? '') && answer.text.includes('temporarily_unavailable');
    const says = json.error === 'temporarily_unavailable' || page;
    return says && Number(headers['retry-after']) >= 1 ? ['away'] : ['wrong', `503 that does not say so: ${answer.text.slice(0, 200)}`];
  }
  if ([400, 401, 403].includes(status) && refusedErrors.includes(json.error)) return ['refused', json.error];
  return ['wrong', `${status} ${json.error ?? ''} ${answer.text.slice(0, 200)}`];
}

const unsent = new Set(['ECONNREFUSED', 'ENOENT']);

export class Client {
  /** @param world nodes (each { name, url }), ledger, seed, running() */
  constructor(world, index, clientId, cookies) {
    Object.assign(this, { world, index, clientId, cookies });
    this.random = randomOf(world.seed, `client ${index}`);
    this.families = 0;
  }

  /** One request to a node, written down. `read` is given an answer that was ok, and returns more for the entry. */
  async ask(op, facts, send, read = () => ({})) {
    const node = facts.node ?? this.random.pick(this.world.nodes);
    const entry = { by: this.index, client_id: this.clientId, op, ...facts, node: node.name, sent: Date.now() };
    let answer;
    try {
      answer = await send(node);
      [entry.outcome, entry.detail] = classify(answer);
    } catch (error) {
      entry.outcome = unsent.has(error.code) ? 'unsent' : 'lost';
      entry.detail = error.code ?? error.message;
    }
    entry.got = Date.now();
    if (entry.outcome === 'ok') Object.assign(entry, read(answer));
    this.world.ledger.add(entry);
    return { entry, answer };
  }

  /** Asks again, later and perhaps elsewhere, until somebody says something; `meanwhile` is what else there is to do. */
  async insist(op, facts, send, { read, meanwhile } = {}) {
    for (;;) {
      const { entry, answer } = await this.ask(op, facts, send, read);
      if (!['away', 'unsent', 'lost'].includes(entry.outcome)) return { entry, answer };
      if (!this.world.running()) return { entry };
      // Retry-After says one second; clients are not punctual
      await sleep(entry.outcome === 'unsent' ? this.random.between(50, 300) : this.random.between(900, 1500));
      await meanwhile?.();
    }
  }

  post(where, form) {
    return (node) => request(node.url(where), { form, timeout: answerLimit });
  }

  /**
   * A code by the browser's session, at client hybrid an access token with it (`front`); undefined when the run ends before
   * there is one.
   */
  async authorize(family) {
    const response_type = this.clientId === 'hybrid' ? 'code token' : 'code';
    const { verifier, params } = authorization({ client_id: this.clientId, scope: 'openid offline_access', response_type });
    let back;
    await this.insist('authorize', { family }, async (node) => {
      const answer = await request(node.url('authorize', params), { headers: { cookie: this.cookies }, timeout: answerLimit });
      if (answer.status !== 302) {
        if (answer.status === 200) answer.status = 299; // a page instead of a code: the session was not believed
        return answer;
      }
      back = callbackOf(answer);
      answer.status = back.code ? 200 : back.error === 'temporarily_unavailable' ? 503 : 299;
      if (answer.status === 503) Object.assign(answer.headers, { 'retry-after': '1', 'content-type': 'application/json' });
      return Object.assign(answer, { body: Buffer.from(JSON.stringify({ error: back.error })) });
    });
    return back?.code && { code: back.code, verifier, front: back.access_token };
  }

  gaveOf(answer) {
    const { refresh_token: token } = answer.json;
    return { gave: hashOf(token), grant: grantOf(token) };
  }

  /** What came along with the code is used whatever becomes of that. */
  async redeem(family, { code, verifier, front }) {
    const meanwhile = () => front && this.userinfo(family, grantOf(code), front);
    const form = { grant_type: 'authorization_code', client_id: this.clientId, code, redirect_uri: appUri, code_verifier: verifier };
    const { entry, answer } = await this.insist('redeem', { family, used: hashOf(code), grant: grantOf(code) }, this.post('oauth/token', form), { read: (got) => this.gaveOf(got), meanwhile });
    await meanwhile();
    return entry.outcome === 'ok' ? answer.json : undefined;
  }

  refreshForm(token) {
    return { grant_type: 'refresh_token', client_id: this.clientId, refresh_token: token };
  }

  refreshOnce(family, token, facts = {}) {
    return this.ask('refresh', { family, used: hashOf(token), grant: grantOf(token), ...facts }, this.post('oauth/token', this.refreshForm(token)), (got) => this.gaveOf(got));
  }

  /** Without a reuse window, a token whose answer was lost may be spent; presenting it again may look like a theft. */
  async refresh(family, token, stop = () => false) {
    let suspicious = false;
    for (;;) {
      const { entry, answer } = await this.refreshOnce(family, token, suspicious ? { suspicious } : {});
      if (entry.outcome === 'ok') return answer.json;
      if (!['away', 'unsent', 'lost'].includes(entry.outcome) || !this.world.running() || stop()) return undefined;
      suspicious ||= entry.outcome === 'lost' && this.clientId === 'strict';
      await sleep(entry.outcome === 'unsent' ? this.random.between(50, 300) : this.random.between(900, 1500));
    }
  }

  /** Two tabs of one browser: when one has the new token, the other takes it from there. */
  async refreshTwice(family, token) {
    let tokens;
    const tab = async () => {
      tokens = (await this.refresh(family, token, () => tokens !== undefined)) ?? tokens;
    };
    await Promise.all([tab(), tab()]);
    return tokens;
  }

  userinfo(family, grant, token) {
    return this.insist('userinfo', { family, grant }, (node) => request(node.url('userinfo'), { headers: { authorization: `Bearer ${token}` }, timeout: answerLimit }));
  }

  async revoke(family, { refresh_token: token, access_token: access }) {
    const facts = { family, used: hashOf(token), grant: grantOf(token) };
    const { entry } = await this.insist('revoke', facts, this.post('oauth/revoke', { token, client_id: this.clientId }));
    if (entry.outcome !== 'ok') return;
    await this.refresh(family, token);
    await this.userinfo(family, facts.grant, access);
  }

  async life() {
    const family = `${this.index}.${++this.families}`;
    const got = await this.authorize(family);
    let tokens = got && (await this.redeem(family, got));
    for (let times = this.random.between(4, 24); tokens && times > 0 && this.world.running(); times--) {
      await sleep(this.random.between(20, 200));
      if (this.random.chance(0.3)) await this.userinfo(family, grantOf(tokens.refresh_token), tokens.access_token);
      const twice = this.clientId !== 'strict' && this.random.chance(0.1);
      tokens = await (twice ? this.refreshTwice(family, tokens.refresh_token) : this.refresh(family, tokens.refresh_token));
    }
    if (tokens && this.world.running() && this.random.chance(0.6)) await this.revoke(family, tokens);
  }

  async run() {
    while (this.world.running()) {
      await this.life();
      await sleep(this.random.between(20, 100));
    }
  }
}

/** Cookies of browsers that are signed in. */
export function signIn(server, count) {
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const surfer = new Surfer(server);
      const { params } = authorization();
      callbackOf(await surfer.through(server.url('authorize', params), i % 2 ? { username: 'bob', password: 'battery staple' } : {}));
      return surfer.cookiesFor(server.issuer);
    }),
  );
}
