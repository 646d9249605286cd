// SPDX-License-Identifier: Apache-2.0
// The whole application. The authorization code flow with PKCE is short enough to be written down: a random
// verifier stays here, its hash goes along with the request, and only who has the verifier gets the tokens.
// The tokens live in a variable: a reload forgets them, and the session at the server signs in again.

const issuer = `${location.origin}/`;
const api = `${location.origin}/api/`;
const clientId = 'demo';
const redirectUri = `${location.origin}/`;
const scope = 'openid profile email read:items';
const pendingKey = 'demo-pending';

const byId = (id) => document.getElementById(id);
const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
const randomText = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

let metadata;
let tokens;

function show(problem) {
  byId('problem').textContent = problem;
  byId('problem').hidden = !problem;
}

// base64url of UTF-8 JSON, as the parts of a JWT are
function readPart(part) {
  const bytes = Uint8Array.from(atob(part.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes));
}

function readToken(jwt) {
  const [header, claims] = jwt.split('.');
  return { header: readPart(header), claims: readPart(claims) };
}

async function signIn() {
  const pending = { verifier: randomText(), state: randomText(), nonce: randomText() };
  sessionStorage.setItem(pendingKey, JSON.stringify(pending));
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(pending.verifier));
  location.assign(`${metadata.authorization_endpoint}?${new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    scope,
    resource: api,
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: base64url(new Uint8Array(hash)),
    code_challenge_method: 'S256',
  })}`);
}

/** What came back in the address: checked, taken out of it, and exchanged for tokens. */
async function finishSignIn(answer) {
  const pending = JSON.parse(sessionStorage.getItem(pendingKey) ?? 'null');
  sessionStorage.removeItem(pendingKey);
  history.replaceState(null, '', redirectUri);
  if (!pending || answer.get('state') !== pending.state || answer.get('iss') !== issuer) {
    throw new Error('This answer does not belong to a sign-in that was started here.');
  }
  if (answer.has('error')) {
    throw new Error(`${answer.get('error')}: ${answer.get('error_description')}`);
  }
  const response = await fetch(metadata.token_endpoint, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: clientId,
      code: answer.get('code'),
      redirect_uri: redirectUri,
      code_verifier: pending.verifier,
    }),
  });
  const body = await response.json();
  if (!response.ok) {
    throw new Error(`${body.error}: ${body.error_description}`);
  }
  if (readToken(body.id_token).claims.nonce !== pending.nonce) {
    throw new Error('The ID token was made for another sign-in.');
  }
  return body;
}

function render() {
  byId('signed-out').hidden = Boolean(tokens);
  byId('signed-in').hidden = !tokens;
  byId('who').hidden = !tokens;
  if (!tokens) return;
  const id = readToken(tokens.id_token);
  byId('who').textContent = `Signed in as ${id.claims.sub}`;
  byId('id-token').textContent = JSON.stringify(id, null, 2);
  byId('access-token').textContent = JSON.stringify(readToken(tokens.access_token), null, 2);
  byId('expires').textContent = `It is good for ${Math.round(tokens.expires_in / 60)} minutes.`;
}

async function call(title, url, withToken) {
  show('');
  const headers = withToken ? { authorization: `Bearer ${tokens.access_token}` } : {};
  const response = await fetch(url, { headers });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  byId('answer-title').textContent = `${title}: ${response.status} ${response.statusText}`;
  byId('answer-body').textContent = isJson ? JSON.stringify(JSON.parse(text), null, 2)
    : response.headers.get('www-authenticate') ?? text;
  byId('answer').hidden = false;
}

/** Runs what a button starts; whatever goes wrong is shown. */
function onClick(id, action) {
  byId(id).addEventListener('click', async () => {
    try {
      await action();
    } catch (error) {
      show(error.message);
    }
  });
}

onClick('sign-in', signIn);
onClick('call-api', () => call('GET /api/items', `${api}items`, true));
onClick('call-bare', () => call('GET /api/items', `${api}items`, false));
onClick('call-userinfo', () => call('GET /userinfo', metadata.userinfo_endpoint, true));
onClick('forget', () => {
  tokens = undefined;
  byId('answer').hidden = true;
  render();
});

try {
  metadata = await (await fetch(`${issuer}.well-known/openid-configuration`)).json();
  const answer = new URLSearchParams(location.search);
  if (answer.has('state')) {
    tokens = await finishSignIn(answer);
  }
} catch (error) {
  show(error.message);
}
render();
