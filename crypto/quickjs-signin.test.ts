// The cryptography of a sign-in, as a bare engine computes it: no global but those of the language,
// counted instructions, minified bytes. The numbers are exact and the same at every run.

import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { createVm, type Vm } from '../emulator/device/vm.ts';

const program = `
  import { decodeHex, encodeHex } from './bytes.ts';
  import { gcmKey, gcmSeal } from './gcm.ts';
  import { openJwe } from './jwe.ts';
  import * as onepw from './onepw.ts';
  import { ecPublicKey } from './p256.ts';
  import { turnTaker } from './turn.ts';
  let resume = () => {};
  let answer;
  const pause = () => new Promise((resolve) => { resume = resolve; });
  const keep = (text) => { answer = text; };
  export const publicKey = (key) => {
    ecPublicKey(decodeHex(key), pause).then((jwk) => keep(jwk.x));
  };
  export const open = (key, jwe) => {
    openJwe(jwe, decodeHex(key), pause).then((opened) => keep(opened.text ?? opened.code));
  };
  export const stretch = (email, password) => {
    onepw.stretchPassword(email, password, pause).then((key) => keep(encodeHex(key)));
  };
  export const seal = (length) => {
    const bytes = (count) => new Uint8Array(count).fill(7);
    const turn = turnTaker(pause);
    const options = { key: gcmKey(bytes(32)), iv: bytes(12), aad: bytes(length), turn };
    gcmSeal(options, bytes(length)).then((sealed) => keep(encodeHex(sealed.slice(-16))));
  };
  export const all = onepw;
  export const next = () => { resume(); };
  export const take = () => answer ?? '';
`;

const { outputFiles, metafile } = await build({
  stdin: { contents: program, resolveDir: import.meta.dirname, loader: 'ts' },
  bundle: true,
  minify: true,
  metafile: true,
  format: 'iife',
  globalName: 'crypto',
  target: 'es2020',
  platform: 'neutral',
  write: false,
});
const script = outputFiles[0]?.text ?? '';

/** Calls a function, gives the device its turns until it has answered, and tells what that took. */
async function run(name: string, ...args: (string | number)[]) {
  const vm = await createVm({ capBytes: 320 * 1024, sliceOpsMax: 100e6 });
  vm.release(vm.evaluate(script, 'crypto.js'));
  vm.resetSlices();
  const before = vm.meter().instructions;
  call(vm, name, ...args);
  let text = '';
  for (let turn = 0; text === '' && turn < 100; turn++) {
    text = call(vm, 'take');
    if (text === '') call(vm, 'next');
  }
  const { instructions, longestSlice } = vm.meter();
  return {
    text,
    instructions: instructions - before,
    longestSlice,
  };
}

function call(vm: Vm, name: string, ...args: (string | number)[]): string {
  const fn = vm.evaluate(`crypto.${name}`, 'call.js');
  const result = vm.call(fn, args);
  const text = vm.toText(result);
  vm.release(result);
  vm.release(fn);
  return text;
}

describe('in a bare engine', () => {
  // RFC 6979 appendix A.2.5.
  it('makes a public key in 110 million instructions, in slices', async () => {
    const key = 'c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721';
    const { text, ...cost } = await run('publicKey', key);
    expect(text).toBe('YP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Y');
    expect(cost.instructions).toBeLessThan(110e6);
    expect(cost.longestSlice).toBeLessThan(30e6);
  });

  // The description of scoped keys for clients of Firefox Accounts.
  it('opens a handed-over key in 130 million instructions, in slices', async () => {
    const key = '2970238c4af8293f54958238044d0179f55da313fcbea3b7f3d53b9509428a0b';
    const jwe =
      'eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTI1NkdDTSIsImVwayI6eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwi' +
      'eCI6Ik40elBSYXpCODd2cGVCZ0h6RnZrdmRfNDhvd0ZZWXhFVlhSTXJPVTZMRG8iLCJ5IjoiNG5jVXhONnhfeFQx' +
      'VDFrenlfU19WMmZZWjd1VUpUX0hWUk5aQkxKUnN4VSJ9fQ.._0sYf7HdWuRv2cM0.U5ZK5BYZWhLluS7q4y4ZFW1' +
      't_sSPt4me-5Ltscs1dWpoPnIZa3xEng2xsUOBaHfBra6m4wdgzrg6qINhBz0LuDwAfrHOtfRlpqeV3nrKhas1mGE' +
      'Qzr6lD4zBVYpmF_chm61IySnVxprsA1BulinIER2EIJbA.3Lh7cwCocbA2VkBBnsKgXA';
    const { text, ...cost } = await run('open', key, jwe);
    expect(text).toContain('"Kkbk1_Q0oCcTmggeDH6880bQrxin2RLu5D00NcJazdQ"');
    expect(cost.instructions).toBeLessThan(130e6);
    expect(cost.longestSlice).toBeLessThan(30e6);
  });

  it('seals a long message in slices', async () => {
    const { text, ...cost } = await run('seal', 8 * 1024);
    expect(text).toBe('c3c435942b0e4bf0fa33ea4cb495263e');
    expect(cost.longestSlice).toBeLessThan(30e6);
  });

  it('stretches a password in 900 million instructions, in slices', async () => {
    const { text, ...cost } = await run('stretch', 'andré@example.org', 'pässwörd');
    expect(text).toBe('e4e8889bd8bd61ad6de6b95c059d56e7b50dacdaf62bd84644af7e2add84345d');
    expect(cost.instructions).toBeLessThan(900e6);
    expect(cost.longestSlice).toBeLessThan(30e6);
  });
});

it.each([
  ['p256.ts', 2_500],
  ['gcm.ts', 3_000],
  ['ctr.ts', 1_700],
  ['jwe.ts', 1_600],
  ['onepw.ts', 1_500],
])('%s stays under %i bytes minified', (file, bytesMax) => {
  const sizes = Object.entries(metafile.outputs['stdin.js']?.inputs ?? {});
  const size = sizes.find(([path]) => path.endsWith(`/${file}`))?.[1].bytesInOutput ?? 0;
  expect(size).toBeGreaterThan(0);
  expect(size).toBeLessThanOrEqual(bytesMax);
});
