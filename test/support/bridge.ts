// The two sides of platform/quickjs/BRIDGE.md without a virtual machine between them: the agent's
// platform over the emulator's own operations, for the contract suites. Time is virtual and passes
// by itself.

import { createBridge } from '../../emulator/device/bridge.ts';
import { type DeviceClock, virtualClock } from '../../emulator/device/clock.ts';
import { clockOperations, type Operations } from '../../emulator/device/operations.ts';
import { createRandom } from '../../emulator/device/random.ts';
import { createTrace } from '../../emulator/device/trace.ts';
import type { Platform } from '../../platform/ports.ts';
import { withCredentials } from '../../platform/quickjs/credentials.ts';
import { createHostPlatform } from '../../platform/quickjs/host.ts';
import { sendPieces } from '../../platform/quickjs/pieces.ts';
import { appsOf } from '../../platform/quickjs/system-apps.ts';

export const EPOCH_MS = 1_795_330_000_000;

export interface BridgedDevice {
  readonly platform: Platform;
  readonly clock: DeviceClock;
  /** Rejects with what is no error of a port: a device would end here. */
  readonly crashed: Promise<never>;
  /** What the agent has told: the texts of `event`. */
  readonly events: string[];
  /** Lets time pass, event by event, until then or until nothing happens any more. */
  passUntil(isOver: () => boolean): Promise<void>;
}

interface BridgedOptions {
  readonly operations: (clock: DeviceClock) => Operations;
  readonly closeStream?: (stream: number) => void;
  readonly withCrypto?: boolean;
  /** What the device says of itself; by default that it takes bodies in pieces. */
  readonly config?: string;
  /** Gets the lines of the trace. */
  readonly traced?: (line: string) => void;
  readonly onEvent?: (json: string) => void;
  /** That of another device's world; by default one of its own. */
  readonly clock?: DeviceClock;
  /** Time passes when it is told to (`passUntil`), and not by itself. */
  readonly byHand?: boolean;
}

export function bridgedDevice(options: BridgedOptions): BridgedDevice {
  const { clock = virtualClock(), byHand = false } = options;
  const events: string[] = [];
  let crash: (error: unknown) => void = () => {};
  const crashed = new Promise<never>((_, reject) => {
    crash = reject;
  });
  crashed.catch(() => undefined);
  const bridge = createBridge({
    clock,
    epochMs: EPOCH_MS,
    config: options.config ?? '{"bodies":"streamed"}',
    random: createRandom(1),
    connection: () => 'wifi',
    operations: new Map([...clockOperations(clock), ...options.operations(clock)]),
    trace: createTrace(clock, options.traced ?? (() => undefined)),
    settle: () => undefined,
    onEvent(json) {
      events.push(json);
      options.onEvent?.(json);
    },
    onClose: (stream) => options.closeStream?.(stream),
  });
  const passUntil = async (isOver: () => boolean): Promise<void> => {
    // What the agent does with an answer is done before the next one comes.
    do await new Promise(setImmediate);
    while (!isOver() && (await clock.step()));
  };
  let isRunning = byHand;
  const run = async (): Promise<void> => {
    if (isRunning) return;
    isRunning = true;
    try {
      await passUntil(() => false);
    } catch (error) {
      crash(error);
    }
    isRunning = false;
  };
  const { platform, deliver } = createHostPlatform(
    (op, id, head, text, bytes) => {
      const given = bytes === null ? null : new Uint8Array(bytes);
      const result = bridge.host({ op, id, head, text, bytes: given });
      void run();
      return result instanceof Uint8Array ? bufferOf(result) : result;
    },
    options.withCrypto === true,
    sendPieces,
    withCredentials,
    appsOf,
  );
  bridge.connect({
    deliver: (id, error, head, text, bytes) =>
      deliver(id, error, head, text, bytes === null ? null : bufferOf(bytes)),
    command: () => undefined,
  });
  return { platform, clock, crashed, events, passUntil };
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}
