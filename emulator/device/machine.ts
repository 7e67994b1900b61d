// The device while it is switched on: a fresh virtual machine with the firmware loaded and started,
// its storage open, the bridge between them. What the machine and the storage execute is charged to
// the clock. It ends with the power; device.ts starts the next one.

import type { Connection, DeviceCrypto, Identity, Storage } from '../../platform/ports.ts';
import type { Firmware } from '../firmware.ts';
import type { Profile } from '../profiles.ts';
import { type Bridge, createBridge } from './bridge.ts';
import type { DeviceClock } from './clock.ts';
import type { DeviceNetwork } from './network.ts';
import {
  clockOperations,
  cryptoOperations,
  identityOperations,
  type MaybeIdentity,
  networkOperations,
  type Operations,
  storageOperations,
} from './operations.ts';
import type { Random } from './random.ts';
import type { Trace } from './trace.ts';
import { createVm, type Vm, type VmArg } from './vm.ts';

export interface MachineOptions {
  readonly profile: Profile;
  readonly firmware: Firmware;
  readonly clock: DeviceClock;
  readonly network: DeviceNetwork;
  readonly identity: Identity;
  /** Of another remote than the device's first; none has one when it is left out. */
  readonly identityOf?: MaybeIdentity;
  /** Null: the agent computes in JavaScript. */
  readonly crypto: DeviceCrypto | null;
  readonly random: Random;
  /** JSON of the agent's configuration. */
  readonly config: string;
  /** Device time at the clock's zero. */
  readonly epochMs: number;
  readonly connection: () => Connection;
  readonly trace: Trace;
  /** Stacks name file and line, at the price of heap; false when left out. */
  readonly keepDebug?: boolean;
  /** The engine can refuse memory on purpose, and throws then; false when left out. */
  readonly refusing?: boolean;
  /** JSON of an event of the agent. */
  readonly onEvent: (json: string) => void;
}

/** The Storage port with its meters (flash-storage.ts). */
export interface MeteredStorage extends Storage {
  /** Executed since it was opened. */
  instructions(): number;
  heapPeakBytes(): number;
  /** Bytes of keys and values in commits since it was opened. */
  readonly payloadBytes: number;
}

export interface Machine {
  readonly vm: Vm;
  readonly bridge: Bridge;
  readonly storage: MeteredStorage;
}

/** Loads and starts the firmware. Throws what it throws (VmError), and VmKilled. */
export async function startMachine(
  options: MachineOptions,
  storage: MeteredStorage,
): Promise<Machine> {
  const { profile } = options;
  const vm = await createVm({
    capBytes: profile.ramCapBytes,
    sliceOpsMax: profile.sliceInstructionsMax,
    stripped: options.keepDebug !== true,
    refusing: options.refusing === true,
  });
  const settle = meterToClock(options, () => vm.meter().instructions);
  const bridge = createBridge({
    ...options,
    operations: operationsOf(options, storage),
    settle,
    onClose: (stream) => options.network.close(stream),
  });
  /** Runs a slice, and charges it even if it is the last one. */
  const slice = <T>(work: () => T): T => {
    try {
      return work();
    } finally {
      settle();
    }
  };
  const agent = slice(() => load(vm, options, bridge));
  const deliver = vm.property(agent, 'deliver');
  const command = vm.property(agent, 'command');
  vm.release(agent);
  bridge.connect({
    deliver: (...answer) => slice(() => vm.run(deliver, answer)),
    command: (...order) => slice(() => vm.run(command, order)),
  });
  return { vm, bridge, storage };
}

/** BRIDGE.md, "Loading". */
function load(vm: Vm, { firmware, trace }: MachineOptions, bridge: Bridge) {
  const registry = vm.newObject();
  let last = registry;
  for (const { file, code } of firmware.parts) {
    trace('load', { file, bytes: Buffer.byteLength(code) });
    const part = vm.evaluate(code, file);
    if (last !== registry) vm.release(last);
    last = vm.call(part, [registry]);
    vm.release(part);
  }
  vm.release(registry);
  vm.collectGarbage();
  const host = vm.hostFunction('host', (op, id, head, text, bytes) =>
    bridge.host({
      op: asText(op),
      id: Number(id),
      head: asText(head),
      text: asText(text),
      bytes: bytes instanceof Uint8Array ? bytes : null,
    }),
  );
  const agent = vm.call(last, [host]);
  vm.release(last);
  vm.release(host);
  return agent;
}

function operationsOf(options: MachineOptions, storage: MeteredStorage): Operations {
  const { clock, profile } = options;
  const settle = meterToClock(options, () => storage.instructions());
  const charged = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } finally {
      settle();
    }
  };
  const { repair } = storage;
  const chargedStorage: Storage = {
    get: (keys) => charged(storage.get(keys)),
    scan: (range) => charged(storage.scan(range)),
    commit: (changes) => charged(storage.commit(changes)),
    ...(repair && { repair: (ifLost) => charged(repair.call(storage, ifLost)) }),
  };
  return new Map([
    ...clockOperations(clock),
    ...storageOperations(clock, chargedStorage),
    ...networkOperations(options.network),
    ...identityOperations(clock, options.identity, profile.network.roundTripMs, options.identityOf),
    ...(options.crypto
      ? cryptoOperations(clock, options.crypto, profile.cryptoRecordUs * 1000)
      : []),
  ]);
}

/** Each call charges the instructions executed since the last one. */
function meterToClock({ clock, profile }: MachineOptions, instructions: () => number): () => void {
  let charged = 0;
  return () => {
    const executed = instructions();
    clock.spend((executed - charged) * profile.nanosecondsPerInstruction);
    charged = executed;
  };
}

function asText(value: VmArg | undefined): string {
  return value === null || value === undefined ? '' : String(value);
}
