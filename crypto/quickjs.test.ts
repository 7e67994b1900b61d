// Records in JavaScript alone, as a bare engine computes them: no global but those of the language,
// counted instructions, counted bytes. The numbers are exact and the same at every run.

import { createCipheriv, createHmac } from 'node:crypto';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { createVm, type Vm } from '../emulator/device/vm.ts';
import { fill, publishedRecords, someText } from '../test/contract/crypto-cases.ts';
import { encodeHex } from './bytes.ts';
import type { KeyBundle } from './keys.ts';

const program = `
  import { decodeHex } from './bytes.ts';
  import { keyBundle } from './keys.ts';
  import { softwareCrypto } from './software.ts';
  let drawn = 0;
  let resume = () => {};
  let answer;
  let bundle;
  const entropy = { random: (count) => new Uint8Array(count).map(() => ++drawn * 167) };
  const crypto = softwareCrypto(entropy, () => new Promise((resolve) => { resume = resolve; }));
  const keep = ([first]) => { answer = first; };
  export const setKeys = (enc, mac) => { bundle = keyBundle(decodeHex(enc), decodeHex(mac)); };
  export const open = (id, payload) => { crypto.open(bundle, [{ id, payload }]).then(keep); };
  export const seal = (text) => { crypto.seal(bundle, [text]).then(keep); };
  export const next = () => { resume(); };
  /** Empty until there is an answer: a payload, a text or a refusal. */
  export const take = () => answer === undefined ? '' : answer.text ?? answer.code ?? answer;
  export const forget = () => { answer = undefined; };
`;

const { outputFiles } = await build({
  stdin: { contents: program, resolveDir: import.meta.dirname, loader: 'ts' },
  bundle: true,
  minify: true,
  format: 'iife',
  globalName: 'crypto',
  target: 'es2020',
  platform: 'neutral',
  write: false,
});
const script = outputFiles[0]?.text ?? '';

/** A device that has loaded the program, and the longest slice that it may take. */
class Device {
  private readonly vm: Vm;

  private constructor(vm: Vm) {
    this.vm = vm;
  }

  static async boot(bundle: KeyBundle, capBytes = 2 ** 20): Promise<Device> {
    const vm = await createVm({ capBytes, sliceOpsMax: 40e6 });
    vm.release(vm.evaluate(script, 'crypto.js'));
    const device = new Device(vm);
    device.call('setKeys', encodeHex(bundle.encKey), encodeHex(bundle.macKey));
    vm.resetSlices();
    return device;
  }

  get meter() {
    return this.vm.meter();
  }

  /** Calls a function and gives the device its turns until it has answered. */
  ask(name: string, ...args: string[]): string {
    this.call('forget');
    this.call(name, ...args);
    for (;;) {
      const answer = this.call('take');
      if (answer !== '') return answer;
      this.call('next');
    }
  }

  private call(name: string, ...args: string[]): string {
    const { vm } = this;
    const fn = vm.evaluate(`crypto.${name}`, 'call.js');
    const result = vm.call(fn, args);
    const text = vm.toText(result);
    vm.release(result);
    vm.release(fn);
    return text;
  }
}

const [{ bundle } = { bundle: undefined }] = publishedRecords;
if (bundle === undefined) throw new Error('no published record');

function sealByNode(text: string): string {
  const iv = new Uint8Array(16).fill(9);
  const cipher = createCipheriv('aes-256-cbc', bundle?.encKey ?? '', iv);
  const ciphertext = cipher.update(text, 'utf8', 'base64') + cipher.final('base64');
  const hmac = createHmac('sha256', bundle?.macKey ?? '')
    .update(ciphertext)
    .digest('hex');
  return JSON.stringify({ ciphertext, IV: Buffer.from(iv).toString('base64'), hmac });
}

it('opens every published record, without a global', async () => {
  for (const { bundle: keys, id, parts, text } of publishedRecords) {
    const device = await Device.boot(keys);
    expect(device.ask('open', id, JSON.stringify(parts))).toBe(text);
  }
});

it('opens a record of 1 KiB in 22 million instructions', async () => {
  const device = await Device.boot(bundle);
  const text = JSON.stringify({ id: 'A', t: fill(1024 - 17) });
  expect(text).toHaveLength(1024);
  const payload = sealByNode(text);
  device.ask('open', 'A', payload);
  const before = device.meter.instructions;
  const count = 20;
  for (let done = 0; done < count; done++) device.ask('open', 'A', payload);
  expect((device.meter.instructions - before) / count).toBeLessThan(22e6);
});

it.each([
  ['a text of ASCII', fill(256 * 1024)],
  ['a text of all widths', someText(40_000)],
  ['a text without ASCII', '日本語'.repeat(7_000)],
  ['a text of pairs', '😀'.repeat(15_000)],
])('opens a long record in slices of 34 million instructions: %s', async (_, t) => {
  const device = await Device.boot(bundle, 2 ** 21);
  const text = JSON.stringify({ id: 'A', t });
  const payload = sealByNode(text);
  expect(device.ask('open', 'A', payload) === text).toBe(true);
  expect(device.meter.longestSlice).toBeLessThan(34e6);
});

it('refuses a hostile payload inside its memory and its slice', async () => {
  const device = await Device.boot(bundle, 2 ** 21);
  for (const text of ['[0,', '{"a":', '"', '\\\\', '{},']) {
    const payload = text.repeat(390_000 / text.length);
    expect(device.ask('open', 'A', payload)).toBe('badPayload');
  }
});

it('seals what it opens, in slices as well', async () => {
  const device = await Device.boot(bundle);
  const text = JSON.stringify({ id: 'A', t: someText(20_000) });
  const payload = device.ask('seal', text);
  expect(device.meter.longestSlice).toBeLessThan(34e6);
  expect(device.ask('open', 'A', payload)).toBe(text);
});

it('keeps less than 40 KB of tables and keys', async () => {
  const device = await Device.boot(bundle);
  const before = device.meter.liveBytes;
  device.ask('open', 'A', sealByNode('{"id":"A"}'));
  const opening = device.meter.liveBytes;
  device.ask('seal', '{"id":"A"}');
  expect(opening - before).toBeLessThan(40_000);
  expect(device.meter.liveBytes - before).toBeLessThan(40_000);
});
