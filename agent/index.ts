// The agent's public door: `createAgent` gives a device everything that it can ask for. What
// crosses this door is plain JSON data, so that the same calls work across a bridge.

import type { Platform } from '../platform/ports.ts';
import { createCore } from './agent.ts';
import type { Conflicts } from './api/conflicts.ts';
import { type ExtensionStorage, isStorage } from './api/extension-storage.ts';
import type { ListQuery, ListResult } from './api/records.ts';
import type { Body } from './collections/collection.ts';
import { type AgentConfig, FIRST_REMOTE } from './config.ts';
import type { Contents } from './contents.ts';
import { badInput } from './errors.ts';
import type { Shelf } from './installed/installed.ts';
import type { SettingsChange } from './settings.ts';
import type { Making, Remotes } from './several/remotes.ts';
import type { SignIn } from './signin/keeper.ts';
import type { PassReport, Status } from './status.ts';

export { isObject, jsonOf } from '../crypto/engine.ts';
export { type Conflict, type Conflicts, type Resolution, strategies } from './api/conflicts.ts';
export {
  type ExtensionStorage,
  extensionStorage,
  type StorageCall,
} from './api/extension-storage.ts';
export { bookmarks } from './api/folders.ts';
export { addresses } from './collections/addresses.ts';
export { contacts } from './collections/contacts.ts';
export { forms } from './collections/forms.ts';
export { generic, genericKind } from './collections/generic.ts';
export { history } from './collections/history.ts';
export { passwords } from './collections/passwords.ts';
export { readingList } from './collections/reading-list.ts';
export { settings } from './collections/settings.ts';
export { STRATEGIES } from './collections/strategy.ts';
export { tabs } from './collections/tabs.ts';
export type { AgentConfig, NamedRemote, Strategy } from './config.ts';
export { apps } from './contents/apps.ts';
export { installedApps } from './contents/installed-apps.ts';
export { kintoPlaces, kintoSignIn } from './contents/kinto-sign-in.ts';
export type { Contents } from './contents.ts';
export { badInput, fromPort, SyncError } from './errors.ts';
export { installed } from './installed/installed.ts';
export { readsAhead } from './remotes/ahead.ts';
export { kinto } from './remotes/kinto/kinto.ts';
export { owa } from './remotes/owa/owa.ts';
export { picl } from './remotes/picl/picl.ts';
export { clients } from './remotes/sync/clients.ts';
export { sync15 } from './remotes/sync/sync15.ts';
export { syncto } from './remotes/sync/syncto.ts';
export type { AppCall, AppData } from './several/app-data.ts';
export { several } from './several/several.ts';
export { openKeeper as signIn, type SignInCall } from './signin/keeper.ts';
export { signInWithPassword as passwordSignIn } from './signin/password.ts';
export type { AgentEvent, PassReport, Status } from './status.ts';
export { atomic, wasAtomic } from './sync/replace.ts';

/**
 * Every call may reject with a SyncError; its `code` and `retry` say what to do. `remote`: the name
 * of one remote of a device that has several; another name is `badInput`.
 */
export interface Agent extends Partial<Making>, Partial<Conflicts>, Partial<Shelf> {
  /**
   * Goes on from what survived the last run, before anything else. Of several remotes each starts
   * that can; called again, those that could not.
   */
  start(): Promise<void>;
  /** Signs in with the device's account, or one for each remote, and runs the first pass. */
  enable(remote?: string): Promise<PassReport>;
  /**
   * Signs out, of every remote if none is named, and removes the account's keys and data from the
   * device; with a state that is lost, all that is stored of that remote.
   */
  disable(remote?: string): Promise<void>;
  /**
   * Runs a pass now, of every remote that is signed in to if none is named. Resolves when it is
   * over, also when it failed: see `ok` and `error`.
   */
  sync(remote?: string): Promise<PassReport>;
  /** Ends the pass that is running at its next step; of other remotes what waits for it, too. */
  cancel(remote?: string): void;
  configure(change: SettingsChange, remote?: string): Promise<void>;
  /** The device has another network now, or none. */
  connectionChanged(remote?: string): void;
  /** Of the whole device, or of one remote as if it were the only one. */
  status(remote?: string): Status;
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
   * Creates what the server needs of an account that has nothing there, then runs a pass. Only
   * after a person has said so. The report has `initialized`: what was written; an account with
   * data is left alone. If none is named, of the device's first remote.
   */
  initializeAccount(confirm: true, remote?: string): Promise<PassReport>;
  /**
   * The account's other devices, the one seen last first: `{id, name, type, os, version,
   * lastSeenMs}` and more. If none is named, of the device's first remote.
   */
  devices(remote?: string): Promise<Body[]>;
  /**
   * Signs a user in, before `enable`; if none is named, to the device's first remote. Errors:
   * `badInput` where the system's account manager does that.
   */
  signIn(remote?: string): SignIn;
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
export function createAgent(device: Platform, config: AgentConfig, contents: Contents): Agent {
  const room = contents.installed?.(device);
  const platform = room?.platform ?? device;
  const at = remotesOf(platform, config, contents);
  const all = at();
  const { start, observe, reading, writing, changed } = all;
  const agent: Agent = {
    ...at.making,
    ...contents.strategies?.open(all, platform),
    start,
    observe,
    enable: async (remote) => at(remote).enable(),
    disable: async (remote) => at(remote).disable(),
    sync: async (remote) => at(remote).sync(),
    cancel: (remote) => at(remote).cancel(),
    configure: async (change, remote) => at(remote).configure(change),
    connectionChanged: (remote) => at(remote).connectionChanged(),
    status: (remote) => at(remote).status(),
    signIn: (remote) => at(remote).signIn(),
    devices: async (remote) => at(remote).devices(),
    extensionStorage(extId) {
      const storage = contents.collections.find(isStorage);
      if (storage !== undefined) return storage.openStorage(all, platform, extId);
      throw badInput('storage: this build has none for extensions');
    },
    async initializeAccount(confirm, remote) {
      if (confirm !== true) throw badInput('confirm: not true');
      return at(remote).initialize();
    },
    get: (collection, id) =>
      reading(collection, async (store) => (await import('./api/records.ts')).getRecord(store, id)),
    list: (collection, query) =>
      reading(collection, async (store, company) => {
        const found = await (await import('./api/records.ts')).listRecords(store, query);
        if (store.collection.writes !== 'own') return found;
        const known = (await import('./api/devices.ts')).ofKnownDevices;
        return { records: await known(await company(), found.records), next: found.next };
      }),
    async put(collection, record) {
      const deleted = (other: string): void => changed(collection, other, 'delete');
      const { id, isChanged } = await writing(collection, async (writable) => {
        return (await import('./api/records.ts')).putRecord(writable, platform, record, deleted);
      });
      if (isChanged) changed(collection, id, 'put');
      return id;
    },
    async delete(collection, id) {
      const deleted = (other: string): void => changed(collection, other, 'delete');
      await writing(collection, async ({ store, self }) => {
        return (await import('./api/records.ts')).deleteRecord(store, platform, id, self, deleted);
      });
      deleted(id);
    },
  };
  return room ? room.over(agent, all) : agent;
}

function remotesOf(platform: Platform, config: AgentConfig, contents: Contents): Remotes {
  if (config.remotes) {
    if (!contents.several) throw new Error('remotes: this build has one');
    return contents.several(platform, config, contents, createCore);
  }
  const core = createCore(platform, config, contents);
  return (remote = FIRST_REMOTE) => {
    if (remote === FIRST_REMOTE) return core;
    throw badInput(`remote: not one of ${FIRST_REMOTE}`);
  };
}
