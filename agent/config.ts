// What the device decides: where the server is, what is synced, how much the device can hold.
// The device is trusted, so nothing here is checked twice; users' switches are in settings.ts.

export interface RemoteConfig {
  readonly protocol: 'syncto';
  /** Base URL with its version prefix's parent, no trailing slash: `https://syncto.example`. */
  readonly serverUrl: string;
  /** BrowserID audience: the token server's origin with a trailing slash. */
  readonly audience: string;
  readonly auth: 'browserid' | 'bearer';
}

export interface CollectionSettings {
  readonly enabled: boolean;
  readonly readOnly: boolean;
}

export interface AgentConfig {
  readonly profile: string;
  readonly remote: RemoteConfig;
  readonly collections: {
    readonly history: CollectionSettings;
    readonly passwords: CollectionSettings;
  };
  /** Time between scheduled passes. */
  readonly intervalMs: number;
  /** Scheduled passes wait for a network that costs nothing. */
  readonly wifiOnly: boolean;
  /** Pages of history that the device keeps; the oldest go first, and only from the device. */
  readonly historyRecordsMax: number;
  /** Longest record accepted from the wire, in characters of its JSON; at most RECORD_CHARS_MAX. */
  readonly recordCharsMax: number;
}
