// The table of requests: all that a client may send, well-formed and not, and all that a server
// behind Syncto may answer. Every case begins with the servers as they were seeded.

import { BUCKET, type Case, type Sent, type Trouble } from './case.ts';
import { batchCases } from './table-batch.ts';
import { bodyCases } from './table-bodies.ts';
import { stampCases } from './table-stamps.ts';
import { troubleCases } from './table-trouble.ts';
import { SEEDED_AT_MS } from './upstream.ts';

/** The names are unique. */
export function allCases(): readonly Case[] {
  return [
    ...routeCases(),
    ...authCases(),
    ...bucketCases(),
    ...preconditionCases(),
    ...queryCases(),
    ...pageCases(),
    ...bodyCases(),
    ...batchCases(),
    ...corsCases(),
    ...headerCases(),
    ...troubleCases(),
    ...cacheCases(),
    ...stampCases(),
  ];
}

const V1 = `/v1/buckets/${BUCKET}/collections`;
const LIST = `${V1}/history/records`;
const RECORD = `${LIST}/history-3`;
const PROOF = { Authorization: 'BrowserID <assertion>' };

function sent(method: string, target: string, headers: Sent['headers'] = PROOF): Sent {
  return { method, target, headers };
}

function put(target: string, headers: Sent['headers'] = PROOF): Sent {
  const body = '{"data":{"payload":"changed"}}';
  return {
    method: 'PUT',
    target,
    headers: { ...headers, 'Content-Type': 'application/json' },
    body,
  };
}

/** What a client does to each kind of thing. */
const CALLS: readonly (readonly [string, (headers: Sent['headers'], query?: string) => Sent])[] = [
  ['list', (headers, query = '') => sent('GET', LIST + query, headers)],
  ['get', (headers, query = '') => sent('GET', RECORD + query, headers)],
  ['put', (headers, query = '') => put(RECORD + query, headers)],
  ['delete', (headers, query = '') => sent('DELETE', RECORD + query, headers)],
];

function one(name: string, step: Sent, trouble?: Trouble): Case {
  return { name, steps: [step], ...(trouble === undefined ? {} : { trouble }) };
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'FOO'];
const ROUTES = [
  ...['/', '/v1', '/v1/', '/v1/__heartbeat__', '/v1/batch', '/v1/nothing', '/v2/', '/v10/batch'],
  ...[`/buckets/${BUCKET}/collections/history/records`, '/v1/buckets', `/v1/buckets/${BUCKET}`],
  ...[V1, `${V1}/history`, LIST, `${LIST}/`, RECORD, `${RECORD}/`, `${RECORD}/more`],
];
const ODD_TARGETS = [
  ...['//', '/v1//', '/v1//batch', '/v1/batch/', '/v1/__heartbeat__/', '/__heartbeat__', '/batch'],
  ...['/v1/__lbheartbeat__x', '/v1/__version__', '/v1/%', '/v1/%zz', '/v1/%ff', '/v1?a=b'],
  ...['/v1/?a=b', '/?a=b', '/v1/batch/?a=b', `${LIST}/?_limit=1`, `${LIST}/?_limit=%`],
  ...[`${LIST}//`, `${V1}//records`, `/v1/buckets//collections/history/records`],
  ...['/V1/', '/v1/Batch', '/v1/./batch', '/v1/x/../batch', '/v1/%2e%2e/batch', '/v1;a=b'],
  ...[`${RECORD}%2Fmore`, `/v1/buckets/${BUCKET}/Collections/history/records`, '/favicon.ico'],
  ...[`/v1/buckets/${BUCKET}/groups`, `${LIST}/%20`, '/v1/buckets/monitor/collections/changes'],
];

function routeCases(): Case[] {
  const every = METHODS.flatMap((method) =>
    ROUTES.map((target) => one(`route: ${method} ${target}`, sent(method, target))),
  );
  return [...every, ...ODD_TARGETS.map((target) => one(`target: ${target}`, sent('GET', target)))];
}

