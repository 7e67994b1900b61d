// What a pass begins with: one request that tells of every collection whether it has moved, and
// what is to be made where there is nothing yet. A part of a batch is never asked under a
// condition: an answer of 304 would spoil the whole batch.

import type { BsoCrypto } from '../../../crypto/bso.ts';
import { encodeBase64 } from '../../../crypto/bytes.ts';
import type { KeyBundle } from '../../../crypto/keys.ts';
import { SyncError } from '../../errors.ts';
import { STAMP_MS_MAX } from '../../limits.ts';
import { member } from '../../wire/document.ts';
import type { RemoteOptions, Wanted } from '../remote.ts';
import { type Part, type PartAnswer, partHeader } from './batch.ts';
import type { Kinto } from './http.ts';
import { placeOf, type Signature, youngSinceMs } from './position.ts';
import { EPOCH_ID } from './records.ts';

/** How a collection stands on the server. `unknown`: it does not say without a listing. */
export type Stand =
  | { readonly kind: 'there'; readonly signature: Signature }
  | { readonly kind: 'missing' | 'refused' | 'unknown' };

export const UNKNOWN: Stand = { kind: 'unknown' };
export const NOTHING_HEARD: Signature = { tagMs: 1, total: -1, young: -1 };

/**
 * How each collection stands, when what was not there is made. Nothing was heard of what is new.
 * `mayMake`: whether the device may make this one. Errors: those of the batch.
 */
export async function standsOf(
  kinto: Kinto,
  wanted: readonly Wanted[],
  mayMake: (one: Wanted) => boolean = () => true,
): Promise<Stand[]> {
  const stands = await poll(kinto, wanted);
  // A missing bucket is refused, a missing collection is missing.
  const missing = wanted.filter((one, at) => {
    const { kind } = stands[at] ?? UNKNOWN;
    return (kind === 'missing' || kind === 'refused') && mayMake(one);
  });
  if (missing.length === 0) return stands;
  const made = await make(
    kinto,
    missing.map(({ store }) => store.collection.name),
  );
  for (const [at, one] of missing.entries()) {
    if (made[at]) stands[wanted.indexOf(one)] = { kind: 'there', signature: NOTHING_HEARD };
  }
  return stands;
}

/** One answer for each collection. Errors: those of the batch. */
export async function poll(kinto: Kinto, wanted: readonly Wanted[]): Promise<Stand[]> {
  const parts = wanted.flatMap(({ store: { collection, state } }): Part[] => {
    const path = kinto.recordsPath(collection.name);
    const sinceMs = youngSinceMs(placeOf(state.position).tagMs);
    return [
      { method: 'HEAD', path },
      { method: 'HEAD', path: `${path}?_since=${sinceMs}` },
    ];
  });
  const answers = await kinto.ask(parts);
  return wanted.map((_, at) => {
    if (answers === 'readOnly') return { kind: 'unknown' };
    return polledOf(answers[2 * at], answers[2 * at + 1]);
  });
}

function polledOf(all: PartAnswer | undefined, young: PartAnswer | undefined): Stand {
  const { status = 0 } = all ?? {};
  if (status === 404) return { kind: 'missing' };
  if (status === 403) return { kind: 'refused' };
  if (status !== 200 || all === undefined) return { kind: 'unknown' };
  const tag = /^"(\d{1,15})"$/.exec(partHeader(all, 'etag') ?? '')?.[1];
  const tagMs = tag === undefined ? 0 : Math.min(Number(tag), STAMP_MS_MAX);
  return {
    kind: 'there',
    signature: { tagMs, total: countOf(all), young: young ? countOf(young) : -1 },
  };
}

/** Records that a HEAD counts: servers from before 1.21 have the other name only. */
function countOf(answer: PartAnswer): number {
  const text = partHeader(answer, 'total-objects') ?? partHeader(answer, 'total-records') ?? '';
  return /^\d{1,12}$/.test(text) ? Number(text) : -1;
}

