// SPDX-License-Identifier: Apache-2.0
// apachectl configtest finds configuration mistakes, one clear line each, with file and line number (lib/configtest.mjs).
import fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { dir, load, marked, modulesToLoad, mustFail, mustPass, native, right, spa, web } from './lib/configtest.mjs';

mustPass('a configuration that is right', {});
mustPass('no issuer at all', {
  issuer: [], secret: [], key: [], provider: [], templates: [], resource: [], client: [],
});
mustPass('http for loopback', { issuer: ['OAuth2ASIssuer http://localhost:8099/'] });
mustPass('http for a name below localhost', { issuer: ['OAuth2ASIssuer http://as1.localhost:8099/tenant'] });
mustPass('settings of the main server are inherited', {
  before: [...right.secret, ...right.key, ...right.provider, ...right.templates, ...right.resource, 'OAuth2ASLifetime code 30s'],
  secret: [], key: [], provider: [], templates: [], resource: [],
});
mustPass('every directive in its place', {
  more: [
    'OAuth2ASProfile auth0',
    'OAuth2ASEndpoint userinfo /me',
    'OAuth2ASEndpoint openid-configuration off',
    'OAuth2ASLifetime session-idle 12h',
    'OAuth2ASClockSkew 0',
    "OAuth2ASSubject \"%{reqenv:AUTHENTICATE_UID}\"",
    'OAuth2ASClaim email "%{reqenv:AUTHENTICATE_MAIL}" in=id_token,userinfo',
    'OAuth2ASClaim groups "%{reqenv:AUTHENTICATE_GROUPS}" scope=groups type=json in=access_token',
    "OAuth2ASSkipConsent \"-R '127.0.0.1/8'\"",
    'OAuth2ASThrottle pair=5 max=1min',
    'OAuth2ASDatabaseWait 500ms',
    'OAuth2ASHelpLink forgot-password https://help.example.com/password',
    'OAuth2ASHelpLink signup /signup',
    'OAuth2ASDefaultResource https://api.example.com/',
    'OAuth2ASStylesheet /look.css',
    'OAuth2ASLogo https://example.com/logo.svg',
    `OAuth2ASKey ${dir}/es256.pem next`,
    `OAuth2ASKey ${dir}/rs256.pem alg=PS256`,
    '<OAuth2ASResource "urn:example:api">',
    'OAuth2ASTokenAlg PS256',
    'OAuth2ASScope write',
    'OAuth2ASLifetime access-token 1h',
    '</OAuth2ASResource>',
    ...web([
      'OAuth2ASName "Ein Laden"', 'OAuth2ASType web', 'OAuth2ASLogoURI /shop.png', 'OAuth2ASClientURI https://web.example.com/',
      'OAuth2ASPolicyURI https://web.example.com/p', 'OAuth2ASTosURI https://web.example.com/t',
      'OAuth2ASWebOrigin https://web.example.com', `OAuth2ASClientSecret sha256:${'0'.repeat(64)}`,
      'OAuth2ASClientAuth client_secret_post', 'OAuth2ASGrantTypes authorization_code', 'OAuth2ASResponseTypes "code"',
      'OAuth2ASAllow urn:example:api *', 'OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on', 'OAuth2ASIDTokenAlg PS256',
      'OAuth2ASRequire -pkce', 'OAuth2ASLifetime id-token 10min',
    ], 'all'),
    ...native('http://127.0.0.1/callback'),
  ],
});
mustPass('a custom scheme with a dot', { more: native('com.example.app:/callback') });
mustPass('a custom scheme without a dot is advised against', { more: native('exampleapp:/callback', '»') }, /has no dot/);
const withoutTimeout = (mark) => ['DBDriver pgsql', `${mark}DBDParams "host=db.example.com dbname=none"`];
mustPass('DBDParams without connect_timeout are advised against', { driver: withoutTimeout('»') }, /DBDParams without connect_timeout/);
mustPass('so are those of the virtual host, whatever the main server has', { more: withoutTimeout('»').slice(1) }, /DBDParams without connect_timeout/);
mustPass('DBDParams of the virtual host come before those of the main server', { driver: withoutTimeout(''), more: right.driver.slice(1) });
mustPass('DBDPersist Off is advised against', { more: ['»DBDPersist Off'] }, /OAS01240.*many times/);
mustPass('so is that of the main server, unless the virtual host has it On', { before: ['»DBDPersist Off'] }, /OAS01240/);
mustPass('DBDPersist On in the virtual host', { before: ['DBDPersist Off'], more: ['DBDPersist On'] });
mustFail('no DBDParams', { driver: ['DBDriver pgsql'], issuer: [`»${right.issuer[0]}`] }, /OAS01202.*DBDParams/);
for (const [title, params] of [
  ['a word without a value', 'host=db.example.com passfile'],
  ['a keyword that libpq does not know', 'host=db.example.com database=oauth2as'],
]) mustFail(`DBDParams with ${title}`, { driver: ['DBDriver pgsql', `»DBDParams "${params}"`] }, /OAS01203.*KEYWORD=VALUE/);

// What httpd's children need and the user who starts httpd can read anyway.
const asUser = process.getuid() === 0 ? ['User www-data', 'Group www-data'] : [];
const childId = (flag) => (process.getuid() === 0 ? Number(spawnSync('id', [flag, 'www-data'], { encoding: 'utf8' }).stdout) : process.getuid());
const open = path.join(dir, 'children'), closed = path.join(dir, 'closed');
for (const [folder, mode] of [[open, 0o755], [closed, 0o000]]) {
  fs.mkdirSync(folder);
  fs.writeFileSync(`${folder}/pgpass`, '*:*:*:*:none\n', { mode: 0o600 });
  fs.chownSync(`${folder}/pgpass`, childId('-u'), process.getgid());
  fs.chmodSync(folder, mode);
}
fs.writeFileSync(`${open}/shared`, '*:*:*:*:none\n', { mode: 0o644 });
fs.chmodSync(dir, 0o711);
const passfile = (file, mark = '') => ({ before: asUser, driver: ['DBDriver pgsql', `${mark}DBDParams "dbname=none connect_timeout=1 passfile=${file}"`] });
mustPass('a passfile of the children', passfile(`${open}/pgpass`));
mustPass('a passfile in a folder that is closed to them', passfile(`${closed}/pgpass`, '»'), /OAS01201.*not look into its folder/);
mustPass('a passfile that others may read', passfile(`${open}/shared`, '»'), /OAS01201.*chmod 600/);
mustPass('a passfile that is not there', passfile(`${open}/none`, '»'), /OAS01201.*cannot be read/);
mustPass('a drain file in a folder that the children may look into', { before: asUser, more: [`OAuth2ASDrainFile ${open}/drain`] });
mustPass('a drain file in a folder that is closed to them', { before: asUser, more: [`»OAuth2ASDrainFile ${closed}/drain`] }, /OAS01204.*not look into its folder/);

