// SPDX-License-Identifier: Apache-2.0
// configtest: how clients sign people out.
import { dir, marked, mustFail, mustPass, web } from './lib/configtest.mjs';

for (const [title, uri, message] of [
  ['an address after logout with a fragment', 'https://web.example.com/out#part', /has a fragment/],
  ['an address after logout by http', 'http://web.example.com/out', /is http beyond this machine/],
  ['an address after logout that runs something', 'javascript:alert(1)', /can run or read something/],
  ['an address after logout with a wildcard', 'https://*.example.com/out', /has a wildcard/],
  ['an address after logout with a scheme of its own', 'com.example.app:/out', /only type native may have/],
]) {
  mustFail(title, { more: marked(web([`OAuth2ASPostLogoutRedirectURI "${uri}"`], 'x'), 3) }, message);
}
for (const name of ['Backchannel', 'Frontchannel']) {
  for (const uri of ['http://web.example.com/out', 'https://web.example.com/out#part', 'https://me@web.example.com/out', '/out', 'javascript:alert(1)']) {
    mustFail(`${name}: ${uri}`, { more: marked(web([`OAuth2AS${name}LogoutURI "${uri}"`], 'x'), 3) }, /is no https URL/);
  }
}
mustFail('a front channel at another origin', { more: marked(web(['OAuth2ASFrontchannelLogoutURI https://web.example.com:8443/out'], 'x'), 3) }, /none of its redirect URIs has the origin/);
mustFail('a machine that signs people out', {
  more: ['<OAuth2ASClient "x">', 'OAuth2ASType machine', `OAuth2ASClientSecret file:${dir}/client-secret`, 'OAuth2ASAllow https://api.example.com/ *', '»OAuth2ASBackchannelLogoutURI https://web.example.com/out', '</OAuth2ASClient>'],
}, /nobody signs in at a machine/);
mustFail('v2logout in a strict profile', { more: ['»OAuth2ASEndpoint v2logout /v2/logout'] }, /in profile auth0 only/);
mustPass('logout', {
  more: ['OAuth2ASProfile auth0', 'OAuth2ASEndpoint v2logout /leave', 'OAuth2ASEndpoint logout off',
    ...web(['OAuth2ASPostLogoutRedirectURI https://web.example.com/out https://web.example.com/out?a=b', 'OAuth2ASBackchannelLogoutURI https://inside.example.com/out?a=b', 'OAuth2ASFrontchannelLogoutURI https://web.example.com/front'], 'x')],
});
