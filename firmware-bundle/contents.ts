// What a firmware is asked to hold, as the module that takes the place of
// platform/quickjs/contents.ts.

/** Those that a list without a protocol means. */
const SYNC_DRIVERS = ['syncto', 'sync15'];
const KINTO = 'kinto';
const PICL = 'picl';
const OWA = 'owa';
const DRIVERS = [...SYNC_DRIVERS, KINTO, PICL, OWA];
/** Protocols whose users may have a name and a password: others leave out who asks for them. */
const WITH_CREDENTIALS: readonly string[] = [KINTO];
/** Protocols that stream what they send: a firmware without them leaves out how. */
const STREAMING: readonly string[] = [OWA];
/**
 * The user's apps, on the wire `apps`: a firmware without them leaves out how to ask the system for
 * its own, and what brings both together.
 */
const INSTALLED_APPS = 'installedApps';
const INSTALLED = 'installed';
/** Protocols that hash, sign or seal in bulk: a firmware without them leaves out how. */
const COMPUTING: readonly string[] = [PICL];
const COLLECTIONS = [
  'history',
  'passwords',
  'bookmarks',
  'tabs',
  'forms',
  'addresses',
  'contacts',
  'extensionStorage',
  'settings',
  'readingList',
  INSTALLED_APPS,
];
const CLIENTS = 'clients';
const DATA = [...COLLECTIONS, CLIENTS];
/** Signing in to accounts, and for users who have a name, a password and a recovery code. */
const [ACCOUNTS, RECOVERY] = ['signIn', 'recoverySignIn'];
const SIGN_IN = [ACCOUNTS, 'passwordSignIn', RECOVERY];
/** Both, in the place of each. */
const EITHER = 'eitherSignIn';
/** What becomes of conflicts, where the device or an app says so: see agent/api/conflicts.ts. */
const STRATEGIES = 'strategies';
const SEVERAL = 'several';
/** Collections that apps have for themselves: `several` makes them. */
const APPS = 'apps';
/** A collection of an app's own: see agent/collections/generic.ts. */
const GENERIC = /^generic\(([A-Za-z0-9._-]{1,32})\)$/;
/** Servers and clients keep other things under these names. */
const NOT_GENERIC = [
  'meta',
  'crypto',
  'keys',
  'extension-storage',
  'reading-list',
  'apps',
  CLIENTS,
  ...COLLECTIONS,
];
/** What a protocol is for, where a list names no data; the others: what Firefox Sync ships with. */
const DATA_OF: ReadonlyMap<string, readonly string[]> = new Map([
  [KINTO, ['contacts', 'settings', 'readingList']],
  [PICL, ['history', 'passwords']],
  [OWA, [INSTALLED_APPS]],
]);
const SYNC_DATA = ['history', 'passwords', CLIENTS];

/**
 * Firefox Sync's protocols, and everything that can be synced but for the apps on the system, which
 * bring along how they are installed.
 */
export const syncNames: readonly string[] = [
  ...SYNC_DRIVERS,
  ...DATA.filter((name) => name !== INSTALLED_APPS),
];

/** What `contentsModule` knows, besides `generic(NAME)`. */
export const contentNames: readonly string[] = [
  ...DRIVERS,
  ...DATA,
  ...SIGN_IN,
  STRATEGIES,
  SEVERAL,
  APPS,
];

/**
 * The module for a list of protocols, collections, `clients` (the account's devices) and `signIn`
 * (for a system that has no account manager), with `passwordSignIn` or without; `generic(NAME)` is
 * a collection of an app's own, `several` more remotes than one, `apps` (and `several` with it)
 * what apps make for themselves, `strategies` what becomes of conflicts. `recoverySignIn` is a
 * `signIn` for users of a Kinto, in its place or beside it. Without a protocol in the list it is
 * those of Firefox Sync; without collections and `clients` what its protocols are for. Throws an
 * Error that names what is unknown.
 */
