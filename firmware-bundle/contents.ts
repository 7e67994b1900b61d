// What a firmware is asked to hold, as the module that takes the place of platform/quickjs/contents.ts.

const DRIVERS = ['syncto', 'sync15'];
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
const DEFAULT_DATA = ['history', 'passwords', CLIENTS];

/** What `contentsModule` knows. */
export const contentNames: readonly string[] = [...DRIVERS, ...DATA];

/**
 * The module for a list of protocols, collections and `clients` (the account's devices). Without a protocol in the
 * list it is all of them, without anything else history, passwords and `clients`. Throws an Error that names what is
 * unknown.
 */
export function contentsModule(names: readonly string[]): string {
  const unknown = names.filter((name) => !contentNames.includes(name));
  if (unknown.length > 0) {
    throw new Error(`--with ${unknown.join(',')}: there are ${contentNames.join(', ')}`);
  }
  const drivers = chosen(DRIVERS, names, DRIVERS);
  const data = chosen(DATA, names, DEFAULT_DATA);
  return `import { ${[...drivers, ...data].join(', ')} } from '../../agent/index.ts';
export const contents = {
  drivers: [${drivers.join(', ')}],
  collections: [${data.filter((name) => name !== CLIENTS).join(', ')}],
  ${data.includes(CLIENTS) ? CLIENTS : ''}
};
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
