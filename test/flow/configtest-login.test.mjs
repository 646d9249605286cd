// SPDX-License-Identifier: Apache-2.0
// apachectl configtest and OAuth2ASLoginOption.
import { marked, mustFail, mustPass, right } from './lib/configtest.mjs';

const option = (words) => `OAuth2ASLoginOption ${words}`;
const location = (where) => [`<Location "${where}">`, 'SetHandler oauth2as-login', '</Location>'];
const intranet = [option('intranet "Intranet" /login/intranet amr=pwd,otp acr=urn:example:two reauth=can "auth_time=%{reqenv:TIME}"'), ...location('/login/intranet')];

mustPass('an option with everything', { more: intranet });
mustPass('the password form between two options', {
  more: [...intranet, option('password "Password" acr=urn:example:one'), option('other "Other" /login/other'), ...location('/login')],
});
mustPass('options and no password', { more: intranet, provider: ['OAuth2ASPasswordProvider none'] });
mustPass('a Location that is not there is advised against', { more: [`»${option('intranet "Intranet" /login/intranet')}`, ...location('/login/other')] },
  /OAS00922.*no <Location "\/login\/intranet">/);

for (const [title, words, message] of [
  ['without a label', 'intranet /login/intranet', /a name, a label, and the path/],
  ['without a place', 'intranet "Intranet" amr=pwd', /a name, a label, and the path/],
  ['with an empty label', 'intranet "" /login/intranet', /label is empty/],
  ['with a name of other characters', 'intra.net "Intranet" /login/intranet', /letters, digits/],
  ['with a long name', `${'x'.repeat(33)} "Intranet" /login/intranet`, /letters, digits/],
  ['with a relative path', 'intranet "Intranet" login/intranet', /neither the path .* nor a URL/],
  ['with a query', 'intranet "Intranet" "/login/intranet?x=y"', /neither the path .* nor a URL/],
  ['with dot segments', 'intranet "Intranet" /login/../intranet', /neither the path .* nor a URL/],
  ['with the root as path', 'intranet "Intranet" /', /neither the path .* nor a URL/],
  ['by http', 'intranet "Intranet" http://login.example.com:8080/login', /neither the path .* nor a URL/],
  ['on another host', 'intranet "Intranet" https://other.example.com/login/intranet', /OAS00920.*only the port may differ/],
  ['at an endpoint', 'intranet "Intranet" /authorize', /OAS00921.*is an endpoint/],
  ['with the name of the built-in users', 'oauth2as "Intranet" /login/intranet', /OAS00923.*name of a password provider/],
  ['with another reauth', 'intranet "Intranet" /login/intranet reauth=yes', /neither can nor cannot/],
  ['with two words as acr', 'intranet "Intranet" /login/intranet "acr=a b"', /one value without blanks/],
  ['with an empty amr', 'intranet "Intranet" /login/intranet amr=', /amr= is empty/],
  ['with an amr that tokens could not carry', 'intranet "Intranet" /login/intranet amr=pwd,größe', /amr= is a list of ASCII values/],
  ['with an amr of commas', 'intranet "Intranet" /login/intranet amr=,', /amr= is a list of ASCII values/],
  ['with an expression that is none', 'intranet "Intranet" /login/intranet "auth_time=%{reqenv:"', /OAuth2ASLoginOption intranet:/],
  ['with a word that is none', 'intranet "Intranet" /login/intranet max=5', /none of amr=, acr=, reauth=, auth_time=/],
  ['for the password form with reauth=', 'password reauth=can', /not for the password form/],
  ['for the password form with a place', 'password "Password" /login/password', /none of amr=, acr=/],
]) {
  mustFail(`an option ${title}`, { more: [`»${option(words)}`, ...location('/login/intranet')] }, message);
}
mustFail('two options of one name', { more: [...intranet, `»${option('intranet "Again" /login/again')}`] }, /of that name already/);
mustFail('two options at one place', { more: [...intranet, `»${option('again "Again" /login/intranet')}`] }, /OAS00924.*have the same place/);
mustFail('nobody can sign in', { provider: ['»OAuth2ASPasswordProvider none'] }, /OAS00925.*nobody could sign in/);
mustFail('a place for a password form that is not there', {
  more: [...intranet, `»${option('password')}`], provider: ['OAuth2ASPasswordProvider none'],
}, /OAS00926.*no password form/);
const alias = (base, mark = '') => ({
  before: [`<AuthnProviderAlias ${base} staff>`, '</AuthnProviderAlias>'], provider: [`${mark}OAuth2ASPasswordProvider file staff`],
});
mustFail('another name of the built-in users', alias('oauth2as', '»'), /OAS01290.*staff is an <AuthnProviderAlias> of oauth2as/);
mustPass('another name of another provider', alias('file'));

// A second virtual host, at another port of the same host.
const elsewhere = option('card "Card" https://login.example.com:8443/login/card');
const twin = (lines, mark = -1) => ({
  more: [elsewhere, ...location('/login/card')],
  after: ['<VirtualHost *:8098>', 'ServerName login.example.com:8443', ...marked([...right.issuer, ...right.secret, ...right.key, ...right.provider, ...right.templates, ...right.resource, ...right.client, ...lines], mark), '</VirtualHost>'],
});
mustPass('an option at another port has a second virtual host with the same directives', twin([elsewhere]));
mustFail('a second virtual host without the option', { ...twin([]), more: [`»${elsewhere}`, ...location('/login/card')] }, /OAS00450.*differ here/);
