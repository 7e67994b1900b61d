import { describe, expect, test } from 'vitest';
import { INTERVAL_MS_MAX, INTERVAL_MS_MIN } from '../limits.ts';
import { NO_SETTINGS, type SettingsChange } from '../settings.ts';
import { changedSettings } from './switches.ts';

const NAMES = ['history', 'passwords'];
const preset = () => ({ enabled: true, readOnly: false });

function changed(change: SettingsChange, from = NO_SETTINGS) {
  return changedSettings(from, change, NAMES, preset);
}

describe("a user's switches", () => {
  test('are laid over what is in force, one by one', () => {
    const { collections } = changed({ collections: { history: { readOnly: true } } });
    expect(collections).toEqual([
      ['history', { enabled: true, readOnly: true }],
      ['passwords', { enabled: true, readOnly: false }],
    ]);
  });

  test('stay when another one changes', () => {
    const first = changed({ intervalMs: 120_000, wifiOnly: true });
    expect(changed({ intervalMs: 180_000 }, first)).toMatchObject({
      intervalMs: 180_000,
      wifiOnly: true,
    });
    expect(changed({ wifiOnly: false }, first)).toMatchObject({
      intervalMs: 120_000,
      wifiOnly: false,
    });
  });

  test('of a collection that is not in this build are passed over', () => {
    const change = JSON.parse('{"collections":{"__proto__":{"enabled":false},"x":{}}}');
    expect(changed(change).collections.map(([name]) => name)).toEqual(NAMES);
  });

  test('keep nothing that is no switch', () => {
    const change = JSON.parse('{"collections":{"history":{"enabled":false,"x":"y"}},"z":1}');
    expect(changed(change)).toEqual({
      collections: [
        ['history', { enabled: false, readOnly: false }],
        ['passwords', { enabled: true, readOnly: false }],
      ],
      intervalMs: null,
      wifiOnly: null,
    });
  });

  test('may set any interval from a minute to a week', () => {
    for (const intervalMs of [INTERVAL_MS_MIN, INTERVAL_MS_MAX]) {
      expect(changed({ intervalMs }).intervalMs).toBe(intervalMs);
    }
  });

  test.each([
    ['intervalMs', '{"intervalMs":0}'],
    ['intervalMs', '{"intervalMs":-1}'],
    ['intervalMs', '{"intervalMs":59999}'],
    ['intervalMs', '{"intervalMs":604800001}'],
    ['intervalMs', '{"intervalMs":90000.5}'],
    ['intervalMs', '{"intervalMs":"90000"}'],
    ['wifiOnly', '{"wifiOnly":"no"}'],
    ['collections.history.enabled', '{"collections":{"history":{"enabled":1}}}'],
    ['collections.passwords.readOnly', '{"collections":{"passwords":{"readOnly":null}}}'],
  ])('are refused with the name of the member: %s', (name, json) => {
    expect(() => changed(JSON.parse(json))).toThrow(
      expect.objectContaining({ code: 'badInput', message: expect.stringContaining(`${name}:`) }),
    );
  });
});
