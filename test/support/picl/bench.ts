// A device, another client and a server that can be told to lie, for tests of PiCL's remote.

import { expect } from 'vitest';
import type { LogChange } from '../../../emulator/servers/picl/other-client.ts';
import { Bench, MINUTE_MS } from '../../contract/bench.ts';
import { NAME, type PiclService, piclService } from '../picl-service.ts';
import type { Answer } from './server.ts';

type Device = Awaited<ReturnType<Bench['boot']>>;

export function piclBench(config: object = {}, names?: readonly string[]) {
  const start = (): PiclService => {
    const made = piclService(names);
    return { ...made, config: { remote: { ...made.config.remote, ...config } } };
  };
  const bench = new Bench(start);
  const service = bench.service as PiclService;
  const { server } = service;
  return {
    ...{ bench, service, server },
    log: () => server.log(NAME),
    /** All answers to such a request are changed. */
    lie(about: RegExp, change: (answer: Answer) => Answer): void {
      server.lie = (request, answer) =>
        about.test(`${request.method} ${request.url}`) ? change(answer) : answer;
    },
    /** Such a request is answered so, and nothing is done. */
    deny(about: RegExp, answer: Answer): void {
      server.deny = ({ method, url }) => (about.test(`${method} ${url}`) ? answer : null);
    },
    honest(): void {
      server.lie = (_, answer) => answer;
      server.deny = () => null;
    },
    /** A pass that fails with this violation, and leaves all that the device holds. */
    async refused(device: Device, reason: string): Promise<void> {
      const held = await bench.held(device);
      bench.advance(MINUTE_MS, device);
      const report = await device.agent.sync();
      expect(report).toMatchObject({ ok: false, error: { code: 'badResponse' } });
      expect(bench.statusOf(device).log).toMatchObject({ reason });
      expect(await bench.held(device)).toEqual(held);
    },
  };
}

/** Members of the changes of an answer. */
export function changesOf({ json }: Answer): LogChange[] {
  return (json as { changes: LogChange[] }).changes;
}

export const CHANGES = /^GET .*\/changes/;
export const RECORDS = /^GET .*\/records\?/;
export const METADATA = /^GET .*\/things$/;
