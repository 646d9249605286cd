// SPDX-License-Identifier: Apache-2.0
// Certificates of clients.
import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/**
 * A CA (clients.pem) with a certificate of its own for the client, and a self-signed one whose subject says
 * the same (its key in own.json).
 */
export function makeCertificates(dir) {
  const openssl = (...args) => execFileSync('openssl', args, { cwd: dir, stdio: ['ignore', 'ignore', 'ignore'] });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...key, '-days', '2', '-subj', '/CN=CA of the clients', '-keyout', 'clients.key', '-out', 'clients.pem');
  openssl('req', '-new', ...key, '-subj', '/O=Example/CN=shop', '-addext', 'subjectAltName=DNS:shop.example.test',
    '-keyout', 'named.key', '-out', 'named.csr');
  openssl('x509', '-req', '-in', 'named.csr', '-CA', 'clients.pem', '-CAkey', 'clients.key', '-CAcreateserial', '-days', '2', '-copy_extensions', 'copy', '-out', 'named.pem');
  openssl('req', '-x509', ...key, '-days', '2', '-subj', '/O=Example/CN=shop', '-keyout', 'own.key', '-out', 'own.pem');
  const read = (name) => fs.readFileSync(path.join(dir, name), 'utf8');
  const [named, own] = ['named', 'own'].map((name) => ({ pem: read(`${name}.pem`), der: new X509Certificate(read(`${name}.pem`)).raw, key: read(`${name}.key`) }));
  fs.writeFileSync(path.join(dir, 'own.json'), JSON.stringify({ keys: [new X509Certificate(own.pem).publicKey.export({ format: 'jwk' })] }));
  return { named, own };
}

/** A certificate (NAME.pem, NAME.key) of an instance's own CA for one more host name. */
export function makeServerCertificate(dir, name) {
  const openssl = (...args) => execFileSync('openssl', args, { cwd: path.join(dir, 'httpd'), stdio: ['ignore', 'ignore', 'ignore'] });
  openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
  openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-copy_extensions', 'copy', '-out', `${name}.pem`);
}

/** The x5t#S256 of a certificate of makeCertificates(). */
export const thumbprint = ({ der }) => createHash('sha256').update(der).digest('base64url');