// Metrics that anybody can read are told of, unless a section that holds for them says who may.
const metrics = (mark = '') => `${mark}OAuth2ASEndpoint metrics /oauth2as/metrics`;
const granted = (section, rule = ['Require all granted']) => [`<${section}>`, ...rule, `</${section.split(' ')[0]}>`];
for (const [title, lines] of [
  ['a Location', granted('Location "/oauth2as/metrics"')],
  ['one above', granted('Location /oauth2as')],
  ['one with a pattern', granted('Location "/*/metrics"')],
  ['one with a regular expression', granted('Location ~ "^/oauth2as/"')],
  ['a LocationMatch', granted('LocationMatch "/(metrics|status)$"')],
  ['rules that are nested', granted('Location "/"', ['<If "true">', '<RequireAny>', 'Require all granted', '</RequireAny>', '</If>'])],
]) {
  mustPass(`metrics under ${title}`, { more: [metrics(), ...lines] });
  mustPass(`metrics under ${title} of the main server`, { more: [metrics()], after: lines });
}
for (const [title, parts] of [
  ['no rule', { more: [metrics('»')] }],
  ['a Location without a rule', { more: [metrics('»'), ...granted('Location "/oauth2as/metrics"', ['LimitRequestBody 1024'])] }],
  ['a Location for another path', { more: [metrics('»'), ...granted('Location "/oauth2as/met"')] }],
  ['a LocationMatch for other paths', { more: [metrics('»'), ...granted('LocationMatch "^/oauth2as/(health|ready)$"')] }],
  ['rules for files', { more: [metrics('»'), ...granted('Directory "/"'), ...granted('FilesMatch "."')] }],
  ['a rule in another virtual host', { more: [metrics('»')], after: ['<VirtualHost *:8099>', 'ServerName other.example.com', ...granted('Location "/"'), '</VirtualHost>'] }],
]) mustPass(`metrics under ${title}`, parts, /OAS01200.*anybody can read the metrics/);
mustPass('the secret of exec: and env:', {
  secret: [`OAuth2ASSecret "exec:/bin/cat ${dir}/secret" env:PATH`],
});

mustFail('a duplicate client_id', { more: marked(web(), 0) },
  /"web"> is there already, at .*\.conf:\d+/);
mustFail('a duplicate resource', { more: ['»<OAuth2ASResource "https://api.example.com/">', '</OAuth2ASResource>'] }, /is there already/);

for (const [title, uri, message] of [
  ['an invalid redirect URI', 'https://[bad/cb', /no valid absolute URI/],
  ['a relative redirect URI', '/callback', /no valid absolute URI/],
  ['a redirect URI with a fragment', 'https://web.example.com/cb#part', /has a fragment/],
  ['a javascript: redirect URI', 'javascript:alert(1)', /can run or read something/],
  ['a data: redirect URI', 'data:text/html,x', /can run or read something/],
  ['a file: redirect URI', 'file:///etc/passwd', /can run or read something/],
  ['a vbscript: redirect URI', 'vbscript:x', /can run or read something/],
  ['an upper-case JavaScript: redirect URI', 'JavaScript:alert(1)', /can run or read something/],
  ['an http redirect URI beyond loopback', 'http://web.example.com/cb', /is http beyond this machine/],
  ['an http redirect URI that only begins like loopback', 'http://127.0.0.1.example.com/cb', /is http beyond this machine/],
  ['a redirect URI with a user name', 'https://user@web.example.com/cb', /has a user name in it/],
  ['a custom scheme for a web client', 'com.example.app:/cb', /only type native may have/],
]) {
  mustFail(title, { more: marked(web([`OAuth2ASRedirectURI "${uri}"`], 'x'), 3) }, message);
}
mustFail('no redirect URI', { more: marked(['<OAuth2ASClient "x">', 'OAuth2ASType spa', '</OAuth2ASClient>'], 0) },
  /needs an OAuth2ASRedirectURI/);

mustFail('a public client with a secret', { more: marked(spa([`OAuth2ASClientSecret file:${dir}/client-secret`], 'x'), 3) },
  /is public and cannot have a secret/);
mustFail('a web client with method none and a secret', { more: marked(web(['OAuth2ASClientAuth none'], 'x'), 2) },
  /is public and cannot have a secret/);
mustFail('a confidential client without a secret',
  { more: ['»<OAuth2ASClient "x">', 'OAuth2ASRedirectURI https://x.example.com/cb', '</OAuth2ASClient>'] },
  /is confidential and needs an OAuth2ASClientSecret/);
mustFail('a spa with a method that needs a secret', { more: marked(spa(['OAuth2ASClientAuth client_secret_basic'], 'x'), 3) },
  /cannot keep a secret/);
mustFail('none beside another method', { more: marked(web(['OAuth2ASClientAuth none client_secret_post'], 'x'), 3) },
  /none cannot be combined/);
mustFail('a secret in clear', { more: marked(web(['OAuth2ASClientSecret Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6'], 'x'), 3) },
  /never stands in the configuration in clear.*oauth2asctl client hash-secret/s);
mustFail('a short client secret', { more: marked(web([`OAuth2ASClientSecret file:${dir}/client-short`], 'x'), 3) },
  /less than 22 characters/);
mustFail('a third secret', { more: marked(web([`OAuth2ASClientSecret sha256:${'0'.repeat(64)} sha256:${'1'.repeat(64)}`], 'x'), 3) },
  /at most two secrets/);
