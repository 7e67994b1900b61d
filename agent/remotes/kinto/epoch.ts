// What the records of a collection belong to: a text that the first device has sealed into a record
// of its own. A collection that was emptied, made anew or restored from elsewhere has another one,
// or none, and then gets a new one. Its id is the collection's own: a server that cleans up takes
// records by their ids alone, whatever collection, and whatever user, they are of.

import type { BsoCrypto } from '../../../crypto/bso.ts';
import { encodeBase64 } from '../../../crypto/bytes.ts';
import type { KeyBundle } from '../../../crypto/keys.ts';
import { SyncError } from '../../errors.ts';
import { member } from '../../wire/document.ts';
import type { RemoteOptions } from '../remote.ts';
import type { Part, PartAnswer } from './batch.ts';
import type { Kinto } from './http.ts';
import { OLD_EPOCH_ID } from './records.ts';

/** Who seals and opens the epoch of a collection. */
interface Sealer {
  /** Of the record. */
  readonly id: string;
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
 * The epoch of each of these collections, made where there is none. Null: this user may make none.
 * Errors: `keyMismatch` for one that the user's key does not open, `clientTooOld` for one of a form
 * that this build does not know; those of the batch.
 */
export async function epochsOf(
  kinto: Kinto,
  names: readonly string[],
  sealerOf: (name: string) => Sealer,
  options: Pick<RemoteOptions, 'platform'>,
): Promise<(string | null | SyncError)[]> {
  const found = await kinto.ask(names.map((name) => partOf(kinto, name, sealerOf(name).id)));
  if (found === 'readOnly') return names.map(() => null);
  const epochs: (string | null | SyncError)[] = [];
  for (const [at, name] of names.entries()) {
    const sealer = sealerOf(name);
    const answer = found[at];
    if (answer?.status === 404) epochs.push(await missingEpoch(kinto, name, sealer, options));
    else epochs.push(answer?.status === 200 ? await opened(sealer, dataOf(answer), name) : null);
  }
  return epochs;
}

/**
 * None is there under the collection's own id: that which earlier versions have made is put there,
 * or a new one.
 */
async function missingEpoch(
  kinto: Kinto,
  name: string,
  sealer: Sealer,
  { platform }: Pick<RemoteOptions, 'platform'>,
): Promise<string | null | SyncError> {
  const { id, crypto, bundle, form, mayMake } = sealer;
  const [old] = await askedOne(kinto, partOf(kinto, name, OLD_EPOCH_ID));
  const isOld = old?.status === 200;
  const known = isOld ? await opened({ ...sealer, id: OLD_EPOCH_ID }, dataOf(old), name) : null;
  if (!mayMake || known instanceof SyncError) return known;
  if (!isOld && old?.status !== 404) return null;
  const epoch = known ?? encodeBase64(platform.entropy.random(EPOCH_BYTES), 'url') + form;
  const [payload] = await crypto.seal(bundle, [JSON.stringify({ id, epoch })]);
  const { path } = partOf(kinto, name, id);
  const headers = { 'If-None-Match': '*' };
  const [made] = await askedOne(kinto, {
    method: 'PUT',
    path,
    headers,
    body: { data: { payload } },
  });
  if (made?.status === 201 || made?.status === 200) return epoch;
  const existing = member(member(made?.body, 'details'), 'existing');
  // A refusal that does not show whose is there proves nothing of a key.
  if (made?.status !== 412 || existing == null) return known;
  return opened(sealer, existing, name);
}

function partOf(kinto: Kinto, name: string, id: string): Part {
  return { method: 'GET', path: `${kinto.recordsPath(name)}/${id}` };
}

async function askedOne(kinto: Kinto, part: Part): Promise<readonly PartAnswer[]> {
  const answers = await kinto.ask([part]);
  return answers === 'readOnly' ? [] : answers;
}

const dataOf = ({ body }: PartAnswer): unknown => member(body, 'data');

async function opened(
  { crypto, bundle, id }: Sealer,
  data: unknown,
  collection: string,
): Promise<string | SyncError> {
  const payload = member(data, 'payload');
  const item = { id, payload: typeof payload === 'string' ? payload : '' };
  const [proven] = await crypto.open(bundle, [item]);
  const epoch = proven?.ok ? proven.body.epoch : undefined;
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
