// What a batch as a whole says.

import { describe, expect, test } from 'vitest';
import { HELLO, serverThat } from '../../../test/support/kinto-server.ts';

const part = (path: string) => ({ method: 'HEAD', path }) as const;
describe('a batch', () => {
  const sent = (json: unknown, status = 200) =>
    serverThat((path) => (path === '/v1/' ? { status: 200, json: HELLO } : { status, json }));

  test('that is refused as too many has the server asked again how many it takes', async () => {
    const { server, memory } = sent({}, 400);
    await server.batchMax();
    expect(await server.send([part('/a')])).toBe('malformed');
    expect(memory.batchRequestsMax).toBeUndefined();
  });

  test('that is too much for one request or one answer says so', async () => {
    expect(await sent({}, 413).server.send([part('/a')])).toBe('tooMuch');
    const long = { responses: [{ status: 200, headers: {}, body: 'x'.repeat(300_000) }] };
    expect(await sent(long).server.send([part('/a')])).toBe('tooMuch');
  });

  test.each([[{}], [{ responses: [] }], [{ responses: [{ headers: {} }] }], [{ responses: 'x' }]])(
    'that is answered %j is not answered',
    async (json) => {
      await expect(sent(json).server.send([part('/a')])).rejects.toMatchObject({
        code: 'badResponse',
      });
    },
  );
});