const PROOFS = [
  ...['', 'BrowserID', 'BrowserID ', 'browserid <assertion>', 'BROWSERID <assertion>'],
  ...['BrowserID  <assertion>', 'BrowserID\t<assertion>', 'BrowserID:<assertion>', '<assertion>'],
  ...['Bearer token', 'Basic dTpw', 'Hawk id="a"', 'BrowserID "<assertion>"'],
  ...['BrowserID <assertion> more', 'BrowserID <expired>', 'BrowserID <short>'],
  ...['BrowserID <shortCertificate>', 'BrowserID <elsewhere>', 'BrowserID <forged>'],
  ...['BrowserID <textExpiry>', 'BrowserID <noExpiry>', 'BrowserID <numberPart>'],
  ...['BrowserID <listPart>', 'BrowserID <nullPart>', 'BrowserID <noParts>', 'BrowserID a.b.c'],
  ...['BrowserID <assertion>,BrowserID <assertion>', 'BrowserID ~', 'BrowserID ..~..'],
];

function authCases(): Case[] {
  const listed = PROOFS.map((proof) =>
    one(`proof: ${JSON.stringify(proof)}`, sent('GET', LIST, { Authorization: proof })),
  );
  const without = CALLS.map(([name, call]) => one(`no proof: ${name}`, call({})));
  const wrong = CALLS.map(([name, call]) =>
    one(`expired: ${name}`, call({ Authorization: 'BrowserID <expired>' })),
  );
  const closed = ['PUT', 'DELETE'].map((method) =>
    one(`no proof: ${method} where nothing may be written`, {
      ...put(`${V1}/tabs/records/a`, {}),
      method,
    }),
  );
  return [...listed, ...without, ...wrong, ...closed];
}

const STATES = [
  ...['<bucket>', '', '0123456789abcdef0123456789abcdef', 'x', '<bucket>0', 'Z'.repeat(32)],
];
const BUCKETS = [
  ...['syncto', 'Syncto', 'default', 'a'.repeat(31), 'a'.repeat(33), 'Z'.repeat(32), '%20'],
  ...['0123456789ABCDEF0123456789ABCDEF', '0123456789abcdef0123456789abcdef', `%C3%A9`.repeat(32)],
  ...[`%C3%A9`.repeat(16), `${'a'.repeat(31)}%2F`, `${'a'.repeat(31)}%0A`, '%00'.repeat(32)],
];

function bucketCases(): Case[] {
  const stated = ['syncto', BUCKET, 'a'.repeat(31)].flatMap((bucket) =>
    STATES.map((state) => {
      const headers = { ...PROOF, 'X-Client-State': state };
      const target = `/v1/buckets/${bucket}/collections/history/records`;
      return one(
        `client state: ${JSON.stringify(state)} in ${bucket}`,
        sent('GET', target, headers),
      );
    }),
  );
  const named = BUCKETS.map((bucket) =>
    one(`bucket: ${bucket}`, sent('GET', `/v1/buckets/${bucket}/collections/history/records`)),
  );
  const told = CALLS.map(([name, call]) =>
    one(`client state in vain: ${name}`, call({ ...PROOF, 'X-Client-State': '<bucket>' })),
  );
  return [...stated, ...named, ...told];
}

/** Before, at and after the record's and the collection's own. */
const AT = SEEDED_AT_MS;
const STAMPS = [
  ...[`"${AT}"`, `"${AT + 30}"`, `"${AT + 60}"`, `"${AT + 31}"`, `"${AT + 39}"`, '"4102444800000"'],
  ...['"0"', '*', '"*"', '""', '"', '', String(AT + 30), '"-1"', '"1.5"', '"abc"', `W/"${AT}"`],
  ...[`"${AT}", "${AT + 30}"`, '"99999999999999999999"', `"+${AT}"`, `" ${AT} "`, `"1_000"`],
];

