// What an entry of a document says, as far as two of one app have to be compared: whether it is
// well-formed, when it was changed, whether the app is deleted, and a digest of its content.

import { createHash } from 'node:crypto';
import { isObject, parseObject } from '../http.ts';
import { normalised } from './origins.ts';
import { receiptsOf } from './receipts.ts';

export interface Entry {
  /** Its JSON, as it was written. */
  readonly text: string;
  readonly value: unknown;
  /** When it was changed, in seconds; null: it does not say so. */
  readonly seconds: number | null;
  /** Whether devices take it for an app; what is not is carried along. */
  readonly isWellFormed: boolean;
  readonly isDeleted: boolean;
}

/** `text` is JSON. */
export function entryOf(name: string, text: string): Entry {
  const value: unknown = JSON.parse(text);
  const seconds = isObject(value) ? secondsOf(value.last_modified) : null;
  const isWellFormed =
    isObject(value) && seconds !== null && normalised(name) === name && isApp(value);
  return {
    text,
    value,
    seconds,
    isWellFormed,
    isDeleted: isObject(value) && value.deleted === true,
  };
}

/** Of all but what never leaves a device, and the receipts. */
export function digestOf({ value }: Entry): string {
  const { sync: _, install_data: data, ...rest } = isObject(value) ? value : {};
  const { without } = receiptsOf(data);
  const bare = without === undefined ? rest : { ...rest, install_data: without };
  return createHash('sha256').update(canonical(bare)).digest('hex');
}

/** Above this a stamp is in milliseconds, as old clients wrote them. */
const SECONDS_MAX = 1e11;
const DECIMAL = /^\d+(\.\d+)?([eE][+-]?\d+)?$/;

function secondsOf(stamp: unknown): number | null {
  const isNumber = typeof stamp === 'number' || (typeof stamp === 'string' && DECIMAL.test(stamp));
  const number = isNumber ? Number(stamp) : Number.NaN;
  if (!(number > 0 && Number.isFinite(number))) return null;
  return number > SECONDS_MAX ? number / 1000 : number;
}

function isApp(value: Readonly<Record<string, unknown>>): boolean {
  const { deleted = false, manifest, manifest_url: url } = value;
  if (deleted === true) return true;
  if (deleted !== false || (manifest === undefined && url === undefined)) return false;
  const isManifest =
    manifest === undefined ||
    isObject(manifest) ||
    (typeof manifest === 'string' && parseObject(manifest) !== null);
  return isManifest && (url === undefined || typeof url === 'string');
}

/** Members in the order of their names. The depth of a document is bounded. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
}
