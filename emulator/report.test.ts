import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { Use } from './ledger.ts';
import { loadProfile } from './profiles.ts';
import { colourPaint, formatReport, makeReport, plainPaint, withRestored } from './report.ts';
import type { ScenarioResult } from './scenario.ts';
import type { Setup } from './setup.ts';

const PROFILE = loadProfile('panasonic-cx700');

const use = (instructions: number): Use => ({
  cpu: { instructions, longestSlice: 7_500_000, virtualMs: 1234.5, storageInstructions: 1_000_000 },
  network: { requests: 4, bytesIn: 12_345, bytesOut: 678, payloadBytesIn: 12_000 },
  flash: {
    pagesWritten: 10,
    bytesWritten: 40_960,
    payloadBytes: 20_000,
    writeAmplification: 2.048,
  },
});

const REPLAY = {
  version: '0.1.0',
  firmware: '0123456789abcdef'.repeat(4),
  seed: 7,
  cut: null,
  edits: null,
  account: 'ab'.repeat(32),
  command: 'kitsync emulate --seed 7',
};

function result(change: Partial<ScenarioResult> = {}): ScenarioResult {
  const counts = { pulled: 65, pushed: 2, quarantined: 0, merged: 0, evicted: 0 };
  return {
    parts: [],
    recoveryCode: null,
    records: {
      history: { held: 64, quarantined: 0, pushed: 2 },
      passwords: { held: 11, quarantined: 0, pushed: 0 },
    },
    quarantine: [],
    device: { name: 'Living room', type: 'tv', others: 1, pushed: 1 },
    passes: [
      {
        remote: 'first',
        ok: true,
        error: null,
        collections: { history: counts },
        ...use(300_000_000),
      },
      {
        remote: 'first',
        ok: false,
        error: { code: 'offline', message: 'x' },
        collections: {},
        ...use(1_000_000),
      },
    ],
    total: use(500_000_000),
    inspection: use(9_000_000),
    load: { instructions: 180_000_000, longestSlice: 60_000_000 },
    peakBytes: 800_000,
    storagePeakBytes: 270_000,
    boots: 1,
    powerCuts: 0,
    killed: null,
    compared: ['what the server holds in the end: 0 differences'],
    problems: [],
    holdings: null,
    setup: null as unknown as Setup,
    ...change,
  };
}

const report = (change: Partial<ScenarioResult> = {}) =>
  makeReport(result(change), {
    profile: PROFILE,
    protocol: 'syncto',
    auth: 'browserid',
    crypto: 'device',
    seed: 7,
    bundleBytes: 110_000,
    replay: REPLAY,
  });

describe('the JSON object', () => {
  test('has what README.md lists', () => {
    expect(report()).toMatchObject({
      ok: true,
      profile: 'panasonic-cx700',
      protocol: 'syncto',
      auth: 'browserid',
      crypto: 'device',
      seed: 7,
      records: { history: { held: 64, quarantined: 0, pushed: 2 } },
      device: { name: 'Living room', type: 'tv', others: 1, pushed: 1 },
      memory: {
        capBytes: 2_097_152,
        peakBytes: 800_000,
        storagePeakBytes: 270_000,
        bundleBytes: 110_000,
      },
      cpu: { instructions: 500_000_000, longestSlice: 7_500_000, virtualMs: 1234.5 },
      network: { requests: 4, bytesIn: 12_345, bytesOut: 678, payloadBytesIn: 12_000 },
      flash: { pagesWritten: 10, bytesWritten: 40_960, payloadBytes: 20_000 },
      killed: null,
      problems: [],
    });
  });

  test('lists every pass with the same counters', () => {
    const { passes } = report();
    expect(passes.map(({ ok, error }) => [ok, error])).toEqual([
      [true, null],
      [false, 'offline'],
    ]);
    expect(passes[0]).toMatchObject({ records: { history: { pulled: 65 } }, ...use(300_000_000) });
  });

  test('is not ok when a limit of the profile was passed', () => {
    const over = { peakBytes: PROFILE.ramCapBytes + 1, storagePeakBytes: 2_000_000 };
    const { ok, problems } = report(over);
    expect(ok).toBe(false);
    expect(problems).toEqual([
      '2,097,153 bytes of memory, 2,097,152 allowed',
      '2,000,000 bytes of memory for SQLite, 1,048,576 allowed',
    ]);
  });
});

