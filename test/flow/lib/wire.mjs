// SPDX-License-Identifier: Apache-2.0
// Requests byte for byte as a test writes them, many of them on few connections that stay open.
import net from 'node:net';
import { Answer } from './http.mjs';

/** Name and value pairs by lower-case name, as node has them. */
function headersOf(lines) {
  const headers = {};
  for (const line of lines) {
    const at = line.indexOf(':');
    const name = line.slice(0, at).toLowerCase();
    const value = line.slice(at + 1).trim();
    if (name === 'set-cookie') (headers[name] ??= []).push(value);
    else headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return headers;
}

/** The whole chunked body at the beginning of `bytes`, and how long it was; null when there is more to come. */
function chunked(bytes) {
  const parts = [];
  for (let at = 0; ; ) {
    const end = bytes.indexOf('\r\n', at);
    if (end < 0) return null;
    const size = parseInt(bytes.subarray(at, end).toString('latin1'), 16);
    const next = end + 2 + size + 2;
    if (bytes.length < next) return null;
    if (size === 0) return { body: Buffer.concat(parts), length: next };
    parts.push(bytes.subarray(end + 2, end + 2 + size));
    at = next;
  }
}

/** The answer at the beginning of `bytes`, and what is behind it; null when there is more to come. */
function parse(bytes, closed) {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const [status, ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = headersOf(lines);
  const message = { statusCode: Number(status.split(' ')[1]), headers };
  const rest = bytes.subarray(end + 4);
  const known = [204, 304].includes(message.statusCode) ? 0 : headers['content-length'];
  if (headers['transfer-encoding'] === 'chunked') {
    const found = chunked(rest);
    return found && { message, body: found.body, rest: rest.subarray(found.length) };
  }
  if (known === undefined) return closed ? { message, body: rest, rest: Buffer.alloc(0) } : null;
  return rest.length < Number(known) ? null : { message, body: rest.subarray(0, Number(known)), rest: rest.subarray(Number(known)) };
}

class Connection {
  constructor(port) {
    this.port = port;
    this.open();
  }

  open() {
    const socket = net.connect(this.port, '127.0.0.1').setNoDelay(true);
    this.bytes = Buffer.alloc(0);
    this.socket = socket;
    socket.on('data', (part) => {
      this.bytes = Buffer.concat([this.bytes, part]);
      this.look(false);
    });
    this.answers = 0; // that came on this connection
    socket.on('error', () => {});
    socket.on('close', () => this.socket === socket && this.look(true));
  }

  look(closed) {
    const found = this.waiting && parse(this.bytes, closed);
    if (found) {
      this.bytes = found.rest;
      this.finish(null, found);
    } else if (closed && this.waiting) {
      this.finish(new Error(`the connection ended: ${this.bytes.toString('latin1').slice(0, 200)}`));
    }
  }

  finish(error, found) {
    const { resolve, reject } = this.waiting;
    this.waiting = null;
    if (error) reject(error);
    else resolve(found);
  }

  once(bytes) {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.socket.write(bytes);
    });
  }

  async exchange(bytes) {
    if (!this.socket || this.socket.destroyed || this.socket.readableEnded) this.open();
    const found = await this.once(bytes).catch((error) => {
      // the server may close one that was not used for a while at the moment at which it is; then a new one is as good
      if (this.answers === 0 || this.bytes.length > 0) throw error;
      this.open();
      return this.once(bytes);
    });
    this.answers++;
    if (/close/i.test(found.message.headers.connection ?? '')) {
      this.socket.destroy();
      this.socket = null;
    }
    return found;
  }
}

export class Wire {
  /** @param instance whose server is asked, without TLS */
  constructor(instance, connections = 6) {
    this.origin = new URL(instance.issuer).origin;
    const port = Number(new URL(instance.issuer).port);
    this.idle = Array.from({ length: connections }, () => new Connection(port));
    this.queue = [];
  }

  /**
   * @param target what stands in the request line
   * @param headers name and value pairs; Host is added when it is not among them
   * @param body text of a form; makes this a POST
   * @returns {Promise<Answer>}
   */
  async send(target, { method, headers = {}, body } = {}) {
    const lines = Object.entries({ Host: new URL(this.origin).host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    if (body !== undefined) lines.push(`Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`);
    const bytes = `${method ?? (body === undefined ? 'GET' : 'POST')} ${target} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`;
    const connection = this.idle.pop() ?? (await new Promise((resolve) => this.queue.push(resolve)));
    try {
      const { message, body: content } = await connection.exchange(bytes);
      return new Answer(new URL(this.origin), message, content);
    } finally {
      const next = this.queue.shift();
      if (next) next(connection);
      else this.idle.push(connection);
    }
  }

  stop() {
    for (const { socket } of this.idle) socket?.destroy();
  }
}
