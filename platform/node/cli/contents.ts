// What the agent on a machine holds: all that there is.

import {
  addresses,
  bookmarks,
  type Contents,
  clients,
  contacts,
  extensionStorage,
  forms,
  generic,
  history,
  installed,
  installedApps,
  kinto,
  owa,
  passwords,
  readingList,
  readsAhead,
  settings,
  several,
  strategies,
  sync15,
  syncto,
  tabs,
} from '../../../agent/index.ts';
import type { Card } from '../vcard/card.ts';

export const contents = {
  drivers: [readsAhead(sync15), readsAhead(syncto), readsAhead(kinto), owa],
  collections: [
    ...[history, passwords, bookmarks, forms, addresses, contacts, settings, readingList],
    ...[tabs, extensionStorage, installedApps],
  ],
  devices: clients,
  several,
  strategies,
  installed,
} as const satisfies Contents;

/** With collections of apps besides, by their names. */
export function contentsWith(names: readonly string[]): Contents {
  const own = [...new Set(names)].filter(isOwnName).map((name) => generic(name));
  return { ...contents, collections: [...contents.collections, ...own] };
}

/** Whether an app may keep a collection of this name: it is nobody else's. */
export function isOwnName(name: string): boolean {
  return /^[A-Za-z0-9._-]{1,32}$/.test(name) && ![...COLLECTIONS, ...TAKEN].includes(name);
}

const TAKEN = ['meta', 'crypto', 'keys', 'clients'];

/** The card of a record as it is listed; null: it is no contact. */
export function cardOf(
  collection: string,
  { card }: { readonly [name: string]: unknown },
): Card | null {
  const isCard = collection === contacts.name && typeof card === 'object' && card !== null;
  return isCard ? (card as Card) : null;
}

/** Why the users of a protocol have no list of devices; null: this one can stand in theirs. */
export function whyNoDevices(protocol: string): string | null {
  return NO_DEVICES.get(protocol) ?? null;
}

/** Whether a Kinto takes it as the name of a collection. */
export function isKintoName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name);
}

export const KINTO = kinto.protocol;
export const OWA = owa.protocol;
/** What a server of Open Web Apps keeps, and all that it keeps. */
export const APPS = installedApps.name;
const NO_DEVICES: ReadonlyMap<string, string> = new Map([
  [KINTO, 'a Kinto has no list of the devices of its users'],
  [OWA, 'a server of Open Web Apps has no list of the devices of its users'],
]);
export const PROTOCOLS = contents.drivers.map(({ protocol }) => protocol);
export const COLLECTIONS: readonly string[] = contents.collections.map(({ name }) => name);
