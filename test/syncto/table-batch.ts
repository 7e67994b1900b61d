// Batches: what may be in one, what its parts inherit, and what becomes of one that fails.

import { BUCKET, type Case, type Trouble } from './case.ts';

const LIST = `/buckets/${BUCKET}/collections/history/records`;
const RECORD = `${LIST}/history-3`;
const PROOF = { Authorization: 'BrowserID <assertion>' };
const DATA = { data: { payload: 'changed' } };
const AT_MS = 1_795_322_280_000;

export function batchCases(): Case[] {
  return [
    ...TEXTS.map((text) => batch(`batch: ${text}`, text)),
    ...PARTS.map((part) => batch(`batch of ${JSON.stringify(part)}`, { requests: [part] })),
    ...DEFAULTS.map((body) => batch(`batch: ${JSON.stringify(body)}`, body)),
    ...[0, 1, 24, 25, 26, 100].map((count) =>
      batch(`batch of ${count}`, { requests: Array.from({ length: count }, () => HELLO) }),
    ),
    ...Object.entries(OUTER).map(([name, headers]) =>
      batch(`batch: ${name}`, { requests: [{ path: LIST }, PUT] }, { headers }),
    ),
    ...TROUBLES.map(([name, trouble]) =>
      batch(`batch: ${name}`, { requests: [HELLO, { path: RECORD }, PUT, HELLO] }, { trouble }),
    ),
  ];
}

const HELLO = { path: '/' };
const PUT = { method: 'PUT', path: RECORD, body: DATA };
const IF_OLD = { 'If-Match': '"0"' };

const TEXTS = [
  ...['', '{', 'null', '[]', '{}', '"x"', '{"requests":null}', '{"requests":{}}', '{"requests":1}'],
  ...['{"requests":""}', '{"requests":"x"}', '{"requests":[null]}', '{"requests":[[]]}'],
  ...['{"requests":[1]}', '{"requests":["x"]}', '{"requests":[{}]}', '{"requests":[],"more":1}'],
];

const PARTS: readonly object[] = [
  { path: '/' },
  { path: '' },
  { path: 'no/slash' },
  { path: null },
  { path: 5 },
  { path: '/', method: 'get' },
  { path: '/', method: 'OPTIONS' },
  { path: '/', method: 'FOO' },
  { path: '/', method: '' },
  { path: '/', method: null },
  { path: '/', method: 'HEAD' },
  { path: '/', method: 'TRACE' },
  { path: '/', method: 'PATCH' },
  { path: '/', more: 1 },
  { path: '/', headers: null },
  { path: '/', headers: [] },
  { path: '/', headers: 'x' },
  { path: '/', headers: { a: 1 } },
  { path: '/', headers: { 'a b': 'x' } },
  { path: '/', headers: { a: 'é' } },
  { path: '/', headers: { a: 'x\ny' } },
  { path: '/', body: null },
  { path: '/', body: 'x' },
  { path: '/', body: [] },
  { path: '/', body: {} },
  { path: '/batch', method: 'POST', body: { requests: [] } },
  { path: '/v1/batch', method: 'POST' },
  { path: '/batches' },
  { path: '/nothing' },
  { path: '/v1' },
  { path: '/v1/' },
  { path: '/v1nothing' },
  { path: '/v2/' },
  { path: '/__heartbeat__' },
  { path: '//' },
  { path: '/?a=b' },
  { path: '/%' },
  { path: '/é' },
  { path: `${LIST}/` },
  { path: LIST },
  { path: `/v1${LIST}` },
  { path: `/v1${LIST}?_limit=2` },
  { path: `${LIST}?_since=x` },
  { path: LIST, method: 'HEAD' },
  { path: LIST, method: 'POST', body: DATA },
  { path: LIST, headers: { 'If-None-Match': `"${AT_MS + 60}"` } },
  { path: LIST, headers: { 'If-None-Match': '*' } },
  { path: LIST, headers: { Authorization: '' } },
  { path: LIST, headers: { authorization: 'BrowserID <other>' } },
  { path: LIST, headers: { 'X-Client-State': '<bucket>' } },
  { path: RECORD },
  { path: RECORD, body: DATA },
  { path: `${LIST}/nobody` },
  { path: `${LIST}/%7Ba%7D` },
  { path: `${LIST}/a%20b` },
  PUT,
  { ...PUT, headers: IF_OLD },
  { ...PUT, headers: { 'If-None-Match': '*' } },
  { ...PUT, body: {} },
  { ...PUT, body: { ...DATA, permissions: {} } },
  { method: 'PUT', path: RECORD },
  { method: 'PUT', path: `/buckets/${BUCKET}/collections/tabs/records/a`, body: DATA },
  { method: 'DELETE', path: RECORD },
  { method: 'DELETE', path: `${LIST}/nobody` },
  { method: 'DELETE', path: RECORD, headers: IF_OLD },
];

