// SPDX-License-Identifier: Apache-2.0
// Where the client's certificate comes from: mod_ssl, or a header from a balancer that the configuration names, in each
// of the forms that balancers write; and from nobody else.
import test from 'node:test';
import assert from 'node:assert/strict';
import https from 'node:https';
import { startInstance } from './lib/instance.mjs';
import { makeCertificates, thumbprint } from './lib/certificate.mjs';
import { request } from './lib/http.mjs';
import { decode } from './lib/oauth.mjs';

const machine = (id, lines) => ['<OAuth2ASClient "' + id + '">', 'OAuth2ASType machine', 'OAuth2ASAllow https://api.example.test/ read:items', 'OAuth2ASRequire mtls', ...lines, '</OAuth2ASClient>'].join('\n');
const clients = [
  machine('named', ['OAuth2ASClientAuth tls_client_auth', 'OAuth2ASClientCertificate "subject=CN=shop,O=Example"']),
  machine('own', ['OAuth2ASClientAuth self_signed_tls_client_auth', 'OAuth2ASClientKeys file:${OAS_DIR}/own.json']),
].join('\n');

let certificates;
const behind = await startInstance({
  prepare(dir) {
    certificates = makeCertificates(dir);
  },
  conf: `
    RemoteIPHeader X-Forwarded-For
    RemoteIPInternalProxy 127.0.0.0/8
    OAuth2ASTrustedCertificateHeader X-Cert 127.0.0.1 10.0.0.0/8 verified=X-Verify
    ${clients}`,
});
const { named, own } = certificates;
let shown;
const direct = await startInstance({
  args: ['--tls'],
  prepare(dir) {
    shown = makeCertificates(dir);
  },
  conf: `
    SSLVerifyClient optional_no_ca
    SSLCACertificateFile \${OAS_DIR}/clients.pem
    ${clients}`,
});

const ask = (server, id, options = {}) =>
  request(server.url('oauth/token'), {
    ca: server.ca,
    ...options,
    form: { grant_type: 'client_credentials', client_id: id, audience: 'https://api.example.test/' },
  });
const rfc9440 = ({ der }) => `:${der.toString('base64')}:`;

async function accepted(answer, certificate) {
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(decode(answer.json.access_token).claims.cnf, { 'x5t#S256': thumbprint(certificate) });
}
function refused(answer) {
  assert.equal(answer.status, 401, answer.text);
  assert.equal(answer.json.error, 'invalid_client');
}
const good = { 'x-cert': rfc9440(named), 'x-verify': 'SUCCESS' };

