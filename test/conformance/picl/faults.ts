// Servers with one fault each: what they do with a request that a good server would answer.

import type { PiclOptions } from '../../../emulator/servers/picl/picl.ts';

/** A request as it comes, and what a server without the fault would do with it. */
export interface Passing {
  readonly request: Request;
  readonly path: string;
  /** Sends another request in its place, signed as its user would. */
  again(change: {
    headers?: Record<string, string | null>;
    body?: string;
    url?: string;
  }): Promise<Response>;
  answer(): Promise<Response>;
}

export type Fault = (passing: Passing) => Promise<Response>;

/** No fault. */
export const none: Fault = ({ answer }) => answer();

/** The answer with something else in it. */
function altered(
  response: Response,
  change: { status?: number; headers?: Record<string, string | null>; text?: string | null },
): Response {
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(change.headers ?? {})) {
    if (value === null) headers.delete(name);
    else headers.set(name, value);
  }
  const { status = response.status, text } = change;
  return new Response(text === undefined ? response.body : text, { status, headers });
}

type Json = Record<string, never>;

/** A good answer whose JSON is another one. */
const rewritten =
  (of: RegExp, change: (json: Json) => unknown): Fault =>
  async ({ request, path, answer }) => {
    const response = await answer();
    if (!of.test(path) || response.status !== 200 || request.method !== 'GET') return response;
    const json = (await response.json()) as Json;
    return altered(response, { text: JSON.stringify(change(json)) });
  };

const LOG = /^history\/changes$/;
const LIST = /^history\/records$/;
const ONE = /^history\/records\/./;

interface Listed {
  records: Record<string, { seqnum: number }>;
  changes: { seqnum: number; payload: string | null }[];
  next?: unknown;
}
const listed = (json: Json) => json as unknown as Listed;
const reversed = (records: object) => Object.fromEntries(Object.entries(records).reverse());
const isWrite = ({ method }: Request) => method === 'POST';
const hasHawk = ({ headers }: Request) => headers.get('Authorization')?.startsWith('Hawk') ?? false;
const conditionOf = ({ headers }: Request) => headers.get('If-Match') ?? '';

/** Remembers the newest tag, as a server that looks at no condition does with its own state. */
function knowing(fault: (passing: Passing, tag: string) => Promise<Response>): Fault {
  let tag = '';
  return async (passing) => {
    const response = await fault(passing, tag);
    tag = response.headers.get('ETag') ?? tag;
    return response;
  };
}

/** Other logins than the first, which all else rests on. */
function namesOf(change: (json: Record<string, object>, time: number) => unknown): Fault {
  let time = 0;
  return async ({ path, answer }) => {
    const response = await answer();
    if (path !== '' || response.status !== 200) return response;
    const json = (await response.json()) as Record<string, object>;
    time++;
    return altered(response, { text: JSON.stringify(change(json, time)) });
  };
}

function forgedLogins(): Fault {
  let good: string | null = null;
  return async ({ path, answer }) => {
    const response = await answer();
    if (path !== '') return response;
    if (response.status === 200) good = await response.clone().text();
    return response.status === 401 && good !== null
      ? altered(response, { status: 200, text: good })
      : response;
  };
}

function seenAgain(): Fault {
  const seen = new Set<string>();
  return ({ request, again, answer }) => {
    const signature = request.headers.get('Authorization') ?? '';
    if (seen.has(signature)) return again({});
    if (/^Hawk .*mac/.test(signature)) seen.add(signature);
    return answer();
  };
}

/** A history that is not there from its beginning, under a status that says nothing. */
function rewrittenStatus(): Fault {
  return async ({ path, request, answer }) => {
    const isFirst = LOG.test(path) && !request.url.includes('since') && !isWrite(request);
    return isFirst && hasHawk(request) && !request.headers.has('If-Match')
      ? altered(await answer(), { status: 404, text: '{}' })
      : answer();
  };
}

