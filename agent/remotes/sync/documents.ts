// What the device knows of the user's account on the server: `meta/global` and `crypto/keys`.
// It reads and respects both, and writes neither: see enlist.ts and initialize.ts for who does.
// Source: Sync global storage format 5.

import type { BsoCrypto } from '../../../crypto/bso.ts';
import { isObject, jsonOf } from '../../../crypto/engine.ts';
import { CryptoError } from '../../../crypto/error.ts';
import { type CollectionKeys, type KeyBundle, parseCryptoKeys } from '../../../crypto/keys.ts';
import type { Change, Value } from '../../../platform/ports.ts';
import { badResponse, ported, SyncError } from '../../errors.ts';
import type { CollectionState } from '../../store/collection-state.ts';
import { FORM, headWords, jsonStored, numberOf, storedObject } from '../../store/stored.ts';
import type { Vault } from '../../store/vault.ts';
import { parseDocument } from '../../wire/document.ts';
import { type Abort, stopIfAborted } from '../../wire/http.ts';
import { bsoCryptoOf } from '../bso-crypto.ts';
import type { DevicesMemory } from '../devices.ts';
import type { Envelope, Kept, RemoteAccount } from '../remote.ts';
import { engineVersion } from './engines.ts';
import type { SyncStorage } from './storage.ts';

export const STORAGE_VERSION = 5;

