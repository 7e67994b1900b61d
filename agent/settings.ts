// The user's switches, which outrank the device's configuration. Pure.

import type { CollectionSettings } from './config.ts';

export interface Settings {
  readonly collections: readonly (readonly [name: string, settings: CollectionSettings])[];
  /** Null: as configured. */
  readonly intervalMs: number | null;
  readonly wifiOnly: boolean | null;
}

export const NO_SETTINGS: Settings = { collections: [], intervalMs: null, wifiOnly: null };

/** What is left out stays as it is. */
export interface SettingsChange {
  readonly collections?: { readonly [name: string]: Partial<CollectionSettings> };
  readonly intervalMs?: number;
  readonly wifiOnly?: boolean;
}

/** The settings after a change; `current` tells what is in force for a collection of this build. */
export function changedSettings(
  settings: Settings,
  change: SettingsChange,
  names: readonly string[],
  current: (name: string) => CollectionSettings,
): Settings {
  const changes = new Map(Object.entries(change.collections ?? {}));
  return {
    collections: names.map((name) => [name, { ...current(name), ...changes.get(name) }]),
    intervalMs: change.intervalMs ?? settings.intervalMs,
    wifiOnly: change.wifiOnly ?? settings.wifiOnly,
  };
}