/** Makes these collections, and their buckets. False for one that this user may not make. */
export async function make(kinto: Kinto, names: readonly string[]): Promise<boolean[]> {
  const isNew = { 'If-None-Match': '*' };
  const buckets = [...new Set(names.map((name) => kinto.bucketPath(name)))];
  const paths = [...buckets, ...names.map((name) => kinto.collectionPath(name))];
  const parts = paths.map((path): Part => ({ method: 'PUT', path, headers: isNew, body: {} }));
  const answers = await kinto.ask(parts);
  if (answers === 'readOnly') return names.map(() => false);
  return answers.slice(buckets.length).map(({ status }) => status < 300 || status === 412);
}

/** Who seals and opens the epoch of a collection. */
interface Sealer {
  readonly crypto: BsoCrypto;
  readonly bundle: KeyBundle;
  /** Of the collection, if this device makes its epoch. */
  readonly form: string;
  /** The device changes nothing there if it may not. */
  readonly mayMake: boolean;
}

/** The form of a collection whose small records are sealed together. */
export const PACKED = '/packs';

/** Whether records of this origin, or with this epoch, are sealed together. */
export const isPacked = (epoch: string): boolean => epoch.endsWith(PACKED);

/**
 * What the records of each of these collections belong to: a text that the first device has sealed
 * into a record of its own. A collection that was emptied, made anew or restored from elsewhere has
 * another one, or none, and then gets a new one. Null: this user may make none. Errors:
 * `keyMismatch` for one that the user's key does not open, `clientTooOld` for one of a form that
 * this build does not know; those of the batch.
 */
export async function epochsOf(
  kinto: Kinto,
  names: readonly string[],
  sealerOf: (name: string) => Sealer,
  { platform }: Pick<RemoteOptions, 'platform'>,
): Promise<(string | null | SyncError)[]> {
  const pathOf = (name: string): string => `${kinto.recordsPath(name)}/${EPOCH_ID}`;
  const found = await kinto.ask(names.map((name) => ({ method: 'GET', path: pathOf(name) })));
  if (found === 'readOnly') return names.map(() => null);
  const epochs: (string | null | SyncError)[] = [];
  for (const [at, name] of names.entries()) {
    const { crypto, bundle, form, mayMake } = sealerOf(name);
    const answer = found[at];
    const there = answer?.status === 200 ? member(answer.body, 'data') : undefined;
    if (answer?.status !== 404 || !mayMake) {
      const isThere = answer?.status === 200;
      epochs.push(isThere ? await openEpoch(crypto, bundle, member(there, 'payload'), name) : null);
      continue;
    }
    const epoch = encodeBase64(platform.entropy.random(EPOCH_BYTES), 'url') + form;
    const [payload] = await crypto.seal(bundle, [JSON.stringify({ id: EPOCH_ID, epoch })]);
    const put = { 'If-None-Match': '*' };
    const made = await kinto.ask([
      { method: 'PUT', path: pathOf(name), headers: put, body: { data: { payload } } },
    ]);
    const [put1] = made === 'readOnly' ? [] : made;
    const existing = member(member(put1?.body, 'details'), 'existing');
    if (put1?.status === 201 || put1?.status === 200) epochs.push(epoch);
    // A refusal that does not show whose is there proves nothing of a key.
    else if (put1?.status !== 412 || existing == null) epochs.push(null);
    else epochs.push(await openEpoch(crypto, bundle, member(existing, 'payload'), name));
  }
  return epochs;
}

async function openEpoch(
  crypto: BsoCrypto,
  bundle: KeyBundle,
  payload: unknown,
  collection: string,
): Promise<string | SyncError> {
  const item = { id: EPOCH_ID, payload: typeof payload === 'string' ? payload : '' };
  const [opened] = await crypto.open(bundle, [item]);
  const epoch = opened?.ok ? opened.body.epoch : undefined;
  if (typeof epoch === 'string' && EPOCH.test(epoch)) return epoch;
  if (typeof epoch === 'string' && OTHER_FORM.test(epoch)) {
    return new SyncError('clientTooOld', `${collection}: its records have a newer form`, {
      collection,
    });
  }
  return new SyncError('keyMismatch', `${collection}: its epoch does not open under this key`, {
    collection,
  });
}

const EPOCH_BYTES = 12;
const EPOCH = /^[A-Za-z0-9_-]{16}(\/packs)?$/;
const OTHER_FORM = /^[A-Za-z0-9_-]{16}\/[a-z0-9-]{1,16}$/;
