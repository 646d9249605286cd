// SPDX-License-Identifier: Apache-2.0
// Where clients publish their keys; it answers what a test wants, and counts.
import http from 'node:http';
import { once } from 'node:events';
import { after } from 'node:test';

export class KeyServer {
  /** Serves until the end of the test file. `make` makes the server, so that it can be one of https. */
  static async start(make = (handler) => http.createServer(handler)) {
    const self = new KeyServer();
    self.counts = new Map();
    self.handlers = new Map();
    self.server = make((request, response) => self.handle(request, response)).listen(0, '127.0.0.1');
    self.server.on('tlsClientError', () => {});
    await once(self.server, 'listening');
    after(() => {
      self.server.closeAllConnections();
      self.server.close();
    });
    return self;
  }

  handle(request, response) {
    this.counts.set(request.url, this.count(request.url) + 1);
    this.headers = request.headers;
    const handler = this.handlers.get(request.url);
    if (handler) handler(request, response);
    else response.writeHead(404).end();
  }

  get port() {
    return this.server.address().port;
  }

  url(path, host = '127.0.0.1', scheme = 'http') {
    return `${scheme}://${host}:${this.port}${path}`;
  }

  count(path) {
    return this.counts.get(path) ?? 0;
  }

  /** Answers `path` by a function (request, response). */
  answer(path, handler) {
    this.handlers.set(path, handler);
  }

  /** Answers `path` with the key set of these JWKs. */
  publish(path, ...jwks) {
    this.answer(path, (request, response) => response.writeHead(200, { 'content-type': 'text/plain' }).end(JSON.stringify({ keys: jwks })));
  }
}
