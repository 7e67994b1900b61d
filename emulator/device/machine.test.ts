// The machine by itself: scripts of a few lines on it, a storage in RAM with made-up meters, and no
// device that sends commands.

import { expect, it } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { loadProfile } from '../profiles.ts';
import { virtualClock } from './clock.ts';
import { type Machine, type MachineOptions, startMachine } from './machine.ts';
import { createNetwork } from './network.ts';
import { createRandom } from './random.ts';
import { createTrace } from './trace.ts';
import { VmError } from './vm-errors.ts';

const TV = loadProfile('panasonic-cx700');
/** Asks on a command for the operation of that name, and tells the answer as an event. */
const ASKING = `(function (r) {
  return function (host) {
    return {
      deliver: function (id, error, head, text) {
        var answer = [error, head, text, r.seen].join('|');
        host('event', 0, '', JSON.stringify({ kind: 'answered', answer: answer }), null);
      },
      command: function (id, name, text) { host(name, 1, text, '', null); },
    };
  };
})`;
const SEEN = (what: string) => `(function (r) { r.seen = (r.seen || '') + '${what}'; })`;

interface Bench {
  readonly machine: Machine;
  readonly lines: string[];
  /** What the answer to an operation is: error, head, text, and what the scripts have left. */
  asked(op: string, head?: string): Promise<string | undefined>;
  spentNs(): number;
}

async function started(change: Partial<MachineOptions> = {}, parts = [boot()]): Promise<Bench> {
  const clock = virtualClock();
  const events: string[] = [];
  const lines: string[] = [];
  let instructions = 0;
  const never = async (): Promise<never> => Promise.reject(new Error('nobody asks'));
  const storage = Object.assign(new MemoryStorage(), {
    instructions: () => (instructions += 1_000_000),
    heapPeakBytes: () => 0,
    payloadBytes: 0,
  });
  const options: MachineOptions = {
    ...{ profile: TV, firmware: { parts, bytes: 0, sha256: '' }, clock, crypto: null },
    network: createNetwork({ clock, link: TV.network, fetch: never, connection: () => 'wifi' }),
    identity: {
      ...{ account: never, assertion: never, accessToken: never, syncKey: never },
      deviceKey: never,
    },
    ...{ random: createRandom(1), config: '{}', epochMs: 0, connection: () => 'wifi' },
    trace: createTrace(clock, (line) => lines.push(line)),
    onEvent: (json) => events.push(JSON.parse(json).answer),
    ...change,
  };
  const machine = await startMachine(options, storage);
  return {
    ...{ machine, lines },
    spentNs: () => clock.nowNs(),
    async asked(op, head = '') {
      machine.bridge.command(op, head, () => undefined);
      while (await clock.step());
      return events.pop();
    },
  };
}

function boot(code = ASKING, file = 'agent.js') {
  return { file, code };
}
const part = (name: string, code: string, file = `${name}.js`) => ({ file, code, part: name });
const loads = ({ lines }: Bench) =>
  lines
    .map((line) => JSON.parse(line))
    .flatMap(({ event, file }) => (event === 'load' ? file : []));

it('evaluates the scripts of a boot in their order, over one registry, and no part', async () => {
  const parts = [boot(SEEN('a'), 'a.js'), boot(SEEN('b'), 'b.js'), part('p', SEEN('p')), boot()];
  const bench = await started({}, parts);
  expect(loads(bench)).toEqual(['a.js', 'b.js', 'agent.js']);
  expect(await bench.asked('pause')).toBe('|||ab');
});

it('evaluates all at every boot where it knows of no parts', async () => {
  const parts = [part('p', SEEN('p')), boot()];
  expect(await (await started({ isWithoutParts: true }, parts)).asked('pause')).toBe('|||p');
});

it('evaluates all scripts of a part when it is asked for', async () => {
  const parts = [boot(), part('p', SEEN('1')), part('q', SEEN('q')), part('p', SEEN('2'), 'p2.js')];
  const bench = await started({}, parts);
  expect(await bench.asked('part', 'p')).toBe('|||12');
  expect(loads(bench)).toEqual(['agent.js', 'p.js', 'p2.js']);
});

it('tells the agent of a part that is none, cannot be read, or throws', async () => {
  const parts = [boot(), part('p', SEEN('p')), part('bad', '(function () { throw 1; })')];
  const bench = await started({ failPart: (name) => name === 'p' }, parts);
  expect(await bench.asked('part', 'p')).toBe('failed||EIO|');
  expect(await bench.asked('part', 'none')).toBe('failed||no such part|');
  expect(await bench.asked('part', 'bad')).toBe('failed||the script throws|');
});

it('throws what a script of the boot throws', async () => {
  await expect(started({}, [boot('(function () { throw 1; })')])).rejects.toThrow(VmError);
});

it('charges the clock with what it and the storage execute, each once', async () => {
  const bench = await started();
  const loaded = bench.spentNs();
  expect(loaded).toBe(bench.machine.vm.meter().instructions * TV.nanosecondsPerInstruction);
  await bench.asked('get');
  const { instructions } = bench.machine.vm.meter();
  expect(bench.spentNs()).toBe((instructions + 1_000_000) * TV.nanosecondsPerInstruction);
});
