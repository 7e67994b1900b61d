import { describe, expect, it } from 'vitest';
import { createVm, type Vm } from './vm.ts';
import { VmError, VmKilled } from './vm-errors.ts';

const options = { capBytes: 2 * 1024 * 1024, sliceOpsMax: 100_000_000 };

function evaluateText(vm: Vm, source: string): string {
  return vm.toText(vm.evaluate(source, 'test.js'));
}

describe('a script', () => {
  it('returns its completion value', async () => {
    expect(evaluateText(await createVm(options), '1 + 1')).toBe('2');
  });

  it('finds neither a clock nor random numbers', async () => {
    const vm = await createVm(options);
    expect(evaluateText(vm, '[typeof Date, typeof Math.random, typeof performance]')).toBe(
      'undefined,undefined,undefined',
    );
  });

  it('is followed by the jobs that it leaves', async () => {
    const vm = await createVm(options);
    vm.release(vm.evaluate('var done = 0; (async () => { await 1; await 2; done = 3 })()', 'a.js'));
    expect(evaluateText(vm, 'done')).toBe('3');
  });

  it('that throws is an error with its message and its stack, and no end', async () => {
    const vm = await createVm(options);
    const attempt = () => vm.evaluate('function f() { null.x }\nf()', 'part.js');
    expect(attempt).toThrow(VmError);
    try {
      attempt();
    } catch (error) {
      const { message, vmStack } = error as VmError;
      expect(message).toBe("TypeError: cannot read property 'x' of null");
      expect(vmStack).toContain('at f (part.js:1');
    }
    expect(() => vm.evaluate('throw 7', 'a.js')).toThrow('7');
    expect(() => vm.evaluate('1 +', 'a.js')).toThrow('SyntaxError');
    expect(evaluateText(vm, '"alive"')).toBe('alive');
  });

  it('keeps no source, file or line where they are stripped, and takes less heap', async () => {
    const source = `globalThis.f = () => { null.x; ${'Number(1);\n'.repeat(99)} }`;
    const [kept, stripped] = [
      await createVm(options),
      await createVm({ ...options, stripped: true }),
    ];
    const bytesOf = (vm: Vm) => {
      const before = vm.meter().liveBytes;
      vm.release(vm.evaluate(source, 'part.js'));
      return vm.meter().liveBytes - before;
    };
    expect(bytesOf(stripped)).toBeLessThan(0.7 * bytesOf(kept));
    const stackOf = (vm: Vm): unknown => {
      try {
        vm.evaluate('f()', 'call.js');
      } catch (error) {
        return (error as VmError).vmStack;
      }
      return null;
    };
    expect(stackOf(kept)).toContain('part.js:1');
    expect(stackOf(stripped)).not.toContain('part.js');
    expect(evaluateText(kept, 'String(f)')).toContain('null.x');
    expect(evaluateText(stripped, 'String(f)')).not.toContain('null.x');
  });

  it('that recurses too deep gets an exception of its own', async () => {
    const vm = await createVm(options);
    const source = 'let depth = 0; (function f() { depth++; f() })';
    expect(() => vm.run(vm.evaluate(source, 'a.js'), [])).toThrow('stack overflow');
    expect(Number(evaluateText(vm, 'depth'))).toBeGreaterThan(300);
    expect(() => vm.evaluate('JSON.parse("[".repeat(1e6))', 'a.js')).toThrow('stack overflow');
  });
});

describe('a host function', () => {
  it('that throws is an exception inside, with its name and message', async () => {
    const vm = await createVm(options);
    const host = vm.hostFunction('host', () => {
      throw new RangeError('too far');
    });
    const source =
      '(function (h) { for (let i = 0; i < 100; i++) try { h() } catch (e) { var s = e } return' +
      ' String(s) })';
    expect(vm.toText(vm.call(vm.evaluate(source, 'a.js'), [host]))).toBe('RangeError: too far');
    expect(() => vm.run(host, [])).toThrow('RangeError: too far');
    expect(evaluateText(vm, '1')).toBe('1');
  });

  it('cannot enter the machine that it is called from', async () => {
    const vm = await createVm(options);
    const host = vm.hostFunction('host', () => vm.toText(vm.evaluate('1', 'a.js')));
    expect(() => vm.run(host, [])).toThrow('cannot enter');
    expect(evaluateText(vm, '1')).toBe('1');
  });

  it('returns undefined where it returns nothing', async () => {
    const vm = await createVm(options);
    const host = vm.hostFunction('host', () => undefined);
    const source = '(function (h) { return h() === undefined && h.name === "host" })';
    expect(vm.toText(vm.call(vm.evaluate(source, 'a.js'), [host]))).toBe('true');
  });
});

