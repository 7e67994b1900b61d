// This device among the account's devices: its own record, the others' list, and the commands that
// they leave here. A command is carried out once, whatever the power does, and taken out of the
// record on the server; what is not understood stays there. Nothing is ever deleted on the server
// on another device's word.
// Source: Sync object formats, `clients`.

import { isObject } from '../../../crypto/engine.ts';
import { commitLocal } from '../../api/records.ts';
import { clientRecords, commandsOf } from '../../collections/clients.ts';
import type { Body, Collection } from '../../collections/collection.ts';
import { hasSameMembers } from '../../collections/members.ts';
import type { DeviceConfig } from '../../config.ts';
import { SyncError } from '../../errors.ts';
import { LIST_MAX } from '../../limits.ts';
import type { CollectionState } from '../../store/collection-state.ts';
import { type Entry, NO_ENTRY, visible } from '../../store/record.ts';
import { resetCollection } from '../../store/reset.ts';
import type { CollectionStore } from '../../store/store.ts';
import type { CollectionPass } from '../../sync/pass-context.ts';
import { finishWipe, type Request, resetOnce, wipeOnce } from './commands.ts';

const DAY_MS = 86_400_000;
/** The own record is written again after so long: the server forgets it after 180 days. */
export const REFRESH_MS = 7 * DAY_MS;
const GONE_MS = 180 * DAY_MS;
/** Firefox's words for how a device looks, where they are not those for what it is. */
const FORM_FACTORS: ReadonlyMap<string, string> = new Map([
  ['mobile', 'phone'],
  ['tablet', 'largetablet'],
]);
const URL_CHARS_MAX = 65_536;

/** This device, as its own record describes it. */
export interface OwnDevice extends DeviceConfig {
  /**
   * Its id in the account's list of devices, whose tabs browsers show; null where it is not known.
   */
  readonly fxaDeviceId: string | null;
}

/** What a session remembers: to look at it again would be a third of a pass that finds nothing. */
export interface ClientsMemory {
  /**
   * The last state of the collection in which there was nothing to do, and what is known of the own
   * record there.
   */
  settled: {
    readonly state: CollectionState;
    /** When the own record was written. */
    readonly writtenMs: number;
    readonly fxaDeviceId: string | null;
  } | null;
}

export interface ClientsInput {
  readonly memory: ClientsMemory;
  readonly moved: boolean;
  /** The collections that a command may be about. */
  readonly stores: readonly CollectionStore[];
  readonly device: OwnDevice;
  /** The server's time; 0 if it does not say. */
  serverNowMs(): number;
  /** Pulls if something is there, pushes what is waiting. */
  exchange(): Promise<void>;
  /** This device is to be signed out when the pass is over. */
  signOut(): void;
}

/** The part of a build that knows of other devices. */
export interface Clients {
  readonly collection: Collection;
  /** An exchange would find nothing to do, if nothing has come in since this state. */
  isSettled(state: CollectionState, known: Known): boolean;
  /** One exchange. Errors: those of pull and push; `aborted` after a command to sign out. */
  sync(pass: CollectionPass, input: ClientsInput): Promise<void>;
  /** The other devices, the one seen last first, with `lastSeenMs` (server time). */
  devices(store: CollectionStore, clientId: string, device: DeviceConfig): Promise<Body[]>;
}

export const clients: Clients = { collection: clientRecords, isSettled, sync, devices };

type Known = Pick<ClientsInput, 'memory' | 'device' | 'serverNowMs'>;

async function sync(pass: CollectionPass, input: ClientsInput): Promise<void> {
  const { store } = pass;
  for (const other of input.stores) await finishWipe(other);
  // First what an interrupted pass has left: a command is known by the version of the record that
  // it came in.
  await obey(pass, input);
  await refresh(pass, input);
  // Records vanish without a word when their time is over: a list that changed is read whole.
  if (input.moved && store.state.cursor.sinceMs >= 0)
    await resetCollection(store, store.state.syncId);
  await input.exchange();
  if (await obey(pass, input)) await input.exchange();
  else if (store.state.pending === 0) await settle(pass, input);
}

function isSettled(state: CollectionState, { memory, device, serverNowMs }: Known): boolean {
  const { settled } = memory;
  if (settled?.state !== state || settled.fxaDeviceId !== device.fxaDeviceId) return false;
  return serverNowMs() - settled.writtenMs < REFRESH_MS;
}

async function settle(pass: CollectionPass, { memory, device }: ClientsInput): Promise<void> {
  const { mirror } = await ownEntry(pass);
  if (mirror === null || !isAsWanted(pass.clientId, device, mirror.body)) return;
  const { fxaDeviceId } = device;
  memory.settled = { state: pass.store.state, writtenMs: mirror.modifiedMs, fxaDeviceId };
}

