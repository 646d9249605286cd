// SPDX-License-Identifier: Apache-2.0
// A plain HTTP client that adds nothing and follows nothing. Every name below .localhost is loopback.
import http from 'node:http';
import https from 'node:https';
import dns from 'node:dns';

const realLookup = dns.lookup;

// resolver of *.localhost for whoever uses node's sockets (fetch does), as RFC 6761 6.3 wants it
dns.lookup = (name, options, callback) => {
  if (typeof options === 'function') [options, callback] = [{}, options];
  if (name !== 'localhost' && !name.endsWith('.localhost')) return realLookup(name, options, callback);
  const all = typeof options === 'object' && options.all;
  return process.nextTick(callback, null, ...(all ? [[{ address: '127.0.0.1', family: 4 }]] : ['127.0.0.1', 4]));
};

export class Answer {
  constructor(url, message, body) {
    this.url = url;
    this.status = message.statusCode;
    this.headers = message.headers;
    this.cookies = message.headers['set-cookie'] ?? [];
    this.body = body;
  }

  get text() {
    return this.body.toString('utf8');
  }

  get json() {
    return JSON.parse(this.text);
  }

  /** Where a redirect leads, as a URL; null when this is none. */
  get location() {
    return this.headers.location === undefined ? null : new URL(this.headers.location, this.url);
  }
}

/**
 * One request. `form` (object, array of pairs or URLSearchParams) becomes a body; `body` is sent as it is. `cert` and
 * `key` are the client's own, `localAddress` is where it comes from. An error has `unanswered` when a connection that had been
 * used before ended without a byte of an answer.
 * @returns {Promise<Answer>}
 */
export function request(url, { method, headers = {}, form, body, ca, cert, key, localAddress, agent, timeout = 30_000 } = {}) {
  const target = new URL(url);
  const secure = target.protocol === 'https:';
  const sent = { ...headers };
  let data = body;
  if (form !== undefined) {
    data = new URLSearchParams(form).toString();
    sent['content-type'] ??= 'application/x-www-form-urlencoded';
  }
  if (data !== undefined) sent['content-length'] = Buffer.byteLength(data);
  const options = {
    method: method ?? (data === undefined ? 'GET' : 'POST'),
    headers: sent,
    agent: agent ?? false,
    lookup: dns.lookup,
    timeout,
    ca,
    cert,
    key,
    localAddress,
    // what the WHATWG parser would clean up is sent as it stands
    path: typeof url === 'string' ? url.slice(url.indexOf('/', url.indexOf('//') + 2)) : target.pathname + target.search,
  };
  return new Promise((resolve, reject) => {
    let begun = false;
    const outgoing = (secure ? https : http).request(target, options, (message) => {
      const parts = [];
      begun = true;
      message.on('data', (part) => parts.push(part));
      message.on('end', () => resolve(new Answer(target, message, Buffer.concat(parts))));
      message.on('error', reject);
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer from ${target.origin} within ${timeout} ms`)));
    outgoing.on('error', (error) => reject(Object.assign(error, { unanswered: outgoing.reusedSocket && !begun && ['ECONNRESET', 'EPIPE'].includes(error.code) })));
    outgoing.end(data);
  });
}

/** fetch() on top of request(), for clients that let one be given and an instance with a private CA; `own` may have
 * a certificate and its key. */
export function fetchWith(ca, own = {}) {
  return async (url, { method, headers, body } = {}) => {
    const answer = await request(String(url), {
      method,
      ca,
      ...own,
      headers: Object.fromEntries(new Headers(headers)),
      body: body === undefined || body === null ? undefined : String(body),
    });
    const response = new Response([204, 304].includes(answer.status) ? null : answer.body, {
      status: answer.status,
      headers: Object.entries(answer.headers).map(([name, value]) => [name, String(value)]),
    });
    Object.defineProperty(response, 'url', { value: String(url) });
    return response;
  };
}
