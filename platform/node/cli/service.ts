// The services that one folder syncs with: the first, which the plain options are about, and others
// by name (`--remote NAME=PROTOCOL[:COLLECTIONS]`), each with a server, a sign-in and collections
// of its own. What was typed is checked here; nothing is opened. A sign-in to a Kinto or to a
// server of Open Web Apps says itself where that is, so its address need not be typed (`located`).

import type { AgentConfig } from '../../../agent/index.ts';
import { UsageError } from './complaint.ts';
import { APPS, COLLECTIONS, isKintoName, isOwnName, KINTO, OWA, PROTOCOLS } from './contents.ts';
import type { CredentialsFile } from './credentials.ts';

export interface Service {
  /** Null: the first. */
  readonly name: string | null;
  readonly remote: AgentConfig['remote'];
  readonly credentialsFile: string;
  readonly collections: readonly string[];
}

/** What the agent, the notes and people call the first. */
export const FIRST = 'first';

const NAME = /^[a-z0-9-]{1,16}$/;
const DEFAULT_COLLECTIONS = ['history', 'passwords'];
/** What people keep on a Kinto, as far as this build has it. */
const KINTO_COLLECTIONS = ['contacts', 'settings', 'reading-list'];

/** What was typed: the repeated options as they are. */
interface ServiceValues {
  readonly remote: readonly string[];
  readonly protocol: string;
  readonly collections?: string | undefined;
  readonly 'token-server': readonly string[];
  readonly credentials: readonly string[];
}

/**
 * `remoteAt`: the configuration of a protocol at what was typed as its server, behind an option of
 * this name. Errors: `UsageError`.
 */
export function servicesOf(
  values: ServiceValues,
  remoteAt: (option: string, protocol: string, url: string | undefined) => AgentConfig['remote'],
): readonly [Service, ...Service[]] {
  const typed = values.remote.map(typedRemote);
  const names = typed.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new UsageError(`--remote ${twice} is there twice`);
  const servers = byName('--token-server', values['token-server'], names);
  const files = byName('--credentials', values.credentials, names);
  const named = typed.map(({ name, protocol, collections }): Service => {
    if (!servers.has(name) && !isNamedBySignIn(protocol))
      throw new UsageError(`--token-server ${name}=URL is missing`);
    const credentialsFile = files.get(name) ?? '';
    if (credentialsFile === '') throw new UsageError(`--credentials ${name}=FILE is missing`);
    const remote = remoteAt(`--token-server ${name}`, protocol, servers.get(name));
    return { name, remote, credentialsFile, collections };
  });
  const taken = named.flatMap(({ collections }) => collections);
  const protocol = oneOf('--protocol', values.protocol, PROTOCOLS);
  const remote = remoteAt('--token-server', protocol, servers.get(null));
  const credentialsFile = files.get(null) ?? '';
  if (credentialsFile === '') throw new UsageError('--credentials is missing');
  const collections =
    values.collections === undefined
      ? defaultsOf(protocol).filter((name) => !taken.includes(name))
      : values.collections.split(',').map(firstCollectionOf);
  const services: [Service, ...Service[]] = [
    { name: null, remote, credentialsFile, collections },
    ...named,
  ];
  checkOwners(services);
  checkNames(services);
  return services;
}

/**
 * The service where its sign-in says that it is, as who that says. Errors: `UsageError` where the
 * sign-in is to something else.
 */
export function located<S extends Service>(
  service: S,
  { kinto, owa, token }: Pick<CredentialsFile, 'kinto' | 'owa' | 'token'>,
): S {
  const { remote, credentialsFile: path } = service;
  const { protocol } = remote;
  const url = kinto ?? owa;
  if (url !== null && protocol !== (kinto === null ? OWA : KINTO)) {
    const [what, its] = kinto === null ? [APPS_SERVER, OWA] : ['Kinto', KINTO];
    throw new UsageError(`${path} is a sign-in to the ${what} at ${url}: its protocol is ${its}`);
  }
  if (!isNamedBySignIn(protocol)) return service;
  if (protocol === OWA && url === null)
    throw new UsageError(`${path} is no sign-in to a ${APPS_SERVER}: \`kitsync sign-in --owa\``);
  const serverUrl = remote.serverUrl || url;
  if (serverUrl === null) throw new UsageError(`--token-server is missing: ${path} names no Kinto`);
  if (url !== null && url !== serverUrl)
    throw new UsageError(`${path} is a sign-in to ${url}, and not to ${serverUrl}`);
  const auth = 'password' in token ? 'basic' : 'session' in token ? 'browserid' : 'bearer';
  return { ...service, remote: { ...remote, serverUrl, audience: originOf(serverUrl), auth } };
}

