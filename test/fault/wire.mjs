// SPDX-License-Identifier: Apache-2.0
// The network between httpd and one PostgreSQL server: a Unix socket of its own, from which everything can be made of
// what networks do. It knows nothing of the protocol.
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const socketName = '.s.PGSQL.5432';

export class Wire {
  /** @param target tells the server's socket folder */
  constructor(folder, target) {
    this.target = target;
    this.pairs = new Set();
    this.held = false; // nothing gets through, and nobody is told
    this.greeting = true; // new connections get through
    this.delay = 0; // ms, each way
    this.tried = 0; // connections that somebody began
    this.name = path.join(folder, socketName);
    fs.mkdirSync(folder, { mode: 0o755 });
    this.plug();
  }

  /** To the private server of the instance in that folder; `member` is the name of its socket folder. */
  static to(dir, name, member = 's') {
    return new Wire(path.join(dir, name), () => path.join(fs.readFileSync(path.join(dir, 'postgres.home'), 'utf8').trim(), member));
  }

  plug() {
    if (this.server) return;
    this.server = net.createServer((client) => this.connect(client));
    this.server.listen(this.name, () => fs.chmodSync(this.name, 0o777));
    this.server.unref();
  }

  /** Connections are refused, as where no server is. */
  unplug() {
    this.server?.close();
    this.server = null;
    this.cut();
  }

  connect(client) {
    this.tried++;
    const pair = { client, server: null, mute: false, held: this.held || !this.greeting };
    this.pairs.add(pair);
    client.on('error', () => {}).on('close', () => this.end(pair));
    if (pair.held) client.pause();
    else this.lead(pair);
  }

  lead(pair) {
    pair.held = false;
    pair.server = net.connect(path.join(this.target(), socketName));
    pair.server.on('error', () => {}).on('close', () => this.lose(pair));
    pair.client.on('data', (chunk) => this.pass(pair, pair.server, chunk));
    pair.server.on('data', (chunk) => {
      if (pair.mute) this.end(pair);
      else this.pass(pair, pair.client, chunk);
    });
  }

  pass(pair, to, chunk) {
    if (this.delay === 0 && !pair.late) return void to.write(chunk);
    // a chunk may not overtake those before it when the delay ends
    pair.late = (pair.late ?? 0) + 1;
    setTimeout(() => {
      pair.late--;
      if (!to.destroyed) to.write(chunk);
    }, this.delay || 1);
  }

  end(pair) {
    this.pairs.delete(pair);
    pair.client.destroy();
    pair.server?.destroy();
  }

  /** The server has gone: whoever is held does not learn of it. */
  lose(pair) {
    pair.lost = true;
    if (!this.held) this.end(pair);
  }

  /** No answer and no end, for what is open and for what is new. */
  hold() {
    this.held = true;
    for (const { client, server } of this.pairs) {
      client.pause();
      server?.pause();
    }
  }

  /** What is new finds nobody; what is open goes on. */
  greetNobody() {
    this.greeting = false;
  }

  /** As it was. What was under way arrives late, or is cut off. */
  release({ cut = false } = {}) {
    this.held = false;
    this.greeting = true;
    this.delay = 0;
    for (const pair of [...this.pairs]) {
      if (cut || pair.lost) this.end(pair);
      else if (pair.held) this.lead(pair);
      pair.client.resume();
      pair.server?.resume();
    }
  }

  cut() {
    for (const pair of [...this.pairs]) this.end(pair);
  }

  /** For each connection that is open the next answer is thrown away, and the connection with it. */
  mute() {
    for (const pair of this.pairs) pair.mute = true;
  }

  /** Waits until the sockets are closed. */
  async close() {
    this.unplug();
    await sleep(0);
  }
}
