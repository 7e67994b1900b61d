// What a report says of each remote, where a device has several: how it stands, what the device
// holds of it, what its passes cost, and which of its promises were broken.

import type { FlashUse, Pass, Traffic } from './ledger.ts';
import type { CollectionState, DeviceState, Part } from './part.ts';
import type { SetAside } from './quarantine.ts';

export interface RemoteReport {
  readonly ok: boolean;
  readonly protocol: string;
  readonly auth: string;
  /** As the device says in the end; `signed out`, where the run has told it to. */
  readonly state: string;
  /** Of its last pass; null: that went well. */
  readonly error: string | null;
  readonly records: Readonly<Record<string, CollectionState>>;
  readonly quarantine: readonly SetAside[];
  readonly device: DeviceState | null;
  readonly compared: readonly string[];
  readonly problems: readonly string[];
  /** Of its passes: how many there were, how many failed, and what they took in all. */
  readonly passes: number;
  readonly failedPasses: number;
  readonly cpu: { readonly instructions: number; readonly longestSlice: number };
  readonly network: Traffic;
  readonly flash: Pick<FlashUse, 'pagesWritten' | 'bytesWritten' | 'payloadBytes'>;
}

/** By name, the device's first remote in front; null where it is the only one. */
export function remoteReports(
  parts: readonly Part[],
  passes: readonly Pass[],
): Readonly<Record<string, RemoteReport>> | null {
  if (parts.length < 2) return null;
  return Object.fromEntries(
    parts.map((part) => [
      part.remote.name,
      reportOf(
        part,
        passes.filter(({ remote }) => remote === part.remote.address),
      ),
    ]),
  );
}

/** A remote's name by what the device calls it. */
export function nameOf(parts: readonly Part[], address: string): string {
  return parts.find(({ remote }) => remote.address === address)?.remote.name ?? address;
}

function reportOf(part: Part, passes: readonly Pass[]): RemoteReport {
  const { remote, state, error, records, quarantine, itself, compared, problems } = part;
  const sum = (of: (pass: Pass) => number): number =>
    passes.reduce((total, pass) => total + of(pass), 0);
  return {
    ok: problems.length === 0,
    ...{ protocol: remote.protocol, auth: remote.auth, state, error, records, quarantine },
    ...{ device: itself, compared, problems, passes: passes.length },
    failedPasses: passes.filter(({ ok }) => !ok).length,
    cpu: {
      instructions: sum(({ cpu }) => cpu.instructions),
      longestSlice: Math.max(0, ...passes.map(({ cpu }) => cpu.longestSlice)),
    },
    network: {
      requests: sum(({ network }) => network.requests),
      bytesIn: sum(({ network }) => network.bytesIn),
      bytesOut: sum(({ network }) => network.bytesOut),
      payloadBytesIn: sum(({ network }) => network.payloadBytesIn),
    },
    flash: {
      pagesWritten: sum(({ flash }) => flash.pagesWritten),
      bytesWritten: sum(({ flash }) => flash.bytesWritten),
      payloadBytes: sum(({ flash }) => flash.payloadBytes),
    },
  };
}
