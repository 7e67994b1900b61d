// What the agent on a machine holds: all that there is.

import {
  addresses,
  bookmarks,
  type Contents,
  clients,
  extensionStorage,
  forms,
  history,
  passwords,
  sync15,
  syncto,
  tabs,
} from '../../../agent/index.ts';

export const contents = {
  drivers: [sync15, syncto],
  collections: [history, passwords, bookmarks, forms, addresses, tabs, extensionStorage],
  clients,
} as const satisfies Contents;

export const PROTOCOLS = contents.drivers.map(({ protocol }) => protocol);
export const COLLECTIONS = contents.collections.map(({ name }) => name);
