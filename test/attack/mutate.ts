// Makes a request a little wrong, or very: its method, path, query, headers and body, one or
// several of them, and at last its bytes.

import { isObject } from '../../emulator/servers/http.ts';
import type { Sent } from '../syncto/case.ts';
import type { Chance } from './random.ts';

/** A request of which one to four things are another. */
export function mutated(sent: Sent, chance: Chance): Sent {
  let result = sent;
  for (let times = 1 + chance.below(4); times > 0; times--)
    result = chance.of(MUTATIONS)(result, chance);
  return result;
}

/** The bytes of a request, of which some are others. */
export function mutatedBytes(bytes: Buffer, chance: Chance): Buffer {
  let result = Buffer.from(bytes);
  for (let times = 1 + chance.below(3); times > 0; times--) {
    const at = chance.below(result.length + 1);
    const kind = chance.below(4);
    const odd = Buffer.from(chance.of(ODD_TEXTS).slice(0, 200));
    if (kind === 0 && at < result.length) result[at] = chance.below(256);
    else if (kind === 1) result = result.subarray(0, at);
    else if (kind === 2) result = Buffer.concat([result.subarray(0, at), odd, result.subarray(at)]);
    else result = Buffer.concat([result.subarray(0, at), result.subarray(at + chance.below(40))]);
  }
  return result;
}

type Mutation = (sent: Sent, chance: Chance) => Sent;

const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PURGE',
  'M-SEARCH',
];
const ODD_TEXTS: readonly string[] = [
  ...['', ' ', '0', '-1', '1', '1.5', '1e400', '99999999999999999999', 'NaN', 'Infinity', 'null'],
  ...['true', '*', '"', '"1"', '%', '%00', '%0d%0a', '%ff', '%2e%2e', '%2F', '..', '.', '~', '+'],
  ...['é', '\u0080', 'a b', "a'b", '<script>', '{{1}}', '__proto__', 'constructor'],
  ...['toString', 'hasOwnProperty', '[]', '{}', '[[', ',', ';', '=', '&', '?', '#', '\\', '/', ':'],
  ...['a'.repeat(64), 'a'.repeat(65), 'a'.repeat(300), '9'.repeat(400), '0x10', '1_000', '１２'],
  ...['eyJleHAiOiJ4In0', 'e30', 'bnVsbA', 'NQ', 'Bearer', 'http://127.0.0.1:1/', 'file:///etc'],
];
const HEADERS = [
  ...['Authorization', 'Content-Type', 'Accept', 'Origin', 'Host', 'If-Match', 'If-None-Match'],
  ...['If-Modified-Since', 'X-If-Modified-Since', 'X-If-Unmodified-Since', 'X-Client-State'],
  ...['X-KeyID', 'X-Weave-Records', 'X-Weave-Bytes', 'X-Weave-Total-Records', 'Content-Encoding'],
  ...['X-Weave-Total-Bytes', 'Range', 'Expect', 'Cookie', 'User-Agent', 'X-Forwarded-For'],
  ...['Access-Control-Request-Method', 'Access-Control-Request-Headers', 'Transfer-Encoding'],
];
const TYPES = [
  ...['application/json', 'application/newlines', 'text/plain', 'application/json; charset=x'],
  ...['application/x-www-form-urlencoded', 'multipart/form-data; boundary=a', 'a', ''],
];
const QUERY_NAMES = [
  ...['full', 'ids', 'newer', 'older', 'limit', 'offset', 'sort', 'batch', 'commit', 'duration'],
  ...[
    '_since',
    '_limit',
    '_sort',
    '_token',
    'in_ids',
    'uid',
    'email',
    'keys',
    'client_id',
    'state',
  ],
];
const LONG = 'x'.repeat(70_000);

const MUTATIONS: readonly Mutation[] = [
  (sent, chance) => ({ ...sent, method: chance.of(METHODS) }),
  inPath,
  inPath,
  inQuery,
  inQuery,
  inHeaders,
  inHeaders,
  inBody,
  inBody,
  inBody,
  inText,
];