function preconditionCases(): Case[] {
  const dated = ['If-Modified-Since', 'If-Unmodified-Since'].flatMap((header) =>
    ['Thu, 01 Jan 1970 00:00:00 GMT', 'Fri, 01 Jan 2100 00:00:00 GMT', 'soon'].flatMap((date) =>
      CALLS.map(([name, call]) =>
        one(`${header}: ${date}: ${name}`, call({ ...PROOF, [header]: date })),
      ),
    ),
  );
  const matched = ['If-Match', 'If-None-Match'].flatMap((header) =>
    STAMPS.flatMap((stamp) =>
      CALLS.map(([name, call]) =>
        one(`${header}: ${stamp}: ${name}`, call({ ...PROOF, [header]: stamp })),
      ),
    ),
  );
  const both = CALLS.flatMap(([name, call]) =>
    ['*', `"${AT}"`].map((none) => {
      const headers = { ...PROOF, 'If-Match': `"${AT + 60}"`, 'If-None-Match': none };
      return one(`If-Match and If-None-Match: ${none}: ${name}`, call(headers));
    }),
  );
  const fresh = ['*', '"0"', `"${AT}"`].flatMap((stamp) =>
    ['If-Match', 'If-None-Match'].map((header) =>
      one(`${header}: ${stamp}: put a new one`, put(`${LIST}/new`, { ...PROOF, [header]: stamp })),
    ),
  );
  return [...matched, ...dated, ...both, ...fresh];
}

const QUERIES = [
  ...[AT - 10, AT, AT + 30, AT + 35, AT + 39, AT + 60, 4102444800000].map((at) => `_since=${at}`),
  ...['_since=0', '_since=', '_since=abc', '_since=-1', '_since=1.5', `_since=%22${AT}%22`],
  ...[`_since=+${AT}`, `_since=%2B${AT}`, `_since=%20${AT}%20`, '_since=1_000', '_since=1e3'],
  ...['_since=99999999999999999999', `_since=${AT}&_since=0`, `_since=0&_since=x`, '_since'],
  ...[`_before=${AT + 30}`, `_to=${AT + 30}`, '_to=abc', '_before=abc', `_since=${AT}&_to=0`],
  ...['_limit=1', '_limit=3', '_limit=7', '_limit=100', '_limit=0', '_limit=-1', '_limit=abc'],
  ...['_limit=', '_limit=1.5', '_limit=%201', '_limit=99999999999999999999', '_limit=1&_limit=2'],
  ...['newest', 'oldest', 'index', 'last_modified', '-last_modified', '-sortindex'].map(
    (sort) => `_sort=${sort}`,
  ),
  ...['_sort=sortindex', '_sort=', '_sort=id', '_sort=NEWEST', '_sort=newest,index', '_sort=%00'],
  ...['_sort=oldest&_sort=newest', '_sort=oldest&_sort=x', '_sort=%2Dlast_modified', '_sort'],
  ...['_token=0', '_token=3', '_token=abc', '_token=', '_token=%00', '_limit=2&_token=2'],
  ...['in_ids=history-1,history-3', 'in_ids=history-1,%20history-3', 'in_ids=', 'in_ids=,'],
  ...['in_ids=nobody', 'in_ids=history-1,history-1', 'in_ids=a%20b', 'in_ids=%C3%A9', 'in_ids=,a,'],
  `in_ids=${Array.from({ length: 101 }, (_, index) => `history-${index}`).join(',')}`,
  `in_ids=${'a'.repeat(65)}`,
  ...['ids=history-1', 'in_id=history-1', 'id=history-1', 'exclude_id=history-1', '_fields=id'],
  ...[
    'unknown=1',
    'not_id=history-1',
    'min_sortindex=1',
    '_expected=1',
    'full=false',
    '&&',
    '=',
    '?',
  ],
  ...['_limit=%', '_limit=%zz', '_limit=%ff', '_limit=1;_sort=newest', '_limit=1#x', 'a=%E2%82%AC'],
  ...[`_since=${AT}&_sort=oldest&_limit=2&in_ids=history-2,history-3,history-5&unknown=x`],
];

