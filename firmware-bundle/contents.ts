// What a firmware is asked to hold, as the module that takes the place of
// platform/quickjs/contents.ts.

const DRIVERS = ['syncto', 'sync15'];
/** Protocols that stream what they send: a firmware without them leaves out how. */
const STREAMING: readonly string[] = [];
const COLLECTIONS = [
  'history',
  'passwords',
  'bookmarks',
  'tabs',
  'forms',
  'addresses',
  'extensionStorage',
];
const CLIENTS = 'clients';
const DATA = [...COLLECTIONS, CLIENTS];
const SIGN_IN = ['signIn', 'passwordSignIn'];
const DEFAULT_DATA = ['history', 'passwords', CLIENTS];

/** Every protocol and everything that can be synced. */
export const syncNames: readonly string[] = [...DRIVERS, ...DATA];

/** What `contentsModule` knows. */
export const contentNames: readonly string[] = [...syncNames, ...SIGN_IN];

/**
 * The module for a list of protocols, collections, `clients` (the account's devices) and `signIn`
 * (for a system that has no account manager), with `passwordSignIn` or without. Without a protocol
 * in the list it is all of them, without collections and `clients` history, passwords and
 * `clients`. Throws an Error that names what is unknown.
 */
export function contentsModule(
  names: readonly string[],
  streaming: readonly string[] = STREAMING,
): string {
  const unknown = names.filter((name) => !contentNames.includes(name));
  if (unknown.length > 0) {
    throw new Error(`--with ${unknown.join(',')}: there are ${contentNames.join(', ')}`);
  }
  const drivers = chosen(DRIVERS, names, DRIVERS);
  const data = chosen(DATA, names, DEFAULT_DATA);
  const collections = data.filter((name) => name !== CLIENTS);
  const others = [CLIENTS, ...SIGN_IN].filter((name) => [...names, ...data].includes(name));
  const imports = [...drivers, ...collections, ...others].join(', ');
  const send = drivers.some((name) => streaming.includes(name))
    ? "sendPieces as send } from './pieces.ts'"
    : "sendWhole as send } from './host.ts'";
  return `import { ${imports} } from '../../agent/contents/lazy.ts';
export const contents = {
  drivers: [${drivers.join(', ')}],
  collections: [${collections.join(', ')}],
  ${others.join(', ')}
};
export { ${send};
`;
}

function chosen(
  known: readonly string[],
  names: readonly string[],
  byDefault: readonly string[],
): readonly string[] {
  const asked = known.filter((name) => names.includes(name));
  return asked.length > 0 ? asked : byDefault;
}
