// What a repository of web apps says of one app: it is there, it was deleted, or something that
// this build cannot read and carries along as it is. When that was last changed, in seconds since
// 1970, is the entry's own word. Pure; a bad entry is a value.

import { isObject, jsonOf } from '../../crypto/engine.ts';
import { encodeUtf8 } from '../../crypto/utf8.ts';
import { APP_ENTRY_BYTES_MAX } from '../limits.ts';
import type { Body } from './collection.ts';
import { webOrigin } from './installed-origin.ts';

/** Larger stamps are milliseconds: what the first clients wrote. */
const SECONDS_MAX = 1e11;
/** What a stamp is raised by at least. */
const STEP_S = 0.001;
/** The smallest step of a number, as a share of it. */
const EPSILON = 2 ** -52;

/** `carried`: malformed, or under a name that is none. */
type Kind = 'live' | 'deleted' | 'carried';

/** An entry that was looked at. */
export interface AppEntry {
  readonly kind: Kind;
  /** In seconds; 0: it does not say. */
  readonly time: number;
  readonly value: unknown;
}

/** What a record says of the app that it is named after. */
export function entryOf(body: Body): AppEntry {
  const { entry } = body;
  const time = isObject(entry) ? secondsOf(entry.last_modified) : 0;
  const isNamed = webOrigin(nameOf(body)) === nameOf(body);
  return { kind: isNamed && time > 0 ? kindOf(entry) : 'carried', time, value: entry };
}

/** What a record is on this device: a change of its own has no stamp until it is sent. */
export function kindOfBody(body: Body): Kind {
  return isPending(body) ? kindOf(body.entry) : entryOf(body).kind;
}

/** It was changed here, and has no stamp yet. */
export function isPending({ after }: Body): boolean {
  return typeof after === 'number';
}

/** What it is named: on some wires a record's id is something else. */
export function nameOf({ id, name = id }: Body): string {
  return `${name}`;
}

/** What an entry says, whatever it is named and whenever it was changed. */
export function kindOf(entry: unknown): Kind {
  if (!isObject(entry) || Array.isArray(entry)) return 'carried';
  const { deleted = false, manifest, manifest_url } = entry;
  if (deleted === true) return 'deleted';
  return deleted === false && complaintOfApp(manifest, manifest_url) === null ? 'live' : 'carried';
}

/** Why nothing can be installed of these. */
export function complaintOfApp(manifest: unknown, url: unknown): string | null {
  if (manifest === undefined && url === undefined) return 'manifest: there is none, and no URL';
  if (manifest !== undefined && !isManifest(manifest)) return 'manifest: not an object';
  return url === undefined || typeof url === 'string' ? null : 'manifest_url: not a text';
}

/** Some clients have written its JSON as a text. */
function isManifest(manifest: unknown): boolean {
  const read = typeof manifest === 'string' ? jsonOf(manifest) : manifest;
  return isObject(read) && !Array.isArray(read);
}

/** A stamp in seconds; 0 for what is none. Texts of numbers count as these. */
export function secondsOf(stamp: unknown): number {
  const isText = typeof stamp === 'string' && /^\d+(\.\d+)?([eE][+-]?\d+)?$/.test(stamp);
  const number = isText || typeof stamp === 'number' ? Number(stamp) : 0;
  if (!(number > 0) || number === Infinity) return 0;
  return number > SECONDS_MAX ? number / 1_000 : number;
}

/**
 * The stamp of a change that was made at this time, and of a version with the stamp `after`: later
 * than that, whatever the clock says. Only the largest number has none behind it.
 */
export function stampOf(writtenMs: number, after: number): number {
  const time = Math.max(writtenMs, 1) / 1_000;
  if (time > after) return stampIn(time);
  const rounded = Math.round((after + STEP_S) * 1_000) / 1_000;
  if (rounded > after && secondsOf(stampIn(rounded)) > after) return stampIn(rounded);
  const next = stampIn(after * (1 + 2 * EPSILON));
  return secondsOf(next) > after ? next : Number.MAX_VALUE;
}

/** A time as it is written, so that it is read as the same. */
function stampIn(seconds: number): number {
  return seconds > SECONDS_MAX ? seconds * 1_000 : seconds;
}

/** `text`: an entry's JSON. It has more bytes than any device or server takes. */
export function isEntryTooLong(text: string): boolean {
  // A character is at most three bytes.
  if (text.length * 3 <= APP_ENTRY_BYTES_MAX) return false;
  return text.length > APP_ENTRY_BYTES_MAX || encodeUtf8(text).length > APP_ENTRY_BYTES_MAX;
}
