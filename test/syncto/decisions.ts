// Where ours answer otherwise than Syncto 1.5.0, on purpose: docs/servers.md names each and says
// why. A decision knows by rule what it is about, never by the number of a request, and says what
// ours answers instead.

import { isDeepStrictEqual } from 'node:util';
import { isObject } from '../../emulator/servers/http.ts';
import type { Case, Sent } from './case.ts';
import type { Seen } from './compare.ts';

/** A request, and what became of it at the real one and at ours. */
interface Step {
  readonly sent: Sent;
  readonly trouble: Case['trouble'];
  readonly theirs: Seen;
  readonly ours: Seen;
}

interface Decision {
  /** As in docs/servers.md. */
  readonly name: string;
  /** What ours has to answer; null where the decision is not about this. */
  expected(step: Step): Seen | null;
}

/** What ours has to answer, and the decisions why it is not the same. */
export function decided(step: Step): {
  readonly expected: Seen;
  readonly names: readonly string[];
} {
  let { theirs } = step;
  const names: string[] = [];
  for (const { name, expected } of DECISIONS) {
    const instead = expected({ ...step, theirs });
    if (instead === null) continue;
    names.push(name);
    theirs = instead;
  }
  return { expected: theirs, names };
}

/**
 * A refusal in words of our own, and before its framework knows for which service: these are taken
 * as they are, the rest is held to.
 */
function refusal(step: Step, status: number, errno: number, error: string): Seen {
  const { theirs, ours } = step;
  const cors = 'access-control-expose-headers';
  const { [cors]: readable = '' } = ours.headers;
  const headers = { ...theirs.headers, [cors]: readable };
  const { message, details } = isObject(ours.body) ? ours.body : {};
  const why = typeof message === 'string' && message !== '' ? { message } : {};
  const listed = Array.isArray(details) ? { details } : {};
  const { info: _info, ...body } = isObject(theirs.body) ? theirs.body : {};
  return {
    ...theirs,
    status,
    headers,
    body: { ...body, code: status, errno, error, ...why, ...listed },
  };
}

const failed = ({ theirs }: Step): boolean => theirs.status === 500;
const askedNobody = ({ theirs }: Step): boolean => theirs.asked.length === 0;
/** The path, as it is understood. */
const pathOf = ({ sent }: Step): string => sent.target.split('?')[0] ?? '';
const queryOf = ({ sent }: Step): string => sent.target.split('?').slice(1).join('?');
function unescaped(text: string): string {
  return isUtf8(text) ? text.replace(/(%[\da-f]{2})+/gi, decodeURIComponent) : text;
}

const BAD_ESCAPE = /%[89a-f][\da-f]/i;

function isUtf8(text: string): boolean {
  try {
    text.replace(/(%[\da-f]{2})+/gi, decodeURIComponent);
    return true;
  } catch {
    return false;
  }
}

