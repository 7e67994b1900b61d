// The made-up servers as services: another client of each, which shares the words of the protocol
// and the user's key with the remote under test, and nothing else.

import { generic } from '../../../agent/index.ts';
import { isObject } from '../../../emulator/servers/http.ts';
import type { Identity, SyncKey } from '../../../platform/ports.ts';
import { NOW_MS } from '../device.ts';
import type { Body, Service, Traits } from '../service.ts';
import { documentRemote } from './document-remote.ts';
import { COLLECTION as APPS, AUDIENCE, DocumentServer } from './document-server.ts';
import type { Change } from './log-change.ts';
import { logRemote } from './log-remote.ts';
import { LogServer } from './log-server.ts';
import { about } from './log-wire.ts';
import { recordsRemote } from './records-remote.ts';
import { RecordsServer } from './records-server.ts';
import { seal, sign, unseal } from './seal.ts';
import type { Trouble } from './server.ts';

const KEY = { kB: 'a095c51c1c6e384e8d5777d97e3c487a4fc2128a00ab395a73d57fedf41631f0' };
const NAME = 'things';

interface MadeUp extends Service {
  readonly trouble: Trouble;
}

const readOnly = (service: Service, isReadOnly: boolean): void => {
  const { trouble, collection } = service as MadeUp;
  trouble.readOnly[isReadOnly ? 'add' : 'delete'](collection);
};

export const RECORDS: Traits = {
  ...{ isSealed: true, isGuarded: true, times: null, pageRecords: 5, readOnly },
};
export const DOCUMENT: Traits = {
  ...{ isSealed: false, isGuarded: false, pageRecords: null, readOnly },
  drop: (service, id) => (service as DocumentService).drop(id),
  times: 'own',
};
export const LOG: Traits = {
  ...{ isSealed: true, isGuarded: true, times: null, pageRecords: 5, readOnly },
  compact: (service) => (service as LogService).compact(),
  planned: (body) => JSON.parse(body).changes.map(({ changeid }: Change) => changeid),
};

/** A service whose records may have ids that it does not take, or that no storage does. */
interface NamedService extends MadeUp {
  /** What the server calls the records that are not deleted, whoever has sealed them. */
  wireIds(): string[];
}

/** Records with wire tombstones, opaque versions and the server's copy in a conflict. */
export function recordsService(): NamedService {
  const server = new RecordsServer();
  const written = counted();
  const { write } = server;
  server.write = (name, id, payload) => {
    written.add(id);
    return write.call(server, name, id, payload);
  };
  const put = (id: string, payload: string | null): void => void server.write(NAME, id, payload);
  server.flush(NAME);
  return {
    ...basics('records', server, { nowMs: NOW_MS }),
    contents: { drivers: [recordsRemote], collections: [generic(NAME)] },
    identity: userWith(KEY, () => server.token),
    id: (n) => `record-${n}`,
    live() {
      const live = server.records(NAME).flatMap((record) => {
        const text = 'payload' in record ? unseal(KEY, record.id, record.payload) : null;
        return text === null ? [] : [bodyOf(record.id, JSON.parse(text))];
      });
      return new Map(live);
    },
    put: (id, body) => put(id, seal(KEY, id, JSON.stringify({ id, ...body }))),
    delete: (id) => put(id, null),
    spoil: (id) => put(id, seal(KEY, 'another', 'x')),
    raw: (id) => JSON.stringify(server.records(NAME).find((record) => record.id === id)),
    writes: written.of,
    expire: () => {
      server.token = `${server.token}-2`;
    },
    renew: () => void server.flush(NAME),
    wireIds: () => server.records(NAME).flatMap((one) => ('payload' in one ? [one.id] : [])),
    isPage: ({ url }) => /\/records(\?|$)/.test(url),
    isWrite: async ({ method }) => method === 'POST',
  };
}

interface LogService extends NamedService {
  compact(): void;
}

