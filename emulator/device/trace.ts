// The log of everything that passes between device and agent: one JSON line per event, with the
// device's time in milliseconds. Two runs from one seed write the same bytes. Sizes, names, ids and
// codes only: never a key, a token, a header, a payload or a record's content.

import type { DeviceClock } from './clock.ts';

type TraceDetail = { readonly [member: string]: string | number | boolean | null };

/**
 * `event` is a word of BRIDGE.md, or of the device's own: `boot`, `load`, `answer`, `command`,
 * `powerCut`.
 */
export type Trace = (event: string, detail: TraceDetail) => void;

export function createTrace(clock: DeviceClock, write: (line: string) => void): Trace {
  return (event, detail) => {
    const timeMs = Math.round(clock.nowNs() / 1000) / 1000;
    write(`${JSON.stringify({ t: timeMs, event, ...detail })}\n`);
  };
}

export const noTrace: Trace = () => {};

/** One call of `host`, as BRIDGE.md has it. */
export interface HostCall {
  readonly op: string;
  readonly id: number;
  readonly head: string;
  readonly text: string;
  readonly bytes: Uint8Array | null;
}

/** What of a call may be written down. */
export function describeCall(call: HostCall): TraceDetail {
  const sizes = {
    ...(call.id === 0 ? {} : { id: call.id }),
    ...(call.text === '' ? {} : { chars: call.text.length }),
    ...(call.bytes === null ? {} : { bytes: call.bytes.length }),
  };
  return { ...sizes, ...DETAILS.get(call.op)?.(call) };
}

const headAs = (name: string) => (call: HostCall) => ({ [name]: Number(call.head) });
const itemCount = (call: HostCall) => ({ items: (JSON.parse(call.head) as unknown[]).length });

const DETAILS: ReadonlyMap<string, (call: HostCall) => TraceDetail> = new Map([
  ['random', headAs('count')],
  ['sleep', headAs('ms')],
  ['piece', describePiece],
  ['part', (call) => ({ name: call.head })],
  ['read', headAs('stream')],
  ['close', headAs('stream')],
  ['get', (call) => ({ keys: call.text === '' ? 0 : call.text.split('\n').length })],
  ['scan', (call) => ({ range: call.head })],
  ['commit', (call) => ({ changes: (JSON.parse(call.head) as unknown[]).length })],
  ['open', itemCount],
  ['seal', itemCount],
  ['assertion', (call) => ({ audience: call.text, fresh: call.head === 'fresh' })],
  ['token', (call) => ({ fresh: call.head === 'fresh' })],
  ['reply', (call) => ({ error: call.head })],
  ['request', describeRequest],
  ['status', (call) => pick(call.text, ['state'])],
  ['event', (call) => pick(call.text, ['kind', 'state', 'error', 'collection', 'id', 'code'])],
]);

function describeRequest(call: HostCall): TraceDetail {
  const { method, url } = JSON.parse(call.head) as { method: string; url: string };
  return { method, url: url.replace(/(token=)[^&]*/gi, '$1…') };
}

function describePiece({ head }: HostCall): TraceDetail {
  const [request, what] = head.split(' ');
  return { request: Number(request), ...(what !== undefined && { what }) };
}

function pick(json: string, names: readonly string[]): TraceDetail {
  const members = JSON.parse(json) as Record<string, unknown>;
  const picked: Record<string, string | number> = {};
  for (const name of names) {
    const value = members[name];
    if (typeof value === 'string' || typeof value === 'number') picked[name] = value;
  }
  return picked;
}
