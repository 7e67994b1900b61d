// The user's switches, which outrank the device's configuration. Pure.

import { isObject } from '../crypto/engine.ts';
import type { CollectionSettings } from './config.ts';
import { badInput } from './errors.ts';
import { INTERVAL_MS_MAX, INTERVAL_MS_MIN } from './limits.ts';

export interface Settings {
  readonly collections: readonly (readonly [name: string, settings: CollectionSettings])[];
  /** Null: as configured. */
  readonly intervalMs: number | null;
  readonly wifiOnly: boolean | null;
}

export const NO_SETTINGS: Settings = { collections: [], intervalMs: null, wifiOnly: null };

/** What is in force for a collection: its switches, else as it is configured, else off. */
export function settingsOf(
  settings: Settings,
  presets: { readonly [name: string]: CollectionSettings },
  name: string,
): CollectionSettings {
  const own = settings.collections.find((one) => one[0] === name);
  return own?.[1] ?? (Object.keys(presets).includes(name) ? presets[name] : null) ?? OFF;
}

const OFF: CollectionSettings = { enabled: false, readOnly: false };

/** What is left out stays as it is; null for the last two: as configured. */
export interface SettingsChange {
  readonly collections?: { readonly [name: string]: Partial<CollectionSettings> };
  readonly intervalMs?: number | null;
  readonly wifiOnly?: boolean | null;
}

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
