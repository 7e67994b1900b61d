// This device among the account's devices: its own record, the others' list, and the commands that
// they leave here. A command is carried out once, whatever the power does, and taken out of the
// record on the server; what is not understood stays there. Nothing is ever deleted on the server
// on another device's word.
// Source: Sync object formats, `clients`.

import { isObject } from '../../../crypto/engine.ts';
import type { Body } from '../../collections/collection.ts';
import { hasSameMembers } from '../../collections/members.ts';
import type { DeviceConfig } from '../../config.ts';
import { SyncError } from '../../errors.ts';
import { LIST_MAX } from '../../limits.ts';
import { type Entry, NO_ENTRY, visible } from '../../store/record.ts';
import { resetCollection } from '../../store/reset.ts';
import { setLocal } from '../../store/rewrite.ts';
import type { CollectionStore } from '../../store/store.ts';
import type { Devices, DevicesInput, OwnDevice } from '../devices.ts';
import { clientRecords, commandsOf } from './client-records.ts';
import { finishWipe, type Request, resetOnce, wipeOnce } from './commands.ts';

const DAY_MS = 86_400_000;
/** The own record is written again after so long: the server forgets it after 180 days. */
const REFRESH_MS = 7 * DAY_MS;
const GONE_MS = 180 * DAY_MS;
/** Firefox's words for how a device looks, where they are not those for what it is. */
const FORM_FACTORS: ReadonlyMap<string, string> = new Map([
  ['mobile', 'phone'],
  ['tablet', 'largetablet'],
]);
const URL_CHARS_MAX = 65_536;

export const clients: Devices = { collection: clientRecords, isSettled, sync, devices };

async function sync(
  input: DevicesInput,
  moved: boolean,
  exchange: () => Promise<void>,
): Promise<void> {
  const { store } = input;
  for (const other of input.others) await finishWipe(other);
  // First what an interrupted pass has left: a command is known by the version of the record that
  // it came in.
  await obey(input);
  await refresh(input);
  // Records vanish without a word when their time is over: a list that changed is read whole.
  if (moved && store.state.position !== '') await resetCollection(store, store.state.origin);
  await exchange();
  if (await obey(input)) await exchange();
  else if (store.state.pending === 0) await settle(input);
}

function isSettled({ store, memory, device, serverNowMs }: DevicesInput): boolean {
  const { settled } = memory;
  if (settled?.state !== store.state || settled.fxaDeviceId !== device.fxaDeviceId) return false;
  return serverNowMs() - settled.writtenMs < REFRESH_MS;
}

async function settle(input: DevicesInput): Promise<void> {
  const { memory, device, clientId, store } = input;
  const { mirror } = await ownEntry(input);
  if (mirror === null || !isAsWanted(clientId, device, mirror.body)) return;
  const { fxaDeviceId } = device;
  memory.settled = { state: store.state, writtenMs: mirror.modifiedMs, fxaDeviceId };
}

/** Carries out the commands in the own record. True if the record has to go up for it. */
async function obey(input: DevicesInput): Promise<boolean> {
  const entry = await ownEntry(input);
  const body = visible(entry);
  const commands = body === null ? [] : commandsOf(body);
  if (commands.some((command) => wordsOf(command)[0] === 'logout')) {
    input.signOut();
    throw new SyncError('aborted', 'another device has signed this one out');
  }
  const versionMs = entry.mirror?.modifiedMs ?? 0;
  const left: unknown[] = [];
  for (const [index, command] of commands.entries()) {
    const isDone = await carryOut(input, command, [versionMs, index]);
    if (!isDone) left.push(command);
  }
  if (left.length === commands.length) return false;
  await write(input, { ...body, commands: left });
  return true;
}

/** False for a command that is not understood. */
async function carryOut(
  { emit, others }: DevicesInput,
  command: unknown,
  request: Request,
): Promise<boolean> {
  const [name, first, second, third] = wordsOf(command);
  const meant = others.filter(({ collection }) => name === 'resetAll' || collection.name === first);
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
async function refresh(input: DevicesInput): Promise<void> {
  const { clientId, device, serverNowMs } = input;
  const entry = await ownEntry(input);
  const body = visible(entry);
  const ageMs = entry.mirror === null ? 0 : serverNowMs() - entry.mirror.modifiedMs;
  const isDue = entry.local === null && ageMs >= REFRESH_MS;
  if (isDue || !isAsWanted(clientId, device, body)) {
    await write(input, ownRecord(clientId, device, body));
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

async function write({ store, platform, clientId }: DevicesInput, body: Body): Promise<void> {
  await store.lock.run(async () => {
    const [before = NO_ENTRY] = await store.load([clientId]);
    const transaction = store.begin();
    setLocal(transaction, clientId, before, body, platform.clock.nowMs());
    await transaction.commit();
  });
}

async function ownEntry({ store, clientId }: DevicesInput): Promise<Entry> {
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
