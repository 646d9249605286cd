// SPDX-License-Identifier: Apache-2.0
// Small configurations for configtest, each with one mistake; a line that begins with '»' is where it must be found.
import test from 'node:test';
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { spawnSync } from 'node:child_process';

const top = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../../..');
const build = process.env.OAS_BUILD ?? (fs.existsSync(`${top}/build/Makefile`) ? `${top}/build` : top);
const makefile = fs.readFileSync(`${build}/Makefile`, 'utf8');
const variable = (name) => makefile.match(new RegExp(`^${name} = (.*)$`, 'm'))[1];
const httpd = variable('HTTPD');
const modules = variable('APXS_LIBEXECDIR');

export const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'oas-configtest-'));
test.after(() => fs.rmSync(dir, { recursive: true, force: true }));

const write = (name, text, mode = 0o600) => {
  fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
  fs.writeFileSync(path.join(dir, name), text, { mode });
  fs.chmodSync(path.join(dir, name), mode);
};
const pem = (type, options) =>
  crypto.generateKeyPairSync(type, options).privateKey.export({ type: 'pkcs8', format: 'pem' });

write('secret', `${crypto.randomBytes(32).toString('base64url')}\n`);
write('short', 'not thirty-two bytes\n');
write('open', `${crypto.randomBytes(32).toString('base64url')}\n`, 0o644);
write('client-secret', `${crypto.randomBytes(24).toString('base64url')}\n`);
write('client-middle', 'twenty-six characters long\n');
write('client-short', 'twenty-one characters\n');
write('rs256.pem', pem('rsa', { modulusLength: 2048 }));
write('rs256-b.pem', pem('rsa', { modulusLength: 2048 }));
write('weak.pem', pem('rsa', { modulusLength: 1024 }));
write('es256.pem', pem('ec', { namedCurve: 'P-256' }));
write('p384.pem', pem('ec', { namedCurve: 'P-384' }));
write('garbage.pem', 'this is no key\n');
const { publicKey, privateKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
const keySet = (...keys) => JSON.stringify({ keys });
write('public.json', keySet({ ...publicKey.export({ format: 'jwk' }), kid: 'one' }), 0o644);
write('private.json', keySet(publicKey.export({ format: 'jwk' }), privateKey.export({ format: 'jwk' })));
write('symmetric.json', keySet({ kty: 'oct', k: 'c2VjcmV0' }));
write('empty.json', keySet());
write('open.pem', pem('ec', { namedCurve: 'P-256' }), 0o644);
fs.cpSync(`${top}/templates`, path.join(dir, 'templates'), { recursive: true });
write('templates/login.mustache', '<form>\n{{#open}}\n</form>\n', 0o644);
fs.cpSync(`${top}/templates`, path.join(dir, 'words'), { recursive: true });
write('words/strings/de.json', '{\n"dir": "ltr",\n"login_heading": "Moin {{client.name"\n}\n', 0o644);

export const modulesToLoad = ['mpm_event', 'unixd', 'authn_core', 'authn_file', 'authz_core', 'auth_basic', 'alias', 'dbd'];
// OAS_PRELOAD: the sanitizer's library, for a module that was built with one
const env = process.env.OAS_PRELOAD ? { ...process.env, LD_PRELOAD: process.env.OAS_PRELOAD } : process.env;
const builtIn = spawnSync(httpd, ['-l'], { encoding: 'utf8' }).stdout;
export const load = (names) =>
  names
    .filter((name) => !builtIn.includes(`mod_${name}.c`) && fs.existsSync(`${modules}/mod_${name}.so`))
    .map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`);

export const web = (more = [], id = 'web') => [
  `<OAuth2ASClient "${id}">`,
  'OAuth2ASRedirectURI https://web.example.com/callback',
  `OAuth2ASClientSecret file:${dir}/client-secret`,
  ...more,
  '</OAuth2ASClient>',
];
export const spa = (more = [], id = 'spa') => [
  `<OAuth2ASClient "${id}">`,
  'OAuth2ASType spa',
  'OAuth2ASRedirectURI https://spa.example.com/callback',
  ...more,
  '</OAuth2ASClient>',
];
export const native = (uri, mark = '') => [
  '<OAuth2ASClient "app">',
  'OAuth2ASType native',
  `${mark}OAuth2ASRedirectURI ${uri}`,
  '</OAuth2ASClient>',
];
export const marked = (lines, number) => lines.map((line, i) => (i === number ? `»${line}` : line));

// Parts of a configuration that is right; a row replaces some of them.
export const right = {
  load: load(modulesToLoad),
  driver: ['DBDriver pgsql', 'DBDParams "dbname=none connect_timeout=1"'],
  before: [],
  issuer: ['OAuth2ASIssuer https://login.example.com/'],
  secret: [`OAuth2ASSecret file:${dir}/secret`],
  key: [`OAuth2ASKey file:${dir}/rs256.pem`],
  provider: ['OAuth2ASPasswordProvider file'],
  templates: [`OAuth2ASTemplateDir ${top}/templates`],
  resource: ['<OAuth2ASResource "https://api.example.com/">', 'OAuth2ASScope read "Read"', '</OAuth2ASResource>'],
  client: [...web(['OAuth2ASAllow https://api.example.com/ read']), ...spa()],
  more: [],
  after: [],
};

let number = 0;
function configtest(parts) {
  const all = { ...right, ...parts };
  const file = path.join(dir, `${++number}.conf`);
  const lines = [
    `ServerRoot ${dir}`,
    'ServerName localhost',
    'Listen 127.0.0.1:8099',
    `ErrorLog ${dir}/error.log`,
    `PidFile ${dir}/pid`,
    ...all.load,
    `LoadModule oauth2as_module ${build}/.libs/mod_oauth2as.so`,
    ...all.driver,
    ...all.before,
    '<VirtualHost *:8099>',
    'ServerName login.example.com',
    ...['issuer', 'secret', 'key', 'provider', 'templates', 'resource', 'client', 'more'].flatMap((name) => all[name]),
    '</VirtualHost>',
    ...all.after,
  ];
  const line = lines.findIndex((text) => text.startsWith('»')) + 1;
  fs.writeFileSync(file, lines.map((text) => `${text.replace(/^»/, '')}\n`).join(''));
  const run = spawnSync(httpd, ['-t', '-f', file], { encoding: 'utf8', env });
  return { file, line, status: run.status, text: run.stdout + run.stderr };
}

// "Syntax error on line 7 of FILE:" is httpd's form, "FILE:7: " ours for what spans several directives.
const names = ({ text, file, line }) => text.includes(`on line ${line} of ${file}:`) || text.includes(`${file}:${line}: `);

export function mustFail(title, parts, message) {
  test(`configtest: ${title}`, () => {
    const result = configtest(parts);
    assert.notEqual(result.line, 0, 'the row marks a line');
    assert.equal(result.status, 1, `httpd accepts it:\n${result.text}`);
    assert.match(result.text, message);
    assert.ok(names(result), `line ${result.line} of ${result.file} is not named:\n${result.text}`);
    // one mistake, one line: the configuration is right otherwise
    assert.equal(result.text.match(/^OAS\d{5}:|^AH00526:/gm)?.length, 1, result.text);
  });
}

export function mustPass(title, parts, message = /^Syntax OK$/m) {
  test(`configtest: ${title}`, () => {
    const result = configtest(parts);
    assert.match(result.text, message);
    assert.equal(result.status, 0, result.text);
    assert.match(result.text, /Syntax OK/);
    if (result.line !== 0) assert.ok(names(result), result.text);
    else assert.doesNotMatch(result.text, /OAS\d{5}/);
  });
}
