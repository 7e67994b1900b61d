// A folder of an account with records under a key of nobody: the daemon runs on, and edits go up.

import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Serving, serveOnLoopback } from '../../../emulator/servers/serve.ts';
import { syntheticAccount } from '../../../emulator/servers/synthetic.ts';
import { credentialsOf, run, testTerminal } from '../../../test/support/commands.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { withForeignRecords } from '../../../test/support/foreign.ts';
import { manualClock } from '../../memory/platform.ts';
import { main } from './main.ts';

let serving: Serving;
beforeAll(async () => {
  const account = withForeignRecords(syntheticAccount({ records: 70, seed: 1 }), 50);
  serving = await serveOnLoopback({ port: 0, account });
});
afterAll(() => serving.close());

it.each(['sync15', 'syncto'])('over %s the daemon goes on, and edits go up', async (protocol) => {
  const folder = temporaryFolder();
  const data = join(folder, 'data');
  const clock = manualClock(Date.now());
  const terminal = testTerminal({ machine: { clock } });
  const { urls } = serving.world;
  const ended = main(
    [
      ...['sync', '--protocol', protocol, '--data', data, '--no-device'],
      ...['--token-server', protocol === 'syncto' ? urls.syncto : urls.token],
      ...['--credentials', await credentialsOf(serving, join(folder, 'credentials.json'))],
    ],
    terminal,
  );
  await terminal.saw('in sync');
  await run(['put', 'history', `{"url":"https://${protocol}.example/"}`, '--data', data]);
  await clock.advance(60_000);
  await terminal.saw('1 sent');
  expect(terminal.complaints).toBe('');
  expect(terminal.out.split('is set aside (badMac)')).toHaveLength(51);
  const status = await run(['status', '--data', data]);
  expect(status.out).toMatch(/^history +2[12] held, 0 to send, 50 set aside$/m);
  terminal.stop();
  expect(await ended).toBe(0);
});
