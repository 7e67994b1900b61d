// Packs in a device's engine: what was done with one is gone with it. An engine may keep what a
// weak table knows of an object, and the object's own room, until it collects garbage next time.

import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { createVm, type Vm } from '../../../../emulator/device/vm.ts';

const PROGRAM = `
  import { decodePack, encodePack, versionOf } from './pack.ts';
  import { place } from './place.ts';
  const stamp = () => ({ writtenMs: 5, salt: 1 });
  const changes = (base) => Array.from({ length: 8 }, (_, n) => {
    const id = 'h-' + String.fromCharCode(65 + n).repeat(42) + 'A';
    return { id, payload: '{"n":1}', base, beside: {} };
  });
  const placed = (text, base) => {
    const pack = decodePack('p-', text);
    for (const change of changes(base)) {
      if (place(pack, 0, change, stamp).kind !== 'written') throw new Error('it has no place');
    }
    return encodePack('p-', pack);
  };
  const full = placed(encodePack('p-', { isFull: false, entries: new Map() }), null);
  /** A pack comes, its records are changed, and it goes. */
  export const round = () => void placed(full, versionOf(0, stamp()));
`;

const ROUNDS = 200;

test('a pack that has gone leaves nothing in the heap', async () => {
  const { outputFiles } = await build({
    stdin: { contents: PROGRAM, resolveDir: import.meta.dirname, loader: 'ts' },
    ...{ bundle: true, minify: true, write: false, format: 'iife', globalName: 'packs' },
    ...{ target: 'es2020', platform: 'neutral' },
  });
  const vm = await createVm({ capBytes: 8 << 20, sliceOpsMax: 1e9 });
  vm.release(vm.evaluate(outputFiles[0]?.text ?? '', 'packs.js'));
  // No collection comes by itself meanwhile.
  vm.collectGarbage();
  const bytesAfter = (rounds: number): number => {
    for (let at = 0; at < rounds; at++) round(vm);
    return vm.meter().liveBytes;
  };
  const before = bytesAfter(ROUNDS);
  expect(bytesAfter(ROUNDS)).toBe(before);
});

function round(vm: Vm): void {
  const fn = vm.evaluate('packs.round', 'call.js');
  vm.run(fn, []);
  vm.release(fn);
}
