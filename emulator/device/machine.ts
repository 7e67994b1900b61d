// The device while it is switched on: a fresh virtual machine with the firmware loaded and started,
// its storage open, the bridge between them. What the machine and the storage execute is charged to
// the clock. It ends with the power; device.ts starts the next one.

import type { DeviceCrypto } from '../../platform/crypto-port.ts';
import type { Apps, Connection, Identity, Storage } from '../../platform/ports.ts';
import type { Firmware } from '../firmware.ts';
import type { Profile } from '../profiles.ts';
import { appsOperations } from './apps-operations.ts';
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
  partOperations,
  storageOperations,
} from './operations.ts';
import type { Random } from './random.ts';
import type { Trace } from './trace.ts';
import { createVm, type Vm, type VmRef } from './vm.ts';
import { VmError } from './vm-errors.ts';
import type { VmArg } from './vm-values.ts';

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
  /** The system's; it has none when left out. Asked for at every boot. */
  readonly apps?: () => Promise<Apps>;
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
  /** It knows of no parts and evaluates all scripts at every boot; false when left out. */
  readonly isWithoutParts?: boolean;
  /** The flash does not give the script of this part now; never when left out. */
  readonly failPart?: (name: string) => boolean;
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

/** What a question to the system about its apps takes. */
const APPS_MS = 5;

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
  const apps = await options.apps?.();
  const registry = vm.loading(() => vm.newObject());
  const evaluatePart = (name: string): void =>
    slice(() => vm.loading(() => loadPart(vm, options, registry, name)));
  const bridge = createBridge({
    ...options,
    operations: new Map([
      ...operationsOf(options, storage),
      ...(apps ? appsOperations(options.clock, apps, APPS_MS) : []),
      ...partOperations(options.clock, evaluatePart),
    ]),
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
  const { deliver, command } = slice(() => vm.loading(() => load(vm, options, bridge, registry)));
  bridge.connect({
    deliver: (...answer) => slice(() => vm.run(deliver, answer)),
    command: (...order) => slice(() => vm.run(command, order)),
  });
  return { vm, bridge, storage };
}

interface Loaded {
  readonly deliver: VmRef;
  readonly command: VmRef;
}

/** BRIDGE.md, "Loading". */
function load(vm: Vm, options: MachineOptions, bridge: Bridge, registry: VmRef): Loaded {
  const boot = evaluateScripts(vm, options, registry, undefined);
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
  const agent = vm.call(boot, [host]);
  vm.release(boot);
  vm.release(host);
  const loaded = {
    deliver: vm.property(agent, 'deliver'),
    command: vm.property(agent, 'command'),
  };
  vm.release(agent);
  return loaded;
}

/** Errors: `failed`, also where a script throws: the agent is told, and asks again one day. */
function loadPart(vm: Vm, options: MachineOptions, registry: VmRef, name: string): void {
  if (options.failPart?.(name) === true) throw new PartFailed('EIO');
  try {
    vm.release(evaluateScripts(vm, options, registry, name));
  } catch (error) {
    throw error instanceof VmError ? new PartFailed('the script throws') : error;
  }
}

/** An error of a port: the part cannot be read, or is none. */
class PartFailed extends Error {
  override readonly name = 'PartFailed';
  readonly code = 'failed';

  constructor(cause: string) {
    super(cause, { cause });
  }
}

/** The scripts of a part, or of a boot. Returns what the last one does. */
function evaluateScripts(
  vm: Vm,
  { firmware, trace, isWithoutParts }: MachineOptions,
  registry: VmRef,
  name: string | undefined,
): VmRef {
  const isAsked = (part?: string): boolean =>
    part === name || (name === undefined && isWithoutParts === true);
  const scripts = firmware.parts.filter(({ part }) => isAsked(part));
  let last: VmRef | null = null;
  for (const { file, code } of scripts) {
    trace('load', { file, bytes: Buffer.byteLength(code) });
    const script = vm.evaluate(code, file);
    if (last !== null) vm.release(last);
    last = vm.call(script, [registry]);
    vm.release(script);
  }
  if (last === null) throw new PartFailed('no such part');
  return last;
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
