// Good requests to the servers, from which an attack begins: all that a user may ask who has
// signed in.

import type { Sent } from '../syncto/case.ts';

/** What the user has, who attacks. */
export interface Proofs {
  readonly bucket: string;
  readonly assertion: string;
  readonly accessToken: string;
  readonly keyId: string;
  /** Authorization of a session, and of a keyFetchToken. */
  readonly session: string;
  readonly uid: number;
  readonly email: string;
  readonly authPW: string;
  /** Of the OWA server: the document's path, what it is asked with, and the form of a login. */
  readonly owa: { readonly path: string; readonly auth: string; readonly form: string };
}

/** Signed when all else of it is as it will be sent. */
export const TO_SIGN = 'Hawk, made when it is sent';

const JSON_TYPE = { 'Content-Type': 'application/json' };

/** By server; one that has more to ask stands there more often. */
export function seedsOf(proofs: Proofs): readonly (readonly Sent[])[] {
  const [storage, syncto] = [storageSeeds(proofs), synctoSeeds(proofs)];
  return [accountSeeds(proofs), tokenSeeds(proofs), storage, storage, syncto, syncto].concat([
    owaSeeds(proofs),
  ]);
}

function ask(method: string, target: string, headers: Sent['headers'], body?: unknown): Sent {
  if (body === undefined) return { method, target, headers };
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { method, target, headers: { ...JSON_TYPE, ...headers }, body: text };
}

const KEY = {
  algorithm: 'RS',
  n: '1'.repeat(300),
  e: '65537',
};
const CLIENT_ID = '3c49430b43dfba77';
const SCOPE = 'https://identity.mozilla.com/apps/oldsync';

function accountSeeds({ session, email, authPW, accessToken }: Proofs): Sent[] {
  const signedIn = { Authorization: session };
  const post = (path: string, body: object, headers: Sent['headers'] = signedIn): Sent =>
    ask('POST', `/accounts/v1/${path}`, headers, body);
  const get = (path: string): Sent => ask('GET', `/accounts/${path}`, signedIn);
  const device = {
    name: 'TV',
    type: 'tv',
    pushCallback: 'https://push.test/',
    availableCommands: {},
  };
  const change = { oldAuthPW: '0'.repeat(64), email };
  return [
    post('account/login?keys=true', { email, authPW }, {}),
    post('account/create', { email: 'new@example.test', authPW }, {}),
    post('account/status', { email }, {}),
    post('account/credentials/status', { email }, {}),
    post('account/device', device),
    post('account/device/destroy', { id: '0'.repeat(32) }),
    post('account/attached_client/destroy', { clientId: CLIENT_ID, deviceId: '0'.repeat(32) }),
    post('account/scoped-key-data', { client_id: CLIENT_ID, scope: SCOPE }),
    post('account/destroy', { email, authPW: '0'.repeat(64) }),
    post('certificate/sign', { publicKey: KEY, duration: 3_600_000 }),
    post('oauth/token', { grant_type: 'fxa-credentials', client_id: CLIENT_ID, scope: SCOPE }),
    post('oauth/token', { grant_type: 'refresh_token', client_id: CLIENT_ID, refresh_token: 'x' }),
    post('oauth/token', { grant_type: 'authorization_code', client_id: CLIENT_ID, code: 'x' }),
    post('oauth/authorization', {
      client_id: CLIENT_ID,
      scope: SCOPE,
      state: 's',
      access_type: 'offline',
    }),
    post('oauth/destroy', { token: accessToken }),
    post('verify', { token: accessToken }, {}),
    post('introspect', { token: accessToken }, {}),
    post('password/change/start', change, {}),
    post('password/change/finish', { authPW, wrapKb: '0'.repeat(64) }),
    post('get_random_bytes', {}, {}),
    ...['v1/account/keys', 'v1/account/devices', 'v1/account/attached_clients'].map(get),
    ...['v1/session/status', 'v1/recovery_email/status', 'v1/jwks', `v1/client/${CLIENT_ID}`].map(
      get,
    ),
    ...['v1/account/status?uid=x', '.well-known/openid-configuration', 'v1/profile'].map(get),
    get(`authorization?client_id=${CLIENT_ID}&scope=${SCOPE}&state=s&redirect_uri=https://a.test/`),
  ];
}

function tokenSeeds({ assertion, accessToken, keyId, bucket }: Proofs): Sent[] {
  const target = '/token/1.0/sync/1.5?duration=300';
  return [
    ask('GET', target, { Authorization: `BrowserID ${assertion}`, 'X-Client-State': bucket }),
    ask('GET', target, { Authorization: `Bearer ${accessToken}`, 'X-KeyID': keyId }),
    ask('GET', '/token/__heartbeat__', {}),
  ];
}

