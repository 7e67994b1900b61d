// Node as a device: every port of the agent on a machine's own files, network, time and randomness.
// All of it lives in one directory, for one process at a time. Who the user is, and what people
// see, are the caller's business.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Connection, Identity, Platform, Shell } from '../ports.ts';
import { type Fetch, fetchNetwork } from '../web/fetch-network.ts';
import { nodeApps } from './apps.ts';
import { type NodeClock, nodeClock } from './clock.ts';
import { nodeDeviceCrypto } from './crypto.ts';
import { deviceKeyOf } from './device-key.ts';
import { nodeEntropy } from './entropy.ts';
import { overKeptConnections } from './kept-connections.ts';
import { checkDeviceKey } from './key-check.ts';
import { encryptedFetch } from './server-url.ts';
import { COMMIT_LIMITS, type NodeStorage, openNodeStorage } from './storage.ts';

/** What of a machine needs no directory: enough to sign in. */
export type Machine = Pick<Platform, 'network' | 'clock' | 'entropy'>;

export interface MachineOptions {
  /** The machine's own by default. */
  readonly fetch?: Fetch;
  readonly clock?: Clock;
  /** Other machines may be asked without encryption; false if it is not given. */
  readonly allowHttp?: boolean;
  /** Told, in a line for people, which server was not asked for that. */
  readonly onPlainHttp?: (line: string) => void;
}

export interface NodePlatformOptions extends MachineOptions {
  /** Made when it is missing. Its files are as private as the process's umask makes them. */
  readonly directory: string;
  /** The account manager of this machine. */
  identity(machine: Machine, deviceKey: Identity['deviceKey']): Identity;
  /** That of a further remote that the agent's configuration names. */
  identityOf?(name: string, machine: Machine, deviceKey: Identity['deviceKey']): Identity;
  readonly shell: Shell;
  /** `wifi` by default: a machine's network is there and costs nothing. */
  readonly connection?: () => Connection;
  /** The directory has the apps of this machine, too: see apps.ts. False if it is not given. */
  readonly withApps?: boolean;
  /** Another process has taken the directory over: nothing is stored any more. */
  readonly onLost?: () => void;
}

/** What records of a hundred thousand are looked up by, and what orders them. */
const CACHE_KIB = 16_384;

export interface NodePlatform extends Platform {
  /** Ends all waiting, closes the files and lets others open the directory. */
  close(): void;
}

/** Errors: `StorageError` `failed`, when the directory is in use or its key is lost. */
export async function openNodePlatform(options: NodePlatformOptions): Promise<NodePlatform> {
  const { directory, shell, onLost } = options;
  const storage = await openNodeStorage(directory, {
    limits: COMMIT_LIMITS,
    cacheKiB: CACHE_KIB,
    ...(onLost && { onLost }),
  });
  const deviceKey = await keyBeside(storage, directory);
  const apps = options.withApps ? nodeApps(directory) : null;
  const machine = nodeMachine(options);
  return {
    ...machine,
    storage,
    shell,
    power: { connection: options.connection ?? (() => 'wifi') },
    identity: options.identity(machine, async () => deviceKey),
    ...(options.identityOf && {
      identityOf: (name: string) => asked(options, name, machine, deviceKey),
    }),
    crypto: nodeDeviceCrypto(),
    ...(apps && { apps }),
    close() {
      machine.stop();
      apps?.close();
      storage.close();
    },
  };
}

function asked(
  { identity, identityOf }: NodePlatformOptions,
  name: string,
  machine: Machine,
  deviceKey: Uint8Array,
): Identity {
  const key = async (): Promise<Uint8Array> => deviceKey;
  return identityOf?.(name, machine, key) ?? identity(machine, key);
}

/** Only the owner of the folder makes a key, and looks at one. */
async function keyBeside(storage: NodeStorage, directory: string): Promise<Uint8Array> {
  try {
    const key = await deviceKeyOf(directory, hasData(directory));
    await checkDeviceKey(storage, key);
    return key;
  } catch (error) {
    storage.close();
    throw error;
  }
}

/** `stop`: nobody who sleeps wakes up any more, and nobody waits for a server. */
export function nodeMachine(options: MachineOptions = {}): Machine & Pick<NodeClock, 'stop'> {
  const clock = nodeClock();
  const { allowHttp = false, onPlainHttp } = options;
  const ended = new AbortController();
  const ask = overKeptConnections(options.fetch ?? fetch);
  return {
    network: fetchNetwork(allowHttp ? ask : encryptedFetch(ask, onPlainHttp), {
      streamsBodies: true,
      ended: ended.signal,
    }),
    clock: options.clock ?? clock,
    entropy: nodeEntropy(),
    stop() {
      clock.stop();
      ended.abort();
    },
  };
}

/** Whether a device has kept data in the directory before. */
export function hasData(directory: string): boolean {
  return existsSync(join(directory, 'store'));
}