function queryCases(): Case[] {
  const listed = QUERIES.map((query) => one(`query: ${query}`, sent('GET', `${LIST}?${query}`)));
  const others = CALLS.slice(1).flatMap(([name, call]) =>
    ['?_since=abc', '?unknown=1', `?_since=${AT}&_limit=1`].map((query) =>
      one(`query: ${query}: ${name}`, call(PROOF, query)),
    ),
  );
  const collections = [
    ...['passwords', 'forms', 'clients', 'tabs', 'unknown', 'History', 'HISTORY', 'crypto', 'meta'],
    ...[
      'a%20b',
      'a'.repeat(33),
      '%C3%A9',
      'a%2Fb',
      '..',
      '%2e',
      'a%3Fb',
      'a%23b',
      '%25',
      '-',
      '%00',
    ],
  ].flatMap((collection) => [
    one(`collection: ${collection}`, sent('GET', `${V1}/${collection}/records`)),
    one(`record of: ${collection}`, sent('GET', `${V1}/${collection}/records/${collection}-0`)),
  ]);
  const heads = ['', '?_limit=2', '?_since=x'].map((query) =>
    one(`HEAD of a list: ${query}`, sent('HEAD', LIST + query)),
  );
  return [...listed, ...others, ...collections, ...heads];
}

function pageCases(): Case[] {
  const pages = (query: string, offsets: readonly string[]): Sent[] =>
    ['', ...offsets.map((offset) => `&_token=${offset}`)].map((token) =>
      sent('GET', `${LIST}?${query}${token}`),
    );
  // As the storage before it names the places.
  const names = Object.entries({
    newest: [`${AT + 40}%3A1`, `${AT + 10}%3A1`, `${AT}%3A1`],
    oldest: [`${AT + 20}%3A1`, `${AT + 50}%3A1`, `${AT + 60}:1`],
    index: ['3', '6', '9'],
  }).map(([sort, offsets]) => ({
    name: `pages: ${sort}`,
    steps: pages(`_limit=3&_sort=${sort}`, offsets),
  }));
  const odd = [
    '_limit=2&a=%C3%A9+%20b&a=2&_sort=newest',
    '_limit=2&_token=2&_token=4',
    '_limit=2&x',
  ];
  return [
    ...names,
    ...odd.map((query) => one(`next page: ${query}`, sent('GET', `${LIST}?${query}`))),
    one('next page: other host', sent('GET', `${LIST}?_limit=2`, { ...PROOF, Host: 'localhost' })),
    one('next page: other case', sent('GET', `${V1}/History/records?_limit=2`)),
  ];
}

function corsCases(): Case[] {
  const Origin = 'https://page.test';
  const asked = [
    ['hello', sent('GET', '/v1/', { Origin })],
    ['heartbeat', sent('GET', '/v1/__heartbeat__', { Origin })],
    ['nothing', sent('GET', '/v1/nothing', { Origin })],
    ['no version', sent('GET', '/nothing', { Origin })],
    ['batch', { ...sent('POST', '/v1/batch', { Origin }), body: '{"requests":[]}' }],
    ['batch of nothing', sent('POST', '/v1/batch', { Origin })],
    ['no proof', sent('GET', LIST, { Origin })],
    ['wrong method', sent('POST', LIST, { Origin })],
    ['bad query', sent('GET', `${LIST}?_since=x`, { ...PROOF, Origin })],
    ['refused', sent('GET', LIST, { Authorization: 'BrowserID <expired>', Origin })],
    ['not modified', sent('GET', LIST, { ...PROOF, Origin, 'If-None-Match': `"${AT + 60}"` })],
    ['modified', put(RECORD, { ...PROOF, Origin, 'If-Match': '"0"' })],
    ['closed', put(`${V1}/tabs/records/a`, { ...PROOF, Origin })],
    ['null', sent('GET', LIST, { ...PROOF, Origin: 'null' })],
  ] as const;
  const preflights = ['GET', 'PUT', 'DELETE', 'POST', 'PATCH', ''].flatMap((method) =>
    ['/v1/', '/v1/batch', LIST, RECORD, '/v1/nothing'].map((target) =>
      one(
        `preflight: ${method} ${target}`,
        sent('OPTIONS', target, {
          Origin,
          ...(method === '' ? {} : { 'Access-Control-Request-Method': method }),
        }),
      ),
    ),
  );
  const headers = ['authorization,if-match', 'X-Client-State', 'x-anything, x-other', ''].map(
    (names) =>
      one(
        `preflight: headers ${names}`,
        sent('OPTIONS', RECORD, {
          Origin,
          'Access-Control-Request-Method': 'PUT',
          'Access-Control-Request-Headers': names,
        }),
      ),
  );
  return [
    ...asked.map(([name, step]) => one(`page: ${name}`, step)),
    ...CALLS.map(([name, call]) => one(`page: ${name}`, call({ ...PROOF, Origin }))),
    ...preflights,
    ...headers,
  ];
}

