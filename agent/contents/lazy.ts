// What a device need not load before it uses it: protocols, collections, the account's devices,
// the ways to sign in. It names what is behind each, and holds none of it. The build of a firmware
// makes a part of whatever stands behind an `import()` (firmware-bundle/program.ts); elsewhere that
// is the language's own.

import type { Credentials, Platform } from '../../platform/ports.ts';
import type { Conflicts, Strategies } from '../api/conflicts.ts';
import type { Core } from '../api/core.ts';
import type { ExtensionStorage, StorageCollection } from '../api/extension-storage.ts';
import { appKind, originOf } from '../collections/app.ts';
import type { CollectionPart } from '../contents.ts';
import type { Devices } from '../remotes/devices.ts';
import type { Part } from '../remotes/parts.ts';
import type { RemoteDriver } from '../remotes/remote.ts';
import type { AppData } from '../several/app-data.ts';
import type { Apps } from '../several/app-place.ts';
import type { Keeper, openKeeper, PasswordSignIn } from '../signin/keeper.ts';

export const syncto: Part<RemoteDriver> = {
  name: 'syncto',
  load: async () => (await import('../remotes/sync/syncto.ts')).syncto,
};
export const sync15: Part<RemoteDriver> = {
  name: 'sync15',
  load: async () => (await import('../remotes/sync/sync15.ts')).sync15,
};

export const kinto: Part<RemoteDriver> = {
  name: 'kinto',
  load: async () => (await import('../remotes/kinto/kinto.ts')).kinto,
};

export const picl: Part<RemoteDriver> = {
  name: 'picl',
  load: async () => (await import('../remotes/picl/picl.ts')).picl,
};

export const owa: Part<RemoteDriver> = {
  name: 'owa',
  load: async () => (await import('../remotes/owa/owa.ts')).owa,
};

export const clients: Part<Devices> = {
  name: 'clients',
  load: async () => (await import('../remotes/sync/clients.ts')).clients,
};

export const history: CollectionPart = {
  name: 'history',
  letter: 'h',
  load: async () => (await import('../collections/history.ts')).history,
};
export const passwords: CollectionPart = {
  name: 'passwords',
  letter: 'p',
  load: async () => (await import('../collections/passwords.ts')).passwords,
};
export const bookmarks: CollectionPart = {
  name: 'bookmarks',
  letter: 'b',
  load: async () => (await import('../api/folders.ts')).bookmarks,
};
export const tabs: CollectionPart = {
  name: 'tabs',
  letter: 't',
  load: async () => (await import('../collections/tabs.ts')).tabs,
};
export const forms: CollectionPart = {
  name: 'forms',
  letter: 'f',
  load: async () => (await import('../collections/forms.ts')).forms,
};
export const addresses: CollectionPart = {
  name: 'addresses',
  letter: 'a',
  load: async () => (await import('../collections/addresses.ts')).addresses,
};
export const settings: CollectionPart = {
  name: 'settings',
  letter: 's',
  load: async () => (await import('../collections/settings.ts')).settings,
};
export const readingList: CollectionPart = {
  name: 'reading-list',
  letter: 'r',
  load: async () => (await import('../collections/reading-list.ts')).readingList,
};
export const contacts: CollectionPart = {
  name: 'contacts',
  letter: 'v',
  load: async () => (await import('../collections/contacts.ts')).contacts,
};

export const installedApps: CollectionPart = {
  name: 'apps',
  letter: 'o',
  load: async () => (await import('./installed-apps.ts')).installedApps,
};

export const extensionStorage: CollectionPart<StorageCollection> &
  Pick<StorageCollection, 'openStorage'> = {
  name: 'extension-storage',
  letter: 'e',
  load: async () => (await import('../api/extension-storage.ts')).extensionStorage,
  openStorage(core: Core, platform: Platform, extId: string): ExtensionStorage {
    const opened = async (): Promise<ExtensionStorage> =>
      (await extensionStorage.load()).openStorage(core, platform, extId);
    return {
      get: async (keys) => (await opened()).get(keys),
      set: async (items) => (await opened()).set(items),
      remove: async (keys) => (await opened()).remove(keys),
      clear: async () => (await opened()).clear(),
      getBytesInUse: async (keys) => (await opened()).getBytesInUse(keys),
      call: async (call) => (await opened()).call(call),
    };
  },
};