/** A numbered, chained log where each number is part of what is sealed. */
export function logService(): LogService {
  const server = new LogServer([NAME]);
  const add = (key: string, sealed: (seqnum: number) => string | null): void =>
    server.write(NAME, key, { seal: sealed, sign: (changeid) => sign(KEY, changeid) });
  const raw = (id: string) => server.records(NAME).get(id);
  return {
    ...basics('log', server, { nowMs: NOW_MS }),
    contents: { drivers: [logRemote], collections: [generic(NAME)] },
    identity: userWith(KEY, () => server.assertion),
    id: (n) => `record-${n}`,
    live() {
      const live = [...server.records(NAME).values()].flatMap(({ key, seqnum, payload }) => {
        const text = payload && unseal(KEY, about(seqnum, key), payload);
        return text === null ? [] : [bodyOf(key, JSON.parse(text))];
      });
      return new Map(live);
    },
    put: (id, body) =>
      add(id, (seqnum) => seal(KEY, about(seqnum, id), JSON.stringify({ id, ...body }))),
    delete: (id) => add(id, () => null),
    spoil: (id) => add(id, (seqnum) => seal(KEY, about(seqnum + 1, id), JSON.stringify({ id }))),
    raw: (id) => JSON.stringify(raw(id)),
    writes: (id) => server.log(NAME).filter(({ key }) => key === id).length,
    expire: () => {
      server.assertion = `${server.assertion}-2`;
    },
    renew: () => server.reset(NAME),
    compact: () => server.compact(NAME, 0),
    wireIds: () => [...server.records(NAME).keys()],
    isPage: ({ url }) => /\/(records|changes)(\?|$)/.test(url),
    isWrite: async ({ method, url }) => method === 'POST' && url.endsWith('/records'),
  };
}

export interface DocumentService extends NamedService {
  drop(id: string): void;
}

/** One document exchanged whole; `served`: by this server, which has the service's clock. */
export function documentService(served?: DocumentServer): DocumentService {
  const clock = { nowMs: NOW_MS };
  const server = served ?? new DocumentServer(() => clock.nowMs);
  const written = counted();
  const { replace } = server;
  server.replace = (document) => {
    const before = new Map(Object.entries(server.document()));
    replace.call(server, document);
    for (const [id, member] of Object.entries(server.document())) {
      if (JSON.stringify(member) !== JSON.stringify(before.get(id))) written.add(id);
    }
  };
  const stamp = () => ({ last_modified: clock.nowMs / 1_000 });
  return {
    ...basics('document', server, clock, AUDIENCE),
    collection: APPS,
    contents: { drivers: [documentRemote], collections: [generic(APPS)] },
    identity: userWith(KEY, () => server.assertion),
    id: (n) => `https://app${n}.test`,
    live() {
      const live = Object.entries(server.document()).flatMap(([id, member]) => {
        if (!isObject(member) || typeof member.last_modified !== 'number') return [];
        const { last_modified: _, ...body } = member;
        return body.deleted === true ? [] : [bodyOf(id, body)];
      });
      return new Map(live);
    },
    put: (id, body) => server.write(id, { ...stamp(), ...body }),
    delete: (id) => server.write(id, { ...stamp(), deleted: true }),
    spoil: (id) => server.write(id, { last_modified: 'yesterday', text: 'x' }),
    raw: (id) => JSON.stringify(server.document()[id]),
    writes: written.of,
    expire: () => {
      server.assertion = `${server.assertion}-2`;
    },
    renew: () => server.move(),
    wireIds: () =>
      Object.entries(server.document()).flatMap(([id, member]) =>
        isObject(member) && member.deleted === true ? [] : [id],
      ),
    drop(id) {
      const { [id]: _, ...rest } = server.document();
      server.replace(rest);
    },
    isPage: ({ method, url }) => method === 'GET' && url.includes('/user/'),
    isWrite: async ({ method, url }) => method === 'POST' && url.includes('/user/'),
  };
}

/** A user whose proof of who they are is `current()`, and is kept until it is refused. */
export function userWith(key: SyncKey, current: () => string): Omit<Identity, 'deviceKey'> {
  let kept = current();
  const proof = (fresh: boolean): string => {
    if (fresh) kept = current();
    return kept;
  };
  return {
    account: async () => ({ uid: '1', email: 'user@example.test' }),
    assertion: async (_audience, fresh) => proof(fresh),
    accessToken: async (fresh) => ({ token: proof(fresh) }),
    syncKey: async () => key,
  };
}

function basics(
  protocol: string,
  { fetch, trouble, url }: Pick<RecordsServer, 'fetch' | 'trouble'> & { readonly url: string },
  clock: { nowMs: number },
  audience = '',
) {
  return {
    ...{ fetch, trouble, clock, collection: NAME, timeHeaders: ['date'] },
    config: { remote: { protocol, serverUrl: url, audience, auth: 'bearer' as const } },
    wait(seconds: number) {
      trouble.waitSeconds = seconds;
    },
    down(isDown: boolean) {
      trouble.isDown = isDown;
    },
  };
}

function bodyOf(id: string, { id: _, ...body }: Body): [id: string, body: Body] {
  return [id, body];
}

function counted() {
  const counts = new Map<string, number>();
  return {
    add: (id: string): void => void counts.set(id, (counts.get(id) ?? 0) + 1),
    of: (id: string): number => counts.get(id) ?? 0,
  };
}
