// What a person typed about a device's remotes, checked: `--remote NAME=PROTOCOL[:COLLECTIONS]`
// and the options that may be of one remote (`NAME=...`). The device's first remote is what the
// other options say, and has history and passwords as far as no other one names them; where nothing
// is left for it, the first `--remote` is the device's first.

import { contentFor } from '../firmware-bundle/contents.ts';
import { APPS } from './owa-side.ts';
import { type Auth, FIRST, type Protocol } from './remote.ts';
import type { Off } from './rounds.ts';
import { UsageError } from './usage.ts';

export interface RemoteChoice {
  readonly name: string;
  readonly protocol: Protocol;
  readonly collections: readonly string[];
}

/** The device's first remote in front. */
export type RemoteChoices = readonly [RemoteChoice, ...RemoteChoice[]];

const PROTOCOLS: readonly Protocol[] = ['syncto', 'sync15', 'kinto', 'picl', 'owa'];
const SHARED = ['history', 'passwords'];
/** Of a Kinto, if nobody says which. */
const ON_KINTO = ['contacts'];
/** All that there is on an OWA server. */
const ON_OWA = [APPS];
const NAME = /^[a-z0-9-]{1,16}$/;
/** Of which the emulator can make records up and compare them. */
const KNOWN = [...SHARED, 'contacts', 'settings', 'reading-list', 'bookmarks'];
const DEFAULT_PROTOCOL = 'syncto';

interface Typed {
  readonly name: string;
  readonly protocol: Protocol;
  /** Null: those that nobody names. */
  readonly collections: readonly string[] | null;
}

/** `protocol`: that of the first remote, if somebody gave one. Errors: `UsageError`. */
export function remoteChoices(
  remotes: readonly string[],
  protocol: string | undefined,
): RemoteChoices {
  const typed = remotes.map(typedRemote);
  const names = typed.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new UsageError(`--remote ${twice} is there twice`);
  const isTyped = names.includes(FIRST);
  if (isTyped && protocol !== undefined)
    throw new UsageError('--remote first and --protocol exclude each other');
  const first = withDefault(FIRST, protocolOf('--protocol', protocol));
  const named = typed.filter(({ name }) => name !== FIRST);
  const list = [typed.find(({ name }) => name === FIRST) ?? first, ...named];
  checkOwners(list);
  const [head, ...others] = withCollections(list);
  if (head !== undefined && head.collections.length > 0) return [head, ...others.map(checkedFull)];
  const [next, ...rest] = others.map(checkedFull);
  if (next === undefined || isTyped || protocol !== undefined)
    throw new UsageError(
      'no collection is left for the first remote: --remote first=... names some',
    );
  return [next, ...rest];
}

function typedRemote(text: string): Typed {
  const [, name = '', protocol = '', collections] = /^([^=]*)=([^:]*)(?::(.*))?$/s.exec(text) ?? [];
  if (!NAME.test(name)) {
    const form = 'NAME=PROTOCOL[:COLLECTIONS], NAME of 1 to 16 of a-z, 0-9 and -';
    throw new UsageError(`--remote must be ${form}, not ${JSON.stringify(text.slice(0, 80))}`);
  }
  const typed = withDefault(name, protocolOf(`--remote ${name}`, protocol));
  if (collections === undefined) return typed;
  const named = collections.split(',').map((one) => collectionOf(name, one));
  if (typed.protocol === 'owa' || named.includes(APPS))
    throw new UsageError(`--remote ${name}: an OWA server has ${APPS}, and nobody else: name none`);
  return { ...typed, collections: named };
}

function withDefault(name: string, protocol: Protocol): Typed {
  const own = new Map<Protocol, readonly string[]>([
    ['kinto', ON_KINTO],
    ['owa', ON_OWA],
  ]);
  return { name, protocol, collections: own.get(protocol) ?? null };
}

function protocolOf(where: string, text: string = DEFAULT_PROTOCOL): Protocol {
  const protocol = PROTOCOLS.find((known) => known === text);
  if (protocol !== undefined) return protocol;
  throw new UsageError(`${where} must be ${PROTOCOLS.join(' or ')}, not ${JSON.stringify(text)}`);
}

/** One that is known, or one of an app's own, with `generic(...)` around it or without. */
function collectionOf(remote: string, text: string): string {
  const name = /^generic\((.*)\)$/s.exec(text.trim())?.[1] ?? text.trim();
  const content = contentFor(name);
  if (content !== null && (KNOWN.includes(name) || content.startsWith('generic('))) return name;
  throw new UsageError(
    `--remote ${remote}: ${JSON.stringify(name)} is none of ${KNOWN.join(', ')}, ` +
      "nor a name for an app's own collection (1 to 32 letters, digits and ._-, nobody else's)",
  );
}

