// What the token server and the storage may answer, and what Syncto makes of it.

import { BUCKET, type Case, type Sent, type Trouble } from './case.ts';

const LIST = `/v1/buckets/${BUCKET}/collections/history/records`;
const RECORD = `${LIST}/history-3`;
const HEADERS = { Authorization: 'BrowserID <assertion>' };
export const LISTED: Sent = { method: 'GET', target: LIST, headers: HEADERS };
/** A call of each kind. */
export const CALLS: readonly (readonly [string, Sent])[] = [
  ['list', LISTED],
  ['get', { ...LISTED, target: RECORD }],
  [
    'put',
    {
      method: 'PUT',
      target: RECORD,
      headers: { ...HEADERS, 'Content-Type': 'application/json' },
      body: '{"data":{"payload":"changed"}}',
    },
  ],
  ['delete', { ...LISTED, method: 'DELETE', target: RECORD }],
];

export function troubleCases(): Case[] {
  return [
    ...STATUSES.flatMap((status) => [
      ...CALLS.map(([name, step]) =>
        trouble(`storage says ${status}: ${name}`, step, at('sync15', status, TOLD, '14')),
      ),
      trouble(`token says ${status}`, LISTED, at('token', status, TOLD, '{"status":"error"}')),
    ]),
    ...['token', 'sync15'].flatMap((where) =>
      CALLS.map(([name, step]) =>
        trouble(`${where} hangs up: ${name}`, step, { at: where as Trouble['at'], answer: null }),
      ),
    ),
    ...TOLD_WELL.flatMap((headers) =>
      CALLS.map(([name, step]) => {
        const body = { list: '[]', get: '{"id":"a","modified":1.5,"payload":"p"}' }[name] ?? '1.5';
        const answer = at('sync15', 200, headers, body);
        return trouble(`storage says ${JSON.stringify(headers)}: ${name}`, step, answer);
      }),
    ),
    ...BODIES.flatMap((body) =>
      CALLS.map(([name, step]) =>
        trouble(`storage says ${JSON.stringify(body)}: ${name}`, step, at('sync15', 200, {}, body)),
      ),
    ),
    ...TOKENS.map((body) =>
      trouble(`token says ${JSON.stringify(body)}`, LISTED, at('token', 200, {}, body)),
    ),
    ...REASONS.map((body) =>
      trouble(`storage says 400 ${body.slice(0, 30)}`, LISTED, at('sync15', 400, {}, body)),
    ),
    ...[200, 204, 301, 304, 400, 401, 404, 500, 503].map((status) =>
      trouble(`heartbeat: token says ${status}`, HEARTBEAT, at('token', status, {}, '{}')),
    ),
    trouble('heartbeat: token hangs up', HEARTBEAT, { at: 'token', answer: null }),
  ];
}

const HEARTBEAT: Sent = { method: 'GET', target: '/v1/__heartbeat__', headers: {} };

const STATUSES = [
  ...[201, 202, 204, 206, 300, 302, 304, 307, 400, 401, 402, 403, 404, 405, 406, 409, 410, 412],
  ...[413, 415, 418, 422, 429, 500, 501, 502, 503, 504, 513, 599],
];
/** With all that may go on to the client. */
const TOLD = {
  'Retry-After': '77',
  'X-Weave-Backoff': '60',
  'X-Weave-Alert': 'Be quiet',
  'X-Last-Modified': '1795322280.03',
  'X-Weave-Timestamp': '1795323280.00',
};
const TOLD_WELL: readonly Readonly<Record<string, string>>[] = [
  { 'X-Weave-Backoff': '60' },
  { 'X-Weave-Alert': '{"code":"soft-eol","message":"m","url":"u"}' },
  { 'X-Weave-Alert': 'plain text' },
  { 'X-Weave-Quota-Remaining': '1024.5' },
  { 'X-Weave-Next-Offset': '100', 'X-Weave-Records': '100' },
  { 'X-Last-Modified': '1795322280.03', 'X-Weave-Timestamp': '1795323280.00' },
  { 'X-Last-Modified': '1442849065.29' },
  { 'X-Last-Modified': '0.00' },
  { 'X-Last-Modified': '-1' },
  { 'X-Last-Modified': 'abc' },
  { 'X-Last-Modified': '1e9' },
  { 'X-Last-Modified': 'inf' },
  { 'X-Backoff': '30', 'Retry-After': '30' },
  { 'X-Weave-Records': 'many', 'X-Weave-Next-Offset': 'a b&c' },
  { 'Set-Cookie': 'a=b', 'X-Other': 'x', ETag: '"x"', Backoff: '5', Alert: 'x' },
];
const BODIES = [
  ...[
    '',
    ' ',
    'x',
    '<html>',
    'null',
    'true',
    '0',
    '"x"',
    '{}',
    '[]',
    '[1]',
    '[null]',
    '[{}]',
    '[[]]',
  ],
  ...[
    '[{"id":"a","modified":"1.5"}]',
    '[{"id":"a","modified":null}]',
    '[{"id":"a","modified":1.5}]',
  ],
  ...['[{"modified":1}]', '{"id":"a","modified":1.5,"more":{"a":[1]}}', '{"id":"a","modified":-1}'],
  ...['{"id":"a","modified":1795322280.29,"payload":"\\u00e9"}', '1795322280.29', '1795322280'],
  ...[
    '[{"id":"a","modified":1.5}',
    '[{"id":"a","modified":1.5}] x',
    '[{"id":"a","modified":1e400}]',
  ],
  ...[
    '{"id":"a","modified":1.5,"last_modified":7}',
    '[{"id":"a","modified":1.5,"last_modified":7}]',
  ],
];
const ACCESS = {
  uid: 1,
  id: 'a',
  key: 'k',
  hashalg: 'sha256',
  duration: 300,
  api_endpoint: '<upstream>/sync15/1.5/1',
};
const TOKENS = [
  ...['', 'x', 'null', '[]', '{}', '1', '"x"'],
  ...[
    ACCESS,
    { ...ACCESS, more: 1 },
    { ...ACCESS, hashalg: 'sha1' },
    { ...ACCESS, hashalg: 'none' },
    { ...ACCESS, api_endpoint: 'x' },
    { ...ACCESS, api_endpoint: '<upstream>/sync15/1.5/1/' },
    { ...ACCESS, api_endpoint: 1 },
    { ...ACCESS, id: 1 },
    { ...ACCESS, id: 'a"b' },
    { ...ACCESS, key: 1 },
    { ...ACCESS, uid: undefined },
    { ...ACCESS, hashalg: undefined },
    { ...ACCESS, duration: undefined },
    { ...ACCESS, duration: 'x' },
    { ...ACCESS, duration: 0 },
    { ...ACCESS, key: undefined },
  ].map((access) => JSON.stringify(access)),
];
const REASONS = ['', '8', '{"status":"x","errors":[]}', `<html>${'x'.repeat(5_000)}</html>`, 'é'];

export function at(where: Trouble['at'], status: number, headers: object, body: string): Trouble {
  return { at: where, answer: { status, headers: { ...headers }, body } };
}

export function trouble(name: string, step: Sent, what: Trouble): Case {
  return { name, steps: [step], trouble: what };
}