interface MetaGlobal {
  /** Where it was read: see `SyncStorage.place`. */
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

export interface Account extends RemoteAccount {
  readonly crypto: BsoCrypto;
  readonly devicesMemory: DevicesMemory;
  readonly meta: MetaGlobal | null;
  readonly keysModifiedMs: number | null;
  /** Errors: `keyMismatch` when the keys were never read. */
  bundle(collection: string): KeyBundle;
  /** Changes with the collection's keys and tells nothing of them. Errors: as `bundle`. */
  fingerprint(collection: string): string;
  /**
   * Reads it without a condition: what lies there may have another time than ours and be older.
   * Resolves to it as it lies there. Errors: as `keepMeta`, `noSyncData`, those of the remote.
   */
  refreshMeta(storage: SyncStorage): Promise<Envelope>;
  /** This is what the server has. Errors: `badResponse`, `clientTooOld`, `noSyncData`. */
  keepMeta(envelope: Envelope, storage: SyncStorage): Promise<void>;
  /**
   * True if they changed. Errors: `noSyncData`, `keyMismatch`, those of the remote; `aborted` for a
   * pass that was given up, which keeps nothing.
   */
  refreshKeys(storage: SyncStorage, syncKey: KeyBundle, abort: Abort): Promise<boolean>;
}

/** Reads what is kept of the account; nothing kept is not an error. */
export async function openAccount(kept: Kept): Promise<Account> {
  const { platform, vault, generation } = kept;
  const crypto = bsoCryptoOf(kept);
  const [metaKey, keysKey] = [`${generation}.m`, `${generation}.k`];
  const [storedMeta, storedKeys] = await ported(platform.storage.get([metaKey, keysKey]));
  let meta = storedMeta == null ? null : storedMetaOf(storedMeta);
  let keys =
    storedKeys instanceof Uint8Array ? await storedKeysOf(vault, keysKey, storedKeys) : null;

  const commit = (...changes: Change[]): Promise<void> => ported(platform.storage.commit(changes));
  const keepMeta: Account['keepMeta'] = async (envelope, remote) => {
    meta = parseMeta(envelope, await remote.place());
    await commit([metaKey, jsonStored(meta)]);
  };
  const known = (): Keys => {
    if (keys === null) throw new SyncError('keyMismatch', 'crypto/keys were not read yet');
    return keys;
  };

  return {
    crypto,
    devicesMemory: { settled: null },
    get meta() {
      return meta;
    },
    get heard() {
      return meta;
    },
    get keysModifiedMs() {
      return keys?.modifiedMs ?? null;
    },
    bundle: (collection) => known().parsed.bundleFor(collection),
    fingerprint(collection) {
      const { fingerprints, parsed } = known();
      const fingerprint = fingerprints.get(collection) ?? parsed.fingerprint(collection);
      fingerprints.set(collection, fingerprint);
      return fingerprint;
    },
    keepMeta,
    async refreshMeta(remote) {
      const envelope = await fetched(remote, 'meta', 'global');
      await keepMeta(envelope, remote);
      return envelope;
    },
    async refreshKeys(remote, syncKey, abort) {
      const next = await fetchedKeys(remote, crypto, syncKey);
      const changed = next.text !== keys?.text;
      if (!changed && next.modifiedMs === keys?.modifiedMs) return false;
      const sealed = await vault.seal(keysKey, `${FORM}${next.modifiedMs}`, next.text);
      stopIfAborted(abort);
      keys = next;
      await commit([keysKey, sealed]);
      return changed;
    },
    standing({ name }, state) {
      const absent = isAbsent(meta, name);
      return {
        declined: meta?.declined.includes(name) ?? false,
        absent,
        readOnly: absent && listRefusedAtMs(state) > 0,
        stopped: isNewer(engineOf(meta, name)) ? 'clientTooOld' : null,
      };
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

/**
 * Device time when the server refused to have the collection added to the account; 0: it has not.
 * Stores of before had it among the members that the agent reads.
 */
export function listRefusedAtMs(
  state: Pick<CollectionState, 'remote'> & { readonly listRefusedAtMs?: number },
): number {
  return (state.remote ?? state).listRefusedAtMs ?? 0;
}

/** Errors: `noSyncData` where there is none, those of the remote. */
async function fetched(remote: SyncStorage, collection: string, id: string): Promise<Envelope> {
  const document = await remote.fetch(collection, id);
  if (document.kind === 'found') return document.envelope;
  throw new SyncError('noSyncData', `${collection}/${id}: this account has no Sync data yet`);
}

/** The account's records have a form that this build does not know. */
export function isNewer(engine: Engine | null): boolean {
  return engine !== null && engine.version > engineVersion(engine.name);
}

type Engine = MetaGlobal['engines'][number];

/** The engine's entry in `meta/global`; null if the account does not sync it. */
export function engineOf(meta: MetaGlobal | null, name: string): Engine | null {
  if (meta === null || meta.declined.includes(name)) return null;
  return meta.engines.find((engine) => engine.name === name) ?? null;
}

/** On the wire of this protocol every record has one. */
export function payloadOf({ payload }: Envelope): string {
  return payload ?? '';
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

/** Errors: as `Account.refreshKeys`. */
async function fetchedKeys(
  remote: SyncStorage,
  crypto: BsoCrypto,
  syncKey: KeyBundle,
): Promise<Keys> {
  const envelope = await fetched(remote, 'crypto', 'keys');
  const { id } = envelope;
  const [opened] = await crypto.open(syncKey, [{ id, payload: payloadOf(envelope) }]);
  if (opened?.ok) return keysOf(Number(envelope.version), opened.text);
  const code = opened?.code ?? 'badPayload';
  throw new SyncError('keyMismatch', `crypto/keys does not open with this account's key: ${code}`);
}

/** Null if they are damaged: the server has them. */
async function storedKeysOf(vault: Vault, key: string, stored: Uint8Array): Promise<Keys | null> {
  const opened = await vault.open(key, stored);
  const modifiedMs = numberOf(headWords(opened?.head ?? '')[0]);
  return opened === null || modifiedMs === null ? null : keysOf(modifiedMs, opened.text);
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
function parseMeta(envelope: Envelope, place: string): MetaGlobal {
  const root = record(parseDocument(payloadOf(envelope)));
  const version = Number(root?.get('storageVersion'));
  const syncId = root?.get('syncID');
  if (root === null || !(version >= 0) || typeof syncId !== 'string') {
    throw badResponse('meta/global: storageVersion or syncID is missing');
  }
  if (version !== STORAGE_VERSION) {
    const code = version > STORAGE_VERSION ? 'clientTooOld' : 'noSyncData';
    throw new SyncError(code, `meta/global: storageVersion is ${version}, not 5`);
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
    modifiedMs: Number(envelope.version),
    syncId,
    engines,
    declined: Array.isArray(declined) ? declined.filter((name) => typeof name === 'string') : [],
  };
}

/** An outside object as a Map: `__proto__` is a name like any other. */
function record(value: unknown): Map<string, unknown> | null {
  return isObject(value) ? new Map(Object.entries(value)) : null;
}
