// What changed in a collection, in order, opened: who set which record to what. A deletion has no
// payload, so nobody can know whose it is: its signature proves that it was one of the user's
// devices.

import type { Change, CollectionKeys } from './chain.ts';
import { membersOf } from './reading.ts';
import { openPayload } from './seal.ts';

interface Entry {
  readonly seqnum: number;
  readonly key: string;
  readonly action: 'set' | 'delete';
  /** The id that apps know; null: it is not told, or there is no telling. */
  readonly id: string | null;
  /** The device that wrote it; null: unknown. */
  readonly device: string | null;
  /** What was written; null: nothing, or what does not open. */
  readonly body: unknown;
  /** Why there is no body though there is a payload. */
  readonly problem: 'does not open' | 'is no JSON' | null;
}

/** A change that is proven, as people see it. */
export function entryOf(change: Change, collection: string, keys: CollectionKeys): Entry {
  const { key, seqnum, payload } = change;
  const nobody = { seqnum, key, id: null, device: null, body: null, problem: null } as const;
  if (payload === null) return { ...nobody, action: 'delete' };
  const cleartext = openPayload(payload, { collection, key, seqnum }, keys.encrypt);
  if (cleartext === null) return { ...nobody, action: 'set', problem: 'does not open' };
  const [, device = null, json = ''] = CLEARTEXT.exec(cleartext.toString('utf8')) ?? [];
  const body = parsed(json);
  if (body === undefined) return { ...nobody, action: 'set', device, problem: 'is no JSON' };
  const id = membersOf(body)?.get('id');
  return { ...nobody, action: 'set', id: typeof id === 'string' ? id : null, device, body };
}

/** A line for a terminal, which obeys nothing in it. */
export function lineOf({ seqnum, key, action, device, body, problem }: Entry): string {
  const what = problem ?? (action === 'delete' ? 'deleted' : shown(body));
  return `${seqnum} ${device ?? 'unknown'} ${key} ${what}\n`;
}

/** JSON without anything that moves a terminal's cursor or turns its line around. */
export function shown(value: unknown): string {
  return JSON.stringify(value).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) =>
    Array.from({ length: char.length }, (_, at) => escaped(char.charCodeAt(at))).join(''),
  );
}

/** A device's UUID on a line of its own, and JSON; or JSON by itself. */
const CLEARTEXT = /^(?:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\n)?(.*)$/s;

function escaped(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
