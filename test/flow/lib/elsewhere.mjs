// SPDX-License-Identifier: Apache-2.0
// Values that try to lead a browser to evil.example where a URL is expected. {uri} is an address that is registered,
// {host} its host, {path} what follows, {own} the server's own host. No value may be registered as it stands.
import assert from 'node:assert/strict';

const texts = [
  // another place, plainly
  'https://evil.example', 'https://evil.example/', 'https://evil.example{path}', 'http://evil.example/', 'https://evil.example:443/', 'https://evil.example:8443{path}', 'https://evil.example./',
  'https://EVIL.example/', 'HTTPS://evil.example/', 'hTtPs://evil.example{path}', 'https://www.evil.example/', 'https://203.0.113.9/', 'https://[2001:db8::9]/', 'https://3405803785/', 'https://0xcb007109/',
  'https://0313.0.0161.011/', 'https://203.0.28937/', 'https://[::ffff:203.0.113.9]/', 'https://evil.example#', 'https://evil.example?', 'https://evil.example\\',
  // the registered one, but for something
  '{uri}/', '{uri}?', '{uri}?x=y', '{uri}#', '{uri}#fragment', '{uri}/..', '{uri}/../evil', '{uri}/../../evil', '{uri}//evil.example', '{uri};x', '{uri}.', '{uri}.evil.example', '{uri}@evil.example', '{uri}%2f..',
  '{uri}%00', '{uri}%20', '{uri}%23', '{uri}%3f', ' {uri}', '{uri} ', '\t{uri}', '{uri}\t', '{uri}\n', '\n{uri}', '{uri}\r\n', '{uri},https://evil.example/', '{uri} https://evil.example/',
  'https://evil.example/ {uri}', 'https://evil.example/,{uri}', '{uri}|https://evil.example/', '{uri}&redirect_uri=https://evil.example/', '{uri}&returnTo=https://evil.example/',
  '{uri}\u0000', '\u0000{uri}', '{uri}\u0000.evil.example', '{uri}\\@evil.example', '{uri}\\..\\evil', 'https:{host}{path}', 'https:/{host}{path}', 'https:///{host}{path}', 'https:\\\\{host}{path}', '//{host}{path}',
  'http://{host}{path}', 'ftp://{host}{path}', 'app://{host}{path}', 'https://{host}:443{path}', 'https://{host}:444{path}', 'https://{host}:{path}', 'https://{host}.{path}', 'https://{host}%2e{path}',
  'https://{host}/.{path}', 'https://{host}/x/..{path}', 'https://{host}/%2e{path}', 'https://{host}/{path}', 'https://{host}//{path}', 'https://{host}\\{path}', 'https://{host}', 'https://{host}/', 'https://{host}/*',
  'https://*{path}', '*', '{uri}*', 'https://{host}/%63allback', 'https://{host}{path}'.toUpperCase(), 'https://x.{host}{path}', 'https://{host}{path}{path}',
  // the registered host inside another one
  'https://{host}.evil.example/', 'https://{host}.evil.example{path}', 'https://{host}-evil.example/', 'https://{host}evil.example/', 'https://evil-{host}{path}', 'https://evil{host}{path}', 'https://evil.example/{host}{path}',
  'https://evil.example?{host}{path}', 'https://evil.example#{host}{path}', 'https://evil.example/?{uri}', 'https://evil.example/#{uri}', 'https://evil.example/?u={uri}', 'https://evil.example/{uri}',
  'https://evil.example;{host}{path}', 'https://evil.example&{host}{path}', 'https://evil.example,{host}{path}', 'https://evil.example\u0000{host}{path}', 'https://{host}\u0000.evil.example/',
  'https://{host}%00.evil.example/', 'https://{host}%0d%0a.evil.example/', 'https://{host}%2eevil.example/', 'https://{host}%252eevil.example/', 'https://{host}%23.evil.example/', 'https://{host}%5c.evil.example/',
  // user information
  'https://{host}@evil.example/', 'https://{host}@evil.example{path}', 'https://{host}:443@evil.example/', 'https://{host}:x@evil.example/', 'https://{host}%40evil.example/', 'https://{host}%3a443@evil.example/',
  'https://user@{host}{path}', 'https://user:password@{host}{path}', 'https://@{host}{path}', 'https://:@{host}{path}', 'https://evil.example@{host}{path}', 'https://{host}\\@evil.example/', 'https://{host}/@evil.example/',
  'https://{host};@evil.example/', 'https://{host}#@evil.example/', 'https://{host}?@evil.example/', 'https://{host}&@evil.example/', 'https://{host} @evil.example/', 'https://{host}\t@evil.example/',
  'https://{host}\n@evil.example/', 'https://{host}%20@evil.example/', 'https://a@{host}@evil.example/', 'https://evil.example\\@{host}{path}', 'https://evil.example%5c@{host}{path}', 'https://evil.example%2f@{host}{path}',
  // no scheme, and slashes of all kinds
  '//evil.example', '//evil.example/', '//evil.example{path}', '///evil.example/', '////evil.example/', '/////evil.example/', '/\\evil.example/', '\\/evil.example/', '\\\\evil.example/', '\\evil.example/', '/\\/evil.example/',
  '\\/\\/evil.example/', '/%5cevil.example/', '/%2fevil.example/', '%2f%2fevil.example/', '%5c%5cevil.example/', '/%09/evil.example/', '/\t/evil.example/', '\t//evil.example/', '/\n/evil.example/', '/\r/evil.example/', ' //evil.example/',
  '/.//evil.example/', '/..//evil.example/', './/evil.example/', '..//evil.example/', '/;//evil.example/', '/x//evil.example/', '/%2e%2e//evil.example/', '/../evil', '/..;/evil', '/./evil', '..', '../', '.', '/', '', '?', '#',
  'evil.example', 'evil.example/', 'evil.example:443/', '.evil.example', '@evil.example', '@evil.example/', ':evil.example', ';evil.example', ':@evil.example/', '?https://evil.example/', '#https://evil.example/', '{path}', '/evil', 'evil',
  // a scheme with too few, too many or other slashes
  'https:evil.example/', 'https:/evil.example/', 'https:///evil.example/', 'https:////evil.example/', 'https:\\evil.example/', 'https:\\\\evil.example/', 'https:/\\evil.example/', 'https:\\/evil.example/', 'http:evil.example', 'http:/evil.example/',
  'http:\\\\evil.example/', 'https//evil.example/', 'https;//evil.example/', 'https:;//evil.example/', 'https:%2f%2fevil.example/', 'https%3a//evil.example/', 'https%3a%2f%2fevil.example%2f', 'https://%65vil.example/', 'https://evil%2eexample/',
  'https://evil.example%2f', 'https:://evil.example/', 'https:// evil.example/', 'https://\tevil.example/', 'https://\nevil.example/', 'ht\ttps://evil.example/', 'ht\ntps://evil.example/', 'h\rttps://evil.example/', '\u0001https://evil.example/',
  '\u0008https://evil.example/', '\u001fhttps://evil.example/', '\u007fhttps://evil.example/', '\u00a0https://evil.example/', '\ufeffhttps://evil.example/', '\u200bhttps://evil.example/', '\u2028https://evil.example/', '\u3000//evil.example/',
  '://evil.example/', ':https://evil.example/', 'x:https://evil.example/', 'url:https://evil.example/', 'URL=https://evil.example/', 'view-source:https://evil.example/', 'feed:https://evil.example/', 'jar:https://evil.example!/',
  // not the web at all
  'javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'javascript://{host}{path}%0aalert(1)', 'javascript://{host}{path}\nalert(1)', 'javascript:{uri}', 'java\tscript:alert(1)', 'java\nscript:alert(1)', 'java\r\nscript:alert(1)', '\u0001javascript:alert(1)',
  ' javascript:alert(1)', '\tjavascript:alert(1)', 'javascript\t:alert(1)', 'javascript:%61lert(1)', 'javascript%3aalert(1)', 'javascript:/*{uri}*/alert(1)', 'vbscript:msgbox(1)', 'data:text/html,<script>alert(1)</script>',
  'data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==', 'DATA:text/html,x', 'data://{host}{path},x', 'data:,{uri}', 'blob:{uri}', 'blob:https://evil.example/x', 'file:///etc/passwd', 'file://evil.example/x', 'filesystem:{uri}',
  'about:blank', 'about:srcdoc', 'mailto:a@evil.example', 'tel:+1', 'intent://evil.example/#Intent;scheme=https;end', 'ms-settings:', 'search-ms:query=x&crumb=location:\\\\evil.example', 'ws://evil.example/', 'wss://evil.example/',
  'chrome://settings', 'resource://x', 'com.example.evil:/callback', 'com.example.app://evil.example/', 'urn:ietf:wg:oauth:2.0:oob', 'urn:x', 'http://localhost/evil', 'http://localhost:1/evil', 'http://127.0.0.1:80@evil.example{path}',
  'http://127.0.0.1@evil.example{path}', 'http://127.0.0.1.evil.example{path}', 'http://127.0.0.1:x{path}', 'http://127.0.0.1:0{path}', 'http://127.0.0.1:99999{path}', 'http://127.0.0.1:1:2{path}', 'http://127.0.0.1:1/../evil', 'http://127.1{path}',
  'http://2130706433{path}', 'http://0177.0.0.1{path}', 'http://0.0.0.0{path}', 'http://[::1]@evil.example{path}', 'http://[::1].evil.example{path}', 'https://127.0.0.1{path}', 'http://169.254.169.254/',
  // Unicode
  'https://evil\u3002example/', 'https://evil\uff0eexample/', 'https://evil\uff61example/', '/\uff0fevil.example/', '\uff0f\uff0fevil.example/', 'https\uff1a//evil.example/', 'https:\uff0f\uff0fevil.example/', 'https://{host}\uff0f.evil.example/',
  'https://{host}\uff20evil.example/', 'https://{host}\uff03.evil.example/', 'https://{host}\u2100.evil.example/', 'https://{host}\u2044evil.example/', 'https://\u0430pp.example.test{path}', 'https://app.ex\u0430mple.test{path}',
  'https://xn--pp-8cd.example.test{path}', 'https://\uff41pp.example.test{path}', 'https://app\u00ad.example.test{path}', 'https://app\u200d.example.test{path}', 'https://app.example.te\u017ft{path}', 'https://\u202ettset.elpmaxe.ppa/', '{uri}\u202e',
  '{uri}\u0301', '{uri}\u200b', '\u200b{uri}', '{uri}\ufeff', 'https://evil.example/\ud83d\ude00', 'https://\ud83d\ude00.example/', 'https://{host}\u3002evil.example/', 'https://b\u00fccher.example/', 'https://xn--bcher-kva.example/',
  // markup and headers
  '"><script>alert(1)</script>', '\'><a href=https://evil.example/>', '"><meta http-equiv=refresh content="0;url=https://evil.example/">', '"><form action=https://evil.example/>', '"><iframe src=https://evil.example/>',
  '"><base href=https://evil.example/>', '</title><a href="https://evil.example/">', '0;url=https://evil.example/', '0;https://evil.example/', '5;url=\'https://evil.example/\'', '{uri}"><a href="https://evil.example/',
  '{uri}\r\nLocation: https://evil.example/', '{uri}\nLocation: https://evil.example/', '{uri}\rLocation: https://evil.example/', '\r\n\r\n<a href="https://evil.example/">', 'x\r\nSet-Cookie: planted=1', 'x\r\nRefresh: 0;url=https://evil.example/',
  '{uri}\u010d\u010aLocation: https://evil.example/', '{uri}\u560d\u560aLocation:https://evil.example/', '{uri}%0d%0aLocation:%20https://evil.example/', '{uri}%E5%98%8D%E5%98%8ALocation:https://evil.example/',
  '{uri}\u2028Location: https://evil.example/', '; frame-ancestors *', "https://evil.example/; script-src 'unsafe-inline'", '{{uri}}', '{{{form.action}}}', '${jndi:ldap://evil.example/x}', '%{HTTP_HOST}', '%s%s%n', '../../../../etc/passwd',
  // the server itself, its pages and redirects, in a chain
  'https://{own}/', 'http://{own}/', 'http://{own}/oidc/logout', 'http://{own}/v2/logout?returnTo=https://evil.example/', 'http://{own}/authorize?redirect_uri=https://evil.example/', 'http://{own}@evil.example/', 'http://{own}.evil.example/',
  'http://{own}\\.evil.example/', 'http://{own}%2f@evil.example/', '/oidc/logout?post_logout_redirect_uri=https://evil.example/', '/authorize', '/account?notice=x', '/account/../evil', 'account',
  // too long
  `https://evil.example/${'x'.repeat(2000)}`, `{uri}?${'x'.repeat(2500)}`, `https://${'a'.repeat(300)}.example/`, `https://${'a.'.repeat(200)}example/`, `{uri}${'/..'.repeat(500)}`, `${'/'.repeat(2000)}evil.example`, `${'%2f'.repeat(600)}evil.example`,
];

