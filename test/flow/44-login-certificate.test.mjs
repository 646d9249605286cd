// SPDX-License-Identifier: Apache-2.0
// Signing in with a client certificate, at a second port of the same host: the recipe of docs/login.md.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { execFileSync } from 'node:child_process';
import { startApp } from './lib/app.mjs';
import { freePort, startInstance } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { makeCertificates } from './lib/certificate.mjs';
import { newPage, startChromium } from './lib/chromium.mjs';
import { authorization, authorizeUrl, callbackOf, client, decode, redeem } from './lib/oauth.mjs';
import { recipe } from './lib/recipe.mjs';
import { Surfer, textOf } from './lib/surfer.mjs';

const app = await startApp();
after(() => app.stop());
const uri = `http://localhost:${app.port}/callback`;
const port = await freePort();
let certificates;
const server = await startInstance({
  args: ['--tls'],
  prepare(dir) {
    certificates = makeCertificates(dir);
  },
  conf: recipe('certificate', { 'https://login.example.com:8443': `https://localhost:${port}` }) + 'OAuth2ASLoginOption weak "Weak" /login/weak\n' + client('spa') + client('own', { uri, extra: ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'] }),
});
const elsewhere = `https://localhost:${port}`;

// what both virtual hosts share, and the second one as the recipe has it
await server.reload({
  'httpd/httpd.conf': (text) => {
    const shared = text.match(/<VirtualHost [^>]*>\n *ServerName .*\n([^]*?) *SSLEngine on\n(?:.*\n){2}([^]*)<\/VirtualHost>/);
    fs.writeFileSync(`${server.dir}/oauth2as.conf`, shared[1] + shared[2]);
    const second = recipe('certificate-host', {
      8443: String(port),
      'Listen ': 'Listen 127.0.0.1:',
      'login.example.com': 'localhost',
      'conf/oauth2as.conf': `${server.dir}/oauth2as.conf`,
      '/etc/apache2/oauth2as/server': `${server.dir}/httpd/server`,
      '/etc/apache2/oauth2as/people-ca.pem': `${server.dir}/clients.pem`,
    });
    return `${text}
<Location "/login/weak">
  SetHandler oauth2as-login
  AuthType Basic
  AuthName Weak
  AuthUserFile ${server.dir}/weak.htpasswd
  Require valid-user
</Location>
${second}`;
  },
});
fs.writeFileSync(`${server.dir}/weak.htpasswd`, `shop:${execFileSync('openssl', ['passwd', '-apr1', 'weak']).toString()}`);
const weakly = { authorization: `Basic ${Buffer.from('shop:weak').toString('base64')}` };

/** A browser whose cookies are those of the host, whatever the port. */
async function begin(overrides = {}) {
  const surfer = new Surfer(server);
  surfer.jar.set(new URL(server.issuer).origin, new Map());
  surfer.jar.set(elsewhere, surfer.jar.get(new URL(server.issuer).origin));
  const { verifier, params } = authorization(overrides);
  const page = await surfer.go(authorizeUrl(server, params));
  return { surfer, page, verifier, params };
}

async function choose({ surfer, page }, option) {
  const answer = await surfer.send(page.form.action, { form: { ...page.form.fields, option } });
  assert.equal(answer.status, 303, answer.text);
  return answer.location;
}

const shows = ({ pem, key }) => ({ cert: pem, key });

test('the browser is asked for a certificate at the second port only, and signed in by it', async () => {
  const login = await begin();
  const where = await choose(login, 'certificate');
  assert.equal(where.origin, elsewhere);
  const back = await login.surfer.send(where.href, shows(certificates.named));
  assert.equal(back.status, 302, back.text);
  assert.equal(back.location.origin, new URL(server.issuer).origin, 'back at the issuer itself');
  const end = await login.surfer.through(back.location.href);
  const { claims } = decode((await redeem(server, { ...callbackOf(end), ...login })).json.id_token);
  assert.equal(claims.sub, 'certificate|shop');
  assert.deepEqual(claims.amr, ['hwk']);
  assert.equal(claims.acr, 'urn:example:certificate');
  assert.equal(claims.iss, server.issuer);
});

test('in Chromium, which is shown no dialogue where it has one certificate for the port', async () => {
  const browser = await startChromium();
  const certificate = { origin: elsewhere, cert: Buffer.from(certificates.named.pem), key: Buffer.from(certificates.named.key) };
  const page = await newPage(browser, { ignoreHTTPSErrors: true, clientCertificates: [certificate] });
  const { params, verifier } = authorization({ client_id: 'own', redirect_uri: uri });
  await page.goto(authorizeUrl(server, params));
  await page.click('button[name=option][value=certificate]');
  await page.waitForURL(`${uri}*`);
  assert.deepEqual(page.problems, []);
  const { claims } = decode((await redeem(server, { ...app.last(), params, verifier })).json.id_token);
  assert.equal(claims.sub, 'certificate|shop');
  await page.done();
});

test('essential acr leads to that option only', async () => {
  const claims = JSON.stringify({ id_token: { acr: { essential: true, value: 'urn:example:certificate' } } });
  const { page } = await begin({ claims });
  assert.deepEqual(page.form.buttons.filter(({ name }) => name === 'option').map(({ value }) => value), ['certificate']);
});

test('without a certificate, or with one of nobody known, nobody is signed in', async () => {
  const login = await begin();
  const where = await choose(login, 'certificate');
  server.announce(/AH02227/); // mod_ssl: there is no name
  server.announce(/AH01630|AH02276|AH02039/, { maybe: true });
  const bare = await login.surfer.send(where.href);
  assert.equal(bare.status, 403);
  assert.deepEqual(bare.cookies, []);
  await assert.rejects(request(where.href, { ca: server.ca, headers: { cookie: login.surfer.cookiesFor(where.href) }, ...shows(certificates.own) }));
});

test('the same path at the first port does not count, nor the second port for an option of the first', async () => {
  const login = await begin();
  const strong = new URL(await choose(login, 'certificate'));
  const weak = new URL(await choose(login, 'weak'));
  const ported = new URL(weak);
  ported.port = String(port);
  const misplaced = await login.surfer.send(ported.href, { ...shows(certificates.named), headers: weakly });
  assert.equal(misplaced.status, 400);
  assert.match(textOf(misplaced.text), /another sign-in/);
  strong.port = new URL(server.issuer).port;
  strong.pathname = '/login/weak';
  const swapped = await login.surfer.send(strong.href, { headers: weakly });
  assert.equal(swapped.status, 400);
  assert.match(textOf(swapped.text), /another sign-in/);
  const straight = await login.surfer.send(weak.href, { headers: weakly });
  assert.equal(straight.status, 302, straight.text);
});
