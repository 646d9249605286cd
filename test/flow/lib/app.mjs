// SPDX-License-Identifier: Apache-2.0
// The application's side, for a browser to come back to: a page on another origin that notes how it was called.
// With `onward` its callback shows no page but sends the browser on to that address.
import http from 'node:http';

const types = { js: 'text/javascript', html: 'text/html' };

/** @param pages what else it serves: text by path; a path that ends in .js is a script */
export async function startApp({ onward, pages = {} } = {}) {
  const calls = [];
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const url = new URL(request.url, 'http://localhost');
      if (url.pathname === '/callback') {
        calls.push({
          method: request.method,
          query: Object.fromEntries(url.searchParams),
          form: Object.fromEntries(new URLSearchParams(Buffer.concat(parts).toString())),
          headers: request.headers,
        });
        if (onward) return response.writeHead(302, { location: onward }).end();
      }
      response.setHeader('content-type', `${types[url.pathname.split('.')[1]] ?? types.html}; charset=utf-8`);
      return response.end(pages[url.pathname] ?? '<!DOCTYPE html><title>Application</title><h1>Back at the application</h1>');
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  return {
    calls,
    origin: `http://127.0.0.1:${server.address().port}`,
    port: server.address().port,
    /** What came last, from the query or the form. */
    last() {
      const { query, form } = calls.at(-1);
      return { ...query, ...form };
    },
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
