// Signing in as a firmware would carry it: what it weighs, that it takes no name from outside, that
// it runs in a bare engine, and that a firmware without it carries none of it.

import { parse } from 'acorn';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { createVm, type Vm } from '../../emulator/device/vm.ts';
import { companion } from '../../emulator/servers/companion.ts';
import { DEFAULT_SOURCE } from '../../firmware-bundle/build.ts';
import { freeNames, INTRINSICS } from '../../firmware-bundle/globals.ts';
import { readProgram } from '../../firmware-bundle/program.ts';
import { startSignIn } from '../../test/support/signin.ts';

const ROOT = `${import.meta.dirname}/../..`;

async function bundle(contents: string) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: ROOT, loader: 'ts' },
    bundle: true,
    minify: true,
    metafile: true,
    absWorkingDir: ROOT,
    format: 'iife',
    globalName: 'signin',
    target: 'es2020',
    platform: 'neutral',
    write: false,
  });
  const inputs = Object.entries(metafile.outputs['stdin.js']?.inputs ?? {});
  return {
    code: outputFiles[0]?.text ?? '',
    sizes: new Map(inputs.map(([path, { bytesInOutput }]) => [path, bytesInOutput])),
  };
}

const everything = `
  export * from './agent/signin/companion.ts';
  export * from './agent/signin/identity.ts';
  export * from './agent/signin/import.ts';
  export * from './agent/signin/password.ts';
  export * from './agent/signin/server.ts';
  export * from './agent/signin/tokens.ts';
`;

it('weighs 17 KB in all, and 13 KB without the password', async () => {
  const all = await bundle(everything);
  const own = (sizes: ReadonlyMap<string, number>) =>
    [...sizes].filter(([path]) => /signin|words|p256|gcm|jwe|onepw/.test(path));
  const sum = (sizes: ReadonlyMap<string, number>) =>
    own(sizes).reduce((bytes, [, size]) => bytes + size, 0);
  expect(sum(all.sizes)).toBeLessThan(17_000);
  const lean = await bundle(everything.replace(/^.*password.*$/m, ''));
  expect(sum(lean.sizes)).toBeLessThan(13_100);
  expect(lean.sizes.has('crypto/onepw.ts')).toBe(false);
});

it('takes no name from outside', async () => {
  const { code } = await bundle(everything);
  const program = parse(code, { ecmaVersion: 2020, sourceType: 'script' });
  const outside = freeNames(program).filter(({ name }) => !INTRINSICS.has(name));
  expect(outside).toEqual([]);
});

it('is not in a firmware that has an account manager', async () => {
  const { bytesOf } = await readProgram(DEFAULT_SOURCE, 2020);
  const carried = [...bytesOf].filter(
    ([path, size]) => /signin|p256|gcm|jwe|onepw/.test(path) && size > 0,
  );
  expect(carried).toEqual([]);
  expect(bytesOf.size).toBeGreaterThan(20);
});

const program = `
  import { beginSignIn, finishSignIn } from './agent/signin/companion.ts';
  let resume = () => {};
  let answer = '';
  let ask = '';
  let deliver = () => {};
  let drawn = 0;
  const turn = () => new Promise((resolve) => { resume = resolve; });
  const device = {
    clock: { nowMs: () => 0, sleep: turn, pause: turn },
    entropy: { random: (count) => new Uint8Array(count).map(() => ++drawn * 167) },
    network: {
      request(request) {
        ask = JSON.stringify(request);
        return new Promise((resolve) => {
          deliver = (status, text) => {
            ask = '';
            let rest = text;
            const read = async () => { const piece = rest; rest = null; return piece; };
            resolve({ status, headers: [], read, cancel() {} });
          };
        });
      },
    },
  };
  const keep = (work) => {
    answer = '';
    const said = (text) => { answer = text; };
    work.then((value) => said(JSON.stringify(value)), (error) => said(String(error)));
  };
  export const begin = (request) => keep(beginSignIn(device, JSON.parse(request)));
  export const finish = (secret, code) =>
    keep(finishSignIn(device, JSON.parse(secret), JSON.parse(code)));
  export const next = () => { resume(); };
  export const take = () => answer;
  export const asked = () => ask;
  export const answered = (status, text) => { deliver(status, text); };
`;

describe('in a bare engine', () => {
  it('signs in within half a megabyte, in slices', async () => {
    const world = startSignIn();
    const vm = await createVm({ capBytes: 512 * 1024, sliceOpsMax: 200e6 });
    vm.release(vm.evaluate((await bundle(program)).code, 'signin.js'));
    vm.resetSlices();
    const call = (name: string, ...args: (string | number)[]) => callIn(vm, name, ...args);
    const run = async (name: string, ...args: string[]): Promise<string> => {
      call(name, ...args);
      for (let turn = 0; turn < 100; turn++) {
        if (call('take') !== '') return call('take');
        const ask = call('asked');
        if (ask === '') call('next');
        else {
          const { url, ...init } = JSON.parse(ask);
          const response = await world.fetch(new Request(url, init));
          call('answered', response.status, await response.text());
        }
      }
      throw new Error('no answer');
    };
    const start = JSON.parse(await run('begin', JSON.stringify(world.request)));
    const code = await companion(world.fetch, start.url, world.account);
    const finished = await run('finish', JSON.stringify(start.secret), JSON.stringify(code));
    expect(JSON.parse(finished)).toMatchObject({ key: { kty: 'oct' }, expiresAtMs: 21_600_000 });
    expect(vm.meter().longestSlice).toBeLessThan(30e6);
  });
});

function callIn(vm: Vm, name: string, ...args: (string | number)[]): string {
  const fn = vm.evaluate(`signin.${name}`, 'call.js');
  const result = vm.call(fn, args);
  const text = vm.toText(result);
  vm.release(result);
  vm.release(fn);
  return text;
}
