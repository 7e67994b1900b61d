// What lies in a folder, for apps that show a tree: the children that the folder names, in its
// order, then those that only say themselves that they lie in it. A child is shown where it says
// that it is, and nowhere else.

import { bookmarks as records } from '../collections/bookmarks.ts';
import type { Body, Collection, Folders } from '../collections/collection.ts';
import { badInput } from '../errors.ts';
import { LIST_CHARS_MAX } from '../limits.ts';
import { knownMs, NO_ENTRY, visible } from '../store/record.ts';
import type { CollectionStore } from '../store/store.ts';
import { storedIdOf, wireIdOf } from './record-id.ts';

interface Portion {
  readonly ids: readonly string[];
  /** Where to go on behind each of them: a number in the folder's order, or an index key. */
  readonly places: readonly string[];
  readonly next: string | null;
}

/** Records in folders, and what lists them: a build without such a collection carries neither. */
interface FolderCollection extends Collection {
  readonly listFolder: typeof listFolder;
}

export const bookmarks: FolderCollection = /* @__PURE__ */ withFolders(records);

export function hasFolders(collection: Collection): collection is FolderCollection {
  return 'listFolder' in collection;
}

/** Called as pure (the comment tells the bundler). */
function withFolders(collection: Collection): FolderCollection {
  return { ...collection, listFolder };
}

/** At most `limit` children, fewer where they are long. Errors: `badInput`. */
async function listFolder(
  store: CollectionStore,
  parent: string,
  limit: number,
  after: string | null,
): Promise<{ records: Body[]; next: string | null }> {
  const { collection } = store;
  const { folders } = collection;
  if (folders === undefined) throw badInput('parent: there are no folders here');
  const { ids, places, next } = await portionOf(store, folders, parent, limit, after);
  const records: Body[] = [];
  let chars = 0;
  for (const [index, id] of ids.entries()) {
    // One at a time: a child may be a folder with thousands of its own.
    const [entry = NO_ENTRY] = await store.load([id]);
    const body = visible(entry);
    if (body === null) continue;
    if (!collection.index(body, knownMs(entry)).includes(folders.key(parent))) continue;
    const record = collection.view(id, body);
    chars += JSON.stringify(record).length;
    if (chars > LIST_CHARS_MAX && records.length > 0) {
      return { records, next: places[index - 1] ?? after };
    }
    records.push(record);
  }
  return { records, next };
}

async function portionOf(
  store: CollectionStore,
  folders: Folders,
  parent: string,
  limit: number,
  after: string | null,
): Promise<Portion> {
  const most = Math.min(limit, store.heap.batchRecordsMax);
  const [folder = NO_ENTRY] = await store.load([wireIdOf(store.collection, parent, 'parent')]);
  const body = visible(folder);
  const children = body === null ? [] : folders.children(body);
  const named = children.map((id) => storedIdOf(store.collection, id));
  const prefix = `${folders.key(parent)}!`;
  const text = typeof after === 'string' ? after : '';
  const at = /^\d{1,9}$/.test(text) ? Number(text) : null;
  if (after !== null && at === null && !text.startsWith(store.keys.indexes + prefix)) {
    throw badInput('after: not the next of a list like this');
  }
  const from = after === null ? 0 : (at ?? named.length);
  if (from < named.length) {
    const portion = named
      .slice(from, from + most)
      .map((id, at) => ({ id, place: `${from + at + 1}` }));
    const usable = portion.flatMap(({ id, place }) => (id === null ? [] : [{ id, place }]));
    return {
      ids: usable.map(({ id }) => id),
      places: usable.map(({ place }) => place),
      next: portion[portion.length - 1]?.place ?? null,
    };
  }
  const rest = await store.indexed({ prefix, limit: most, after: at === null ? after : null });
  const known = new Set<string | null>(named);
  const others = rest.ids.map((id, index) => ({ id, place: rest.places[index] ?? '' }));
  const unnamed = others.filter(({ id }) => !known.has(id));
  return {
    ids: unnamed.map(({ id }) => id),
    places: unnamed.map(({ place }) => place),
    next: rest.next,
  };
}