function checkOwners(typed: readonly Typed[]): void {
  const owners = new Map<string, string>();
  for (const { name, collections } of typed) {
    for (const collection of collections ?? []) {
      const other = owners.get(collection);
      if (other !== undefined)
        throw new UsageError(`--remote: ${collection} is of ${other} and of ${name}`);
      owners.set(collection, name);
    }
  }
}

/** Who names none has those of `SHARED` that are left: the first such remote behind the first. */
function withCollections(list: readonly Typed[]): RemoteChoice[] {
  let left = SHARED.filter(
    (name) => !list.some(({ collections }) => collections?.includes(name) === true),
  );
  const open = list.slice(1).find(({ collections }) => collections === null) ?? list[0];
  return list.map(({ collections, ...one }) => {
    if (collections !== null) return { ...one, collections };
    const own = one.name === open?.name ? left : [];
    left = left.filter((name) => !own.includes(name));
    return { ...one, collections: own };
  });
}

function checkedFull(choice: RemoteChoice): RemoteChoice {
  if (choice.collections.length > 0) return choice;
  throw new UsageError(`--remote ${choice.name}: no collection is left for it; name some`);
}

/**
 * What was typed for each remote: `NAME=VALUE`, or a value alone for the device's first; of several
 * for one the last counts.
 */
export function byRemote(
  values: readonly string[] = [],
  remotes: RemoteChoices,
): ReadonlyMap<string, string> {
  const [first] = remotes;
  return new Map(
    values.map((text): [string, string] => {
      const named = remotes.find(({ name }) => text.startsWith(`${name}=`));
      return named === undefined
        ? [first.name, text]
        : [named.name, text.slice(named.name.length + 1)];
    }),
  );
}

/** `auth`: what was typed for it. Errors: `UsageError`. */
export function authOf(
  { protocol }: RemoteChoice,
  auth: string | undefined,
  signIn: boolean,
): Auth {
  const known = AUTHS.get(protocol) ?? [];
  const byToken = signIn && protocol !== 'kinto' ? 'bearer' : known[0];
  const chosen = AUTH_WORDS.find((word) => word === (auth ?? byToken));
  if (chosen === undefined) {
    throw new UsageError(`--auth must be ${AUTH_WORDS.join(' or ')}, not ${JSON.stringify(auth)}`);
  }
  if (signIn && !known.includes('bearer') && !known.includes('basic')) {
    throw new UsageError(`--protocol ${protocol} knows no --sign-in: its servers take no token`);
  }
  if (!known.includes(chosen)) {
    throw new UsageError(`--protocol ${protocol} knows no --auth but ${known.join(' and ')}`);
  }
  if (signIn && chosen === 'browserid') {
    throw new UsageError('--sign-in makes access tokens: it excludes --auth browserid');
  }
  if (signIn && protocol === 'kinto' && chosen === 'bearer') {
    throw new UsageError('--sign-in to a Kinto is by name and password: it excludes --auth bearer');
  }
  return chosen;
}

const AUTH_WORDS: readonly Auth[] = ['browserid', 'bearer', 'basic'];
/** The usual one in front. */
const AUTHS = new Map<Protocol, readonly Auth[]>([
  ['syncto', ['browserid', 'bearer']],
  ['sync15', ['bearer']],
  ['kinto', ['basic', 'bearer']],
  ['picl', ['browserid', 'bearer']],
  ['owa', ['browserid']],
]);

const ROUNDS = [1, 2, 3];

/** `NAME[=FROM[-TO]]`: in which syncs a remote is off; in all of them, without numbers. */
export function offOf(values: readonly string[], remotes: RemoteChoices): Off[] {
  return values.map((text) => {
    const [name = '', when] = text.split(/=(.*)/s);
    checkKnown('--off', name, remotes);
    if (when === undefined) return { name, rounds: ROUNDS };
    const [, from, to = from] = /^([123])(?:-([123]))?$/.exec(when) ?? [];
    const rounds = ROUNDS.filter((round) => round >= Number(from) && round <= Number(to));
    if (rounds.length > 0) return { name, rounds };
    throw new UsageError(
      `--off ${name}: ${JSON.stringify(when)} must be one sync of 1 to 3, or two`,
    );
  });
}

/** The names of remotes. */
export function namesOf(
  option: string,
  values: readonly string[],
  remotes: RemoteChoices,
): readonly string[] {
  for (const name of values) checkKnown(option, name, remotes);
  return values;
}

function checkKnown(option: string, name: string, remotes: RemoteChoices): void {
  if (remotes.some((remote) => remote.name === name)) return;
  const names = remotes.map((remote) => remote.name).join(', ');
  const typed = JSON.stringify(name.slice(0, 80));
  throw new UsageError(`${option}: there is no remote ${typed}, but ${names}`);
}