export function contentsModule(
  names: readonly string[],
  streaming: readonly string[] = STREAMING,
): string {
  checkNames(names);
  const drivers = chosen(DRIVERS, names, SYNC_DRIVERS);
  const own = [...new Set(names)].flatMap((name) => GENERIC.exec(name)?.[1] ?? []);
  const data = chosen(DATA, names, own.length > 0 ? [] : dataOf(drivers));
  const collections = data.filter((name) => name !== CLIENTS);
  const hasSystem = data.includes(INSTALLED_APPS);
  const others = [
    ...data.filter((name) => name === CLIENTS),
    ...signInsIn(names),
    ...[STRATEGIES, APPS].filter((name) => names.includes(name)),
    ...(hasSystem ? [INSTALLED] : []),
  ];
  const members = others.map((name) =>
    MEMBERS.has(name) ? `${MEMBERS.get(name)}: ${name}` : name,
  );
  const imports = [...drivers, ...collections, ...others].join(', ');
  const several = [SEVERAL, APPS].some((name) => names.includes(name)) ? [SEVERAL] : [];
  const whole = [...(own.length > 0 ? ['generic'] : []), ...several].join(', ');
  const made = [...collections, ...own.map((name) => `generic(${JSON.stringify(name)})`)];
  const send = drivers.some((name) => streaming.includes(name))
    ? "sendPieces as send } from './pieces.ts'"
    : "sendWhole as send } from './host.ts'";
  const identity = drivers.some((name) => WITH_CREDENTIALS.includes(name))
    ? "withCredentials as identity } from './credentials.ts'"
    : "identityOf as identity } from './host.ts'";
  const systemApps = hasSystem
    ? "{ appsOf as systemApps } from './system-apps.ts'"
    : 'const systemApps = undefined';
  const crypto = drivers.some((name) => COMPUTING.includes(name))
    ? "computingOf as crypto } from './computing.ts'"
    : "cryptoOf as crypto } from './host.ts'";
  const more = [...MORE].filter(([name]) => names.includes(name) || data.includes(name));
  const commands = more.map(([, { from, is }]) => `import { ${is} } from '${from}';\n`);
  return `${commands.join('')}import { ${imports} } from '../../agent/contents/lazy.ts';
import { ${whole} } from '../../agent/index.ts';
export const contents = {
  drivers: [${drivers.join(', ')}],
  collections: [${made.join(', ')}],
  ${[...members, ...several].join(', ')}
};
export { ${send};
export { ${identity};
export ${systemApps};
export { ${crypto};
export const more = ${moreOf(more.map(([, { is }]) => is))};
`;
}

function checkNames(names: readonly string[]): void {
  const unknown = names.filter((name) => !contentNames.includes(name) && !isGeneric(name));
  if (unknown.length === 0) return;
  const called = unknown.filter((name) => name.startsWith('generic('));
  const rule =
    'NAME of generic(NAME) must be 1 to 32 of A-Z a-z 0-9 . _ -, and not that of other data';
  if (called.length > 0) throw new Error(`--with ${called.join(',')}: ${rule}`);
  const there = [...contentNames, 'generic(NAME)'].join(', ');
  throw new Error(`--with ${unknown.join(',')}: there are ${there}`);
}

function dataOf(drivers: readonly string[]): readonly string[] {
  const asked = drivers.flatMap((driver) => DATA_OF.get(driver) ?? SYNC_DATA);
  return DATA.filter((name) => asked.includes(name));
}

/** Those that are asked for, two as one. */
function signInsIn(names: readonly string[]): readonly string[] {
  const asked = SIGN_IN.filter((name) => names.includes(name));
  if (!asked.includes(ACCOUNTS) || !asked.includes(RECOVERY)) return asked;
  return [EITHER, ...asked.filter((name) => name !== ACCOUNTS && name !== RECOVERY)];
}

/** Commands that not every firmware has. */
const MORE = new Map([
  [STRATEGIES, { from: './conflict-commands.ts', is: 'CONFLICTS' }],
  [APPS, { from: './app-commands.ts', is: 'APP_COMMANDS' }],
  [INSTALLED_APPS, { from: './installed-commands.ts', is: 'INSTALLED_COMMANDS' }],
]);

function moreOf(maps: readonly string[]): string {
  if (maps.length < 2) return maps[0] ?? 'undefined';
  return `new Map([${maps.map((name) => `...${name}`).join(', ')}])`;
}

/** What `Contents` calls them; the others by their own names. */
const MEMBERS = new Map([
  [CLIENTS, 'devices'],
  [RECOVERY, ACCOUNTS],
  [EITHER, ACCOUNTS],
]);

/** What a firmware has to hold for a collection of this name; null: there can be none. */
export function contentFor(collection: string): string | null {
  const known = COLLECTIONS.find((content) => wireNameOf(content) === collection);
  if (known !== undefined) return known;
  return isGeneric(`generic(${collection})`) ? `generic(${collection})` : null;
}

/** `extension-storage` for `extensionStorage`. */
function wireNameOf(content: string): string {
  if (content === INSTALLED_APPS) return 'apps';
  return content.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `generic(NAME)`, with a name that is nobody else's. */
function isGeneric(content: string): boolean {
  const name = GENERIC.exec(content)?.[1];
  return name !== undefined && !NOT_GENERIC.includes(name);
}

function chosen(
  known: readonly string[],
  names: readonly string[],
  byDefault: readonly string[],
): readonly string[] {
  const asked = known.filter((name) => names.includes(name));
  return asked.length > 0 ? asked : byDefault;
}