function headerCases(): Case[] {
  const headers: readonly Sent['headers'][] = [
    { 'User-Agent': 'TV/1.0 (a; b)' },
    { 'User-Agent': '' },
    { Accept: 'text/html' },
    { Accept: 'application/newlines' },
    { Accept: 'image/png' },
    { Accept: 'text/plain, application/json;q=0.1' },
    { Accept: '*/*;q=0' },
    { 'Accept-Encoding': 'gzip' },
    { 'Accept-Language': 'cs' },
    { Cookie: 'a=b' },
    { Range: 'bytes=0-1' },
    { 'X-Forwarded-Host': 'elsewhere.test', 'X-Forwarded-Proto': 'https' },
    { 'X-If-Unmodified-Since': '0' },
    { 'X-If-Modified-Since': '4102444800' },
    { 'X-HTTP-Method-Override': 'DELETE' },
    { 'X-KeyID': '1-abc' },
    { Expect: 'nothing' },
    { 'Content-Type': 'text/plain' },
  ];
  return headers.flatMap((more) =>
    CALLS.map(([name, call]) =>
      one(`${JSON.stringify(more)}: ${name}`, call({ ...PROOF, ...more })),
    ),
  );
}

/** What is kept of an assertion, and for whom. */
function cacheCases(): Case[] {
  const elsewhere = `/v1/buckets/${'0'.repeat(32)}/collections/history/records`;
  const other = { Authorization: 'BrowserID <other>' };
  return [
    { name: 'kept: asked twice', steps: [sent('GET', LIST), sent('GET', RECORD)] },
    { name: 'kept: another bucket', steps: [sent('GET', LIST), sent('GET', elsewhere)] },
    {
      name: 'kept: another bucket, with an assertion of its own',
      steps: [sent('GET', LIST), sent('GET', elsewhere, other)],
    },
    {
      name: 'kept: the bucket by its header',
      steps: [
        sent('GET', LIST),
        sent('GET', '/v1/buckets/syncto/collections/history/records', {
          ...PROOF,
          'X-Client-State': '<bucket>',
        }),
      ],
    },
    {
      name: 'kept: the scheme in other letters',
      steps: [sent('GET', LIST), sent('GET', LIST, { Authorization: 'browserid <assertion>' })],
    },
    {
      name: 'kept: a space more',
      steps: [sent('GET', LIST), sent('GET', LIST, { Authorization: 'BrowserID  <assertion>' })],
    },
    {
      name: 'written: read again',
      steps: [put(RECORD), sent('GET', RECORD), sent('GET', LIST), put(`${LIST}/new`)],
    },
    {
      name: 'erased: read again',
      steps: [sent('DELETE', RECORD), sent('GET', RECORD), sent('DELETE', RECORD), put(RECORD)],
    },
    {
      name: 'refused storage: asked again',
      steps: [sent('GET', LIST), sent('GET', LIST)],
      trouble: { at: 'sync15', answer: { status: 401, headers: {}, body: '0' } },
    },
  ];
}