for (const [form, value] of Object.entries({
  'RFC 9440': rfc9440(named),
  'URL-encoded PEM': encodeURIComponent(named.pem),
  'URL-encoded PEM with everything escaped': [...Buffer.from(named.pem)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  'PEM with blanks': named.pem.replace(/\n/g, ' '),
  'PEM with tabs': named.pem.replace(/\n/g, '\t'),
  'plain base64': named.der.toString('base64'),
})) {
  test(`a trusted peer's header as ${form}`, async () => {
    await accepted(await ask(behind, 'named', { headers: { ...good, 'x-cert': value } }), named);
  });
}

test('by mod_remoteip the user is elsewhere; the peer is the balancer all the same', async () => {
  await accepted(await ask(behind, 'named', { headers: { ...good, 'x-forwarded-for': '203.0.113.9' } }), named);
});

test('from any other peer the header means nothing, whatever else it says', async () => {
  refused(await ask(behind, 'named', { headers: good, localAddress: '127.0.0.2' }));
  refused(await ask(behind, 'named', { headers: { ...good, 'x-forwarded-for': '127.0.0.1' }, localAddress: '127.0.0.2' }));
  refused(await ask(behind, 'named', { headers: { ...good, 'x-forwarded-for': '10.1.1.1' }, localAddress: '127.0.0.2' }));
  refused(await ask(behind, 'own', { headers: { 'x-cert': rfc9440(own) }, localAddress: '127.0.0.3' }));
});

test('what the balancer has not verified does not name anybody, but is a key all the same', async () => {
  for (const verify of [undefined, '', 'NONE', 'FAILED:self-signed certificate', 'success']) {
    const headers = verify === undefined ? {} : { 'x-verify': verify };
    refused(await ask(behind, 'named', { headers: { ...headers, 'x-cert': rfc9440(named) } }));
    await accepted(await ask(behind, 'own', { headers: { ...headers, 'x-cert': rfc9440(own) } }), own);
  }
  refused(await ask(behind, 'own', { headers: { 'x-cert': rfc9440(named) } }));
});

test('no certificate', async () => {
  refused(await ask(behind, 'named'));
  refused(await ask(behind, 'named', { headers: { 'x-verify': 'SUCCESS' } }));
  refused(await ask(behind, 'named', { headers: { ...good, 'x-cert': '' } }));
  refused(await ask(behind, 'named', { headers: { ...good, 'x-cert': '(null)' } }));
});

for (const [what, value] of Object.entries({
  'no base64': ':???:',
  'half a certificate': `:${named.der.subarray(0, 200).toString('base64')}:`,
  'a certificate with something behind it': `:${Buffer.concat([named.der, Buffer.from('x')]).toString('base64')}:`,
  'two headers, joined by httpd': `${rfc9440(named)}, ${rfc9440(own)}`,
  'two certificates': `${named.pem}${own.pem}`.replace(/\n/g, ' '),
  'PEM of something else': named.pem.replace(/CERTIFICATE/g, 'PUBLIC KEY').replace(/\n/g, ' '),
  'PEM without end': named.pem.replace(/-----END[^]*/, '').replace(/\n/g, ' '),
  'a broken escape': '%2D%2',
  'an escaped NUL': `%00${encodeURIComponent(named.pem)}`,
  'words': 'no certificate',
})) {
  test(`a header of a trusted peer that cannot be read: ${what}`, async () => {
    behind.announce(/OAS00383: header X-Cert of 127\.0\.0\.1 holds no certificate/);
    refused(await ask(behind, 'named', { headers: { ...good, 'x-cert': value } }));
  });
}

test('by mod_ssl: verified by a CA, self-signed, none', async () => {
  const { named, own } = shown;
  await accepted(await ask(direct, 'named', { cert: named.pem, key: named.key }), named);
  await accepted(await ask(direct, 'own', { cert: own.pem, key: own.key }), own);
  refused(await ask(direct, 'named', { cert: own.pem, key: own.key })); // the right name, signed by nobody
  refused(await ask(direct, 'own', { cert: named.pem, key: named.key }));
  refused(await ask(direct, 'named'));
  refused(await ask(direct, 'named', { headers: { 'x-cert': rfc9440(named), 'x-verify': 'SUCCESS' } }));
});

test('by mod_ssl: what a resumed session says of a certificate is not believed', async () => {
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    const agent = new https.Agent({ minVersion: version, maxVersion: version, keepAlive: false });
    const reused = [];
    const stranger = { cert: shown.own.pem, key: shown.own.key, agent };
    agent.createConnection = ((create) => (...args) => {
      const socket = create.apply(agent, args);
      socket.on('secureConnect', () => reused.push(socket.isSessionReused()));
      return socket;
    })(agent.createConnection);
    for (let round = 0; round < 4 || (round < 20 && !reused.includes(true)); round++) {
      refused(await ask(direct, 'named', stranger)); // the right name, signed by nobody
      await new Promise((resolve) => setTimeout(resolve, 50)); // tickets of TLS 1.3 come behind the answer
    }
    assert.ok(reused.includes(true), `${version}: no session was resumed`);
    await accepted(await ask(direct, 'own', stranger), shown.own); // a key is possessed whatever is resumed
  }
});
