// One emulated device: it is switched on (`boot`), asked things (`command`), and loses its power
// (`powerOff`). What was counted stays over all of that.
// It knows the firmware only through the bridge.

import type { Storage } from '../../platform/ports.ts';
import type { Reply } from './bridge.ts';
import { NS_PER_MS } from './clock.ts';
import { type Machine, type MachineOptions, type MeteredStorage, startMachine } from './machine.ts';

export interface DeviceOptions extends MachineOptions {
  /** Called after every event that was worked off. */
  readonly onStep: () => void;
  /** Opens what is on the flash; called at every boot. */
  openStorage(): Promise<MeteredStorage>;
}

interface DeviceCounters {
  /** Executed by the agent, loading included. */
  readonly instructions: number;
  /** Since `resetSlices`, loading not included. */
  readonly longestSlice: number;
  /** Of the firmware at a boot, and of parts when they are asked for. */
  readonly loadInstructions: number;
  readonly loadLongestSlice: number;
  readonly storageInstructions: number;
  /** Heap of the agent, loading included, and of SQLite. */
  readonly peakBytes: number;
  readonly storagePeakBytes: number;
  /** Bytes of keys and values that the agent committed. */
  readonly payloadBytes: number;
  readonly boots: number;
}

/** The agent refused a command; `code` is its word. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: string;

  constructor(command: string, { error, text }: Reply) {
    const { message = '' } = JSON.parse(text) as { message?: string };
    super(`${command}: ${error}${message === '' ? '' : `, ${message}`}`);
    this.code = error;
  }
}

/** The agent never answers: nothing is left that could wake it, or a week has passed. */
export class DeviceHung extends Error {
  override readonly name = 'DeviceHung';
}

export interface Device {
  /** Throws VmKilled, VmError, PowerCut. */
  boot(): Promise<void>;
  powerOff(): void;
  /** The agent's answer. Throws CommandError and DeviceHung, and as `boot` does. */
  command(name: string, input: object): Promise<unknown>;
  /** Lets time pass. Throws as `command`. */
  idle(durationMs: number): Promise<void>;
  /**
   * From now on, also after a boot, every request for memory of this number is refused; 0: none.
   */
  refuseEvery(requests: number): void;
  /**
   * What it has stored, for who looks at it from outside: to read only. Throws while it is switched
   * off.
   */
  stored(): Storage;
  /** The longest slice is looked for anew from here. */
  resetSlices(): void;
  counters(): DeviceCounters;
}

const ANSWER_MS_MAX = 7 * 24 * 3_600_000;

export function createDevice(options: DeviceOptions): Device {
  const { clock, trace } = options;
  let machine: Machine | null = null;
  let refusedEvery = 0;
  let past = NOTHING_COUNTED;

  return {
    async boot() {
      past = { ...past, boots: past.boots + 1 };
      trace('boot', { profile: options.profile.name, boot: past.boots });
      machine = await startMachine(options, await options.openStorage());
      if (options.refusing === true) machine.vm.refuseEvery(refusedEvery);
    },
    powerOff() {
      past = countersWith(past, machine);
      machine?.vm.drop();
      machine = null;
      clock.clear();
      options.network.reset();
      trace('powerOff', {});
    },
    async command(name, input) {
      if (machine === null) throw new Error('the device is switched off');
      const replies: Reply[] = [];
      machine.bridge.command(name, JSON.stringify(input), (reply) => replies.push(reply));
      await runUntil(options, () => replies.length > 0, name);
      const [reply = { error: 'noReply', text: '{}' }] = replies;
      if (reply.error !== '') throw new CommandError(name, reply);
      return JSON.parse(reply.text) as unknown;
    },
    async idle(durationMs) {
      let isOver = false;
      clock.at(clock.nowNs() + durationMs * NS_PER_MS, () => {
        isOver = true;
      });
      await runUntil(options, () => isOver, 'idle');
    },
    refuseEvery(requests) {
      refusedEvery = requests;
      machine?.vm.refuseEvery(requests);
    },
    stored() {
      if (machine === null) throw new Error('the device is switched off');
      return machine.storage;
    },
    resetSlices() {
      past = { ...past, longestSlice: 0 };
      machine?.vm.resetSlices();
    },
    counters: () => countersWith(past, machine),
  };
}

const NOTHING_COUNTED: DeviceCounters = {
  instructions: 0,
  longestSlice: 0,
  loadInstructions: 0,
  loadLongestSlice: 0,
  storageInstructions: 0,
  peakBytes: 0,
  storagePeakBytes: 0,
  payloadBytes: 0,
  boots: 0,
};

/** What was counted before this boot, and by it. */
function countersWith(past: DeviceCounters, machine: Machine | null): DeviceCounters {
  if (machine === null) return past;
  const { vm, storage } = machine;
  const meter = vm.meter();
  return {
    ...past,
    instructions: past.instructions + meter.instructions,
    loadInstructions: past.loadInstructions + meter.loadInstructions,
    loadLongestSlice: Math.max(past.loadLongestSlice, meter.loadLongestSlice),
    longestSlice: Math.max(past.longestSlice, meter.longestSlice),
    storageInstructions: past.storageInstructions + storage.instructions(),
    peakBytes: Math.max(past.peakBytes, meter.peakBytes),
    storagePeakBytes: Math.max(past.storagePeakBytes, storage.heapPeakBytes()),
    payloadBytes: past.payloadBytes + storage.payloadBytes,
  };
}

async function runUntil(
  { clock, onStep }: DeviceOptions,
  isOver: () => boolean,
  what: string,
): Promise<void> {
  const deadlineNs = clock.nowNs() + ANSWER_MS_MAX * NS_PER_MS;
  while (!isOver()) {
    const hasStepped = await clock.step();
    onStep();
    if (!hasStepped) throw new DeviceHung(`${what}: the agent waits for nothing`);
    if (clock.nowNs() > deadlineNs) throw new DeviceHung(`${what}: no answer within a week`);
  }
}
