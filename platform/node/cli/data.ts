// The folder of synced data, opened: the agent on it, for this process alone.
// Nobody else can read the folder, and no command opens what it has not looked at first.

import { accessSync, constants, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type AgentConfig, createAgent } from '../../../agent/index.ts';
import { StorageError } from '../../storage-rules.ts';
import { DIRECTORY_BYTES_MAX, InUseError } from '../lock.ts';
import { type NodePlatformOptions, openNodePlatform } from '../platform.ts';
import { Failure, isRefusal, systemReason, UsageError } from './complaint.ts';
import { contentsWith, whyNoDevices } from './contents.ts';
import { connectControl, type Opened } from './control.ts';
import type { Device } from './device.ts';
import { removeLeftovers } from './folder.ts';
import { NODE_HEAP } from './heap.ts';
import type { ServiceNotes } from './notes.ts';
import { checkPrivateFolder } from './private-files.ts';
import { FIRST } from './service.ts';
import { type Keeping, keepingOf, protocolOf, readKeeping, readUndecided } from './stored.ts';
import type { StrategyNotes } from './strategies.ts';

export interface Data extends Opened {
  /** Resolves when the folder is free; what is being done about its apps comes to its end first. */
  close(): Promise<void>;
}

interface DataOptions extends NodePlatformOptions, Pick<AgentConfig, 'intervalMs'> {
  /** Null: no server is asked. */
  readonly remote: AgentConfig['remote'] | null;
  /** Of the notes, for a folder that does not say itself for which protocol it was kept. */
  readonly protocol?: string | undefined;
  /** Null: not one of the account's devices. */
  readonly device: Device | null;
  /** Further services, by name; none when left out. */
  readonly others?: { readonly [name: string]: ServiceNotes };
  /** Collections of apps that are synced with the first one. */
  readonly own?: readonly string[];
  /** What becomes of conflicts, as far as somebody has said it. */
  readonly strategies?: StrategyNotes;
}

/** Where no server is asked, only how its protocol keeps the data counts. */
function nowhere(keeping: Keeping | null, noted = 'sync15'): AgentConfig['remote'] {
  const protocol = keeping === null ? noted : protocolOf(keeping);
  return { protocol, serverUrl: '', audience: '', auth: 'bearer' };
}

/** Opens the folder and starts the agent on it. Errors: `UsageError`, `StorageError`. */
export async function openData(options: DataOptions): Promise<Data> {
  checkFolder(options.directory);
  const platform = await openNodePlatform({ ...options, withApps: true }).catch(
    (error: unknown) => {
      throw placed(options.directory, error);
    },
  );
  const { others = {}, own = [], device } = options;
  const names = Object.values(others).flatMap(({ collections }) => collections);
  const contents = contentsWith([...own, ...names]);
  let remote: AgentConfig['remote'];
  let strategies: StrategyNotes;
  try {
    remote = options.remote ?? nowhere(await readKeeping(platform.storage), options.protocol);
    await checkKeeping(options, platform.storage);
    const undecided = await readUndecided(platform.storage, contents, Object.keys(others));
    const manual = undecided.map((name) => [name, 'manual'] as const);
    strategies = { ...Object.fromEntries(manual), ...options.strategies };
  } catch (error) {
    platform.close();
    throw error;
  }
  const config: AgentConfig = {
    profile: 'node',
    ...(device !== null && whyNoDevices(remote.protocol) === null && { device }),
    remote,
    ...(names.length > 0 && { remotes: namedRemotes(others, device) }),
    collections: {},
    strategies,
    intervalMs: options.intervalMs,
    spreadMs: 0,
    wifiOnly: false,
    historyRecordsMax: HISTORY_RECORDS_MAX,
    recordCharsMax: RECORD_CHARS_MAX,
    heap: NODE_HEAP,
  };
  const agent = createAgent(platform, config, contents);
  try {
    removeLeftovers(options.directory);
    // What one service has lost is no reason to do without the others: its status says it.
    await agent.start().catch((error: unknown) => {
      const all = Object.values(agent.status().remotes ?? {});
      if (!all.some((status) => status.error === null)) throw error;
    });
  } catch (error) {
    platform.close();
    throw error;
  }
  const close = async (): Promise<void> => {
    await agent.appsSettled?.();
    platform.close();
  };
  return { agent, storage: platform.storage, close };
}

