// What a device remembers of an app beside its record: whether it came from another device, what
// was agreed on with the system, what was begun, where its user wants it shown. It is kept under
// keys of the device's own, outlives a sign-out, and never leaves the device. Pure, but for the two
// calls that read and write.

import { encodeHex } from '../../crypto/bytes.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { encodeUtf8 } from '../../crypto/utf8.ts';
import type { Change, Storage } from '../../platform/ports.ts';
import { ported } from '../errors.ts';
import { SYSTEM_APPS_MAX, SYSTEM_ORIGIN_CHARS_MAX } from '../limits.ts';
import { jsonStored, parsedObject } from '../store/stored.ts';

export interface Row {
  /** Of the data that it was agreed on with; after a sign-out there is another one. */
  readonly generation: string;
  /** Another device has installed it. */
  readonly sync: boolean;
  /** The system's word for the version that both have agreed on; '': it is not installed. */
  readonly tag: string;
  /** What that version is: see `fingerprint`. */
  readonly agreed: string;
  /** What the system is being given: it may have it or not. '': nothing. */
  readonly intent: string;
  /** What it did not take: its manifest is none here. '': nothing. */
  readonly refused: string;
  /** When it was installed, as it was agreed on, in seconds; 0: nobody has said. */
  readonly time: number;
  /** The user wants it among the apps of this device, wherever it is from. */
  readonly promoted: boolean;
  /** The user does not want to see it here. */
  readonly hidden: boolean;
}

export const NEW_ROW: Row = {
  generation: '',
  sync: true,
  tag: '',
  agreed: '',
  intent: '',
  refused: '',
  time: 0,
  promoted: false,
  hidden: false,
};

/** Nothing of a generation begins so. */
const PREFIX = 'n=';
export const ROWS_END = 'n>';
/** Behind them: rows of origins that no system can have, by their hash. No key is as long. */
const LONG_PREFIX = 'n~';
/** What the collection was like when the system had all of it: see reconcile.ts. */
export const MARK_KEY = 'n';

function rowKey(origin: string): string {
  if (origin.length <= SYSTEM_ORIGIN_CHARS_MAX) return PREFIX + origin;
  return LONG_PREFIX + encodeHex(sha256(encodeUtf8(origin)));
}

/** The first key behind that of an origin; '' is before all of them. */
export function behindRow(origin: string): string {
  return origin === '' ? PREFIX : `${PREFIX}${origin}!`;
}

export function originOfRow(key: string): string {
  return key.slice(PREFIX.length);
}

/** The rows, and those of their changes that are not written yet: whoever reads sees both. */
export interface Rows {
  /** Null where there is none, or one that is not what was written. Errors: the storage's. */
  read(origins: readonly string[]): Promise<(Row | null)[]>;
  /**
   * Written with the next `write`, or as soon as a hundred wait; lost with the power, and then
   * found out by looking. Errors: those of the storage.
   */
  note(origin: string, row: Row | null): Promise<void>;
  /** All that was noted, and this one, in one commit. Errors: those of the storage. */
  write(origin?: string, row?: Row | null): Promise<void>;
}

export function openRows(storage: Storage): Rows {
  let noted = new Map<string, Row | null>();
  const writeAll = async (): Promise<void> => {
    const changes = [...noted].map(([name, one]) => changeOf(name, one));
    if (changes.length > 0) await ported(storage.commit(changes));
    noted = new Map();
  };
  return {
    async read(origins) {
      const values = await ported(storage.get(origins.map(rowKey)));
      return origins.map((origin, at) =>
        noted.has(origin) ? (noted.get(origin) ?? null) : rowOf(values[at] ?? null),
      );
    },
    async note(origin, row) {
      noted.set(origin, row);
      if (noted.size >= SYSTEM_APPS_MAX) await writeAll();
    },
    async write(origin, row) {
      if (origin !== undefined && row !== undefined) noted.set(origin, row);
      await writeAll();
    },
  };
}

function changeOf(origin: string, row: Row | null): Change {
  return [rowKey(origin), row && jsonStored(row)];
}

export function isSameRow(a: Row | null, b: Row | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function rowOf(value: string | Uint8Array | null): Row | null {
  const read = typeof value === 'string' ? parsedObject(value.slice(1)) : null;
  if (read === null) return null;
  const { generation, sync, tag, agreed, intent, refused, time, promoted, hidden } = read as {
    [member in keyof Row]?: unknown;
  };
  return {
    generation: textOf(generation),
    sync: sync === true,
    tag: textOf(tag),
    agreed: textOf(agreed),
    intent: textOf(intent),
    refused: textOf(refused),
    time: typeof time === 'number' ? time : 0,
    promoted: promoted === true,
    hidden: hidden === true,
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
