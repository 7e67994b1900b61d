// The made-up protocol of one document as a remote: what has changed is found by reading all of it,
// a change is sent by sending all of it, and what was in it stays in it, whatever it is. Its
// members have times of their own; who is newer wins.

import { SyncError } from '../../../agent/errors.ts';
import type {
  Codec,
  Envelope,
  Held,
  Incoming,
  Listed,
  Offer,
  Remote,
  RemoteDriver,
  RemoteOptions,
  Upload,
} from '../../../agent/remotes/remote.ts';
import type { CollectionStore } from '../../../agent/store/store.ts';
import { isObject } from '../../../crypto/engine.ts';
import { clientState } from '../../../crypto/keys.ts';
import { NO_ACCOUNT, odd, pageOf } from './client.ts';
import { type DocumentWire, openWire, type Whole } from './document-wire.ts';

export const documentRemote: RemoteDriver = {
  protocol: 'document',
  keyName: clientState,
  account: async () => NO_ACCOUNT,
  open: openDocument,
};

const MEMBERS_MAX = 10_000;

function openDocument(options: RemoteOptions): Remote {
  const { platform } = options;
  const wire = openWire(options);
  const { read } = wire;
  /** What this pass knows of it; null: that it has not changed. */
  let whole: Whole | null = null;

  return {
    async begin(wanted) {
      const offers: Offer[] = [];
      for (const one of wanted) {
        whole = await read(one.store.state.position);
        const aheadMs = (whole?.serverNowMs ?? options.notes.serverNowMs) - platform.clock.nowMs();
        const codec: Codec = {
          open: async (envelopes) => envelopes.splice(0).map(incomingOf),
          seal: async ({ id, body, base, changedAtMs }) => {
            const last_modified = Math.max((changedAtMs + aheadMs) / 1_000, Number(base) + 0.001);
            const { id: _, ...members } = body ?? { id, deleted: true };
            return { id, payload: JSON.stringify({ last_modified, ...members }), base, beside: {} };
          },
        };
        const origin = await wire.resource();
        offers.push({ ...one, origin, moved: whole !== null, codec });
      }
      return offers;
    },

    async changes(store, at) {
      whole ??= await read(at);
      if (whole === null) return null;
      const { members, serverNowMs, at: end } = whole;
      // What is not there is not deleted: it goes up again.
      if (!store.state.resetting && (await lacksOf(store, whole))) {
        return { restart: '', whole: 'ours' };
      }
      const listed = [...members].map(([id, member]) => listedOf(id, member));
      return pageOf(listed, { end, hasNext: false, behind: () => '' }, serverNowMs);
    },

    async fetch(_store, id) {
      whole ??= await read('');
      const listed = whole?.members.has(id) ? listedOf(id, whole.members.get(id)) : null;
      if (listed === null || !whole) return { kind: 'missing' };
      if (!listed.ok) throw new SyncError('badResponse', `${id}: ${listed.code}`);
      return { kind: 'found', envelope: listed.envelope, serverNowMs: whole.serverNowMs };
    },

    upload: async (_store, held) =>
      openUpload(wire, held, () => {
        const known = whole;
        whole = null;
        return known;
      }),
  };
}

/** What the device has agreed on is not in it. */
async function lacksOf({ mirrorIds }: CollectionStore, { members }: Whole): Promise<boolean> {
  for (let after: string | null = null; ; ) {
    const { ids, next }: { ids: string[]; next: string | null } = await mirrorIds(after, 100);
    if (ids.some((id) => !members.has(id))) return true;
    if (next === null) return false;
    after = next;
  }
}

/** `known`: the document, if it has been read; from then on it is not known any more. */
function openUpload(wire: DocumentWire, held: Held, known: () => Whole | null): Upload {
  return {
    addMax: MEMBERS_MAX,
    addCharsMax: 1_000_000,
    async add(records) {
      const members = new Map((known() ?? (await wire.read('')))?.members);
      await held.each(async (id, body, version) => {
        if (version === null || members.has(id)) return;
        const { id: _, ...rest } = body;
        members.set(id, { last_modified: Number(version), ...rest });
      });
      for (const { id, payload } of records) members.set(id, JSON.parse(payload ?? 'null'));
      const reply = await wire.write(members);
      if (reply.status === 403) return records.map(() => ({ kind: 'readOnly' }));
      if (reply.status !== 204) throw odd(reply, 'upload');
      return records.map(({ id }) => {
        const listed = listedOf(id, members.get(id));
        const version = listed.ok ? listed.envelope.version : '';
        return { kind: 'stored', version, modifiedMs: Number(version) * 1_000 };
      });
    },
    commit: async () => ({ kind: 'none' }),
  };
}

function listedOf(id: string, member: unknown): Listed {
  const text = JSON.stringify(member);
  const chars = text.length;
  const lastModified = isObject(member) ? member.last_modified : null;
  if (typeof lastModified !== 'number') return { ok: false, id, code: 'badEnvelope', chars };
  const payload = isObject(member) && member.deleted === true ? null : text;
  const modifiedMs = lastModified * 1_000;
  return { ok: true, envelope: { id, version: `${lastModified}`, modifiedMs, payload }, chars };
}

function incomingOf({ id, payload }: Envelope): Incoming {
  if (payload === null) return { kind: 'tombstone' };
  const { last_modified: _, ...members } = JSON.parse(payload);
  const body = { id, ...members };
  return { kind: 'live', body, text: JSON.stringify(body) };
}