/** Carries out the commands in the own record. True if the record has to go up for it. */
async function obey(pass: CollectionPass, input: ClientsInput): Promise<boolean> {
  const entry = await ownEntry(pass);
  const body = visible(entry);
  const commands = body === null ? [] : commandsOf(body);
  if (commands.some((command) => wordsOf(command)[0] === 'logout')) {
    input.signOut();
    throw new SyncError('aborted', 'another device has signed this one out');
  }
  const versionMs = entry.mirror?.modifiedMs ?? 0;
  const left: unknown[] = [];
  for (const [index, command] of commands.entries()) {
    const isDone = await carryOut(pass, input.stores, command, [versionMs, index]);
    if (!isDone) left.push(command);
  }
  if (left.length === commands.length) return false;
  await write(pass, { ...body, commands: left });
  return true;
}

/** False for a command that is not understood. */
async function carryOut(
  { emit }: CollectionPass,
  stores: readonly CollectionStore[],
  command: unknown,
  request: Request,
): Promise<boolean> {
  const [name, first, second, third] = wordsOf(command);
  const meant = stores.filter(({ collection }) => name === 'resetAll' || collection.name === first);
  if (name === 'displayURI') {
    const id = request.join('.');
    if (isPage(first)) {
      emit({ kind: 'page', id, url: first, from: text(second), title: text(third) });
    }
  } else if (name === 'wipeEngine') {
    for (const store of meant) {
      await wipeOnce(store, request);
      emit({ kind: 'wiped', collection: store.collection.name });
    }
  } else if (name === 'resetAll' || name === 'resetEngine') {
    for (const store of meant) await resetOnce(store, request);
  } else return false;
  return true;
}

/** A command's name and its arguments. */
function wordsOf(command: unknown): readonly unknown[] {
  if (!isObject(command)) return [];
  const { command: name, args } = command as Body;
  return [name, ...(Array.isArray(args) ? args : [])];
}

/**
 * Writes the own record if it says something else than it should, or has not been written for a
 * week.
 */
async function refresh(pass: CollectionPass, { device, serverNowMs }: ClientsInput): Promise<void> {
  const entry = await ownEntry(pass);
  const body = visible(entry);
  const ageMs = entry.mirror === null ? 0 : serverNowMs() - entry.mirror.modifiedMs;
  const isDue = entry.local === null && ageMs >= REFRESH_MS;
  if (isDue || !isAsWanted(pass.clientId, device, body)) {
    await write(pass, ownRecord(pass.clientId, device, body));
  }
}

function isAsWanted(id: string, device: OwnDevice, body: Body | null): boolean {
  return body !== null && hasSameMembers(body, ownRecord(id, device, body));
}

function ownRecord(id: string, device: OwnDevice, body: Body | null): Body {
  const { name, type, version, os, fxaDeviceId } = device;
  return {
    ...body,
    id,
    name,
    type,
    version,
    os,
    protocols: ['1.5'],
    formfactor: FORM_FACTORS.get(type) ?? type,
    application: device.application ?? 'Kitsync',
    // Also what is no list: it stays as another device has left it.
    commands: body?.commands ?? [],
    ...(fxaDeviceId !== null && { fxaDeviceId }),
  };
}

async function write({ store, platform, clientId }: CollectionPass, body: Body): Promise<void> {
  await store.lock.run(async () => {
    const [before = NO_ENTRY] = await store.load([clientId]);
    await commitLocal(store, clientId, before, body, platform.clock.nowMs());
  });
}

async function ownEntry({ store, clientId }: CollectionPass): Promise<Entry> {
  const [entry = NO_ENTRY] = await store.load([clientId]);
  return entry;
}

/**
 * Hides what is most likely gone: not seen for 180 days; the older record of a device that is known
 * twice; one that has another's name and was not seen for a week. The newest record tells the time,
 * so no clock is needed.
 */
async function devices(
  store: CollectionStore,
  clientId: string,
  device: DeviceConfig,
): Promise<Body[]> {
  const { ids } = await store.mirrorIds(null, LIST_MAX);
  const records: { id: string; body: Body; lastSeenMs: number }[] = [];
  for (const id of ids) {
    const [{ mirror } = NO_ENTRY] = await store.load([id]);
    if (mirror === null) continue;
    // Of the body, which may be long, what decides and what is shown.
    const { fxaDeviceId } = mirror.body;
    const body = { ...store.collection.view(id, mirror.body), fxaDeviceId };
    records.push({ id, body, lastSeenMs: mirror.modifiedMs });
  }
  records.sort((a, b) => b.lastSeenMs - a.lastSeenMs);
  const nowMs = records[0]?.lastSeenMs ?? 0;
  const names = new Set<unknown>([device.name]);
  const accounts = new Set<unknown>();
  const shown: Body[] = [];
  for (const { id, body, lastSeenMs } of records) {
    const { name, fxaDeviceId } = body;
    const ageMs = nowMs - lastSeenMs;
    const isStale = ageMs > GONE_MS || (names.has(name) && ageMs > REFRESH_MS);
    if (id === clientId || isStale || (fxaDeviceId && accounts.has(fxaDeviceId))) continue;
    names.add(name);
    accounts.add(fxaDeviceId);
    shown.push({ ...store.collection.view(id, body), lastSeenMs });
  }
  return shown;
}

function isPage(url: unknown): url is string {
  return typeof url === 'string' && url.length <= URL_CHARS_MAX && /^https?:\/\//i.test(url);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
