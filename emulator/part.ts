// What a run knows of one remote of its device: which of the device's collections are compared with
// it, what came of its passes, and what was found. It decides nothing.

import type { Holdings } from './expected.ts';
import type { PassReport } from './ledger.ts';
import type { SetAside } from './quarantine.ts';
import { FIRST, type Remote } from './remote.ts';
import type { SeedAccount } from './servers/store-file.ts';
import type { Setup } from './setup.ts';

export interface CollectionState {
  readonly held: number;
  readonly quarantined: number;
  readonly pushed: number;
}

/** The device among the account's devices. */
export interface DeviceState {
  readonly name: string;
  readonly type: string;
  /** Other devices that it knows of; null: nobody asked. */
  readonly others: number | null;
  /** How often its own record went to the server. */
  readonly pushed: number;
}

export interface Part {
  readonly remote: Remote;
  /** What is compared with its servers. */
  collections: readonly string[];
  /** As the device calls it in the end, or `SIGNED_OUT`. */
  state: string;
  /** Of the last pass, or null. */
  error: string | null;
  records: Record<string, CollectionState>;
  quarantine: readonly SetAside[];
  /** By events. */
  readonly reported: SetAside[];
  itself: DeviceState | null;
  /** Null: not read yet. */
  holdings: Holdings | null;
  /** Records of an app's own collections, by collection. */
  others: Record<string, readonly Body[]>;
  /** Its account as of before the last sync. */
  before: SeedAccount;
  /** The report of its last pass, since somebody has cleared it. */
  last: PassReport | null;
  /** It has synced once. */
  hasSynced: boolean;
  readonly problems: string[];
  readonly compared: string[];
}

/** The run has signed the device out of this one: it takes no part in syncs any more. */
export const SIGNED_OUT = 'signed out';

type Body = Readonly<Record<string, unknown>>;

/** What every device of the emulator is asked for, be it on or off, if it speaks Firefox Sync. */
const COMPARED = ['history', 'passwords'];
/** Of which a device has the collections that are named, and no others. */
const NAMED: readonly string[] = ['kinto', 'picl', 'owa'];

/** One part for each remote, the device's first one in front. */
export function partsOf({ remotes }: Setup): [Part, ...Part[]] {
  const [first, ...others] = remotes;
  const taken = others.flatMap(({ collections }) => collections);
  const isNamed = remotes.every(({ protocol }) => NAMED.includes(protocol));
  const always = isNamed ? [] : COMPARED;
  const firsts = [...always, ...first.collections].filter((name) => !taken.includes(name));
  return [
    partOf(first, [...new Set(firsts)]),
    ...others.map((one) => partOf(one, one.collections)),
  ];
}

function partOf(remote: Remote, collections: readonly string[]): Part {
  return {
    ...{ remote, collections },
    ...{ state: 'disabled', error: null, records: {}, quarantine: [], reported: [] },
    ...{ itself: null, holdings: null, others: {}, before: remote.account, last: null },
    ...{ hasSynced: false, problems: [], compared: [] },
  };
}

/** Where the device keeps what it has of a remote: SPEC.md. */
export function keyPrefix({ address }: Remote): string {
  return address === FIRST ? '' : `:${address}:`;
}

/** The part that a device means. */
export function partAt<P extends Part>(parts: readonly [P, ...P[]], address = FIRST): P {
  return parts.find(({ remote }) => remote.address === address) ?? parts[0];
}
