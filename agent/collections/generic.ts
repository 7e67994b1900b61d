// A collection of an app's own: records of any JSON members, kept together by nothing but their
// ids. Of two versions each member is as the side says that has changed it, as the younger one says
// where both have. Nothing in a record is understood.

import type { Strategy } from '../config.ts';
import type { Body, Collection, Prepared } from './collection.ts';
import { chooseId, refuse, shortId, withIdFirst, youngerWins } from './members.ts';
import { NO_RECORD_ID } from './record-id.ts';

interface GenericOptions {
  /** Sealed at rest; true by default. */
  readonly sealed?: boolean;
  /** Not encrypted on a server that can do that: see `Collection.plain`. */
  readonly plain?: Collection['plain'];
  /** Used by builds with `strategies`; see `youngerWins` for what happens without it. */
  readonly strategy?: Strategy | undefined;
  /** See `Collection.packed`; false by default. */
  readonly packed?: boolean;
}

/** A collection's name, as servers take it. */
const NAME = /^[A-Za-z0-9._-]{1,32}$/;

/** Throws an Error for a name that no server takes. */
export function generic(name: string, options: GenericOptions = {}): Collection {
  if (!NAME.test(name)) throw new Error(`not the name of a collection: ${name}`);
  const { sealed = true, packed = false, strategy, plain } = options;
  return {
    name,
    // The dot ends it in storage keys.
    letter: `g${name.replace(/\./g, '~')}`,
    sealed,
    ...(strategy && { strategy }),
    ...(plain && { plain }),
    evictable: false,
    ...(packed && { packed }),

    check: () => null,
    isEmpty: () => false,

    // The id ends every index key, so this one orders by it.
    index: () => ['u'],
    addressPrefix: () => 'u',
    matches: ({ id }, prefix) => (id as string).startsWith(prefix),

    merge: youngerWins,
    outgoing: withIdFirst,
    prepare,
    newId: shortId,
    view: withIdFirst,
  };
}

/** Collections that are made at run time: any number, under any name that servers take. */
export const genericKind = {
  kind: 'generic',
  collection: (name: string): Collection | null => (NAME.test(name) ? generic(name) : null),
  names: '1 to 32 letters, digits and ._-',
};

function prepare(input: Body, existing: Body | null, newId: string): Prepared {
  const id = chooseId(input, existing, newId);
  if (id === null) return refuse(`id: ${NO_RECORD_ID}`);
  const { deleted, guid, ...members } = input;
  // It may be a member, or the other name that apps have for the id.
  const own = guid === undefined || guid === id ? {} : { guid };
  return { ok: true, id, body: { ...withIdFirst(id, { ...existing }), ...members, ...own, id } };
}