export const DECISIONS: readonly Decision[] = [
  {
    name: 'escapes that are no UTF-8',
    expected: (step) => {
      if (!failed(step) || !BAD_ESCAPE.test(step.sent.target)) return null;
      if (!isUtf8(pathOf(step))) return refusal(step, 404, 111, 'Not Found');
      if (isUtf8(queryOf(step))) return null;
      return refusal(step, 400, 107, 'Invalid parameters');
    },
  },
  {
    name: 'bodies that it fails at',
    expected: (step) =>
      failed(step) && askedNobody(step) && step.sent.body !== undefined && step.ours.status === 400
        ? refusal(step, 400, 107, 'Invalid parameters')
        : null,
  },
  {
    name: 'bodies that it fails at',
    expected: (step) =>
      failed(step) && /\\ud8[^"]*"/.test(step.sent.body ?? '') && step.ours.status === 200
        ? { ...step.ours, asked: step.theirs.asked }
        : null,
  },
  {
    name: 'bodies that it fails at',
    expected: (step) =>
      failed(step) && /"path":"[^"]*[^ -~]/.test(step.sent.body ?? '') && step.ours.status === 200
        ? { ...step.ours, asked: [] }
        : null,
  },
  {
    name: 'forms',
    expected: (step) =>
      /urlencoded/.test(step.sent.headers['Content-Type'] ?? '') && step.theirs.status === 400
        ? refusal(step, 400, 107, 'Invalid parameters')
        : null,
  },
  {
    name: 'types of answers',
    expected: ({ sent, theirs }) => {
      const { 'content-type': type = '', ...headers } = theirs.headers;
      if (!/text\/plain/.test(sent.headers.Accept ?? '') || !/^text\/plain/.test(type)) return null;
      const json = 'application/json; charset=UTF-8';
      return { ...theirs, headers: { ...headers, 'content-type': json } };
    },
  },
  {
    name: 'lists that break off',
    expected: ({ sent, trouble, theirs, ours }) => {
      const isList = sent.method === 'GET' && /\/records$/.test(sent.target);
      const isCut =
        trouble?.at === 'sync15' && /^\[\{.*(\}|\] x)$/.test(trouble.answer?.body ?? '');
      return isList && isCut && ours.status === 0 ? { ...ours, asked: theirs.asked } : null;
    },
  },
  {
    name: 'long reasons',
    expected: ({ theirs, trouble }) =>
      (trouble?.answer?.body.length ?? 0) > 2_048 && isObject(theirs.body)
        ? { ...theirs, body: { ...theirs.body, message: '400 Bad Request: a long answer' } }
        : null,
  },
  {
    name: 'assertions that it fails at',
    expected: (step) => {
      const isAsserted = /^BrowserID /.test(step.sent.headers.Authorization ?? '');
      const isList = /\/records$/.test(pathOf(step));
      if (!failed(step) || !askedNobody(step) || !isAsserted || !isList) return null;
      if (step.ours.asked.length > 0) return null;
      const refused = refusal(step, 401, 104, 'Unauthorized');
      const headers = { ...refused.headers, 'www-authenticate': 'Basic realm="Realm"' };
      return { ...refused, headers };
    },
  },
  {
    name: 'client states that no header holds',
    expected: (step) => {
      const [, bucket = ''] = /^\/v1\/buckets\/([^/]+)\//.exec(pathOf(step)) ?? [];
      if (!/%[01][\da-f]/i.test(bucket) || step.ours.asked.length > 0) return null;
      const { 'cache-control': _cache, ...headers } = step.theirs.headers;
      const refused = refusal(
        { ...step, theirs: { ...step.theirs, headers } },
        401,
        104,
        'Unauthorized',
      );
      return {
        ...refused,
        headers: { ...refused.headers, 'www-authenticate': 'Basic realm="Realm"' },
        asked: [],
      };
    },
  },
  {
    name: 'methods of which nothing is served',
    expected: ({ sent, theirs, ours }) => {
      const isRefused = [400, 405].includes(ours.status) && ours.asked.length === 0;
      const isOne = sent.method === 'TRACE' || sent.method === 'FOO';
      return isOne && isRefused && [307, 404, 405].includes(theirs.status) ? ours : null;
    },
  },
  {
    name: 'expectations',
    expected: ({ sent, ours }) =>
      sent.headers.Expect !== undefined && ours.status === 417 && ours.asked.length === 0
        ? ours
        : null,
  },
  {
    name: 'long bodies',
    expected: ({ sent, ours }) => {
      const isLong = (sent.body?.length ?? 0) > 8_388_608;
      return isLong && ours.status === 413 && ours.asked.length === 0 ? ours : null;
    },
  },
  {
    name: 'kept connections that end',
    expected: ({ trouble, theirs, ours }) => {
      const [last] = theirs.asked.slice(-1);
      if (trouble?.answer !== null || last === undefined) return null;
      const again = [...theirs.asked, last];
      return isDeepStrictEqual(again, ours.asked) ? { ...theirs, asked: again } : null;
    },
  },
  {
    name: 'dots in a path',
    expected: (step) => {
      const parts = unescaped(pathOf(step)).split('/');
      const isNothing = [307, 404, 405].includes(step.ours.status) && step.ours.asked.length === 0;
      return isNothing && parts.some((part) => /^\.\.?$/.test(part)) ? step.ours : null;
    },
  },
  {
    name: 'ids that are more than a name',
    expected: (step) => {
      const [, , , , , collection = '', , id] = pathOf(step).split('/');
      const names = [collection.toLowerCase(), ...(id === undefined ? [] : [id])].map(unescaped);
      const [token, storage] = step.theirs.asked;
      if (!names.some((name) => /[?#%]/.test(name)) || !token || !storage) return null;
      const path = names.map(encodeURIComponent).join('/');
      const target = `/sync15/1.5/1/storage/${path}${id === undefined ? '?full=True' : ''}`;
      return { ...step.theirs, asked: [token, { ...storage, target }] };
    },
  },
  {
    name: 'its own name in links',
    expected: ({ sent, theirs }) => {
      const next = theirs.headers['next-page'];
      if (sent.headers.Host === undefined || next === undefined) return null;
      const link = next.replace(`http://${sent.headers.Host}`, '<syncto>');
      return { ...theirs, headers: { ...theirs.headers, 'next-page': link } };
    },
  },
  {
    name: 'answers that are no list',
    expected: ({ sent, trouble, theirs, ours }) => {
      const isList = sent.method === 'GET' && /\/records$/.test(sent.target);
      const isNone = trouble?.at === 'sync15' && trouble.answer?.body === '{}';
      return isList && isNone && ours.status === 500 ? { ...ours, asked: theirs.asked } : null;
    },
  },
  {
    name: 'other hashes',
    expected: ({ trouble, theirs, ours }) => {
      const isOther = trouble?.answer?.body.includes('"hashalg":"sha1"');
      const asked = theirs.asked.slice(0, 1);
      return isOther && ours.status === 500 ? { ...ours, asked } : null;
    },
  },
  {
    name: 'credentials of another client state',
    expected: (step) => {
      const isOther = failed(step) && askedNobody(step) && step.ours.asked.length > 0;
      const [asked] = step.ours.asked;
      if (!isOther || asked?.target !== TOKEN_TARGET || step.ours.status !== 401) return null;
      return { ...step.ours, asked: [asked] };
    },
  },
  {
    name: 'OAuth tokens',
    expected: ({ sent, theirs, ours }) => {
      const proof = sent.headers.Authorization ?? '';
      const [asked] = ours.asked;
      if (!/^Bearer ./.test(proof) || theirs.status !== 401 || asked === undefined) return null;
      if (asked.headers.authorization !== proof || ours.status !== 401) return null;
      return { ...ours, asked: [asked] };
    },
  },
  {
    name: 'OAuth tokens',
    expected: (step) =>
      isObject(step.theirs.body) && step.theirs.body.message === BID_ONLY
        ? { ...step.theirs, body: { ...step.theirs.body, message: BID_OR_BEARER } }
        : null,
  },
  {
    name: 'OAuth tokens',
    expected: ({ theirs }) =>
      inParts(theirs, ({ body, ...part }) =>
        isObject(body) && body.message === BID_ONLY
          ? { ...part, body: { ...body, message: BID_OR_BEARER } }
          : null,
      ),
  },
  {
    name: 'words of its parser',
    expected: ({ theirs }) => {
      const { body } = theirs;
      if (!isObject(body) || !Array.isArray(body.details)) return null;
      const isParsed = /Invalid JSON( request body|: Should be a JSON object)[:,]/;
      if (!isParsed.test(JSON.stringify(body.details))) return null;
      const cut = (text: unknown): string =>
        String(text).replace(/(Invalid JSON( request body|: Should be a JSON object)).*/s, '$1');
      const details = body.details.map((fault: unknown) =>
        isObject(fault) ? { ...fault, description: cut(fault.description) } : fault,
      );
      return { ...theirs, body: { ...body, message: cut(body.message), details } };
    },
  },
  {
    name: 'headers of the parts of a batch',
    expected: ({ theirs }) =>
      inParts(theirs, ({ headers, ...part }) => {
        if (!isObject(headers)) return null;
        const cors = /^access-control-/;
        if (!Object.keys(headers).some((name) => cors.test(name))) return null;
        const kept = Object.entries(headers).filter(([name]) => !cors.test(name));
        return { ...part, headers: Object.fromEntries(kept) };
      }),
  },
  {
    name: 'redirects of the servers behind it',
    expected: ({ theirs, ours, trouble }) => {
      const status = trouble?.answer?.status ?? 0;
      if (status < 300 || status > 399 || status === 304) return null;
      if (/heartbeat/.test(theirs.asked[0]?.target ?? '') || ours.status !== 503) return null;
      return { ...ours, asked: theirs.asked };
    },
  },
];

const TOKEN_TARGET = '/token/1.0/sync/1.5?duration=300';
const BID_ONLY = 'Provide a BID assertion Authorization header.';
const BID_OR_BEARER = 'Provide a BID assertion Authorization header, or a Bearer token.';

/** With other parts where `change` has some; null where it has none. */
function inParts(
  theirs: Seen,
  change: (part: Record<string, unknown>) => object | null,
): Seen | null {
  if (!isObject(theirs.body) || !Array.isArray(theirs.body.responses)) return null;
  const { responses } = theirs.body;
  const changed = responses.map((part: unknown) => (isObject(part) ? change(part) : null));
  if (changed.every((part) => part === null)) return null;
  const parts = responses.map((part: unknown, index) => changed[index] ?? part);
  return { ...theirs, body: { ...theirs.body, responses: parts } };
}
