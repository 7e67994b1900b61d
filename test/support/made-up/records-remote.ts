// The made-up protocol of records as a remote: opaque versions without times, tombstones on the
// wire, and conflicts that bring what the server holds.

import type { Collection } from '../../../agent/collections/collection.ts';
import { forgetNames, namedBy } from '../../../agent/remotes/named.ts';
import type {
  Codec,
  Envelope,
  Fetched,
  Listed,
  Outgoing,
  PushResult,
  Remote,
  RemoteDriver,
  RemoteOptions,
} from '../../../agent/remotes/remote.ts';
import type { CollectionStore } from '../../../agent/store/store.ts';
import { clientState } from '../../../crypto/keys.ts';
import type { SyncKey } from '../../../platform/ports.ts';
import { createAsk, keyFrom, NO_ACCOUNT, odd, pageOf, type Reply } from './client.ts';
import { opener, provenBy, seal } from './seal.ts';

export const recordsRemote: RemoteDriver = {
  protocol: 'records',
  keyName: clientState,
  account: async (kept) => ({ ...NO_ACCOUNT, forget: () => forgetNames(kept) }),
  named: namedBy({
    charsMax: 2_048,
    isLegal: (id) => /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}$/.test(id),
  }),
  open: openRecords,
};

function openRecords(options: RemoteOptions): Remote {
  const { config, platform } = options;
  const base = config.remote.serverUrl;
  const ask = createAsk(options, async (fresh) => {
    const { token } = await platform.identity.accessToken(fresh);
    return [['Authorization', `Bearer ${token}`]];
  });
  const pathOf = ({ collection }: CollectionStore, id?: string): string =>
    `/collections/${collection.name}/records${id === undefined ? '' : `/${id}`}`;
  let batchMax = 1;

  return {
    async begin(wanted) {
      const { json } = await ask('GET', `${base}/collections`);
      batchMax = json.batch_max_requests;
      const key = keyFrom(options);
      return wanted.map((one) => {
        const { collection, state } = one.store;
        const there = json.data.find(({ id }: { id: string }) => id === collection.name);
        return {
          ...one,
          origin: there?.created ?? '',
          moved: there !== undefined && there.etag !== state.position,
          codec: codecOf(collection, key),
        };
      });
    },

    async changes(store, at) {
      const since = at === '' ? '' : `?_since=${at}`;
      const reply = await ask('GET', `${base}${pathOf(store)}${since}`);
      if (reply.status !== 200) throw odd(reply, 'changes');
      const next = reply.header('next-since');
      return pageOf(reply.json.data.map(listedOf), {
        end: next ?? reply.header('etag') ?? '',
        hasNext: next !== null,
        behind: ({ version }) => version,
      });
    },

    async fetch(store, id) {
      const reply = await ask('GET', `${base}${pathOf(store, id)}`);
      if (reply.status === 404) return { kind: 'missing' };
      if (reply.status !== 200) throw odd(reply, 'fetch');
      return fetchedOf(reply.json.data);
    },

    async upload(store) {
      return {
        addMax: batchMax,
        addCharsMax: 100_000,
        async add(records) {
          const requests = records.map((record) => requestOf(pathOf(store, record.id), record));
          const reply = await ask('POST', `${base}/batch`, {}, { requests });
          if (reply.status !== 200) throw odd(reply, 'batch');
          return reply.json.responses.map((part: PartReply) => resultOf(part));
        },
        commit: async () => ({ kind: 'none' }),
      };
    },
  };
}

function codecOf(collection: Collection, key: SyncKey): Codec {
  const open = opener(key, ({ id }) => id);
  return {
    open: provenBy(collection, open),
    seal: async ({ id, body, base }) => {
      const payload = body && seal(key, id, JSON.stringify(body));
      return { id, payload, base, beside: {} };
    },
  };
}

interface Part {
  readonly id: string;
  readonly last_modified: string;
  readonly payload?: string;
}

interface PartReply {
  readonly status: number;
  readonly body: Reply['json'];
}

function envelopeOf({ id, last_modified, payload = undefined }: Part): Envelope {
  return { id, version: last_modified, modifiedMs: null, payload: payload ?? null };
}

function listedOf(part: Part): Listed {
  return { ok: true, envelope: envelopeOf(part), chars: part.payload?.length ?? 100 };
}

function fetchedOf(part: Part): Fetched {
  return { kind: 'found', envelope: envelopeOf(part), serverNowMs: null };
}

function requestOf(path: string, { payload, base }: Outgoing): object {
  return {
    method: payload === null ? 'DELETE' : 'PUT',
    path,
    headers: base === null ? { 'if-none-match': '*' } : { 'if-match': base },
    body: payload === null ? {} : { data: { payload } },
  };
}

function resultOf({ status, body }: PartReply): PushResult {
  if (status < 300) return { kind: 'stored', version: body.data.last_modified, modifiedMs: null };
  if (status === 403) return { kind: 'readOnly' };
  if (status !== 412) return { kind: 'refused' };
  const { existing = null } = body.details;
  return {
    kind: 'conflict',
    theirs: existing === null ? { kind: 'missing' } : fetchedOf(existing),
  };
}
