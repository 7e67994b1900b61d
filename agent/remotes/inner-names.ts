// Records whose names the server must not read, on a remote where the id inside a record has to be
// the one outside: both are a keyed hash of the name (ids.ts), and the name is a member of its own.

import type { Body, Collection, Prepared, RecordIds } from '../collections/collection.ts';
import { isHashedId } from './ids.ts';
import { forgetNames, namedBy } from './named.ts';
import type { SelfNamed } from './remote.ts';

/** The collection, hiding its records' names wherever the remote does not do that. */
export function hidingNames<T extends Collection>(collection: T): T & SelfNamed {
  return { ...collection, named, forgetNames };
}

const named = /* @__PURE__ */ namedBy({ charsMax: 2_048, isLegal: isHashedId }, withInnerNames);

function withInnerNames<T extends Collection>(collection: T, ids: RecordIds): T {
  return {
    ...collection,
    ids: {
      ...ids,
      ownId,
      proves: (id, body) => body.id === id && ids.wireId(ownId(id, body)) === id,
    },
    // After a change of the user's key the id inside is an older one until it is sent again.
    check: (body) => (body.name === undefined ? 'name: there is none' : collection.check(body)),
    prepare(input, existing, newId, nowMs, asked): Prepared {
      const name = existing ? ownId(`${existing.id}`, existing) : (input.id ?? input.guid ?? newId);
      const id = ids.wireId(name);
      if (id === null) return { ok: false, complaint: `id: ${ids.complaint}` };
      const prepared = collection.prepare({ ...input, id: name }, existing, newId, nowMs, asked);
      return prepared.ok ? { ...prepared, id, body: { ...prepared.body, id, name } } : prepared;
    },
    view: (id: string, body: Body) => collection.view(ownId(id, body), body),
  };
}

function ownId(wireId: string, body: Body | null): string {
  const name = body?.name;
  return typeof name === 'string' ? name : wireId;
}