const APPS_SERVER = 'server of Open Web Apps';

/** Whether a sign-in of this protocol says where its server is. */
export function isNamedBySignIn(protocol: string): boolean {
  return protocol === KINTO || protocol === OWA;
}

/** Whom an assertion is for. */
export function originOf(serverUrl: string): string {
  return `${new URL(serverUrl).origin}/`;
}

function defaultsOf(protocol: string): readonly string[] {
  if (protocol === OWA) return [APPS];
  if (protocol !== KINTO) return DEFAULT_COLLECTIONS;
  const known = KINTO_COLLECTIONS.filter((name) => COLLECTIONS.includes(name));
  if (known.length > 0) return known;
  throw new UsageError('--collections is missing, such as generic(notes)');
}

/** A Kinto has fewer names than Firefox Sync, and a server of Open Web Apps one. */
function checkNames(services: readonly Service[]): void {
  for (const { remote, collections } of services) {
    const other = collections.find((name) => remote.protocol === OWA && name !== APPS);
    if (other !== undefined) throw new UsageError(`${other}: a ${APPS_SERVER} keeps ${APPS} only`);
    const wrong = collections.find((name) => remote.protocol === KINTO && !isKintoName(name));
    if (wrong === undefined) continue;
    throw new UsageError(
      `${wrong} is no name on a Kinto: letters, digits, _ and -, a letter or digit first`,
    );
  }
}

function typedRemote(text: string) {
  const [, name = '', protocol = '', list] = /^([^=]*)=([^:]*)(?::(.*))?$/s.exec(text) ?? [];
  if (!NAME.test(name) || name === FIRST) {
    throw new UsageError(
      '--remote must be NAME=PROTOCOL[:COLLECTIONS], NAME of 1 to 16 of a-z, 0-9 and -, ' +
        `and not ${FIRST}`,
    );
  }
  const option = `--remote ${name}`;
  const known = oneOf(option, protocol, PROTOCOLS);
  const all = list ?? (known === OWA ? APPS : name);
  const collections = all.split(',').map((one) => collectionOf(option, one));
  return { name, protocol: known, collections };
}

/** One that Firefox has, or one of an app's own. */
function collectionOf(option: string, text: string): string {
  const name = /^generic\((.*)\)$/s.exec(text.trim())?.[1] ?? text.trim();
  if (COLLECTIONS.includes(name) || isOwnName(name)) return name;
  throw new UsageError(
    `${option}: ${JSON.stringify(name.slice(0, 80))} is not one of ${COLLECTIONS.join(', ')}, ` +
      "nor a name for an app's own collection (1 to 32 letters, digits and ._-)",
  );
}

/** A slip of the pen makes no collection here: one of an app's own is called `generic(NAME)`. */
function firstCollectionOf(text: string): string {
  const isOwn = text.trim().startsWith('generic(');
  return isOwn
    ? collectionOf('--collections', text)
    : oneOf('--collections', text.trim(), COLLECTIONS);
}

function checkOwners(services: readonly Service[]): void {
  const owners = new Map<string, string>();
  for (const { name, collections } of services) {
    for (const collection of collections) {
      const other = owners.get(collection);
      if (other !== undefined)
        throw new UsageError(`${collection} is named twice, for ${other} and ${name ?? FIRST}`);
      owners.set(collection, name ?? FIRST);
    }
  }
}

/**
 * `NAME=VALUE` of a named service; any other value is the first's (null). Errors: `UsageError`.
 */
export function byName(
  option: string,
  values: readonly string[],
  names: readonly string[],
): ReadonlyMap<string | null, string> {
  const found = new Map<string | null, string>();
  for (const text of values) {
    const name = names.find((known) => text.startsWith(`${known}=`)) ?? null;
    if (found.has(name) && names.length > 0)
      throw new UsageError(`${option} is there twice for ${name ?? `the first: say NAME=...`}`);
    found.set(name, name === null ? text : text.slice(name.length + 1));
  }
  return found;
}

function oneOf(option: string, value: string, words: readonly string[]): string {
  if (words.includes(value)) return value;
  throw new UsageError(`${option}: "${value}" is not one of ${words.join(', ')}`);
}
