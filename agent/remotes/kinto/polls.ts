// What a pass begins with: one request that tells of every collection whether it has moved, and
// what is to be made where there is nothing yet. A part of a batch is never asked under a
// condition: an answer of 304 would spoil the whole batch.

import { STAMP_MS_MAX } from '../../limits.ts';
import type { Wanted } from '../remote.ts';
import { type Part, type PartAnswer, partHeader } from './batch.ts';
import type { Kinto } from './http.ts';
import { placeOf, type Signature, youngSinceMs } from './position.ts';

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
