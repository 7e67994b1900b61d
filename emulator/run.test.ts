// A run over the smallest firmware there is: it stores what it is told to, and tells what it is
// given to tell. So nothing here depends on what an agent does.

import { readFileSync } from 'node:fs';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PowerCut } from './device/flash.ts';
import { loadProfile } from './profiles.ts';
import type { Progress } from './progress.ts';
import { createRun, type Run, withPower } from './run.ts';
import { Store } from './servers/store.ts';

const CODE = readFileSync(new URL('./device/fixtures/parrot.js', import.meta.url), 'utf8');
const FIRMWARE = {
  parts: [{ file: 'parrot.js', code: CODE }],
  bytes: CODE.length,
  sha256: '',
};
const account = () => ({ kB: 'ab'.repeat(32), store: new Store() });
const REPORT = { ok: true, error: null, collections: {} };

type Change = Partial<Parameters<typeof createRun>[0]>;

const told: Progress[] = [];
const texts = () => told.map(({ text }) => text);
beforeEach(() => {
  told.length = 0;
});

function runOf(change: Change = {}): Run {
  return createRun({
    ...{ profile: loadProfile('panasonic-cx700'), firmware: FIRMWARE, account: account() },
    ...{ auth: 'bearer', crypto: 'device', seed: 1 },
    onProgress: (progress) => told.push(progress),
    ...change,
  });
}

/** With a second remote, `work`. */
function runOfTwo(): Run {
  const more = { protocol: 'sync15', auth: 'bearer', serverUrl: null } as const;
  const work = { name: 'work', collections: ['tabs'], account: account(), ...more };
  return runOf({ name: 'home', others: [work] });
}

describe('what the agent tells', () => {
  let run: Run;
  beforeAll(async () => {
    run = runOfTwo();
    await run.setup.device.boot();
  });

  const tell = (event: object) =>
    run.setup.device.command('call', { op: 'event', text: JSON.stringify(event) });

  it('of a state begins a pass where it is that of syncing: a power cut ends it then', async () => {
    await tell({ kind: 'state', state: 'enabled' });
    run.ledger.powerCut();
    expect(run.ledger.passes).toEqual([]);
    await tell({ kind: 'state', state: 'syncing', remote: 'work' });
    run.ledger.powerCut();
    expect(run.ledger.passes).toMatchObject([{ remote: 'work', error: { code: 'powerCut' } }]);
  });

  it('of a pass is booked, and the last one of its remote', async () => {
    const failed = { ...REPORT, ok: false, error: { code: 'offline', message: 'so' } };
    await tell({ kind: 'pass', report: failed });
    await tell({ kind: 'pass', report: REPORT, remote: 'work' });
    expect(run.parts.map(({ last }) => last?.ok)).toEqual([false, true]);
    expect(run.ledger.passes.slice(-2)).toMatchObject([
      { remote: 'first', ok: false },
      { remote: 'work', ok: true },
    ]);
  });

  it('of a record in quarantine is kept with its remote', async () => {
    await tell({ kind: 'quarantine', collection: 'tabs', id: 'a', remote: 'work' });
    expect(run.parts.map(({ reported }) => reported.map(({ id }) => id))).toEqual([[], ['a']]);
  });

  it('of its progress is said in numbers, and of records nothing', async () => {
    await tell({ kind: 'record', collection: 'history' });
    await tell({ kind: 'progress', collection: 'history', pulled: 5, pushed: 2 });
    expect(told).toMatchObject([{ kind: 'count', text: 'history: 5 received, 2 sent' }]);
    expect(told[0]?.virtualMs).toBeGreaterThan(0);
  });
});

describe('a line about a remote', () => {
  it('names it only where there are several', () => {
    const [one, two] = [runOf({ name: 'home' }), runOfTwo()];
    expect(one.named(one.parts[0], 'x')).toBe('x');
    expect(two.parts.map((part) => two.named(part, 'x'))).toEqual(['home: x', 'work: x']);
  });
});

describe('a power cut', () => {
  it('has the device started again, and the step done once more, on the same flash', async () => {
    const run = runOf({ cutsAt: [1, 2] });
    const { device, flash } = run.setup;
    await withPower(run, () => device.boot());
    const more = { head: '[["a",1]]', text: 'x' };
    await withPower(run, () => device.command('ask', { op: 'commit', ...more }));
    expect([run.powerCuts, flash().cutAt]).toEqual([2, null]);
    expect(texts().at(-1)).toBe('switched on again');
    expect(await device.command('ask', { op: 'get', text: 'a' })).toMatchObject({ head: '[1]' });
  });

  /** Whose device fails to start with these errors, one after the other; then it starts. */
  function startingWith(...errors: Error[]): Run {
    const run = runOf({ cutsAt: [10, 20, 30] });
    run.setup.device.boot = async () => {
      const error = errors.shift();
      if (error !== undefined) throw error;
    };
    return run;
  }

  /** A step that the power goes in once. */
  function cutOnce(): () => Promise<string> {
    let cuts = 0;
    return async () => {
      if (++cuts === 1) throw new PowerCut();
      return 'done';
    };
  }

  it('ends the pass that was running, and the next one comes where the run says', async () => {
    const run = startingWith();
    expect(run.setup.flash().cutAt).toBe(10);
    run.ledger.beginPass();
    expect(await withPower(run, cutOnce())).toBe('done');
    expect(run.ledger.passes).toMatchObject([{ ok: false, error: { code: 'powerCut' } }]);
    expect([run.powerCuts, run.setup.flash().cutAt]).toEqual([1, 20]);
    expect(texts()).toEqual(['the power was cut', 'switched on again']);
  });

  it('while the device starts again is one more, and it starts once more', async () => {
    const run = startingWith(new PowerCut(), new PowerCut());
    expect(await withPower(run, cutOnce())).toBe('done');
    expect([run.powerCuts, run.setup.flash().cutAt]).toEqual([3, null]);
    expect(texts()).toEqual([...Array(3).fill('the power was cut'), 'switched on again']);
  });

  it('is the only failure that a step is done again for', async () => {
    const broken = new Error('no step');
    const run = startingWith(broken);
    await expect(withPower(run, () => Promise.reject(broken))).rejects.toBe(broken);
    expect(run.powerCuts).toBe(0);
    await expect(withPower(run, cutOnce())).rejects.toBe(broken);
    expect(run.powerCuts).toBe(1);
  });
});