/** Loaded with the first collection that is opened, or when apps ask what waits. */
export const strategies: Strategies = {
  chosen: async (collection, config) =>
    (await import('../api/conflicts.ts')).strategies.chosen(collection, config),
  open(core, platform) {
    const opened = async (): Promise<Conflicts> =>
      (await import('../api/conflicts.ts')).strategies.open(core, platform);
    return {
      conflicts: async (...of) => (await opened()).conflicts(...of),
      resolve: async (...of) => (await opened()).resolve(...of),
    };
  },
};

/** Loaded by the first app that asks; which collections there are is known before that. */
export const apps: Apps = {
  kind: appKind,
  originOf,
  secret: async (...of) => (await import('./apps.ts')).apps.secret(...of),
  followKey: async (...of) => (await import('./apps.ts')).apps.followKey(...of),
  endLeaving: async (...of) => (await import('./apps.ts')).apps.endLeaving(...of),
  open(place) {
    const opened = async (): Promise<AppData> => (await import('./apps.ts')).apps.open(place);
    return {
      create: async (...of) => (await opened()).create(...of),
      list: async () => (await opened()).list(),
      get: async (name, id) => (await opened()).get(name, id),
      records: async (name, query) => (await opened()).records(name, query),
      put: async (name, record) => (await opened()).put(name, record),
      delete: async (name, id) => (await opened()).delete(name, id),
      watch: async (name, on) => (await opened()).watch(name, on),
      conflicts: async (...of) => (await opened()).conflicts(...of),
      resolve: async (...of) => (await opened()).resolve(...of),
      usage: async () => (await opened()).usage(),
      drop: async (name, everywhere) => (await opened()).drop(name, everywhere),
      remove: async (everywhere) => (await opened()).remove(everywhere),
      call: async (call) => (await opened()).call(call),
    };
  },
};

/** Loaded by who asks for a sign-in, or for what one has left. */
export const signIn: typeof openKeeper = (...of) =>
  lazyKeeper(of, async () => (await import('../signin/keeper.ts')).openKeeper).keeper;

/** The same for users who have a name, a password and a recovery code. */
export const recoverySignIn: typeof openKeeper = (...of) => {
  const load = async () => (await import('./kinto-sign-in.ts')).kintoSignIn;
  const { opened, keeper } = lazyKeeper(of, load);
  const credentials = async (fresh: boolean): Promise<Credentials> =>
    (await opened()).identity.credentials(fresh);
  return { ...keeper, identity: { ...keeper.identity, credentials } };
};

/** Either, as each remote is configured: where users have a name there is no client. */
export const eitherSignIn: typeof openKeeper = (...of) =>
  (of[1].clientId ? signIn : recoverySignIn)(...of);

type Opening = Parameters<typeof openKeeper>;

function lazyKeeper<K extends Keeper>(of: Opening, load: () => Promise<(...of: Opening) => K>) {
  let current: K | null = null;
  const opened = async (): Promise<K> => {
    const open = await load();
    // Only now: several may have waited for it.
    current ??= open(...of);
    return current;
  };
  const keeper: Keeper = {
    identity: {
      account: async () => (await opened()).identity.account(),
      assertion: async (audience, fresh) => (await opened()).identity.assertion(audience, fresh),
      accessToken: async (fresh) => (await opened()).identity.accessToken(fresh),
      syncKey: async () => (await opened()).identity.syncKey(),
      deviceKey: () => of[0].identity.deviceKey(),
      forget: async () => (await opened()).identity.forget?.(),
    },
    signIn: {
      begin: async () => (await opened()).signIn.begin(),
      finish: async (answer) => (await opened()).signIn.finish(answer),
      import: async (json) => (await opened()).signIn.import(json),
      password: async (email, password) => (await opened()).signIn.password(email, password),
      call: async (call) => (await opened()).signIn.call(call),
    },
  };
  return { opened, keeper };
}

export const passwordSignIn: PasswordSignIn = async (device, request) =>
  (await import('../signin/password.ts')).signInWithPassword(device, request);

/** What it is made of is loaded when there is something to do. */
export { installed } from '../installed/installed.ts';
