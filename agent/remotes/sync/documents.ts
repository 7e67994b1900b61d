// What the device knows of the user's account on the server: `meta/global` and `crypto/keys`.
// It reads and respects both. Of all that they say it changes one thing: engines are added that
// nobody has declined. Nothing on the server is ever wiped here.
// Source: Sync global storage format 5.

import type { BsoCrypto } from '../../../crypto/bso.ts';
import { isObject, jsonOf } from '../../../crypto/engine.ts';
import { CryptoError } from '../../../crypto/error.ts';
import { type CollectionKeys, type KeyBundle, parseCryptoKeys } from '../../../crypto/keys.ts';
import type { Change, Storage, Value } from '../../../platform/ports.ts';
import { badResponse, fromPort, SyncError } from '../../errors.ts';
import { CONFLICT_ROUNDS_MAX } from '../../limits.ts';
import { FORM, headNumbers, jsonStored, storedObject } from '../../store/stored.ts';
import type { Vault } from '../../store/vault.ts';
import { parseDocument } from '../../wire/document.ts';
import { withMembers } from '../../wire/insert.ts';
import type { Document, Envelope, PushResult, Remote } from '../remote.ts';

export const STORAGE_VERSION = 5;

export interface MetaGlobal {
  /** Where it was read: see `Remote.place`. */
  readonly place: string;
  readonly modifiedMs: number;
  readonly syncId: string;
  readonly engines: readonly {
    readonly name: string;
    readonly version: number;
    readonly syncId: string;
  }[];
  readonly declined: readonly string[];
}

export interface Account {
  readonly meta: MetaGlobal | null;
  readonly keysModifiedMs: number | null;
  /** Errors: `keyMismatch` when the keys were never read. */
  bundle(collection: string): KeyBundle;
  /** Changes with the collection's keys and tells nothing of them. Errors: as `bundle`. */
  fingerprint(collection: string): string;
  /** Errors: `noSyncData`, `clientTooOld`, those of the remote. */
  refreshMeta(remote: Remote): Promise<void>;
  /**
   * Adds those engines to `meta/global` that the account neither has nor has declined, by what it
   * says now, and leaves every other character of it as it is. `stored` also where there was
   * nothing to add. Errors: as `refreshMeta`.
   */
  addEngines(
    remote: Remote,
    engines: readonly { readonly name: string; readonly version: number }[],
    newId: () => string,
  ): Promise<PushResult['kind']>;
  /** Errors: `noSyncData`, `keyMismatch`, those of the remote. True if they changed. */
  refreshKeys(remote: Remote, crypto: BsoCrypto, syncKey: KeyBundle): Promise<boolean>;
  /** As if nothing had ever been read. */
  forget(): Promise<void>;
}

/** Reads what is kept of the account; nothing kept is not an error. */
export async function openAccount(
  storage: Storage,
  vault: Vault,
  generation: string,
): Promise<Account> {
  const metaKey = `${generation}.m`;
  const keysKey = `${generation}.k`;
  const [storedMeta, storedKeys] = await storage.get([metaKey, keysKey]);
  let meta = storedMeta == null ? null : storedMetaOf(storedMeta);
  let keys: Keys | null = null;
  if (storedKeys instanceof Uint8Array) {
    const opened = await vault.open(keysKey, storedKeys);
    const [modifiedMs] = headNumbers(opened?.head ?? '', 1);
    if (opened !== null && modifiedMs !== undefined) keys = keysOf(modifiedMs, opened.text);
  }

  const commit = async (...changes: Change[]): Promise<void> => {
    try {
      await storage.commit(changes);
    } catch (error) {
      throw fromPort(error);
    }
  };

  const readMeta = async (remote: Remote): Promise<Envelope> =>
    found(await remote.document('meta', 'global'), 'meta/global');

  const keepMeta = async (envelope: Envelope, remote: Remote): Promise<MetaGlobal> => {
    meta = parseMeta(envelope, await remote.place());
    await commit([metaKey, jsonStored(meta)]);
    return meta;
  };

  return {
    get meta() {
      return meta;
    },
    get keysModifiedMs() {
      return keys?.modifiedMs ?? null;
    },
    bundle(collection) {
      if (keys === null) throw new SyncError('keyMismatch', 'crypto/keys were not read yet');
      return keys.parsed.bundleFor(collection);
    },
    fingerprint(collection) {
      if (keys === null) throw new SyncError('keyMismatch', 'crypto/keys were not read yet');
      const known = keys.fingerprints.get(collection);
      if (known !== undefined) return known;
      const fingerprint = keys.parsed.fingerprint(collection);
      keys.fingerprints.set(collection, fingerprint);
      return fingerprint;
    },
    // Read without a condition: what lies there may have another time than ours and be older.
    async refreshMeta(remote) {
      await keepMeta(await readMeta(remote), remote);
    },
    async addEngines(remote, engines, newId) {
      let before = '';
      for (let round = 0; round < 2 * CONFLICT_ROUNDS_MAX; round++) {
        const envelope = await readMeta(remote);
        const now = await keepMeta(envelope, remote);
        const added = engines
          .filter(({ name }) => isAbsent(now, name))
          .map(({ name, version }) => [name, { version, syncID: newId() }] as const);
        if (added.length === 0) return 'stored';
        // It goes back whole: what something on the way has garbled is not read twice.
        const isSure = envelope.payload === before;
        before = envelope.payload;
        if (!isSure) continue;
        const payload = withMembers(envelope.payload, 'engines', added);
        if (payload === null) return 'refused';
        const whole = { id: 'global', payload, sortindex: null, ttlSeconds: null };
        const result = await remote.write('meta', { ...whole, baseMs: envelope.modifiedMs });
        if (result.kind === 'stored') {
          await keepMeta({ ...envelope, payload, modifiedMs: result.modifiedMs }, remote);
        }
        if (result.kind !== 'conflict') return result.kind;
      }
      return 'conflict';
    },
    async refreshKeys(remote, crypto, syncKey) {
      const document = await remote.document('crypto', 'keys');
      const envelope = found(document, 'crypto/keys');
      const [opened] = await crypto.open(syncKey, [envelope]);
      if (opened === undefined || !opened.ok) {
        const code = opened?.code ?? 'badPayload';
        throw new SyncError(
          'keyMismatch',
          `crypto/keys does not open with this account's key: ${code}`,
        );
      }
      const next = keysOf(envelope.modifiedMs, opened.text);
      const changed = next.text !== keys?.text;
      if (!changed && next.modifiedMs === keys?.modifiedMs) return false;
      keys = next;
      await commit([keysKey, await vault.seal(keysKey, `${FORM}${next.modifiedMs}`, next.text)]);
      return changed;
    },
    async forget() {
      await commit([metaKey, null], [keysKey, null]);
      meta = null;
      keys = null;
    },
  };
}