function owaSeeds({ owa: { path, auth, form } }: Proofs): Sent[] {
  const signedIn = { Authorization: auth };
  const live = { last_modified: 2.5, manifest: { name: 'A' }, install_data: { receipts: ['r'] } };
  const document = { 'https://a.example': live, 'http://b.example': { ...live, deleted: true } };
  return [
    ask('POST', '/owa/verify?service=owa-sync', {}, form),
    ask('GET', '/owa/login', {}),
    ask('GET', path, signedIn),
    ask('GET', path, { ...signedIn, 'X-If-Modified-Since': '1795322280.040' }),
    ask('POST', path, { ...signedIn, 'X-If-Unmodified-Since': '9999999999.5' }, document),
    ask('PUT', path, signedIn, { ...document, 'https://c.example': { last_modified: '1e12' } }),
  ];
}

function storageSeeds({ uid }: Proofs): Sent[] {
  const at = `/sync15/1.5/${uid}`;
  const signed = { Authorization: TO_SIGN };
  const get = (path: string): Sent => ask('GET', `${at}/${path}`, signed);
  const bso = { id: 'a', payload: 'p', sortindex: 1, ttl: 1_000 };
  const lines = `${JSON.stringify(bso)}\n${JSON.stringify({ ...bso, id: 'b' })}\n`;
  return [
    ...['collections', 'collection_counts', 'collection_usage', 'quota', 'configuration'].map(
      (name) => get(`info/${name}`),
    ),
    ...[
      '',
      '?full=1',
      '?full=1&limit=2&sort=newest',
      '?newer=1.5&older=9999999999&sort=oldest',
    ].map((query) => get(`storage/history${query}`)),
    ...['?ids=a,b&full=1', '?limit=2&sort=index&offset=2', '?limit=1&offset=1795322280040:1'].map(
      (query) => get(`storage/forms${query}`),
    ),
    get('storage/history/a'),
    ask('PUT', `${at}/storage/forms/a`, signed, { payload: 'p', sortindex: 1, ttl: 60 }),
    ask('POST', `${at}/storage/forms`, signed, [bso, { ...bso, id: 'b' }]),
    ask(
      'POST',
      `${at}/storage/forms`,
      { ...signed, 'Content-Type': 'application/newlines' },
      lines,
    ),
    ask('POST', `${at}/storage/forms?batch=true`, { ...signed, 'X-Weave-Total-Records': '2' }, [
      bso,
    ]),
    ask('POST', `${at}/storage/forms?batch=MQ&commit=true`, signed, [bso]),
    ask('DELETE', `${at}/storage/forms/a`, signed),
    ask('DELETE', `${at}/storage/forms?ids=a,b`, signed),
    ask(
      'PUT',
      `${at}/storage/forms/b`,
      { ...signed, 'X-If-Unmodified-Since': '0' },
      { payload: '' },
    ),
  ];
}

function synctoSeeds({ assertion, accessToken, bucket }: Proofs): Sent[] {
  const at = `/syncto/v1/buckets/${bucket}/collections/history/records`;
  const proof = { Authorization: `BrowserID ${assertion}` };
  const bearer = { Authorization: `Bearer ${accessToken}` };
  const data = { data: { payload: 'p', sortindex: 1 } };
  const inBatch = at.replace('/syncto/v1', '');
  const batch = {
    defaults: { headers: { 'If-Match': '"4102444800000"' } },
    requests: [
      { path: `${inBatch}?_limit=2` },
      { method: 'PUT', path: `${inBatch}/a`, body: data, headers: { 'If-None-Match': '*' } },
      { method: 'DELETE', path: `${inBatch}/a` },
    ],
  };
  return [
    ask('GET', `${at}?_since=1&_limit=3&_sort=oldest&in_ids=a,b`, proof),
    ask('GET', `${at}/a`, bearer),
    ask('PUT', `${at}/a`, { ...proof, 'If-Match': '"1795322280030"' }, data),
    ask('DELETE', `${at}/a`, proof),
    ask('POST', '/syncto/v1/batch', proof, batch),
    ask('GET', '/syncto/v1/', {}),
    ask('GET', '/syncto/v1/__heartbeat__', {}),
    ask('GET', `${at.replace(bucket, 'syncto')}?_limit=1`, { ...proof, 'X-Client-State': bucket }),
    ask('OPTIONS', at, { Origin: 'https://page.test', 'Access-Control-Request-Method': 'GET' }),
  ];
}