describe('the meter', () => {
  const work = `
    const map = new Map();
    for (let i = 0; i < 200; i++) map.set('key' + i, { i, list: [i, String(i)] });
    (async () => { for (const key of map.keys()) await key.replace(/k(.)/g, '$1') })();
    JSON.parse(JSON.stringify([...map])).length`;

  it('shows the same numbers for the same program in two machines', async () => {
    const [first, second] = [await createVm(options), await createVm(options)];
    expect(evaluateText(first, work)).toBe('200');
    expect(evaluateText(second, work)).toBe('200');
    expect(first.meter()).toEqual(second.meter());
    expect(first.meter().longestSlice).toBeGreaterThan(1_000_000);
  });

  it('counts slices and their instructions from when it was told to', async () => {
    const vm = await createVm(options);
    expect(vm.meter().slices).toBe(0);
    const loop = vm.evaluate('(function (n) { for (let i = 0; i < n; i++); })', 'a.js');
    vm.run(loop, [10_000]);
    vm.resetSlices();
    expect(vm.meter()).toMatchObject({ slices: 0, longestSlice: 0 });
    const before = vm.meter().instructions;
    vm.run(loop, [100]);
    expect(vm.meter().slices).toBe(1);
    expect(vm.meter().longestSlice).toBeGreaterThan(5000);
    expect(vm.meter().longestSlice).toBeLessThanOrEqual(vm.meter().instructions - before);
  });

  it('shows that calls leave nothing behind', async () => {
    const vm = await createVm(options);
    const host = vm.hostFunction('host', (op, _text, bytes) => (op === 'give' ? 'text' : bytes));
    const source = `(function (host, text, bytes) {
      host('give', text, null); host('take', 'x', bytes); try { host({}) } catch {} return text
    })`;
    const fn = vm.evaluate(source, 'a.js');
    const call = () => vm.run(fn, [host, 'some text, 日本', Uint8Array.from([1, 2, 3])]);
    for (let i = 0; i < 10; i++) call();
    const { liveBytes } = vm.meter();
    for (let i = 0; i < 10_000; i++) call();
    expect(vm.meter().liveBytes).toBe(liveBytes);
  });

  it('shows that evaluating and throwing leave nothing behind', async () => {
    const vm = await createVm(options);
    const round = () => {
      vm.release(vm.evaluate('(async () => { await 1; return { a: [] } })()', 'a.js'));
      expect(() => vm.evaluate('throw new Error("x")', 'a.js')).toThrow('x');
      const object = vm.newObject();
      vm.release(vm.property(object, 'x'));
      vm.release(object);
      vm.release(vm.hostFunction('f', () => 1));
    };
    for (let i = 0; i < 10; i++) round();
    const { liveBytes } = vm.meter();
    for (let i = 0; i < 500; i++) round();
    expect(vm.meter().liveBytes).toBe(liveBytes);
  });
});

describe('a machine is killed', () => {
  const endless: [string, string][] = [
    ['a loop without end', 'for (;;) {}'],
    [
      'a loop that catches everything',
      'for (;;) try { for (;;) {} } catch {} finally { continue }',
    ],
    ['a regular expression that explodes', '/(a*)*b/.test("a".repeat(40))'],
    ['jobs that make jobs', '(async () => { for (;;) await 1 })()'],
    ['a long slice in C', '"x".repeat(1e6).split("").sort().reverse().join("y").replace(/x/g, "")'],
  ];

  it.each(endless)('by the watchdog: %s', async (_what, source) => {
    const vm = await createVm({ capBytes: 64 * 1024 * 1024, sliceOpsMax: 50_000_000 });
    expect(() => vm.evaluate(source, 'a.js')).toThrow('killed: cpu');
    const { longestSlice } = vm.meter();
    expect(longestSlice).toBeGreaterThan(50_000_000);
    expect(longestSlice).toBeLessThan(50_010_000);
  });

  it('for one instruction more than a slice may have, and not for its last one', async () => {
    const longest = async (sliceOpsMax: number) => {
      const vm = await createVm({ ...options, sliceOpsMax });
      vm.release(vm.evaluate('for (let i = 0; i < 1000; i++); "done"', 'a.js'));
      return vm.meter().longestSlice;
    };
    const needed = await longest(options.sliceOpsMax);
    expect(await longest(needed)).toBe(needed);
    await expect(longest(needed - 1)).rejects.toThrow('killed: cpu');
  });

  it('at the same instruction in every run', async () => {
    const longest = async () => {
      const vm = await createVm({ ...options, sliceOpsMax: 5_000_000 });
      expect(() => vm.evaluate('let i = 0; for (;;) i++', 'a.js')).toThrow(VmKilled);
      return vm.meter().longestSlice;
    };
    expect(await longest()).toBe(await longest());
  });

  it('for good: every further call says the same', async () => {
    const vm = await createVm(options);
    const value = vm.newObject();
    expect(() => vm.evaluate('for (;;) {}', 'a.js')).toThrow(VmKilled);
    expect(vm.meter().slices).toBe(1);
    expect(() => vm.evaluate('1', 'a.js')).toThrow('killed: cpu');
    expect(vm.meter().slices).toBe(1);
    expect(() => vm.property(value, 'x')).toThrow('killed: cpu');
    expect(() => vm.hostFunction('f', () => 1)).toThrow('killed: cpu');
    vm.release(value);
    vm.drop();
    expect(() => vm.newObject()).toThrow('killed: cpu');
  });

  it('without harm to another', async () => {
    const [one, other] = [await createVm(options), await createVm(options)];
    expect(() => one.evaluate('for (;;) {}', 'a.js')).toThrow(VmKilled);
    expect(evaluateText(other, '"here"')).toBe('here');
  });

  it('when its engine fails', async () => {
    const vm = await createVm({ ...options, stackBytes: 4 * 1024 * 1024 });
    const attempt = () => vm.evaluate('(function f() { f() })()', 'a.js');
    expect(attempt).toThrow('killed: trap');
    expect(attempt).toThrow('killed: trap');
  });

  it('when it is dropped, quietly', async () => {
    const vm = await createVm(options);
    vm.drop();
    expect(() => vm.newObject()).toThrow('dropped');
  });
});

describe('the limits of a machine', () => {
  it.each([{ capBytes: 1.5 }, { capBytes: -1 }, { sliceOpsMax: Number.POSITIVE_INFINITY }])(
    'are whole numbers: %j is refused',
    async (wrong) => {
      await expect(createVm({ ...options, ...wrong })).rejects.toThrow(RangeError);
    },
  );
});
