// The agent's public door: `createAgent` gives a device everything that it can ask for. What
// crosses this door is plain JSON data, so that the same calls work across a bridge.

import type { Platform } from '../platform/ports.ts';
import { createCore } from './agent.ts';
import { listDevices, ofKnownDevices } from './api/devices.ts';
import { type ExtensionStorage, isStorage } from './api/extension-storage.ts';
import type { ListQuery, ListResult } from './api/records.ts';
import type { Body } from './collections/collection.ts';
import type { AgentConfig } from './config.ts';
import type { Contents } from './contents.ts';
import { badInput } from './errors.ts';
import type { SettingsChange } from './settings.ts';
import type { SignIn } from './signin/keeper.ts';
import type { PassReport, Status } from './status.ts';

export { isObject, jsonOf } from '../crypto/engine.ts';
export {
  type ExtensionStorage,
  extensionStorage,
  type StorageCall,
} from './api/extension-storage.ts';
export { bookmarks } from './api/folders.ts';
export { addresses } from './collections/addresses.ts';
export { forms } from './collections/forms.ts';
export { generic } from './collections/generic.ts';
export { history } from './collections/history.ts';
export { passwords } from './collections/passwords.ts';
export { tabs } from './collections/tabs.ts';
export type { AgentConfig, NamedRemote } from './config.ts';
export type { Contents } from './contents.ts';
export { badInput, fromPort, SyncError } from './errors.ts';
export { clients } from './remotes/sync/clients.ts';
export { sync15 } from './remotes/sync/sync15.ts';
export { syncto } from './remotes/sync/syncto.ts';
export { openKeeper as signIn, type SignInCall } from './signin/keeper.ts';
export { signInWithPassword as passwordSignIn } from './signin/password.ts';
export type { AgentEvent, PassReport, Status } from './status.ts';

/** Every call may reject with a SyncError; its `code` and `retry` say what to do. */
export interface Agent {
  /** Goes on from what survived the last run. Call it once, before anything else. */
  start(): Promise<void>;
  /** Signs in with the device's account and runs the first pass. */
  enable(): Promise<PassReport>;
  /**
   * Signs out and removes this account's keys and data from the device; with a state that is lost,
   * all that is stored.
   */
  disable(): Promise<void>;
  /** Runs a pass now. Resolves when it is over, also when it failed: see `ok` and `error`. */
  sync(): Promise<PassReport>;
  /** Ends the pass that is running at its next step. */
  cancel(): void;
  configure(change: SettingsChange): Promise<void>;
  /** The device has another network now, or none. */
  connectionChanged(): void;
  status(): Status;
  /**
   * What apps see of a page, login and so on, by any of its ids; `guid` is the one that it is
   * listed under. Null if they see nothing.
   */
  get(collection: string, id: string): Promise<Body | null>;
  list(collection: string, query: ListQuery): Promise<ListResult>;
  /** Resolves to the id that it is listed under when the change is durable. */
  put(collection: string, record: Body): Promise<string>;
  /** Deletes a page, login and so on for all devices, under all its ids. */
  delete(collection: string, id: string): Promise<void>;
  /**
   * Creates the Sync data of an account that has none (`meta/global`, `crypto/keys`), then runs a
   * pass. Only after a person has said so. The report has `initialized`: what was written; an
   * account with data is left alone.
   */
  initializeAccount(confirm: true): Promise<PassReport>;
  /**
   * The account's other devices, the one seen last first: `{id, name, type, os, version,
   * lastSeenMs}` and more.
   */
  devices(): Promise<Body[]>;
  /**
   * Signs a user in, before `enable`. Errors: `badInput` where the system's account manager does
   * that.
   */
  signIn(): SignIn;
  /**
   * `storage.sync` of one extension. Errors: `badInput` where the build has not
   * `extension-storage`.
   */
  extensionStorage(extId: string): ExtensionStorage;
  /** Turns `record` events of a collection on or off. Errors: `badInput`. */
  observe(collection: string, on: boolean): void;
}

/**
 * `contents`: the protocols and collections of this build; the configuration names what is used of
 * them.
 */
export function createAgent(platform: Platform, config: AgentConfig, contents: Contents): Agent {
  const { clients, signIn, passwordSignIn } = contents;
  const described = clients && config.device;
  const keeper =
    config.signIn && signIn ? signIn(platform, config.signIn, described, passwordSignIn) : null;
  const core = createCore(
    keeper === null ? platform : { ...platform, identity: keeper.identity },
    config,
    contents,
  );
  const { mended } = core;
  return {
    start: () => core.start(),
    enable: () => core.enable(),
    disable: () => core.disable(),
    sync: () => core.sync(),
    cancel: () => core.cancel(),
    configure: (change) => core.configure(change),
    connectionChanged: () => core.connectionChanged(),
    status: () => core.status(),
    observe: (collection, on) => core.observe(collection, on),
    signIn() {
      core.check();
      if (keeper !== null) return keeper.signIn;
      throw badInput('signIn: users sign in to this device elsewhere');
    },
    devices: () => mended(async () => listDevices(await core.company())),
    extensionStorage(extId) {
      const storage = contents.collections.find(isStorage);
      if (storage !== undefined) return storage.openStorage(core, platform, extId);
      throw badInput('storage: this build has none for extensions');
    },
    async initializeAccount(confirm) {
      if (confirm !== true) throw badInput('confirm: not true');
      return core.initialize();
    },
    get: (collection, id) =>
      mended(async () => {
        const store = await core.store(collection);
        return (await import('./api/records.ts')).getRecord(store, id);
      }),
    list: (collection, query) =>
      mended(async () => {
        const store = await core.store(collection);
        const found = await (await import('./api/records.ts')).listRecords(store, query);
        if (store.collection.writes !== 'own') return found;
        const records = await ofKnownDevices(await core.company(), found.records);
        return { records, next: found.next };
      }),
    async put(collection, record) {
      const { id, isChanged } = await mended(async () => {
        const writable = await core.writable(collection);
        return (await import('./api/records.ts')).putRecord(writable, platform, record, (other) =>
          core.changed(collection, other, 'delete'),
        );
      });
      if (isChanged) core.changed(collection, id, 'put');
      return id;
    },
    async delete(collection, id) {
      const deleted = (other: string): void => core.changed(collection, other, 'delete');
      await mended(async () => {
        const { store, self } = await core.writable(collection);
        await (await import('./api/records.ts')).deleteRecord(store, platform, id, self, deleted);
      });
      deleted(id);
    },
  };
}
