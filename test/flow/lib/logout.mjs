// SPDX-License-Identifier: Apache-2.0
// Logouts as applications ask for them, and where they hear of them.
import http from 'node:http';
import { once } from 'node:events';
import { after } from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { authorization, authorizeUrl, getCode, redeem } from './oauth.mjs';
import { Surfer } from './surfer.mjs';

export const afterUri = 'https://app.example.test/signed-out';
export const own = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'];

/** Signs a browser in to a client and gets its tokens. */
export async function signedIn(server, client_id = 'spa', { surfer = new Surfer(server), params = {}, headers, ...options } = {}) {
  const got = await getCode(server, { client_id, scope: 'openid', ...params }, { surfer, ...options });
  const answer = await redeem(server, got, headers ? { client_id: undefined } : {}, headers);
  assert.equal(answer.status, 200, answer.text);
  return { surfer, ...answer.json };
}

/** 1 when the browser's session is alive: a silent request gets a code. */
export async function isSignedIn(server, surfer, client_id = 'spa') {
  const { params } = authorization({ client_id, scope: 'openid', prompt: 'none' });
  const answer = await surfer.clone().go(authorizeUrl(server, params));
  const back = new URLSearchParams(answer.location.search);
  if (!back.has('code')) assert.equal(back.get('error'), 'login_required');
  return back.has('code');
}

/** An application's server that is told of logouts: what came, by path; each path answers as it is told to. */
export class Receiver {
  /** @param make makes the server, so that it can be one of https */
  static async start(make = (handler) => http.createServer(handler)) {
    const self = new Receiver();
    self.calls = [];
    self.behaviours = new Map();
    self.server = make((request, response) => self.handle(request, response)).listen(0, '127.0.0.1');
    await once(self.server, 'listening');
    after(() => self.stop());
    return self;
  }

  handle(request, response) {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts).toString();
      const url = new URL(request.url, 'http://localhost');
      const call = { at: Date.now(), path: url.pathname, query: url.searchParams, method: request.method, headers: request.headers, body, token: new URLSearchParams(body).get('logout_token') };
      this.calls.push(call);
      const behaviour = this.behaviours.get(url.pathname) ?? (() => response.writeHead(204).end());
      behaviour(response, call);
    });
  }

  url(path, host = '127.0.0.1', scheme = 'http') {
    return `${scheme}://${host}:${this.server.address().port}${path}`;
  }

  /** How `path` answers: a status, or a function (response, call). */
  answer(path, behaviour) {
    this.behaviours.set(path, typeof behaviour === 'number' ? (response) => response.writeHead(behaviour).end() : behaviour);
  }

  at(path) {
    return this.calls.filter((call) => call.path === path);
  }

  /** The calls at `path`, once there are `count` of them. */
  async wait(path, count = 1, time = 60_000) {
    for (const deadline = Date.now() + time; this.at(path).length < count; await sleep(20)) {
      assert.ok(Date.now() < deadline, `${this.at(path).length} instead of ${count} calls of ${path}`);
    }
    return this.at(path);
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}