const DEFAULTS: readonly object[] = [
  { defaults: { path: LIST }, requests: [{}, {}] },
  {
    defaults: { method: 'PUT', body: DATA },
    requests: [{ path: RECORD }, { path: `${LIST}/new` }],
  },
  { defaults: { headers: IF_OLD }, requests: [{ path: RECORD }, PUT] },
  { defaults: { headers: IF_OLD }, requests: [{ ...PUT, headers: { 'if-match': '"1"' } }] },
  { defaults: { headers: { a: 1 } }, requests: [{ path: '/' }] },
  { defaults: { method: 'FOO' }, requests: [{ path: '/' }] },
  { defaults: { method: 'FOO' }, requests: [{ path: '/', method: 'GET' }] },
  { defaults: { more: 1 }, requests: [{ path: '/' }] },
  { defaults: null, requests: [{ path: '/' }] },
  { defaults: [], requests: [{ path: '/' }] },
  { defaults: 'x', requests: [{ path: '/' }] },
  { defaults: {}, requests: [{ path: '/' }] },
  { defaults: { body: { data: { sortindex: 1 } } }, requests: [PUT] },
  { requests: [PUT, { path: RECORD }, { method: 'DELETE', path: RECORD }, { path: RECORD }] },
  { requests: [{ path: RECORD }, { path: '/nothing' }, { path: LIST, method: 'POST' }, HELLO] },
];

const OUTER = {
  'no proof': {},
  'a precondition outside': { ...PROOF, 'If-Match': '"0"' },
  'a client state outside': { ...PROOF, 'X-Client-State': '<bucket>' },
  'an expired proof': { Authorization: 'BrowserID <expired>' },
  'a page': { ...PROOF, Origin: 'https://page.test' },
  'a user agent': { ...PROOF, 'User-Agent': 'TV' },
};

const at = (where: Trouble['at'], status: number, headers = {}, body = '0'): Trouble => ({
  at: where,
  answer: { status, headers, body },
});

const TROUBLES: readonly (readonly [string, Trouble])[] = [
  ['storage says 503', at('sync15', 503, { 'Retry-After': '77' })],
  ['storage says 500', at('sync15', 500)],
  ['storage says 413', at('sync15', 413, {}, '17')],
  ['storage says 400', at('sync15', 400, {}, '8')],
  ['storage says 412', at('sync15', 412, { 'X-Last-Modified': '1795322280.06' })],
  ['storage says 304', at('sync15', 304)],
  ['storage says 401', at('sync15', 401)],
  ['storage hangs up', { at: 'sync15', answer: null }],
  ['storage says no JSON', at('sync15', 200, {}, '<html>')],
  ['token says 503', at('token', 503)],
  ['token says 401', at('token', 401, {}, '{"status":"invalid-credentials"}')],
  ['token says nothing of use', at('token', 200, {}, '{}')],
  ['a backoff', at('sync15', 200, { 'X-Weave-Backoff': '60', 'X-Last-Modified': '1.5' }, '1.5')],
];

interface Options {
  readonly headers?: Readonly<Record<string, string>>;
  readonly trouble?: Trouble;
}

function batch(name: string, body: string | object, options: Options = {}): Case {
  const { headers = PROOF, trouble } = options;
  const step = {
    method: 'POST',
    target: '/v1/batch',
    headers: { ...headers, 'Content-Type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  };
  return { name, steps: [step], ...(trouble === undefined ? {} : { trouble }) };
}
