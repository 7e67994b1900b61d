// Turns an honest answer into a wrong one, in a way that depends on a seed alone: bytes, JSON
// tokens, whole records, headers, the status, the order of answers, the end. A mutated answer is
// still mostly right, so that it gets past the first check that it meets.

import type { Random } from '../../emulator/device/random.ts';
import type { Header } from '../../platform/ports.ts';
import type { WholeReply } from './lab.ts';

/** One or two mutations of an answer; `others` are answers to other requests. */
export function mutated(
  reply: WholeReply,
  others: readonly WholeReply[],
  random: Random,
): WholeReply {
  let result = reply;
  for (let count = 1 + (random.uint32() % 2); count > 0; count--) {
    result = pick(MUTATIONS, random)(result, random, others);
  }
  return result;
}

type Mutation = (reply: WholeReply, random: Random, others: readonly WholeReply[]) => WholeReply;

const NASTY: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  0.5,
  1e308,
  2 ** 53,
  999_999_999_999_999,
  4_102_444_800_000,
  '',
  '__proto__',
  'constructor',
  'x'.repeat(65),
  '\u0000\u001f',
  '1795330000000',
  [],
  {},
  [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]],
];

const NASTY_TEXTS: readonly string[] = [
  '',
  '0',
  '1',
  '-1',
  '1e308',
  'NaN',
  'Infinity',
  '86400000',
  '999999999999999',
  '"999999999999999"',
  '"0"',
  'W/"5"',
  '*',
  'text/html',
  'https://syncto.test/v1/?_token=%zz',
  'https://elsewhere.test/?_token=again',
];

const HEADERS = ['etag', 'backoff', 'retry-after', 'next-page', 'alert', 'content-type', 'date'];
const STATUSES = [100, 200, 201, 204, 206, 301, 302, 304, 307, 400, 401, 403, 404, 405, 409, 412];
const MORE_STATUSES = [413, 416, 418, 429, 451, 500, 502, 503, 504, 513, 599];

const MUTATIONS: readonly Mutation[] = [
  bytes,
  bytes,
  json((root, random) => void setAt(root, random, pick(NASTY, random))),
  json((root, random) => void setAt(root, random, pick(NASTY, random))),
  json(removeOne),
  json(shuffleRecords),
  json(swapMembers),
  json(swapMembers),
  json(shiftNumber),
  headers,
  (reply, random) => ({ ...reply, status: pick([...STATUSES, ...MORE_STATUSES], random) }),
  (reply, random, others) => pick([reply, ...others], random),
  (reply, random) => ({
    ...reply,
    body: reply.body.slice(0, random.uint32() % (reply.body.length + 1)),
  }),
];

function bytes(reply: WholeReply, random: Random): WholeReply {
  const { length } = reply.body;
  if (length === 0) return reply;
  const at = random.uint32() % length;
  const count = random.uint32() % 12;
  const body = Buffer.from(reply.body);
  const kind = random.uint32() % 4;
  if (kind === 0) body[at] = (body[at] ?? 0) ^ (1 << (random.uint32() % 8));
  if (kind === 1) body[at] = pick([...Buffer.from('{}[]",:\\0919aZ ')], random);
  const [head, tail] = [body.subarray(0, at), body.subarray(at + (kind === 2 ? count : 0))];
  const inserted = kind === 3 ? random.bytes(count) : [];
  return { ...reply, body: Buffer.concat([head, Uint8Array.from(inserted), tail]) };
}

type Editable = { [member: string]: unknown };

/** A mutation of the document, if it is one. */
function json(change: (root: unknown, random: Random) => void): Mutation {
  return (reply, random) => {
    let root: unknown;
    try {
      root = JSON.parse(Buffer.from(reply.body).toString());
    } catch {
      return reply;
    }
    change(root, random);
    return { ...reply, body: Buffer.from(JSON.stringify(root) ?? '') };
  };
}

/** Every object and list of the document. */
function containers(root: unknown): Editable[] {
  const found: Editable[] = [];
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    found.push(value as Editable);
    for (const inner of Object.values(value)) look(inner);
  };
  look(root);
  return found;
}

function place(root: unknown, random: Random): readonly [Editable, string] | null {
  const filled = containers(root).filter((value) => Object.keys(value).length > 0);
  if (filled.length === 0) return null;
  const holder = pick(filled, random);
  return [holder, pick(Object.keys(holder), random)];
}

function setAt(root: unknown, random: Random, value: unknown): void {
  const [holder, name] = place(root, random) ?? [{}, ''];
  holder[name] = value;
}

function removeOne(root: unknown, random: Random): void {
  const [holder, name] = place(root, random) ?? [{}, ''];
  if (Array.isArray(holder)) holder.splice(Number(name), 1);
  else delete holder[name];
}

/** A number that is a little or a lot off. */
function shiftNumber(root: unknown, random: Random): void {
  const numbers = containers(root).flatMap((holder) =>
    Object.entries(holder).flatMap(([name, value]) =>
      typeof value === 'number' ? [[holder, name, value] as const] : [],
    ),
  );
  if (numbers.length === 0) return;
  const [holder, name, value] = pick(numbers, random);
  holder[name] = value + pick([-1, 1, -10, 10, 1e5, -1e9, 1e11, 1e14], random);
}

/** Records twice, or in another order. */
function shuffleRecords(root: unknown, random: Random): void {
  const lists = containers(root).filter((value) => Array.isArray(value) && value.length > 0);
  if (lists.length === 0) return;
  const list = pick(lists, random) as unknown as unknown[];
  if (random.uint32() % 2 === 0) list.push(pick(list, random));
  else list.reverse();
}

/** Two records exchange a member: an id, a payload, a time, a status. */
function swapMembers(root: unknown, random: Random): void {
  const objects = containers(root).filter((value) => !Array.isArray(value));
  const [a, b] = [pick(objects, random), pick(objects, random)];
  if (a === undefined || b === undefined) return;
  const shared = Object.keys(a).filter((name) => Object.hasOwn(b, name));
  if (shared.length === 0) return;
  const name = pick(shared, random);
  [a[name], b[name]] = [b[name], a[name]];
}

function headers(reply: WholeReply, random: Random): WholeReply {
  const name = pick(HEADERS, random);
  const rest = reply.headers.filter(([other]) => other !== name);
  const value: Header = [name, pick(NASTY_TEXTS, random)];
  return { ...reply, headers: random.uint32() % 4 === 0 ? rest : [value, ...rest] };
}

function pick<T>(list: readonly T[], random: Random): T {
  return list[random.uint32() % list.length] as T;
}
