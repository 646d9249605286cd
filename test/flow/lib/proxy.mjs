// SPDX-License-Identifier: Apache-2.0
// Stands between httpd and PostgreSQL, on a Unix socket of its own, and lets chosen statements end badly: cut off
// before the server has seen them, or carried out while nobody is told. It reads of the protocol only where messages
// begin, which prepared statement is bound, and whether the server is ready again.
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

const socketName = '.s.PGSQL.5432';

// what the background tasks do at any time
const background = /^oas_(client_sync|purge|limit_families|logouts_claim|logouts_count|purge_status|keys_follow|probe)$/;

/** Splits a stream of messages: type byte, length that counts itself, content. */
class Messages {
  constructor(untyped) {
    this.rest = Buffer.alloc(0);
    this.untyped = untyped; // what a client says first has no type byte
  }

  *read(chunk) {
    this.rest = Buffer.concat([this.rest, chunk]);
    for (;;) {
      const head = this.untyped ? 0 : 1;
      if (this.rest.length < head + 4) return;
      const end = head + this.rest.readInt32BE(head);
      if (this.rest.length < end) return;
      const bytes = this.rest.subarray(0, end);
      this.rest = this.rest.subarray(end);
      yield { type: head ? String.fromCharCode(bytes[0]) : 'start', bytes, content: bytes.subarray(head + 4) };
      this.untyped = false;
    }
  }
}

/** The statement that a Bind message names: portal and statement are its first two strings. */
function boundStatement({ type, content }) {
  return type === 'B' ? content.toString('latin1').split('\0', 2)[1] : undefined;
}

export class Proxy {
  constructor(dir) {
    this.dir = dir;
    this.plans = []; // what the next matching statements meet, first come first
    this.met = [];
    this.seen = []; // statements that were run, in order
    this.sockets = new Set();
  }

  /** For startInstance({ prepare }): listens before httpd starts. */
  listen() {
    const folder = path.join(this.dir, 'proxy');
    const name = path.join(folder, socketName);
    fs.mkdirSync(folder, { mode: 0o755 });
    this.server = net.createServer((client) => this.connect(client)).listen(name, () => fs.chmodSync(name, 0o777));
    this.server.unref();
  }

  /** Lines of the virtual host that send httpd here. */
  static get conf() {
    return 'DBDParams "host=${OAS_DIR}/proxy port=5432 dbname=oauth2as user=oauth2as connect_timeout=2"\n';
  }

  /**
   * The next `times` runs of `statement` end like this: 'cut' before the server has seen them, or 'mute' after the
   * server has carried them out, its answer thrown away. With Infinity all that there are until `settled`.
   */
  plan(statement, ending, times = 1) {
    if (times === Infinity) this.plans.push({ statement, ending, always: true });
    else for (let i = 0; i < times; i++) this.plans.push({ statement, ending });
  }

  /** Everything planned has happened; what happened since the last call, in order. */
  settled() {
    const { met } = this;
    const plans = this.plans.filter(({ always }) => !always);
    this.met = [];
    this.plans = [];
    if (plans.length) throw new Error(`${plans.length} planned endings of ${plans[0].statement} were never met`);
    return met;
  }

  /** The statements of the module that run during `work`; what other processes do meanwhile counts too. */
  async during(work) {
    this.seen = [];
    await work();
    return this.seen.filter((statement) => statement.startsWith('oas_') && !background.test(statement));
  }

  connect(client) {
    const home = fs.readFileSync(path.join(this.dir, 'postgres.home'), 'utf8').trim();
    const server = net.connect(path.join(home, 's', socketName));
    const pair = { client, server, mute: false };
    const [asked, answered] = [new Messages(true), new Messages(false)];
    for (const [from, to] of [[client, server], [server, client]]) {
      this.sockets.add(from);
      from.on('error', () => {});
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
    }
    client.on('data', (chunk) => this.fromClient(pair, asked, chunk));
    server.on('data', (chunk) => this.fromServer(pair, answered, chunk));
  }

  cut({ client, server }) {
    client.destroy();
    server.destroy();
  }

  fromClient(pair, messages, chunk) {
    for (const message of messages.read(chunk)) {
      const statement = boundStatement(message);
      if (statement) this.seen.push(statement);
      if (statement !== undefined && this.plans[0]?.statement === statement) {
        const { ending, always } = this.plans[0];
        if (!always) this.plans.shift();
        this.met.push(`${ending} ${statement}`);
        if (ending === 'cut') return this.cut(pair);
        pair.mute = true;
      }
      pair.server.write(message.bytes);
    }
  }

  fromServer(pair, messages, chunk) {
    for (const message of messages.read(chunk)) {
      if (!pair.mute) {
        pair.client.write(message.bytes);
      } else if (message.type === 'Z') {
        // ready, and in no transaction: the statement is committed
        if (message.content.toString() !== 'I') this.met.push('in a transaction');
        return this.cut(pair);
      } else if (message.type === 'E') {
        this.met.push(`refused: ${message.content.toString('latin1').replaceAll('\0', ' ')}`);
      }
    }
  }
}

/** Options for startInstance() that put a proxy before its database, and the function that tells the proxy. */
export function withProxy({ conf = '', ...options } = {}) {
  let proxy; // ends with the server, whose sockets are the last that it has
  const prepare = (dir) => {
    proxy = new Proxy(dir);
    proxy.listen();
  };
  return [{ ...options, conf: Proxy.conf + conf, prepare }, () => proxy];
}