mustFail('a bad hash', { more: marked(web(['OAuth2ASClientSecret sha256:abc'], 'x'), 3) }, /64 hex digits/);
mustFail('-pkce for a public client', { more: marked(spa(['OAuth2ASRequire -pkce'], 'x'), 3) }, /only a confidential client of type web/);

for (const [title, lines, message] of [
  ['a subject type that does not exist', ['OAuth2ASSubjectType sector'], /takes public, pairwise or pairwise sector=HOST/],
  ['a sector of public subjects', ['OAuth2ASSubjectType public sector=a.example'], /takes public, pairwise/],
  ['a sector that is no host', ['OAuth2ASSubjectType pairwise sector=https://a.example'], /is no host name/],
  ['an acr that is none', ['OAuth2ASRequire acr='], /is no acr value/],
  ['an acr that no login reaches', ['OAuth2ASRequire acr=urn:example:gold'], /no OAuth2ASLoginOption has acr=urn:example:gold/],
]) mustFail(title, { more: marked(web(lines, 'x'), 3) }, message);
mustFail('pairwise subjects with several hosts', {
  more: marked(web(['OAuth2ASSubjectType pairwise', 'OAuth2ASRedirectURI https://other.example.com/callback'], 'x'), 3),
}, /do not have one host/);
mustPass('pairwise subjects', {
  more: [...web(['OAuth2ASSubjectType pairwise', 'OAuth2ASRedirectURI https://WEB.example.com/b'], 'x'),
    ...spa(['OAuth2ASSubjectType pairwise sector=web.example.com'], 'y')],
});

mustFail('an unknown scope', { more: marked(web(['OAuth2ASAllow https://api.example.com/ read erase'], 'x'), 3) }, /has no scope "erase"/);
mustFail('an unknown resource', { more: marked(web(['OAuth2ASAllow https://other.example.com/ read'], 'x'), 3) },
  /there is no <OAuth2ASResource "https:\/\/other\.example\.com\/">/);
mustFail('an unknown default resource', { more: ['»OAuth2ASDefaultResource https://other.example.com/'] }, /there is no <OAuth2ASResource/);
mustFail('an unknown provider', { provider: ['»OAuth2ASPasswordProvider file ldapp'] }, /no password provider "ldapp"; loaded are: .*file/);

mustFail('an unreadable key', { key: [`»OAuth2ASKey file:${dir}/missing.pem`] }, /OAuth2ASKey .*missing\.pem: /);
mustFail('a file that is no key', { key: [`»OAuth2ASKey file:${dir}/garbage.pem`] }, /OAuth2ASKey .*garbage\.pem: /);
mustFail('a weak key', { key: [`»OAuth2ASKey file:${dir}/weak.pem`] }, /2048/);
mustFail('a key on another curve', { key: [`»OAuth2ASKey file:${dir}/p384.pem`] }, /OAuth2ASKey .*p384\.pem: /);
mustFail('a key that everybody can read', { key: [`»OAuth2ASKey file:${dir}/open.pem`] }, /everybody can read/);
mustFail('an algorithm that does not fit the key', { key: [`»OAuth2ASKey file:${dir}/es256.pem alg=RS256`] }, /does not fit RS256/);
mustFail('algorithm none', { key: [`»OAuth2ASKey file:${dir}/rs256.pem alg=none`] }, /"none" is not available/);
mustFail('two active keys for one algorithm', { more: [`»OAuth2ASKey file:${dir}/rs256-b.pem`] }, /active key for RS256 already/);
mustFail('a key state that does not exist', { key: [`»OAuth2ASKey file:${dir}/rs256.pem activ`] }, /none of active, next, retired/);
mustFail('no active key', { key: [`»OAuth2ASKey file:${dir}/rs256.pem retired`], client: [] }, /none of the keys is active/);
mustPass('a keyring', { key: ['OAuth2ASKey database'] });
mustPass('a keyring beside keys in files, for an API too', {
  key: ['OAuth2ASKey database alg=RS256,EdDSA rotate=90d', `OAuth2ASKey file:${dir}/rs256.pem retired`, `OAuth2ASKey file:${dir}/es256.pem`],
  more: ['OAuth2ASLifetime jwks 1h', '<OAuth2ASResource "urn:example:signed">', 'OAuth2ASTokenAlg EdDSA', '</OAuth2ASResource>'],
});
mustFail('a keyring and an active key of its algorithm', { more: ['»OAuth2ASKey database alg=ES256,RS256'] }, /keys for RS256 are in the database/);
mustFail('two keyrings', { key: ['OAuth2ASKey database', '»OAuth2ASKey database alg=ES256'] }, /all algorithms in one line/);
mustFail('a keyring for an algorithm that there is not', { key: ['»OAuth2ASKey database alg=RS256,HS256'] }, /"HS256" is not available/);
mustFail('a keyring for no algorithm', { key: ['»OAuth2ASKey database alg='] }, /alg= needs an algorithm/);
mustFail('a keyring in a state', { key: ['»OAuth2ASKey database retired'] }, /neither alg=ALG,... nor rotate=/);
mustFail('rotation that is no time', { key: ['»OAuth2ASKey database rotate=often'] }, /neither alg=ALG,... nor rotate=/);
mustFail('rotation so fast that retired keys fill the keyring', { key: ['»OAuth2ASKey database alg=RS256,PS256,ES256,EdDSA rotate=7d'], more: ['OAuth2ASLifetime access-token 30d'] }, /28 keys at once; a keyring has room for 24/);
mustFail('rotation faster than the key set goes round', { key: ['»OAuth2ASKey database rotate=1h'], more: ['OAuth2ASLifetime jwks 30min'] }, /shorter than 3620 s/);
mustFail('a keyring without the algorithm that clients want', { key: ['OAuth2ASKey database alg=ES256'], client: marked(web([], 'x'), 0) }, /wants RS256 ID tokens/);
mustFail('a key set that may be kept for ever', { more: ['»OAuth2ASLifetime jwks 30d'] }, /1s to 1d/);
mustFail('no key', { key: [], issuer: ['»OAuth2ASIssuer https://login.example.com/'] }, /needs an OAuth2ASKey/);
mustFail('ID tokens by an algorithm without key', { more: marked(web(['OAuth2ASIDTokenAlg EdDSA'], 'x'), 3) }, /wants EdDSA ID tokens, but/);
mustFail('RS256 ID tokens by default without RSA key',
  { key: [`OAuth2ASKey file:${dir}/es256.pem`], client: marked(web([], 'x'), 0) }, /wants RS256 ID tokens \(the default\)/);
