// The devices that can be emulated: one JSON file each in profiles/, read and checked here.
// Hardware figures are assumptions unless a profile's `assumptions` says otherwise.

import { readdirSync, readFileSync } from 'node:fs';

export interface Profile {
  readonly name: string;
  readonly description: string;
  /** Which figures are guesses, and from what. */
  readonly assumptions: string;
  /** Heap that the agent's script may have, its own code included. */
  readonly ramCapBytes: number;
  /** Nanoseconds of device time for one executed WebAssembly instruction. */
  readonly nanosecondsPerInstruction: number;
  /** Instructions without a break after which the device's watchdog kills the agent. */
  readonly sliceInstructionsMax: number;
  readonly flash: FlashProfile;
  /** Heap that SQLite may have. */
  readonly storageHeapBytes: number;
  readonly network: {
    readonly bytesPerSecond: number;
    readonly roundTripMs: number;
    readonly connectMs: number;
  };
  /** What the device's own cryptography takes for one record. */
  readonly cryptoRecordUs: number;
  /** What the account's other devices are told of this one. */
  readonly device: DeviceDescription;
  readonly agent: {
    readonly historyRecordsMax: number;
    readonly recordCharsMax: number;
    readonly intervalMs: number;
    readonly wifiOnly: boolean;
  };
}

export interface DeviceDescription {
  readonly name: string;
  readonly type: 'tv' | 'mobile';
  /** Of the firmware. */
  readonly version: string;
  readonly os: string;
}

export interface FlashProfile {
  readonly quotaBytes: number;
  readonly pageBytes: number;
  readonly programUs: number;
  readonly readUs: number;
  readonly syncUs: number;
}

/** The profile cannot be used; the message is one line for people. */
export class ProfileError extends Error {}

const folder = new URL('./profiles/', import.meta.url);

export const DEFAULT_PROFILE = 'panasonic-cx700';

export function profileNames(): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();
}

/**
 * Throws a ProfileError for a name without a file and for a file with a wrong or missing figure.
 */
export function loadProfile(name: string): Profile {
  if (!profileNames().includes(name)) {
    throw new ProfileError(`unknown profile "${name}"; there are ${profileNames().join(', ')}`);
  }
  return checkProfile(JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')));
}

type Rule =
  | 'text'
  | 'kind'
  | 'boolean'
  | 'positive'
  | 'count'
  | { readonly [member: string]: Rule };

const RULES: { readonly [member in keyof Profile]: Rule } = {
  name: 'text',
  description: 'text',
  assumptions: 'text',
  ramCapBytes: 'count',
  nanosecondsPerInstruction: 'positive',
  sliceInstructionsMax: 'count',
  flash: {
    quotaBytes: 'count',
    pageBytes: 'count',
    programUs: 'positive',
    readUs: 'positive',
    syncUs: 'positive',
  },
  storageHeapBytes: 'count',
  network: { bytesPerSecond: 'positive', roundTripMs: 'positive', connectMs: 'positive' },
  cryptoRecordUs: 'positive',
  device: { name: 'text', type: 'kind', version: 'text', os: 'text' },
  agent: {
    historyRecordsMax: 'count',
    recordCharsMax: 'count',
    intervalMs: 'count',
    wifiOnly: 'boolean',
  },
};

/** Every member that a profile needs is there and makes sense; no other one is. */
export function checkProfile(value: unknown): Profile {
  check(value, RULES, 'profile');
  return value as Profile;
}

function check(value: unknown, rule: Rule, path: string): void {
  if (typeof rule === 'object') {
    checkMembers(value, rule, path);
    return;
  }
  const isRight = {
    text: typeof value === 'string' && value !== '',
    kind: value === 'tv' || value === 'mobile',
    boolean: typeof value === 'boolean',
    positive: typeof value === 'number' && Number.isFinite(value) && value > 0,
    count: Number.isSafeInteger(value) && (value as number) > 0,
  }[rule];
  const kind = {
    text: 'a text',
    kind: 'tv or mobile',
    boolean: 'true or false',
    positive: 'a number above 0',
    count: 'a whole number above 0',
  }[rule];
  if (!isRight) throw new ProfileError(`${path} must be ${kind}, not ${JSON.stringify(value)}`);
}

function checkMembers(
  value: unknown,
  rules: { readonly [member: string]: Rule },
  path: string,
): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProfileError(`${path} must be an object`);
  }
  const unknown = Object.keys(value).find((name) => !Object.hasOwn(rules, name));
  if (unknown !== undefined) throw new ProfileError(`${path}.${unknown} is not known`);
  for (const [name, rule] of Object.entries(rules)) {
    check((value as Record<string, unknown>)[name], rule, `${path}.${name}`);
  }
}