function inPath(sent: Sent, chance: Chance): Sent {
  const [path = '', ...query] = sent.target.split('?');
  const parts = path.split('/');
  // The first one names the server.
  const at = 2 + chance.below(Math.max(1, parts.length - 2));
  const odd = sendable(chance.of(ODD_TEXTS));
  const kind = chance.below(5);
  if (kind === 0) parts.splice(at, 1);
  else if (kind === 1) parts.splice(at, 0, odd);
  else if (kind === 2) parts[at] = (parts[at] ?? '') + odd;
  else if (kind === 3) parts[at] = odd;
  else parts.push(...parts.slice(1));
  return { ...sent, target: [parts.join('/'), ...query].join('?') };
}

function inQuery(sent: Sent, chance: Chance): Sent {
  const [path = '', query = ''] = sent.target.split('?');
  const pairs = query === '' ? [] : query.split('&');
  const odd = sendable(chance.once(20) ? LONG.slice(0, 4_000) : chance.of(ODD_TEXTS));
  const at = chance.below(pairs.length + 1);
  const name = pairs[at]?.split('=')[0] ?? chance.of(QUERY_NAMES);
  pairs.splice(at, chance.below(2), `${name}=${odd}`);
  return { ...sent, target: `${path}?${pairs.join('&')}` };
}

function inHeaders(sent: Sent, chance: Chance): Sent {
  const headers = { ...sent.headers };
  const own = Object.keys(headers);
  const name = own.length > 0 && chance.once(2) ? chance.of(own) : chance.of(HEADERS);
  const kind = chance.below(4);
  if (kind === 0) delete headers[name];
  else if (name === 'Content-Type') headers[name] = chance.of(TYPES);
  else if (kind === 1) headers[name] = inOneLine(chance.of(ODD_TEXTS));
  else headers[name] = `${headers[name] ?? ''}${inOneLine(chance.of(ODD_TEXTS))}`;
  return { ...sent, headers };
}

function inBody(sent: Sent, chance: Chance): Sent {
  if (sent.body === undefined) return { ...sent, body: '{}' };
  try {
    return { ...sent, body: JSON.stringify(inValue(JSON.parse(sent.body), chance, 0)) };
  } catch {
    return inText(sent, chance);
  }
}

function inText(sent: Sent, chance: Chance): Sent {
  const bytes = Buffer.from(sent.body ?? '');
  return { ...sent, body: mutatedBytes(bytes, chance).toString('utf8') };
}

function inValue(value: unknown, chance: Chance, depth: number): unknown {
  const isLeaf = !(isObject(value) || Array.isArray(value)) || chance.once(4) || depth > 8;
  if (isLeaf) return oddValue(value, chance);
  if (Array.isArray(value)) {
    const at = chance.below(value.length + 1);
    const item = inValue(value[at], chance, depth + 1);
    const [from, count] = chance.once(2) ? [at, 1] : [at, 0];
    return [...value.slice(0, from), item, ...value.slice(from + count)];
  }
  const names = Object.keys(value);
  if (names.length === 0 || chance.once(6))
    return { ...value, [chance.of(ODD_TEXTS)]: oddValue(1, chance) };
  const name = chance.of(names);
  const { [name]: member, ...rest } = value;
  return chance.once(5) ? rest : { ...value, [name]: inValue(member, chance, depth + 1) };
}

function oddValue(value: unknown, chance: Chance): unknown {
  let deep: unknown = value;
  for (let level = 0; level < 700; level++) deep = [deep];
  return chance.of<() => unknown>([
    () => null,
    () => true,
    () => -1,
    () => 0,
    () => 1.5,
    () => Number.MAX_SAFE_INTEGER + 2,
    () => 1e308,
    () => [],
    () => ({}),
    () => [value, value],
    () => ({ value }),
    () => deep,
    () => LONG,
    () => '\ud800',
    () => '\u0000',
    () => chance.of(ODD_TEXTS),
    () => chance.of(ODD_TEXTS),
    () => `${String(value)}${chance.of(ODD_TEXTS)}`,
  ])();
}

/** As a client's library would let it pass. */
function sendable(text: string): string {
  return text.replace(/[^!-~]/g, encodeURIComponent);
}

function inOneLine(text: string): string {
  return text.replace(/[^ -~\u0080-\u00ff]/g, '');
}