describe('the text', () => {
  test('tells what was asked, what came of it and what it cost', () => {
    expect(formatReport(report(), plainPaint)).toMatchInlineSnapshot(`
      "Kitsync on panasonic-cx700
      Protocol syncto, signed in by a BrowserID assertion, cryptography in the device's own, seed 7
      Firmware 0123456789abcdef, again by: kitsync emulate --seed 7
      The device's figures are assumptions: see \`kitsync profiles\`

      Records     held   sent   quarantined
      history       64      2             0
      passwords     11      0             0

      Devices     "Living room" (tv) and 1 other; its own record was sent 1 time

      Compared with what the server holds in the end: 0 differences

      Memory      781 KiB of 2,048 KiB at most, the 107 KiB bundle included
                  SQLite 264 KiB of 1,024 KiB
      Processor   500 M instructions, 180 M of them to load; SQLite 1 M
                  7.5 M without a break at most (the longest slice)
      Network     4 requests, 12,345 bytes received (records: 12,000), 678 sent
      Flash       10 pages written, 2.048 bytes for each byte stored
      Time        1.2 s on the device

      Pass          received   sent   requests   instructions   slice   flash pages    time
      1                   65      2          4          300 M   7.5 M            10   1.2 s
      2 (offline)          0      0          4            1 M   7.5 M            10   1.2 s

      Every promise was kept.
      "
    `);
  });

  test('names every record that was set aside, and why: that breaks no promise', () => {
    const quarantine = Array.from({ length: 22 }, (_, at) => ({
      ...{ collection: 'history', id: `page${at}`, code: 'badMac' },
    }));
    const text = formatReport(report({ quarantine }), plainPaint);
    expect(text).toContain('Set aside, as the server has them:\n- history page0: badMac\n');
    expect(text).toContain('- history page19: badMac\n- and 2 more (--json lists all)\n');
    expect(text).toMatch(/Every promise was kept\.\n$/);
    expect(report({ quarantine }).quarantine).toEqual(quarantine);
  });

  test('lists broken promises, and says how many more there are', () => {
    const problems = Array.from({ length: 25 }, (_, i) => `problem ${i}`);
    const lines = formatReport(report({ problems }), plainPaint).trim().split('\n').slice(-22);
    expect(lines[0]).toBe('Broken promises:');
    expect(lines[20]).toBe('- problem 19');
    expect(lines[21]).toBe('- and 5 more (--json lists all)');
  });

  test('of a backup is of both devices, and good where both are and have the same', () => {
    const whole = withRestored(report(), report(), []);
    expect([whole.ok, withRestored(report(), null, []).restored]).toEqual([true, undefined]);
    expect(withRestored(report(), report({ problems: ['x'] }), []).ok).toBe(false);
    expect(withRestored(report({ problems: ['x'] }), report(), []).ok).toBe(false);
    const lacking = withRestored(report(), report(), ['contacts record A: it lacks it']);
    expect([lacking.ok, lacking.problems]).toEqual([false, []]);
    expect(lacking.restored?.problems).toEqual(['contacts record A: it lacks it']);
    const text = formatReport(whole, plainPaint);
    expect(text.indexOf('The second device')).toBeGreaterThan(text.indexOf('Every promise'));
    expect(text).toContain('Compared with what the first device holds: 0 differences');
  });

  test('is the same in colour, but for the colours', () => {
    const coloured = formatReport(report({ problems: ['x'] }), colourPaint);
    const plain = formatReport(report({ problems: ['x'] }), plainPaint);
    expect(coloured).toContain('\u001b[31mBroken promises:\u001b[39m');
    expect(stripVTControlCharacters(coloured)).toBe(plain);
  });
});