/**
 * What was kept for one kind of server is nothing to the other: an agent that opened it would begin
 * anew, and forget what has not been sent. Errors: `Failure`.
 */
async function checkKeeping(
  { remote, others = {}, directory }: DataOptions,
  storage: Parameters<typeof readKeeping>[0],
): Promise<void> {
  const wanted = [
    ...(remote === null ? [] : [[FIRST, remote] as const]),
    ...Object.entries(others).map(([name, other]) => [name, other.remote] as const),
  ];
  for (const [name, { protocol }] of wanted) {
    const keeping = await readKeeping(storage, name);
    if (keeping === null || keeping === keepingOf(protocol)) continue;
    const whose = name === FIRST ? '' : ` for ${name}`;
    throw new Failure(
      `${directory} holds what another kind of server has${whose}: choose another --data, or ` +
        'sign out of it first',
    );
  }
}

function namedRemotes(
  others: { readonly [name: string]: ServiceNotes },
  device: Device | null,
): NonNullable<AgentConfig['remotes']> {
  const named = Object.entries(others).map(([name, { remote, collections }]) => [
    name,
    {
      remote,
      ...(device !== null && whyNoDevices(remote.protocol) === null && { device }),
      collections: Object.fromEntries(
        collections.map((collection) => [collection, { enabled: true, readOnly: false }]),
      ),
    },
  ]);
  return Object.fromEntries(named);
}

/** The commands take turns on a folder: one that has it for longer than this is not done soon. */
export const TURN_MS = 3_000;
export const RETRY_MS = 50;

/**
 * Opens the folder when a short command that has it is done; a sync that answers is not waited for.
 * Errors: those of `openData`, `InUseError` among them.
 */
export async function openInTurn(options: DataOptions): Promise<Data> {
  for (let waitedMs = 0; ; waitedMs += RETRY_MS) {
    try {
      return await openData(options);
    } catch (error) {
      if (!(error instanceof InUseError) || waitedMs >= TURN_MS) throw error;
      const running = await connectControl(socketOf(options.directory));
      running?.close();
      if (running !== null) throw error;
    }
    await setTimeout(RETRY_MS);
  }
}

/** Where a running agent answers other commands: see control.ts. */
export function socketOf(directory: string): string {
  return join(directory, 'socket');
}

/** Errors: `UsageError`. A folder that does not exist is good. */
export function checkFolder(directory: string): void {
  if (Buffer.byteLength(directory) > DIRECTORY_BYTES_MAX) {
    throw new UsageError(`--data must be a path of at most ${DIRECTORY_BYTES_MAX} bytes`);
  }
  if (existsSync(directory)) checkPrivateFolder(directory);
}

/** A machine keeps all of a history: this is more than any browser writes. */
const HISTORY_RECORDS_MAX = 10_000_000;
const RECORD_CHARS_MAX = 400_000;

/**
 * An error of the system's files, which may name none, says what it is about; any other stays as it
 * is.
 */
function placed(directory: string, error: unknown): unknown {
  const below = error instanceof StorageError ? error.cause : error;
  const { syscall, path = directory } = (below ?? {}) as NodeJS.ErrnoException;
  if (syscall === undefined) return error;
  const cause = unwritable(directory) ?? below;
  const line = `cannot use ${path}: ${systemReason(cause)}`;
  return isRefusal(cause) ? new Failure(line) : new UsageError(line);
}

/**
 * Why nothing can be made there. Making a folder on a read-only file system says no more than that
 * there is none.
 */
function unwritable(directory: string): unknown {
  let place = directory;
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  try {
    accessSync(place, constants.W_OK);
    return null;
  } catch (error) {
    return error;
  }
}