mustFail('access tokens by an algorithm without key',
  { more: ['<OAuth2ASResource "https://b.example.com/">', '»OAuth2ASTokenAlg ES256', '</OAuth2ASResource>'] }, /wants ES256 access tokens/);

mustFail('no secret', { secret: [], issuer: ['»OAuth2ASIssuer https://login.example.com/'] }, /needs an OAuth2ASSecret/);
mustFail('a short secret', { secret: [`»OAuth2ASSecret file:${dir}/short`] }, /has 20 bytes; at least 32/);
mustFail('a secret that others can read', { secret: [`»OAuth2ASSecret file:${dir}/open`] }, /by others than its owner \(chmod 600\)/);
mustFail('a secret that is not there', { secret: [`»OAuth2ASSecret file:${dir}/nothing`] }, /cannot read .*nothing/);
mustFail('a secret in clear', { secret: [`»OAuth2ASSecret ${'x'.repeat(40)}`] }, /never the value itself/);
mustFail('a program that fails', { secret: ['»OAuth2ASSecret exec:/bin/false'] }, /\/bin\/false failed/);
mustFail('an environment variable that is not there', { secret: ['»OAuth2ASSecret env:OAS_NOT_THERE'] }, /no environment variable/);

mustFail('a missing issuer', { issuer: [], secret: [`»${right.secret[0]}`] }, /this virtual host has no OAuth2ASIssuer/);
mustFail('a missing issuer beside the main server\'s settings', {
  before: ['»OAuth2ASLifetime code 30s'], issuer: [], secret: [], key: [], provider: [], templates: [], resource: [], client: [],
}, /no virtual host has an OAuth2ASIssuer/);
for (const [title, url, message] of [
  ['an issuer that is not https', 'http://login.example.com/', /an issuer is https/],
  ['an issuer with a query', 'https://login.example.com/?a', /neither query nor fragment/],
  ['an issuer with a fragment', 'https://login.example.com/#a', /neither query nor fragment/],
  ['an issuer that is no URL', 'login.example.com', /no valid URL/],
  ['an issuer with a user name', 'https://me@login.example.com/', /no user name/],
]) {
  mustFail(title, { issuer: [`»OAuth2ASIssuer "${url}"`] }, message);
}
mustFail('two issuers with one URL', {
  after: ['<VirtualHost *:8099>', 'ServerName b', '»OAuth2ASIssuer https://login.example.com/', ...right.secret, ...right.key, ...right.templates, '</VirtualHost>'],
}, /is an issuer already, at .*\.conf:\d+/);

// A second virtual host of one issuer, for certificates.
const mutual = 'OAuth2ASMutualTLS https://mtls.example.com:8443/';
const twin = (lines, mark = -1) => ({
  more: [mutual],
  after: ['<VirtualHost *:8099>', 'ServerName mtls.example.com', ...marked([...right.issuer, ...right.secret, ...right.key, ...right.provider, ...right.templates, ...right.resource, ...right.client, ...lines], mark), '</VirtualHost>'],
});
mustPass('a second virtual host with the same directives asks for certificates', twin([mutual]));
mustPass('a second virtual host that has everything from the main server', {
  before: [...right.secret, ...right.key, ...right.provider, ...right.templates, ...right.resource, ...right.client, mutual],
  secret: [], key: [], provider: [], templates: [], resource: [], client: [],
  after: ['<VirtualHost *:8099>', 'ServerName mtls.example.com', ...right.issuer, '</VirtualHost>'],
});
mustFail('a second virtual host with a directive more', twin([mutual, '»OAuth2ASLifetime code 30s']), /OAS00450.*differ here/);
mustFail('a second virtual host with another word in a section', {
  ...twin([mutual]),
  after: twin([mutual]).after.map((line) => line.replace('OAuth2ASAllow https://api.example.com/ read', '»OAuth2ASAllow https://api.example.com/ *')),
}, /OAS00450.*differ here/);
mustFail('a second virtual host without OAuth2ASMutualTLS', { ...twin([], 0), more: [] }, /is an issuer already/);
for (const [title, url, message] of [
  ['by http', 'http://localhost:8098/', /no https URL/],
  ['with a query', 'https://mtls.example.com/?x', /no https URL/],
  ['with another path', 'https://mtls.example.com/tenant', /another path than the issuer/],
  ['where the issuer is', 'https://login.example.com', /where the issuer itself is/],
]) {
  mustFail(`OAuth2ASMutualTLS ${title}`, { more: [`»OAuth2ASMutualTLS "${url}"`] }, message);
}
mustPass("OAuth2ASMutualTLS with the issuer's path", { issuer: ['OAuth2ASIssuer https://login.example.com/tenant/'], more: ['OAuth2ASMutualTLS https://login.example.com:8443/tenant'] });

mustFail('an unreadable template', { templates: [`»OAuth2ASTemplateDir ${dir}/templates`] }, /templates cannot be used: .*login\.mustache/);
mustFail('a text that is not closed', { templates: [`»OAuth2ASTemplateDir ${dir}/words`] }, /words\/strings\/de\.json:3: text "login_heading", line 1: a tag is not closed/);
mustFail('a template folder that is not there', { templates: [`»OAuth2ASTemplateDir ${dir}/nowhere`] }, /no readable folder/);
mustFail('mod_dbd not loaded', {
  load: load(modulesToLoad.filter((name) => name !== 'dbd')), driver: [], issuer: ['»OAuth2ASIssuer https://login.example.com/'],
}, /needs mod_dbd/);
mustFail('no PostgreSQL', { driver: [], issuer: ['»OAuth2ASIssuer https://login.example.com/'] }, /DBDriver pgsql/);