/** What is wrong, which rule says so first, and how. */
export const FAULTS: readonly [
  what: string,
  ids: readonly string[],
  Fault,
  Partial<PiclOptions>?,
][] = [
  [
    'names a collection as none can be',
    ['P1'],
    namesOf((json) => ({ ...json, collections: { 'a.b': 'x', ...json.collections } })),
  ],
  [
    'gives no key',
    ['P8'],
    namesOf((json, time) => (time === 1 ? json : { ...json, key: undefined })),
  ],
  ['believes a forged login', ['P9'], forgedLogins()],
  [
    'takes what nobody has signed',
    ['P13'],
    ({ request, path, again, answer }) => (path === '' || hasHawk(request) ? answer() : again({})),
  ],
  [
    'hashes no body',
    ['P14'],
    ({ request, again, answer }) => (isWrite(request) && hasHawk(request) ? again({}) : answer()),
  ],
  ['forgets what it has seen', ['P15'], seenAgain()],
  [
    'tells no time',
    ['P16'],
    async ({ answer }) => altered(await answer(), { headers: { 'WWW-Authenticate': null } }),
  ],
  [
    'loses __proto__',
    ['P2'],
    rewritten(LIST, (json) => {
      const { ['__proto__']: _, ...records } = listed(json).records;
      return { ...json, records };
    }),
  ],
  [
    'takes 100,000 characters',
    ['P3'],
    async ({ request, answer }) =>
      (await request.clone().text()).length > 100_000
        ? new Response(null, { status: 413 })
        : answer(),
  ],
  ['checks no chain', ['P6'], none, { chain: 'opaque' }],
  [
    'calls a bad chain a bad request',
    ['P6'],
    async ({ answer }) => {
      const response = await answer();
      const text = response.status === 412 ? await response.clone().text() : '';
      return text.includes('bad-chain') ? altered(response, { status: 400 }) : response;
    },
  ],
  [
    'checks signatures',
    ['P7'],
    async ({ request, answer }) =>
      (await request.clone().text()).includes(`"${'A'.repeat(43)}"`)
        ? new Response(null, { status: 400 })
        : answer(),
  ],
  [
    'needs no condition',
    ['P38'],
    knowing(({ request, again, answer }, tag) =>
      isWrite(request) &&
      tag !== '' &&
      conditionOf(request).length < 2 &&
      !request.headers.has('If-None-Match')
        ? again({ headers: { 'If-Match': tag } })
        : answer(),
    ),
  ],
  [
    'looks at no condition of a write',
    ['P40', 'P43'],
    knowing(({ request, again, answer }, tag) =>
      isWrite(request) && hasHawk(request) && tag !== ''
        ? again({ headers: { 'If-Match': tag, 'If-None-Match': null } })
        : answer(),
    ),
  ],
  [
    'applies half a body',
    ['P42'],
    async ({ request, answer, again }) => {
      const response = await answer();
      if (!isWrite(request) || ![400, 412].includes(response.status) || !hasHawk(request))
        return response;
      const { changes } = JSON.parse(await request.clone().text());
      if (changes?.length !== 2) return response;
      await again({ body: JSON.stringify({ changes: changes.slice(0, 1) }) });
      return response;
    },
  ],
  [
    'answers a write with 200',
    ['P39'],
    async ({ request, answer }) => {
      const response = await answer();
      return isWrite(request) && response.status === 204
        ? altered(response, { status: 200, text: '{}' })
        : response;
    },
  ],
  [
    'shows what is deleted',
    ['P41'],
    rewritten(LOG, (json) => ({
      ...json,
      changes: listed(json).changes.map((change) => ({ ...change, payload: change.payload ?? '' })),
    })),
  ],
  [
    'hides deletions',
    ['P31', 'P41'],
    rewritten(LOG, (json) => ({
      ...json,
      changes: listed(json).changes.filter(({ payload }) => payload !== null),
    })),
  ],
  [
    'takes a change for another key',
    ['P44'],
    async ({ request, path, again, answer }) => {
      if (!isWrite(request) || !ONE.test(path)) return answer();
      const { key: _, ...change } = JSON.parse(await request.clone().text());
      return again({ body: JSON.stringify(change) });
    },
  ],
  [
    'takes no POST to /changes',
    ['P61'],
    ({ request, path, answer }) =>
      isWrite(request) && LOG.test(path)
        ? Promise.resolve(new Response(null, { status: 404 }))
        : answer(),
  ],
  [
    'takes bodies of any length',
    ['R26'],
    async ({ answer }) => {
      const response = await answer();
      return response.status === 413 ? altered(response, { status: 204, text: null }) : response;
    },
  ],
  [
    'says no changeid',
    ['P18'],
    rewritten(/^history$/, (json) => ({ ...json, changeid: undefined })),
  ],
  [
    'has no ETag',
    ['P20', 'P39'],
    async ({ answer }) => altered(await answer(), { headers: { ETag: null } }),
  ],
  [
    'has the ETag of the record',
    ['P20'],
    async ({ path, request, answer }) => {
      const response = await answer();
      if (!ONE.test(path) || request.method !== 'GET' || response.status !== 200) return response;
      const { seqnum, changeid } = (await response.clone().json()) as Record<string, string>;
      return altered(response, { headers: { ETag: `${seqnum}-${changeid}` } });
    },
  ],
  [
    'lists records backwards',
    ['P22', 'P23'],
    rewritten(LIST, (json) => ({ ...json, records: reversed(listed(json).records) })),
  ],
  [
    'leaves the end out',
    ['P23'],
    async (passing) => {
      const end = new URL(passing.request.url).searchParams.get('end') ?? '';
      return rewritten(LIST, (json) => ({
        ...json,
        records: Object.fromEntries(
          Object.entries(listed(json).records).filter(([key]) => key !== end),
        ),
      }))(passing);
    },
  ],
  [
    'says the last key for the next',
    ['P24', 'P22'],
    rewritten(LIST, (json) =>
      json.next === undefined ? json : { ...json, next: Object.keys(listed(json).records).at(-1) },
    ),
  ],
  ['says no next', ['P24', 'P32'], rewritten(/./, (json) => ({ ...json, next: undefined }))],
  [
    'reads under any condition',
    ['P27'],
    ({ request, again, answer }) =>
      conditionOf(request) !== '' && !isWrite(request)
        ? again({ headers: { 'If-Match': null } })
        : answer(),
  ],
  [
    'is never unchanged',
    ['P29'],
    ({ request, again, answer }) =>
      request.headers.has('If-None-Match') && !isWrite(request)
        ? again({ headers: { 'If-None-Match': null } })
        : answer(),
  ],
  [
    'has every record',
    ['P30'],
    async ({ path, answer }) => {
      const response = await answer();
      return ONE.test(path) && response.status === 404
        ? altered(response, { status: 200, text: '{"payload":null}' })
        : response;
    },
  ],
  [
    'begins behind since',
    ['P31', 'P32'],
    async (passing) => {
      const since = Number(new URL(passing.request.url).searchParams.get('since') ?? 0);
      return rewritten(LOG, (json) => ({
        ...json,
        changes: listed(json).changes.filter(({ seqnum }) => seqnum > since),
      }))(passing);
    },
  ],
  [
    'lists changes backwards',
    ['P31'],
    rewritten(LOG, (json) => ({ ...json, changes: listed(json).changes.reverse() })),
  ],
  [
    'knows the future',
    ['R19'],
    async ({ answer }) => {
      const response = await answer();
      return response.status === 416
        ? altered(response, { status: 200, text: '{"changes":[]}' })
        : response;
    },
  ],
  ['has compacted, and does not say so', ['P35'], rewrittenStatus()],
  [
    'has a page of one state and the ETag of another',
    ['P60'],
    async ({ path, request, answer }) => {
      if (!LOG.test(path) || isWrite(request)) return answer();
      const response = await answer();
      const text = await response.text();
      const { changes = [] } = JSON.parse(text) as Partial<Listed>;
      return altered(response, { text: JSON.stringify({ changes: changes.slice(0, -1) }) });
    },
  ],
  [
    'deletes by DELETE',
    ['R31'],
    async ({ request, answer }) =>
      request.method === 'DELETE' ? new Response(null, { status: 204 }) : answer(),
  ],
  ['counts nothing', ['P4', 'P5'], rewritten(/^history$/, (json) => ({ ...json, seqnum: 7 }))],
];