// bytes that are no text, and escapes that are none
const encoded = [
  'https://evil.example/%C0%AF', 'https:%C0%AF%C0%AFevil.example/', '%C0%AF%C0%AFevil.example/', '%E0%80%AF%E0%80%AFevil.example/', '{encoded}%FF', '%FF%FEh%00t%00', '{encoded}%ED%A0%80', '{encoded}%C3', 'https%3A%2F%2Fevil.example%',
  'https%3A%2F%2Fevil.example%2', '{encoded}%zz', '{encoded}%u002fevil', 'https%253A%252F%252Fevil.example%252F', 'https%25253A%25252F%25252Fevil.example', '{encoded}%252F..%252Fevil', '%252F%252Fevil.example', '%25%32%46%25%32%46evil.example',
  '{encoded}+', '+{encoded}', '{encoded}%0A', '{encoded}%0D%0ALocation:+https:%2F%2Fevil.example', '{encoded}%00https:%2F%2Fevil.example', '%2F%2F%2Fevil.example%2F%252e%252e', '%68%74%74%70%73%3A%2F%2F%65%76%69%6C%2E%65%78%61%6D%70%6C%65',
];

/** What fills the places in the values. */
function filler(uri, issuer) {
  const { host, pathname, search } = new URL(uri);
  const fill = { uri, host, path: pathname + search, own: new URL(issuer).host, encoded: encodeURIComponent(uri) };
  return (text) => text.replace(/(?<!\{)\{(\w+)\}/g, (whole, name) => fill[name.toLowerCase()] ?? whole);
}

/**
 * @param uri a registered address
 * @param issuer the server's own
 * @returns the values as they stand in a query or a form
 */
export function elsewhere(uri, issuer) {
  const filled = filler(uri, issuer);
  const values = new Set([...texts.map((text) => encodeURIComponent(filled(text))), ...encoded.map(filled)]);
  values.delete(encodeURIComponent(uri));
  assert.ok(values.size >= 300, `${values.size} values`);
  return [...values];
}

/** Those that can stand in a request line or in a header without any encoding. */
export function elsewhereRaw(uri, issuer) {
  const values = texts.map(filler(uri, issuer));
  const same = (value) => !/%(?![0-9a-f]{2})/i.test(value) && unescape(value) === uri;
  return values.filter((value) => value !== '' && !same(value) && !/[\0-\x20\x7f#]/.test(value));
}