for (const [title, id, message] of [
  ['a client_id with |', 'a|b', /visible ASCII characters without '\|'/],
  ['a client_id with a blank', 'a b', /visible ASCII/],
  ['a client_id beyond ASCII', 'größe', /visible ASCII/],
  ['a client_id that is too long', 'x'.repeat(256), /at most 255/],
]) {
  mustFail(title, { more: [`»<OAuth2ASClient "${id}">`, '</OAuth2ASClient>'] }, message);
}
mustFail('a section in a section', { more: ['»<OAuth2ASClient "x">', ...spa([], 'y'), '</OAuth2ASClient>'] }, /cannot stand inside/);
mustFail('a directive of httpd in a section', { more: marked(web(['Timeout 5'], 'x'), 0) }, /Timeout at .* cannot stand inside/);
mustFail('a client directive outside a section', { more: ['»OAuth2ASRedirectURI https://x.example.com/cb'] }, /belongs inside <OAuth2ASClient>/);
mustFail('an issuer directive in a section', { more: marked(web(['OAuth2ASProfile auth0'], 'x'), 3) }, /belongs in a virtual host/);
mustFail('a resource that is no URI', { more: ['»<OAuth2ASResource "api">', '</OAuth2ASResource>'] }, /absolute URI without/);
mustFail('a resource that is the issuer', { more: ['»<OAuth2ASResource "https://login.example.com/">', '</OAuth2ASResource>'] }, /names this server itself/);
mustFail('an API scope of OpenID Connect',
  { more: ['<OAuth2ASResource "https://b.example.com/">', '»OAuth2ASScope email', '</OAuth2ASResource>'] }, /meaning of its own/);

// Who may do without a user, and who may see a password.
const machine = (more = [], id = 'x') => [
  `<OAuth2ASClient "${id}">`,
  'OAuth2ASType machine',
  `OAuth2ASClientSecret file:${dir}/client-secret`,
  ...more,
  '</OAuth2ASClient>',
];
const allow = 'OAuth2ASAllow https://api.example.com/ read';
mustPass('a machine', { more: machine([allow]) });
mustPass('a web client that acts for itself, too', { more: web([allow, 'OAuth2ASGrantTypes authorization_code client_credentials'], 'x') });
mustPass('a web client that only acts for itself', {
  more: ['<OAuth2ASClient "x">', `OAuth2ASClientSecret file:${dir}/client-secret`, allow, 'OAuth2ASGrantTypes client_credentials', '</OAuth2ASClient>'],
});
mustFail('a machine without API', { more: marked(machine(), 0) }, /client_credentials needs an OAuth2ASAllow/);
mustFail('client_credentials without API', { more: marked(web(['OAuth2ASGrantTypes authorization_code client_credentials'], 'x'), 3) },
  /client_credentials needs an OAuth2ASAllow/);
mustFail('a machine with a redirect URI', { more: marked(machine([allow, 'OAuth2ASRedirectURI https://x.example.com/cb']), 4) },
  /a machine has no browser/);
mustFail('a machine that signs users in', { more: marked(machine([allow, 'OAuth2ASGrantTypes client_credentials authorization_code']), 4) },
  /a machine cannot send users to sign in/);
mustFail('a machine with a response type', { more: marked(machine([allow, 'OAuth2ASResponseTypes code']), 4) },
  /a machine cannot send users to sign in/);
mustFail('a machine without secret', {
  more: ['»<OAuth2ASClient "x">', 'OAuth2ASType machine', allow, '</OAuth2ASClient>'],
}, /is confidential and needs an OAuth2ASClientSecret/);
mustFail('a public machine', {
  more: ['<OAuth2ASClient "x">', 'OAuth2ASType machine', allow, '»OAuth2ASClientAuth none', '</OAuth2ASClient>'],
}, /a machine acts for itself and has to authenticate/);
mustFail('a public client that acts for itself', {
  more: marked(spa([allow, 'OAuth2ASGrantTypes authorization_code client_credentials'], 'x'), 4),
}, /confidential clients only/);
mustFail('a response type with code for who may not redeem codes', {
  more: marked(web([allow, 'OAuth2ASGrantTypes client_credentials', 'OAuth2ASResponseTypes code'], 'x'), 5),
}, /needs the grant type authorization_code/);

const auth0 = 'OAuth2ASProfile auth0';
const realm = 'http://auth0.com/oauth/grant-type/password-realm';
mustPass('passwords for the operator\'s own application', {
  more: [auth0, ...web(['OAuth2ASFirstParty on', `OAuth2ASGrantTypes password ${realm} refresh_token`], 'x')],
});
for (const grant of ['password', realm]) {
  mustFail(`${grant} for somebody else's application`, { more: [auth0, ...marked(web([`OAuth2ASGrantTypes ${grant}`], 'x'), 3)] },
    /only a confidential client with OAuth2ASFirstParty on/);
  mustFail(`${grant} for a public client`, { more: [auth0, ...marked(spa([`OAuth2ASGrantTypes authorization_code ${grant}`, 'OAuth2ASFirstParty on'], 'x'), 3)] },
    /only a confidential client with OAuth2ASFirstParty on/);
  mustFail(`${grant} in profile oauth21`, { more: marked(web([`OAuth2ASGrantTypes ${grant}`, 'OAuth2ASFirstParty on'], 'x'), 3) },
    /profile oauth21 has no grant type that takes passwords/);
}

