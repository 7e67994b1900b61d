// The collections of a remote that does not take every id: what a driver's `named` is. The secret
// of the hashes comes of the user's key, so all devices have it; it is kept sealed, for a boot
// without the account manager. After a change of the key every record moves to its new wire id,
// before anything else is done with the collection.

import { encodeBase64 } from '../../crypto/bytes.ts';
import { hmac, hmacKey } from '../../crypto/hmac.ts';
import { encodeUtf8 } from '../../crypto/utf8.ts';
import type { Collection, RecordIds } from '../collections/collection.ts';
import { heapOf } from '../config.ts';
import { ported } from '../errors.ts';
import { eachPage } from '../store/pages.ts';
import { type Entry, isUndecided, NO_ENTRY } from '../store/record.ts';
import { rewriteEach } from '../store/rewrite.ts';
import { type CollectionStore, openCollectionStore } from '../store/store.ts';
import { renameBase } from '../store/undecided.ts';
import { type IdRules, recordIds, withIds } from './ids.ts';
import { derivedSecret, keepSecret, keptSecret } from './kept-secret.ts';
import type { Kept } from './remote.ts';

/** `RemoteDriver.named` of a remote with these rules; `name` says where in a record its name is. */
export function namedBy(rules: IdRules, name = withIds) {
  return async <T extends Collection>(collection: T, kept: Kept): Promise<T> => {
    const secret = await secretOf(kept);
    const ids = recordIds(rules, secret, collection.name);
    const named = name(collection, ids);
    await follow(named, named.ids ?? ids, tagOf(secret), kept);
    return named;
  };
}

/** For `RemoteAccount.forget`: the user may have another key now. Errors: those of the storage. */
export async function forgetNames({ platform, generation }: Kept): Promise<void> {
  await ported(platform.storage.commit([[secretKey(generation), null]]));
}

const secretKey = (generation: string): string => `${generation}.w`;

/** Errors: those of the storage, and of the account manager where nothing is kept. */
async function secretOf({ platform, vault, generation }: Kept): Promise<Uint8Array> {
  const key = secretKey(generation);
  const known = await keptSecret(platform, vault, key);
  if (known !== null) return known;
  const secret = await derivedSecret(platform, 'kitsync/v1/ids');
  await keepSecret(platform, vault, key, secret);
  return secret;
}

/** Names a secret, and tells nothing of it. */
function tagOf(secret: Uint8Array): string {
  return encodeBase64(hmac(hmacKey(secret), encodeUtf8('tag')).subarray(0, 12), 'url');
}

/** Has all records under the ids of this secret; safe to be cut and done again. */
async function follow(
  collection: Collection,
  ids: RecordIds,
  tag: string,
  { platform, config, vault, generation }: Kept,
): Promise<void> {
  const { clock, storage } = platform;
  const key = `${secretKey(generation)}.${collection.letter}`;
  const [stored = null] = await ported(storage.get([key]));
  if (stored === tag) return;
  const pause = (): Promise<void> => clock.pause();
  await rehash(
    await openCollectionStore(storage, vault, generation, collection, pause, heapOf(config)),
    ids,
    pause,
  );
  await ported(storage.commit([[key, tag]]));
}

/** A deletion whose record nobody knows any more stays where it is: it has no other name. */
async function rehash(
  store: CollectionStore,
  ids: RecordIds,
  pause: () => Promise<void>,
): Promise<void> {
  const targetOf = (id: string, { local, mirror }: Entry): string =>
    ids.wireId(ids.ownId(id, local?.body ?? mirror?.body ?? null)) ?? id;
  for (const isLocal of [true, false]) {
    await eachPage(store, isLocal, async (page) => {
      for (const id of isLocal ? page : []) {
        const [entry = NO_ENTRY] = await store.load([id]);
        const target = targetOf(id, entry);
        if (isUndecided(entry.local) && target !== id) await renameBase(store, id, target, pause);
      }
      await rewriteEach(
        store,
        page.map((id) => ({ id })),
        (transaction, entry, { id }) => {
          const target = targetOf(id, entry);
          if (target === id) return;
          transaction.set(target, NO_ENTRY, entry);
          transaction.set(id, entry, NO_ENTRY);
        },
      );
    });
  }
}
