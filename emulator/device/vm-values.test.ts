import { describe, expect, it } from 'vitest';
import { createVm } from './vm.ts';
import type { VmArg } from './vm-values.ts';

const options = { capBytes: 2 * 1024 * 1024, sliceOpsMax: 100_000_000 };

describe('values', () => {
  const texts = [
    '',
    'ascii',
    'é',
    '日本語',
    '😀',
    'a\0b',
    '\0',
    '\ud800',
    'x\udc00\0\ufffd日',
    '\ufffd',
  ];
  const values: VmArg[] = [...texts, 0, -1, 1.5, 2 ** 31, 2 ** 53, Number.NaN, -0, null];

  it.each(values)('%j crosses in and out unchanged', async (value) => {
    const vm = await createVm(options);
    const seen: VmArg[] = [];
    const host = vm.hostFunction('host', (given) => {
      seen.push(given ?? null);
      return given;
    });
    const echo = vm.evaluate('(function (host, value) { return host(value) })', 'a.js');
    expect(vm.toHost(vm.call(echo, [host, value]))).toEqual(value);
    expect(seen).toEqual([value]);
  });

  it('texts have the same length and units inside', async () => {
    const vm = await createVm(options);
    const units = vm.evaluate(
      '(function (s) { return s.split("").map((c) => c.charCodeAt()).join() })',
      'a',
    );
    for (const text of texts) {
      const expected = text.split('').map((unit) => unit.charCodeAt(0));
      expect(vm.toText(vm.call(units, [text]))).toBe(expected.join());
    }
  });

  it('bytes cross as copies, the empty ones too', async () => {
    const vm = await createVm(options);
    const bytes = Uint8Array.from([1, 2, 3]);
    const bump = vm.evaluate(
      '(function (b) { const v = new Uint8Array(b); v[0] += 9; return v.buffer })',
      'a.js',
    );
    expect(vm.toHost(vm.call(bump, [bytes]))).toEqual(Uint8Array.from([10, 2, 3]));
    expect(bytes[0]).toBe(1);
    expect(vm.toHost(vm.call(bump, [bytes.subarray(3)]))).toEqual(new Uint8Array());
  });

  it.each(['{}', 'new Uint8Array(3)', 'true', '10n', 'Symbol()', 'null.x'])(
    '%s does not cross, and the machine lives on',
    async (source) => {
      const vm = await createVm(options);
      const host = vm.hostFunction('host', () => 1);
      const give = vm.evaluate(
        `(function (h) { try { h(${source}); return 'crossed' } catch (e) { return e.name } })`,
        'a.js',
      );
      expect(vm.toText(vm.call(give, [host]))).toBe('TypeError');
    },
  );

  it('objects are reached by reference', async () => {
    const vm = await createVm(options);
    const registry = vm.newObject();
    vm.run(vm.evaluate('(function (r) { r.part = { name: "first" } })', 'a.js'), [registry]);
    expect(vm.toText(vm.property(vm.property(registry, 'part'), 'name'))).toBe('first');
    expect(vm.toHost(vm.property(registry, 'absent'))).toBeNull();
  });

  it('that were released cannot be used', async () => {
    const vm = await createVm(options);
    const value = vm.newObject();
    vm.release(value);
    vm.release(value);
    expect(() => vm.property(value, 'x')).toThrow('released');
  });
});