/** The account does not list this engine, and nobody has declined it. */
export function isAbsent(meta: MetaGlobal | null, name: string): boolean {
  return (
    meta !== null &&
    !meta.declined.includes(name) &&
    !meta.engines.some((engine) => engine.name === name)
  );
}

function found(document: Document, name: string): Envelope {
  if (document.kind === 'found') return document.envelope;
  throw new SyncError('noSyncData', `${name}: this account has no Sync data yet`);
}

/** Null if it is damaged: the server has it. */
function storedMetaOf(stored: Value): MetaGlobal | null {
  const meta = storedObject(NO_META, stored);
  return meta?.engines.every((engine) => record(engine) !== null) ? meta : null;
}

const NO_META: MetaGlobal = { place: '', modifiedMs: 0, syncId: '', engines: [], declined: [] };

interface Keys {
  readonly modifiedMs: number;
  readonly text: string;
  readonly parsed: CollectionKeys;
  /** By collection: computed once. */
  readonly fingerprints: Map<string, string>;
}

function keysOf(modifiedMs: number, text: string): Keys {
  try {
    const parsed = parseCryptoKeys(jsonOf(text));
    return { modifiedMs, text, parsed, fingerprints: new Map() };
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    throw new SyncError('keyMismatch', `crypto/keys: ${error.message}`);
  }
}

/** The record's cleartext payload. Versions may be numbers or, from old clients, text. */
function parseMeta({ payload, modifiedMs }: Envelope, place: string): MetaGlobal {
  const root = record(parseDocument(payload));
  const version = Number(root?.get('storageVersion'));
  const syncId = root?.get('syncID');
  if (root === null || !(version >= 0) || typeof syncId !== 'string') {
    throw badResponse('meta/global: storageVersion or syncID is missing');
  }
  if (version > STORAGE_VERSION) {
    throw new SyncError(
      'clientTooOld',
      `meta/global: storageVersion is ${version}, at most 5 is known`,
    );
  }
  if (version < STORAGE_VERSION) {
    throw new SyncError('noSyncData', `meta/global: storageVersion is ${version}, 5 is needed`);
  }
  const declined = root.get('declined');
  const engines = [...(record(root.get('engines')) ?? [])].map(([name, value]) => {
    const engine = record(value);
    const engineSyncId = engine?.get('syncID');
    return {
      name,
      version: Number(engine?.get('version')),
      syncId: typeof engineSyncId === 'string' ? engineSyncId : '',
    };
  });
  return {
    place,
    modifiedMs,
    syncId,
    engines,
    declined: Array.isArray(declined) ? declined.filter((name) => typeof name === 'string') : [],
  };
}

/** An outside object as a Map: `__proto__` is a name like any other. */
function record(value: unknown): Map<string, unknown> | null {
  return isObject(value) ? new Map(Object.entries(value)) : null;
}
