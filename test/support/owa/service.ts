// A user of a server of Open Web Apps with one collection, for the contract of remotes, and a bench
// whose server can be made to lie.

import { atomic, owa } from '../../../agent/index.ts';
import { Bench } from '../../contract/bench.ts';
import { DocumentServer } from '../made-up/document-server.ts';
import { type DocumentService, documentService } from '../made-up/services.ts';
import type { Service } from '../service.ts';
import { entries } from './entries.ts';

export { DOCUMENT as OWA } from '../made-up/services.ts';

export function owaService(server?: DocumentServer): DocumentService {
  const service = documentService(server);
  const { remote } = service.config;
  return {
    ...service,
    contents: { drivers: [owa], collections: [atomic(entries(service.collection))] },
    config: {
      remote: { ...remote, protocol: 'owa', serverUrl: `${remote.serverUrl}/verify` },
    },
  };
}

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
}

/** What the server says in the place of its answer. */
type Lie = (asked: Asked, answer: Response) => Response | Promise<Response>;

export interface OwaBench {
  readonly bench: Bench;
  readonly service: Service;
  readonly server: DocumentServer;
  /** What was asked for, in order; tests empty it. */
  readonly asked: Asked[];
  lie: Lie;
}

export function owaBench(change: Partial<Service['config']['remote']> = {}): OwaBench {
  const clock = { nowMs: 0 };
  const server = new DocumentServer(() => clock.nowMs);
  const service = owaService(server);
  const asked: Asked[] = [];
  const owaBench: OwaBench = {
    ...{ server, service, asked },
    bench: new Bench(() => ({
      ...service,
      config: { remote: { ...service.config.remote, ...change } },
      async fetch(request) {
        const { method, url, headers } = request;
        const one = { method, url, headers, body: await request.clone().text() };
        asked.push(one);
        return owaBench.lie(one, await service.fetch(request));
      },
    })),
    lie: (_, answer) => answer,
  };
  Object.defineProperty(clock, 'nowMs', { get: () => service.clock.nowMs });
  return owaBench;
}

/** A success of the login as a server gives it. */
export function verified(members: object): Response {
  return Response.json({ status: 'okay', email: 'user@example.test', ...members });
}
