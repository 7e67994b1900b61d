// A change of the user's switches, looked at before it counts. Pure.

import { isObject } from '../../crypto/engine.ts';
import type { CollectionSettings } from '../config.ts';
import { badInput } from '../errors.ts';
import { INTERVAL_MS_MAX, INTERVAL_MS_MIN } from '../limits.ts';
import type { Settings, SettingsChange } from '../settings.ts';

/**
 * The settings after a change; `current` tells what is in force for a collection of this build.
 * Other collections are passed over. Errors: `badInput` names the member.
 */
export function changedSettings(
  settings: Settings,
  change: SettingsChange,
  names: readonly string[],
  current: (name: string) => CollectionSettings,
): Settings {
  const { intervalMs = settings.intervalMs, wifiOnly = settings.wifiOnly } = change;
  if (intervalMs !== null && !isInterval(intervalMs)) {
    throw badInput(`intervalMs: not an integer from ${INTERVAL_MS_MIN} to ${INTERVAL_MS_MAX}`);
  }
  const changes = new Map(Object.entries(objectOf('collections', change.collections)));
  return {
    collections: names.map((name) => {
      const own = objectOf(`collections.${name}`, changes.get(name));
      const { enabled, readOnly } = { ...current(name), ...own };
      const checked = {
        enabled: checkedSwitch(enabled, `collections.${name}.enabled`),
        readOnly: checkedSwitch(readOnly, `collections.${name}.readOnly`),
      };
      return [name, checked];
    }),
    intervalMs,
    wifiOnly: wifiOnly === null ? null : checkedSwitch(wifiOnly, 'wifiOnly'),
  };
}

function objectOf(name: string, value: unknown = {}): { readonly [member: string]: unknown } {
  if (isObject(value)) return value;
  throw badInput(`${name}: not an object`);
}

function isInterval(ms: unknown): boolean {
  return Number.isInteger(ms) && Number(ms) >= INTERVAL_MS_MIN && Number(ms) <= INTERVAL_MS_MAX;
}

function checkedSwitch(value: unknown, name: string): boolean {
  if (typeof value === 'boolean') return value;
  throw badInput(`${name}: neither true nor false`);
}
