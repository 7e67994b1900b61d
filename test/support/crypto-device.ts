// The emulated device with nothing on it but crypto/ (crypto-firmware.ts): what cryptography costs
// there, in counted instructions, and whether it computes the same as anywhere else.

import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { AesItem, AesMode, BulkCrypto } from '../../crypto/bulk.ts';
import { type DeviceClock, virtualClock } from '../../emulator/device/clock.ts';
import { createDevice, type Device } from '../../emulator/device/device.ts';
import { createNetwork } from '../../emulator/device/network.ts';
import { createRandom } from '../../emulator/device/random.ts';
import { noTrace } from '../../emulator/device/trace.ts';
import type { Firmware } from '../../emulator/firmware.ts';
import { loadProfile } from '../../emulator/profiles.ts';
import { shrunkOnce } from '../../firmware-bundle/shrink.ts';
import type { DeviceCrypto } from '../../platform/crypto-port.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { nodeDeviceCrypto } from '../../platform/node/crypto.ts';
import type { Change } from '../../platform/ports.ts';
import { type Computation, type Order, PIECES } from './crypto-firmware.ts';

interface Cost {
  readonly instructions: number;
  readonly longestSlice: number;
  /** Of the device's time, its own cryptography included. */
  readonly durationMs: number;
  readonly answers: readonly (Uint8Array | null)[];
}

export interface CryptoDevice extends BulkCrypto {
  /** Computes over `values`, of which the first one is the key. */
  run(computation: Computation, values: readonly Uint8Array[]): Promise<Cost>;
}

/** The program as a device evaluates it. */
export function cryptoFirmware(): Promise<Firmware> {
  return programFirmware('crypto-firmware.ts');
}

/** Another program of this folder; `isShrunk`: in as few characters as a firmware ships in. */
export async function programFirmware(file: string, isShrunk = false): Promise<Firmware> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(file, import.meta.url))],
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    globalName: 'program',
    target: 'es2020',
    platform: 'neutral',
  });
  const text = `${outputFiles[0]?.text ?? ''}; return program.boot`;
  const script = `(() => {${text}})`;
  const code = `${isShrunk ? (await shrunkOnce(script, 2020, [])).trim() : script}`;
  return { parts: [{ file: 'crypto.js', code }], bytes: code.length, sha256: '' };
}

/** A television that is switched on; `device`: its own cryptography, null where it has none. */
export async function cryptoDevice(
  firmware: Firmware,
  crypto: DeviceCrypto | null = nodeDeviceCrypto(),
): Promise<CryptoDevice> {
  const clock = virtualClock();
  const storage = new MemoryStorage();
  const device = switchedOn(storage, firmware, crypto, clock);
  await device.boot();
  const obey = (order: Order) => device.command('obey', order);

  async function run(computation: Computation, values: readonly Uint8Array[]): Promise<Cost> {
    await replace(storage, values);
    await obey({ order: 'load', count: values.length });
    device.resetSlices();
    const before = device.counters().instructions;
    const beforeNs = clock.nowNs();
    await obey({ order: 'run', computation });
    const { instructions, longestSlice } = device.counters();
    const durationMs = (clock.nowNs() - beforeNs) / 1e6;
    await obey({ order: 'store' });
    const count = Math.max(1, (values.length - 1) / PIECES[computation]);
    const answers = await storage.get(Array.from({ length: count }, (_, at) => `${at}`));
    return {
      instructions: instructions - before,
      longestSlice,
      durationMs,
      answers: answers.map((answer) => (answer instanceof Uint8Array ? answer : null)),
    };
  }

  const whole = async (computation: Computation, values: readonly Uint8Array[]) =>
    values.length === 1 ? [] : [...(await run(computation, values)).answers];
  const never = (): never => {
    throw new Error('the device refused what nobody can refuse');
  };
  return {
    run,
    sha256: async (items) =>
      (await whole('sha256', [new Uint8Array(0), ...items])).map((answer) => answer ?? never()),
    hmac: async (key, items) =>
      (await whole('hmac', [key, ...items])).map((answer) => answer ?? never()),
    encrypt: async (mode, key, items) =>
      (await whole(`${mode}Encrypt`, [key, ...valuesOf(mode, items)])).map((a) => a ?? never()),
    decrypt: async (mode, key, items) => whole(`${mode}Decrypt`, [key, ...valuesOf(mode, items)]),
  };
}

/** A television with this program, which has not booted yet. */
export function switchedOn(
  storage: MemoryStorage,
  firmware: Firmware,
  crypto: DeviceCrypto | null,
  clock: DeviceClock = virtualClock(),
): Device {
  const profile = loadProfile('panasonic-cx700');
  const nobody = async () => Promise.reject(new Error('nobody is signed in'));
  const network = createNetwork({
    clock,
    link: profile.network,
    fetch: nobody,
    connection: () => 'none',
  });
  return createDevice({
    profile: { ...profile, ramCapBytes: 2 * profile.ramCapBytes },
    firmware,
    clock,
    network,
    identity: {
      account: nobody,
      assertion: nobody,
      accessToken: nobody,
      syncKey: nobody,
      deviceKey: nobody,
    },
    crypto,
    random: createRandom(1),
    config: crypto === null ? 'software' : 'device',
    epochMs: 0,
    connection: () => 'none',
    trace: noTrace,
    onEvent: () => {},
    onStep: () => {},
    openStorage: async () =>
      Object.assign(storage, {
        instructions: () => 0,
        heapPeakBytes: () => 0,
        payloadBytes: 0,
      }),
  });
}

/** The values are all that is stored, in commits of a size that a storage takes. */
async function replace(storage: MemoryStorage, values: readonly Uint8Array[]): Promise<void> {
  const changes: Change[] = storage.snapshot().map(([key]) => [key, null]);
  changes.push(...values.map((value, at): Change => [`${at}`, value]));
  for (let at = 0; at < changes.length; at += 1_000) {
    await storage.commit(changes.slice(at, at + 1_000));
  }
}

function valuesOf(mode: AesMode, items: readonly AesItem[]): Uint8Array[] {
  return items.flatMap(({ iv, bytes, aad = new Uint8Array(0) }) =>
    mode === 'cbc' ? [iv, bytes] : [iv, aad, bytes],
  );
}
