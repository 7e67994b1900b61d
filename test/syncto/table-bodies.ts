// Bodies of records, in all forms, and where they go.

import { BUCKET, type Case, type Sent } from './case.ts';

const V1 = `/v1/buckets/${BUCKET}/collections`;
const JSON_TYPE = 'application/json';

export function bodyCases(): Case[] {
  return [
    ...BODIES.map((body) => named(`body: ${short(body)}`, put(body))),
    ...LONG.map(([name, body]) => named(`body: ${name}`, put(body))),
    ...TYPES.map((type) => named(`type: ${JSON.stringify(type)}`, put(GOOD, { type }))),
    ...COLLECTIONS.flatMap((collection) =>
      ['PUT', 'DELETE'].map((method) =>
        named(`${method} into ${collection}`, put(GOOD, { collection, method })),
      ),
    ),
    ...IDS.flatMap((id) =>
      ['GET', 'PUT', 'DELETE'].map((method) =>
        named(`${method} the id ${short(id)}`, put(GOOD, { id, method })),
      ),
    ),
    named('body: malformed, without proof', put('{', { proof: false })),
    named('body: malformed, where nothing may be written', put('{', { collection: 'tabs' })),
    named('body: good, without proof', put(GOOD, { proof: false })),
    named('body: a query besides', put(GOOD, { id: 'history-3?data=1' })),
    named('body: of a GET', put(GOOD, { method: 'GET' })),
    named('body: of a DELETE', put('{', { method: 'DELETE' })),
  ];
}

const GOOD = '{"data":{"payload":"changed"}}';

/** `data` with these members. */
const of = (members: string): string => `{"data":{${members}}}`;

const BODIES = [
  ...['', ' ', '{', 'x', 'null', '[]', '1', '"text"', '{}', '{"data":null}', '{"data":[]}'],
  ...['{"data":1}', '{"data":"text"}', '{"data":""}', '{"data":false}', '{"data":[["a",1]]}'],
  ...['{"data":{}}', '{"Data":{}}', '{"payload":"p"}', '{"data":{},"permissions":{}}'],
  ...[
    '{"data":{},"permissions":{},"more":1}',
    '{"data":{"payload":"p"},"":1}',
    '{"permissions":{}}',
  ],
  ...['{"data":{"payload":"a"},"data":{"payload":"b"}}', '{"data":{"payload":"p"}} ', `${GOOD}x`],
  ...['\ufeff{"data":{}}', "{'data':{}}", '{"data":{"payload":NaN}}', '{"data":{"a":1,}}'],
  ...['"payload":null', '"payload":1', '"payload":{}', '"payload":""', '"payload":"\\u0000"'].map(
    of,
  ),
  ...['"payload":"é"', '"payload":"\\ud800"', '"payload":"😀"', '"payload":"</>"'].map(of),
  ...['"payload":"p","sortindex":5', '"sortindex":7', '"sortindex":"5"', '"sortindex":1.5'].map(of),
  ...['"sortindex":null', '"sortindex":-1000000000', '"sortindex":9999999999', '"ttl":60'].map(of),
  ...['"ttl":0', '"ttl":-1', '"ttl":"60"', '"ttl":1.5', '"ttl":null', '"ttl":99999999999'].map(of),
  ...['"payload":"p","last_modified":1', '"payload":"p","last_modified":"x"'].map(of),
  ...['"payload":"p","last_modified":null', '"payload":"p","last_modified":1795322280000'].map(of),
  ...['"payload":"p","id":"history-3"', '"payload":"p","id":"other"', '"payload":"p","id":5'].map(
    of,
  ),
  ...['"payload":"p","modified":5', '"payload":"p","unknown":true', '"unknown":{"a":[1]}'].map(of),
  ...['"payload":"p","deleted":true', '"deleted":true', '"payload":"p","schema":1'].map(of),
  ...['"__proto__":1', '"constructor":{}', '"payload":"p","big":12345678901234567890'].map(of),
  ...['"float":0.1,"tiny":1e-7,"huge":1e300', '"payload":"a","payload":"b"'].map(of),
];

const LONG: readonly (readonly [string, string])[] = [
  ['a payload of 100,000', of(`"payload":"${'p'.repeat(100_000)}"`)],
  ['a payload of 2,097,153', of(`"payload":"${'p'.repeat(2_097_153)}"`)],
  ['a payload of 4,194,304', of(`"payload":"${'p'.repeat(4_194_304)}"`)],
  ['a payload of 9,000,000', of(`"payload":"${'p'.repeat(9_000_000)}"`)],
  ['400 lists deep', `{"data":{"payload":${'['.repeat(400)}${']'.repeat(400)}}}`],
  ['100,000 lists deep', `{"data":{"payload":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`],
];

const TYPES = [
  ...[null, '', 'application/json; charset=utf-8', 'application/json; charset=latin-1'],
  ...['APPLICATION/JSON', 'text/plain', 'text/json', 'application/x-www-form-urlencoded'],
  ...[
    'application/vnd.api+json',
    'application/merge-patch+json',
    'multipart/form-data',
    'nonsense',
  ],
];

const COLLECTIONS = [
  ...['passwords', 'clients', 'forms', 'tabs', 'unknown', 'History', 'crypto', 'a%20b', '%00'],
];

const IDS = [
  ...['new', '-begins', '_begins', '{2558f612-8ef4-634d-a603-2640dbb39147}', 'a%20b', 'a+b'],
  ...['%7B2558f612-8ef4-634d-a603-2640dbb39147%7D', 'a%2Fb', 'a%3Fb', 'a%23b', 'a%25b', '%25'],
  ...['%C3%A9', '%F0%9F%98%80', '%ff', '%00', '%0A', 'a%0Ab', '.', '..', '%2e%2e', 'a;b=c', 'a,b'],
  ...['a'.repeat(64), 'a'.repeat(65), "a'b", 'a"b', 'a%22b', 'a%5Cb', '~', 'a&b', 'a=b', 'a:b@c'],
];

interface Put {
  readonly type?: string | null;
  readonly collection?: string;
  readonly id?: string;
  readonly method?: string;
  readonly proof?: boolean;
}

function put(body: string, options: Put = {}): Sent {
  const { type = JSON_TYPE, collection = 'history', id = 'history-3', method = 'PUT' } = options;
  const hasBody = method === 'PUT' || body !== GOOD || options.id === undefined;
  return {
    method,
    target: `${V1}/${collection}/records/${id}`,
    headers: {
      ...(options.proof === false ? {} : { Authorization: 'BrowserID <assertion>' }),
      ...(type === null ? {} : { 'Content-Type': type }),
    },
    ...(hasBody ? { body } : {}),
  };
}

function named(name: string, step: Sent): Case {
  return { name, steps: [step] };
}

function short(text: string): string {
  return text.length > 70 ? `${text.slice(0, 20)}... of ${text.length}` : JSON.stringify(text);
}
