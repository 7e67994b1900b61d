// A collection of the form that apps have on the wire, of bodies of any kind: what a remote needs
// of `apps`, and nothing of what apps are.

import type { Body, Collection } from '../../../agent/collections/collection.ts';
import { generic } from '../../../agent/index.ts';
import { isObject } from '../../../crypto/engine.ts';

/**
 * Bodies are `{id, entry}`; apps of the device see the entry's members, but for `besides`, which
 * every entry has.
 */
export function entries(name: string, besides: Body = {}): Collection {
  const kind = generic(name);
  const flatOf = (body: Body): Body => {
    const { last_modified: _, deleted: __, ...members } = entryOf(body);
    const own = Object.entries(members).filter(([member]) => !(member in besides));
    return { ...Object.fromEntries(own), id: body.id };
  };
  const entryBody = ({ id, ...entry }: Body): Body => ({ id, entry: { ...entry, ...besides } });
  return {
    ...kind,
    merge({ local, mirror, incoming, ...times }) {
      const flat = (body: Body | null) => body && flatOf(body);
      const { mirror: agreed, local: ours } = kind.merge({
        ...times,
        local: local && { ...local, body: flat(local.body) },
        mirror: mirror && { ...mirror, body: flatOf(mirror.body) },
        incoming: { ...incoming, body: flat(incoming.body) },
      });
      return {
        mirror: agreed === null || agreed === 'asIs' ? agreed : entryBody(agreed),
        local: typeof ours === 'string' ? ours : entryBody(ours),
      };
    },
    isEmpty: (body) => entryOf(body).deleted === true,
    // Of a change that has not been sent it is not known yet.
    check: ({ entry }) =>
      isObject(entry) && /^(number|undefined)$/.test(typeof entry.last_modified)
        ? null
        : 'last_modified',
    prepare(input, existing, newId, nowMs, asked) {
      const prepared = kind.prepare(input, existing && flatOf(existing), newId, nowMs, asked);
      return prepared.ok ? { ...prepared, body: entryBody(prepared.body) } : prepared;
    },
    view: (id, body) => kind.view(id, flatOf(body)),
    // What a server has lost goes up again as it was.
    stamped(body, writtenMs, agreed = {}) {
      const entry = entryOf(body);
      const after = Number(entryOf(agreed).last_modified ?? 0);
      const last_modified = Math.max(writtenMs / 1_000, after + 0.001);
      return entry.last_modified === undefined
        ? { ...body, entry: { ...entry, last_modified } }
        : body;
    },
    outgoing: (id, body) => ({ id, entry: body.entry }),
  };
}

function entryOf({ entry }: Body): Body {
  return isObject(entry) ? entry : {};
}