// Tokens of the front channel.
mustPass('ID tokens of the front channel', { more: web(['OAuth2ASResponseTypes "id_token" "code id_token" code'], 'x') });
for (const type of ['id_token token', 'code token', 'code id_token token']) {
  const lines = [`OAuth2ASResponseTypes code "${type}"`];
  mustFail(`response type ${type} in profile oauth21`, { more: marked(web(lines, 'x'), 3) }, /no access token into the browser's address/);
  mustPass(`response type ${type} in profile auth0`, { more: [auth0, ...web(lines, 'x')] });
}
mustFail('access tokens from the browser for a client whose tokens are bound', {
  more: [auth0, ...marked(web(['OAuth2ASRequire mtls', 'OAuth2ASResponseTypes "code token"'], 'x'), 4)],
}, /bound to no certificate/);
mustFail('a hybrid response type without its grant', {
  more: marked(web([allow, 'OAuth2ASGrantTypes client_credentials', 'OAuth2ASResponseTypes "code id_token"'], 'x'), 5),
}, /needs the grant type authorization_code/);
mustPass('ID tokens only, without codes', { more: web([allow, 'OAuth2ASGrantTypes client_credentials', 'OAuth2ASResponseTypes id_token'], 'x') });

// Refresh tokens: windows, limits, rotation.
mustFail('a window of the server that a public client may not have', { more: ['»OAuth2ASRefreshReuseWindow 5min'] }, /client "spa" is public .* 60s at most/);
for (const [title, profile, lines] of [
  ['in profile oauth21', 'oauth21', ['OAuth2ASFirstParty on']],
  ["for somebody else's application", 'auth0', []],
]) {
  mustFail(`OAuth2ASForwardedFor ${title}`, { more: [`OAuth2ASProfile ${profile}`, ...web([...lines, '»OAuth2ASForwardedFor on'], 'x')] }, /only in profile auth0 a confidential client/);
}
mustPass('OAuth2ASForwardedFor where it may be', { more: ['OAuth2ASProfile auth0', ...web(['OAuth2ASFirstParty on', 'OAuth2ASForwardedFor on'], 'x')] });
mustPass('the same, where each public client has its own', {
  client: [...web(), ...spa(['OAuth2ASRefreshReuseWindow 60s'])], more: ['OAuth2ASRefreshReuseWindow until-used'],
});
mustPass('the same, where public clients have no refresh tokens', {
  client: [...web(), ...spa(['OAuth2ASGrantTypes authorization_code'])], more: ['OAuth2ASRefreshReuseWindow 1h'],
});
for (const [title, lines, message] of [
  ['a window of more than a minute for a public client', ['»OAuth2ASRefreshReuseWindow 61s'], /its reuse window is 60s at most/],
  ['until-used for a public client', ['»OAuth2ASRefreshReuseWindow until-used'], /and not until-used/],
  ['refresh tokens of a public client that are not single-use', ['»OAuth2ASRotation off'], /always single-use/],
  ['web_message to an origin that is not the application\'s',
    ['OAuth2ASWebOrigin https://spa.example.com', '»OAuth2ASRedirectURI https://other.example.com/cb', 'OAuth2ASWebMessage on'], /is not in its OAuth2ASWebOrigin/],
  ['an address that a public client names', ['»OAuth2ASForwardedFor on'], /only in profile auth0 a confidential client/],
  ['tokens in addresses in profile oauth21', ['»OAuth2ASQueryToken on'], /in profile auth0 only/],
]) {
  mustFail(title, { more: spa(lines, 'x') }, message);
}
for (const [title, line, message] of [
  ['a language that nobody has written', 'OAuth2ASLanguages en nl', /templates cannot be used: .*strings\/nl\.json:1: is missing/],
  ['a language that is none', 'OAuth2ASLanguages ../../etc/passwd', /is no language tag like en or pt-BR/],
  ['a language twice', 'OAuth2ASLanguages de DE', /is there twice/],
  ['a reuse window of more than an hour', 'OAuth2ASRefreshReuseWindow 2h', /out of range, which is 0 to 1h, or until-used/],
  ['a reuse window in words', 'OAuth2ASRefreshReuseWindow always', /is no duration/],
  ['no refresh tokens at all', 'OAuth2ASRefreshLimit 0', /out of range, which is 1 to 10000/],
  ['too many refresh tokens', 'OAuth2ASRefreshLimit 10001', /out of range/],
  ['a password cost of nothing', 'OAuth2ASPasswordCost 0', /out of range, which is 1 to 11/],
  ['a password cost that no machine has memory for', 'OAuth2ASPasswordCost 12', /out of range/],
  ['a limit that is no number', 'OAuth2ASRefreshLimit 5x', /out of range/],
  ['a network to fetch from that is none', 'OAuth2ASOutboundAllow 10.0.0.0/33', /neither a host name nor a network/],
  ['half a network', 'OAuth2ASTrustedCertificateHeader Client-Cert 10/8', /no network like/],
  ['a certificate header from anywhere', 'OAuth2ASTrustedCertificateHeader Client-Cert', /takes HEADER CIDR/],
  ['a certificate header without network', 'OAuth2ASTrustedCertificateHeader Client-Cert verified=always', /of anybody would be believed/],
  ['a certificate header that vouches for itself', 'OAuth2ASTrustedCertificateHeader Client-Cert ::1 verified=client-cert', /name of another header/],
  ['a header name with a blank', 'OAuth2ASTrustedCertificateHeader "Client Cert" ::1', /no name of a header/],
  ['an audit log in a folder that is not there', `OAuth2ASAuditLog ${dir}/nowhere/audit.log`, /audit\.log cannot be made/],
  ['staying signed in, perhaps', 'OAuth2ASKeepSignedIn perhaps', /on or off/],
  ['an audit log that is a folder', `OAuth2ASAuditLog ${dir}/templates`, /templates is a folder/],
  ['an audit log to a program that is not there', 'OAuth2ASAuditLog "|/nowhere/rotatelogs x"', /no program \/nowhere\/rotatelogs/],
  ['a recheck by a program that is not there', 'OAuth2ASSubjectRecheck exec:/nowhere/ask', /no program \/nowhere\/ask/],
  ['a recheck by a file that cannot be run', `OAuth2ASSubjectRecheck exec:${dir}/secret`, /that can be run/],
  ['a recheck without quotes', 'OAuth2ASSubjectRecheck %{REMOTE_USER} == "x"', /put it in quotes/],
  ['a recheck that does not compile', 'OAuth2ASSubjectRecheck "%{REMOTE_USER} =="', /OAuth2ASSubjectRecheck: /],
]) {
  mustFail(title, { more: [`»${line}`] }, message);
}
mustPass('windows, limits, headers and logs', {
  more: [
    'OAuth2ASLanguages ja en',
    'OAuth2ASRefreshReuseWindow 60s', 'OAuth2ASRefreshLimit 10000', 'OAuth2ASPasswordCost 11', 'OAuth2ASRevokeConsent on', 'OAuth2ASKeepSignedIn on',
    'OAuth2ASOutboundAllow 10.0.0.0/8 fd00::/8 keys.example.com 192.0.2.1',
    'OAuth2ASTrustedCertificateHeader X-SSL-Cert 127.0.0.1 10.0.0.0/8 ::1 verified=X-SSL-Verify',
    `OAuth2ASAuditLog ${dir}/audit.log`, 'OAuth2ASSubjectRecheck exec:/bin/true a b',
    '<OAuth2ASResource "https://c.example.com/">', 'OAuth2ASTokenDialect auth0', 'OAuth2ASOfflineAccess off',
    'OAuth2ASIntrospectionClient web spa', '</OAuth2ASResource>',
    ...web(['OAuth2ASRefreshReuseWindow until-used', 'OAuth2ASRotation off', 'OAuth2ASLifetime refresh-token 90d',
      'OAuth2ASLifetime refresh-token-idle 7d', 'OAuth2ASRequire -pkce mtls', 'OAuth2ASAssertionAudience issuer'], 'x'),
    ...spa(['OAuth2ASWebMessage on', 'OAuth2ASRefreshReuseWindow 0', 'OAuth2ASRequire mtls', 'OAuth2ASRefreshReuseWindow 5min'], 'y'),
  ],
});
mustPass('a recheck by SQL, and one by expression in another host\'s place', {
  before: ['OAuth2ASSubjectRecheck "! -f \'/gone/%{reqenv:OAUTH2AS_NAME}\'"'], more: ['OAuth2ASSubjectRecheck sql'],
});
mustPass('an API that another node\'s client may introspect', {
  more: ['<OAuth2ASResource "https://c.example.com/">', '»OAuth2ASIntrospectionClient elsewhere', '</OAuth2ASResource>'],
}, /no <OAuth2ASClient "elsewhere"> here/);

// Keys and certificates of clients.
for (const [title, line, message] of [
  ['a key set that is not there', `OAuth2ASClientKeys file:${dir}/nowhere.json`, /cannot read .*nowhere\.json/],
  ['a key set that is no JSON', `OAuth2ASClientKeys file:${dir}/garbage.pem`, /is no JSON/],
  ['a key set without keys', `OAuth2ASClientKeys file:${dir}/empty.json`, /JWK Set/],
  ['a key set with a private key', `OAuth2ASClientKeys file:${dir}/private.json`, /private/],
  ['a key set with a symmetric key', `OAuth2ASClientKeys file:${dir}/symmetric.json`, /private/],
  ['a key set by http', 'OAuth2ASClientKeys http://keys.example.com/jwks', /neither file:PATH nor an https URL/],
  ['a key set in clear', 'OAuth2ASClientKeys {}', /neither file:PATH nor an https URL/],
  ['keys that no method uses', `OAuth2ASClientKeys file:${dir}/public.json`, /no method in OAuth2ASClientAuth that uses them/],
  ['a certificate that no method uses', 'OAuth2ASClientCertificate san-dns=x.example.com', /but neither tls_client_auth nor/],
  ['a certificate rule that does not exist', 'OAuth2ASClientCertificate issuer=CN=x', /none of subject=DN/],
  ['a subject without attributes', 'OAuth2ASClientCertificate subject=x', /none of subject=DN/],
  ['a subject with an unknown attribute', 'OAuth2ASClientCertificate subject=NOSUCH=x', /none of subject=DN/],
  ['a name with a wildcard', 'OAuth2ASClientCertificate san-dns=*.example.com', /none of subject=DN/],
]) {
  mustFail(title, { more: marked(web([line], 'x'), 3) }, message);
}
const keys = `OAuth2ASClientKeys file:${dir}/public.json`;
for (const [title, lines] of [
  ['private_key_jwt with keys', ['OAuth2ASClientAuth private_key_jwt', keys]],
  ['private_key_jwt with keys elsewhere', ['OAuth2ASClientAuth private_key_jwt', 'OAuth2ASClientKeys https://keys.example.com/jwks']],
  ['a certificate by its subject', ['OAuth2ASClientAuth tls_client_auth', 'OAuth2ASClientCertificate "subject=CN=shop,O=Example\\, Inc."', 'OAuth2ASRequire mtls']],
  ['a certificate by a name', ['OAuth2ASClientAuth tls_client_auth', 'OAuth2ASClientCertificate san-dns=shop.example.com']],
  ['a self-signed certificate', ['OAuth2ASClientAuth self_signed_tls_client_auth', keys]],
  ['a self-signed certificate, by its rule', ['OAuth2ASClientAuth self_signed_tls_client_auth', keys, 'OAuth2ASClientCertificate self-signed']],
]) {
  mustPass(title, { more: machine([allow, ...lines]).filter((line) => !line.startsWith('OAuth2ASClientSecret')) });
}
const fetched = (url) => ['<OAuth2ASClient "x">', 'OAuth2ASType machine', allow, 'OAuth2ASClientAuth private_key_jwt', `OAuth2ASClientKeys ${url}`, '</OAuth2ASClient>'];
const loopback = { issuer: ['OAuth2ASIssuer http://localhost:8099/'] };
mustPass('keys on this machine by http, for tests', { ...loopback, more: ['OAuth2ASOutboundAllow 127.0.0.0/8', ...fetched('http://127.0.0.1:9/jwks')] });
mustPass('keys on an inner host', { more: ['OAuth2ASOutboundAllow 10.0.0.0/8', ...fetched('https://10.1.2.3/jwks')] });
mustFail('keys on this machine by http beside an https issuer', { more: marked(fetched('http://127.0.0.1:9/jwks'), 4) }, /keys come by https/);
for (const url of ['https://10.1.2.3/jwks', 'https://[fd00::1]/jwks', 'https://localhost/jwks', 'https://169.254.169.254/x']) {
  mustFail(`keys where the server may not fetch: ${url}`, { more: marked(fetched(url), 4) }, /has no public address; OAuth2ASOutboundAllow can/);
}
mustFail('a short secret for client_secret_jwt', {
  more: ['<OAuth2ASClient "x">', 'OAuth2ASType machine', allow, `»OAuth2ASClientSecret file:${dir}/client-middle`, 'OAuth2ASClientAuth client_secret_jwt', '</OAuth2ASClient>'],
}, /at least 32 bytes/);
mustPass('client_secret_jwt beside client_secret_basic', { more: machine([allow, 'OAuth2ASClientAuth client_secret_jwt client_secret_basic']) });
mustPass('secret and key during a change', { more: machine([allow, 'OAuth2ASClientAuth client_secret_basic private_key_jwt', keys]) });
for (const [title, lines, message] of [
  ['private_key_jwt without keys', ['»OAuth2ASClientAuth client_secret_basic private_key_jwt'], /private_key_jwt needs OAuth2ASClientKeys/],
  ['a self-signed certificate without keys', ['»OAuth2ASClientAuth client_secret_basic self_signed_tls_client_auth'], /self_signed_tls_client_auth needs OAuth2ASClientKeys/],
  ['tls_client_auth without a name', ['»OAuth2ASClientAuth client_secret_basic tls_client_auth'], /tls_client_auth needs OAuth2ASClientCertificate/],
  ['tls_client_auth with the wrong rule', ['»OAuth2ASClientAuth client_secret_basic tls_client_auth', 'OAuth2ASClientCertificate self-signed'], /tls_client_auth needs OAuth2ASClientCertificate/],
  ['a self-signed certificate by name', ['OAuth2ASClientAuth client_secret_basic self_signed_tls_client_auth', keys, '»OAuth2ASClientCertificate san-dns=x.example.com'], /goes by OAuth2ASClientKeys/],
  ['both kinds of certificate', ['»OAuth2ASClientAuth client_secret_basic tls_client_auth self_signed_tls_client_auth', keys, 'OAuth2ASClientCertificate san-dns=x.example.com'], /exclude each other/],
  ['a secret that no method uses', ['OAuth2ASClientAuth private_key_jwt', keys], /has a secret, but no method/],
]) {
  mustFail(title, { more: machine([allow, ...lines]).map((line) => (/no method/.test(message.source) && /^OAuth2ASClientSecret/.test(line) ? `»${line}` : line)) }, message);
}
mustFail('client_secret_jwt with a hash', {
  more: ['<OAuth2ASClient "x">', 'OAuth2ASType machine', allow, `»OAuth2ASClientSecret sha256:${'0'.repeat(64)}`, 'OAuth2ASClientAuth client_secret_jwt', '</OAuth2ASClient>'],
}, /needs the secret itself/);

mustFail('two certificate rules', {
  more: marked(web(['OAuth2ASClientCertificate san-dns=x.example.com', 'OAuth2ASClientCertificate self-signed'], 'x'), 4),
}, /one rule for its certificate/);
mustFail('two key sets', {
  more: marked(web(['OAuth2ASClientKeys https://x.example.com/jwks', `OAuth2ASClientKeys file:${dir}/public.json`], 'x'), 4),
}, /one key set/);

// A value whose feature is not built is refused, and the message says what there is.
for (const [title, line, message] of [
  ['grant type implicit', 'OAuth2ASGrantTypes implicit', /"implicit" is not available/],
  ['a grant type that does not exist', 'OAuth2ASGrantTypes saml', /"saml" is not available\. Available: authorization_code/],
  ['response type token', 'OAuth2ASResponseTypes "token"', /"token" is not available\. Available: code/],
  ['a method that does not exist', 'OAuth2ASClientAuth client_secret_header', /Available: none, client_secret_basic, client_secret_post/],
  ['a type that does not exist', 'OAuth2ASType server', /Available: web, spa, native, machine/],
  ['a requirement that does not exist', 'OAuth2ASRequire pkce nonce', /"nonce" is not available\. Available: pkce, -pkce, mtls, acr=/],
  ['a token dialect in a client', 'OAuth2ASTokenDialect auth0', /belongs inside <OAuth2ASResource>/],
  ['a lifetime of sessions', 'OAuth2ASLifetime session 1d', /"session" is not available here/],
  ['algorithm HS256', 'OAuth2ASIDTokenAlg HS256', /Available: RS256, PS256, ES256, EdDSA/],
  ['a directive that does not exist', 'OAuth2ASSectorIdentifierURI https://x.example.com/', /Invalid command/],
]) {
  mustFail(`not available: ${title}`, { more: marked(web([line], 'x'), 3) }, message);
}
for (const [title, line, message] of [
  ['profile fapi2', 'OAuth2ASProfile fapi2', /Available: oauth21, auth0/],
  ['an endpoint that does not exist', 'OAuth2ASEndpoint device /x', /Available: authorize, token/],
  ['a token endpoint that is off', 'OAuth2ASEndpoint token off', /token cannot be off/],
  ['two endpoints at one path', 'OAuth2ASEndpoint userinfo /authorize', /same path \/authorize/],
  ['an endpoint path without slash', 'OAuth2ASEndpoint userinfo me', /begins with a slash/],
  ['a duration without unit', 'OAuth2ASClockSkew 60', /is no duration/],
  ['a code that lives too long', 'OAuth2ASLifetime code 1h', /out of range, which is 1s to 10min/],
  ['a lifetime below a second', 'OAuth2ASLifetime code 1500ms', /whole number of seconds/],
  ['an expression that does not compile', 'OAuth2ASSubject "%{REMOTE_USER"', /OAuth2ASSubject: /],
  ['a condition that does not compile', 'OAuth2ASSkipConsent "%{REMOTE_USER} =="', /OAuth2ASSkipConsent: /],
  ['a claim that the server makes', 'OAuth2ASClaim sub "x"', /made by the server itself/],
  ['a claim type that does not exist', 'OAuth2ASClaim a "x" type=date', /none of string, boolean, integer, json/],
  ['an option that does not exist', 'OAuth2ASClaim a "x" to=userinfo', /none of scope=, type=, in=/],
  ['a throttle of nothing', 'OAuth2ASThrottle pair=0', /is not understood/],
  ['a help link that does not exist', 'OAuth2ASHelpLink imprint /imprint', /Available: forgot-password, signup, help/],
  ['a help link that runs something', 'OAuth2ASHelpLink help javascript:alert(1)', /no http or https URL/],
  ['a style sheet by http', 'OAuth2ASStylesheet http://example.com/look.css', /neither an https URL nor/],
]) {
  mustFail(title, { more: [`»${line}`] }, message);
}
