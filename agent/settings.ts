// The user's switches, which outrank the device's configuration. Pure.

import type { CollectionSettings } from './config.ts';

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
